"""The YAML files: reading, checking, and resolving them into a Plan. The only room with pydantic."""
