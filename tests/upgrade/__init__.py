"""Databases of versions that are in use, kept as they were, and what must hold once a newer version has migrated them."""
