"""Outbox, inbox and parking."""

from shared.migrations import backbone

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables that speak with the other services."""
    backbone.create_1()
