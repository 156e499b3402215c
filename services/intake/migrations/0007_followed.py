"""What followed from submissions elsewhere, as their senders may see it; and the mailboxes to which enquiries go."""

from alembic import op

from shared.migrations.backbone import statements

revision = "0007"
down_revision = "0006"

FOLLOWED = """
CREATE TABLE followed (
    source_id text NOT NULL,
    kind text NOT NULL,
    thing_id text NOT NULL,
    revision integer NOT NULL,
    words text NOT NULL,
    address text NOT NULL,
    stands boolean NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT followed_pkey PRIMARY KEY (source_id, kind, thing_id)
);

CREATE TABLE mailboxes (
    initiative text CONSTRAINT mailboxes_pkey PRIMARY KEY,
    address_sealed bytea NOT NULL,
    confirmed_by text NOT NULL,
    confirmed_by_name text NOT NULL,
    confirmed_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Make both tables."""
    for statement in statements(FOLLOWED):
        op.execute(statement)
