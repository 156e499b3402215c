"""The version of this program, for what outlives it: the image carries no package's description to ask."""

VERSION = "0.1.0.dev0"
"""The same as in pyproject.toml; a test holds the two together."""
