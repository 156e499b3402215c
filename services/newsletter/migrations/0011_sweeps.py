"""What is looked for once a minute is found by an index, however much has been decided before."""

from shared.migrations import approval

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the indexes."""
    approval.create_2()
