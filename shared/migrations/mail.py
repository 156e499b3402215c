"""The table of one-off mails, as of each version; called by the migrations of services that send any.

What stands here has run somewhere: it is never changed, only followed by another function.
"""

from alembic import op

from shared.migrations.backbone import statements

MAILS_1 = """
CREATE TABLE mails (
    id uuid CONSTRAINT mails_pkey PRIMARY KEY,
    purpose text NOT NULL,
    about text NOT NULL,
    sealed bytea,
    state text NOT NULL,
    attempts integer NOT NULL,
    created_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    answer text NOT NULL
);
CREATE INDEX mails_due_idx ON mails (next_at) WHERE state = 'waiting';
CREATE INDEX mails_started_idx ON mails (id) WHERE state = 'started';
CREATE INDEX mails_about_idx ON mails (about, created_at);
CREATE INDEX mails_created_at_idx ON mails (created_at);
"""

RESTORES_1 = """
CREATE TABLE restores (
    restored_at timestamptz CONSTRAINT restores_pkey PRIMARY KEY,
    taken_at timestamptz NOT NULL
);
CREATE INDEX mails_held_idx ON mails (expires_at) WHERE state = 'held';
"""


def create_mails_1() -> None:
    """Make the table of one-off mails."""
    for statement in statements(MAILS_1):
        op.execute(statement)


def create_restores_1() -> None:
    """Make the table of restores, by which mails that may have left before one are known, and the index of those that are held."""
    for statement in statements(RESTORES_1):
        op.execute(statement)
