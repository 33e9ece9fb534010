"""Drivers: one file a family of instruments."""
