"""What awaits people here."""

from shared.migrations import tasks

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table of tasks; a job opens those of submissions that wait already."""
    tasks.create_1()
