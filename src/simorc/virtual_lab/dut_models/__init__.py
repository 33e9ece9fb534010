"""The physics of parts, and their parameter sets."""
