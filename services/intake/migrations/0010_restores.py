"""Mails that may have left before a restore are held, and a restore is written down."""

from shared.migrations.mail import create_restores_1

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table of restores."""
    create_restores_1()
