"""Mails that may have left before a restore are held, and a restore is written down."""

from alembic import op

from shared.migrations.mail import create_restores_1

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table of restores, and say of mails that are wanted when that was told."""
    create_restores_1()
    op.execute("ALTER TABLE mails_wanted ADD COLUMN told_at timestamptz")
