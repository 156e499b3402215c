"""The services that keep something."""

OWNERS = ("desk", "intake", "pledges", "newsletter", "social", "calendar")
"""The services that keep something, whose schemas `tidings migrate` makes."""
