"""What is looked for once a minute is found by an index, however much has been decided before."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the indexes."""
    op.execute("CREATE INDEX suggestions_accepted_idx ON suggestions (decided_at) WHERE state = 'accepted'")
