"""Pauses of what is sent."""

from shared.migrations import pauses

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of pauses."""
    pauses.create_1()
