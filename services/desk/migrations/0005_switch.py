"""The kill switch: what was said of each scope, and what the senders answered."""

from shared.migrations.pauses import create_switch_1

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables of the switch and of the answers."""
    create_switch_1()
