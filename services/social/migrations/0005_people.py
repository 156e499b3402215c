"""People, as desk tells of them."""

from shared.migrations import backbone

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table of people."""
    backbone.create_people_1()
