"""People, as desk tells of them; and who decided on a submission."""

from alembic import op

from shared.migrations import backbone

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of people, and a place for the person who decided."""
    backbone.create_people_1()
    op.execute("ALTER TABLE submissions ADD COLUMN decided_by text, ADD COLUMN decided_by_name text")
