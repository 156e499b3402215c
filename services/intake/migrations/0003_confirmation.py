"""Senders of public forms confirm their address by mail: the queue of mails, and submissions that wait for it."""

from alembic import op

from shared.migrations.backbone import statements
from shared.migrations.mail import create_mails_1

revision = "0003"
down_revision = "0002"

# An unconfirmed submission has not been told of, so it has no event yet.
CONFIRMATION = """
ALTER TABLE submissions ALTER COLUMN event_id DROP NOT NULL;
ALTER TABLE submissions ADD COLUMN confirm_hash text CONSTRAINT submissions_confirm_hash_key UNIQUE;
CREATE INDEX submissions_unconfirmed_idx ON submissions (received_at) WHERE state = 'unconfirmed';
"""


def upgrade() -> None:
    """Make the table of mails, and what a confirmation needs."""
    create_mails_1()
    for statement in statements(CONFIRMATION):
        op.execute(statement)
