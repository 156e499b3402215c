"""What is looked for once a minute is found by an index, however much has been decided before."""

from alembic import op

from shared.migrations import approval

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the indexes."""
    approval.create_2()
    op.execute("CREATE INDEX posts_local_time_idx ON posts (local_time)")
