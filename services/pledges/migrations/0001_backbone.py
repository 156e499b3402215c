"""Outbox, inbox and parking; people; tasks; one-off mails."""

from shared.migrations import backbone, mail, tasks

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables that every service of this kind has."""
    backbone.create_1()
    backbone.create_people_1()
    tasks.create_1()
    mail.create_mails_1()
