"""Mails to people that other services ask for, until they are written."""

from alembic import op

from shared.migrations.backbone import statements

revision = "0007"
down_revision = "0006"

MAILS_WANTED = """
CREATE TABLE mails_wanted (
    event_id uuid CONSTRAINT mails_wanted_pkey PRIMARY KEY,
    person_id text NOT NULL,
    template text NOT NULL,
    facts jsonb,
    address text,
    heard_at timestamptz NOT NULL,
    done_at timestamptz,
    mail_id uuid
);
CREATE INDEX mails_wanted_open_idx ON mails_wanted (heard_at) WHERE done_at IS NULL;
"""


def upgrade() -> None:
    """Make the table."""
    for statement in statements(MAILS_WANTED):
        op.execute(statement)
