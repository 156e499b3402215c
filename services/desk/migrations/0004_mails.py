"""The queue of mails: sign-in links leave by it."""

from shared.migrations.mail import create_mails_1

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of mails."""
    create_mails_1()
