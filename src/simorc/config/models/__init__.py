"""The keys of the YAML files, as pydantic models: what may stand where, its default, and what it means."""
