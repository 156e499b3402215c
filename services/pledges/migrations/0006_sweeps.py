"""What is looked for once a minute is found by an index, however much has been decided before."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the indexes."""
    op.execute("CREATE INDEX submissions_accepted_idx ON submissions (decided_at) WHERE state = 'accepted'")
    op.execute("CREATE INDEX reports_waiting_idx ON reports (sent_at) WHERE verdict IS NULL")
