"""What is looked for once a minute is found by an index, however much has been decided before."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the indexes."""
    op.execute("CREATE INDEX submissions_accepted_idx ON submissions (decided_at) WHERE state = 'accepted'")
    op.execute("CREATE INDEX submissions_draft_idx ON submissions (id) WHERE draft IS NOT NULL")
