"""What comes in after a decision is kept beside what was decided on."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Give submissions a place for it."""
    op.execute("ALTER TABLE submissions ADD COLUMN later jsonb NOT NULL DEFAULT '[]'")
