"""Subscribers, as far as sending needs them; the sending of an issue with its ledger."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    # Keys that must outlive a rotation of TIDINGS_DATA_KEYS, sealed with those.
    """
    CREATE TABLE kept_keys (
        name text CONSTRAINT kept_keys_pkey PRIMARY KEY,
        sealed bytea NOT NULL
    )
    """,
    """
    CREATE TABLE subscribers (
        id uuid CONSTRAINT subscribers_pkey PRIMARY KEY,
        address bytea NOT NULL,
        address_hash bytea NOT NULL,
        domain text NOT NULL,
        language text NOT NULL,
        state text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE UNIQUE INDEX subscribers_address_hash_idx ON subscribers (address_hash)",
    """
    CREATE TABLE sends (
        issue_id uuid CONSTRAINT sends_pkey PRIMARY KEY,
        variants jsonb NOT NULL,
        approved_hash text NOT NULL,
        fallback text NOT NULL,
        starts_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        state text NOT NULL,
        held_because text NOT NULL DEFAULT '',
        audience integer NOT NULL DEFAULT 0,
        frozen_at timestamptz,
        finished_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE audience (
        issue_id uuid NOT NULL,
        subscriber_id uuid NOT NULL,
        language text NOT NULL,
        domain text NOT NULL,
        state text NOT NULL,
        reason text NOT NULL DEFAULT '',
        next_at timestamptz NOT NULL,
        epoch integer NOT NULL DEFAULT 0,
        sender uuid,
        link integer,
        attempts integer NOT NULL DEFAULT 0,
        first_at timestamptz,
        ended_at timestamptz,
        CONSTRAINT audience_pkey PRIMARY KEY (issue_id, subscriber_id),
        CONSTRAINT audience_state_check CHECK (state IN
            ('planned', 'claimed', 'started', 'deferred', 'accepted', 'refused', 'excluded', 'uncertain'))
    )
    """,
    "CREATE INDEX audience_due_idx ON audience (next_at) WHERE state IN ('planned', 'deferred')",
    "CREATE INDEX audience_sender_idx ON audience (sender) WHERE state IN ('claimed', 'started')",
    "CREATE INDEX audience_subscriber_id_idx ON audience (subscriber_id)",
    """
    CREATE TABLE attempts (
        issue_id uuid NOT NULL,
        subscriber_id uuid NOT NULL,
        epoch integer NOT NULL,
        outcome text NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        phase text NOT NULL,
        code integer NOT NULL,
        reply text NOT NULL,
        queue_id text NOT NULL,
        message_id text NOT NULL,
        sender uuid NOT NULL,
        link integer,
        CONSTRAINT attempts_pkey PRIMARY KEY (issue_id, subscriber_id, epoch, outcome)
    )
    """,
    "CREATE INDEX attempts_message_id_idx ON attempts (message_id)",
    # What was tried is told once: a later finding is a row of its own.
    """
    CREATE FUNCTION attempts_are_kept() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'attempts are never changed; write what was found later as a row of its own'; END $$
    """,
    "CREATE TRIGGER attempts_are_kept BEFORE UPDATE ON attempts FOR EACH ROW EXECUTE FUNCTION attempts_are_kept()",
    """
    CREATE TABLE senders (
        id uuid CONSTRAINT senders_pkey PRIMARY KEY,
        name text NOT NULL,
        connections integer NOT NULL,
        trouble text NOT NULL DEFAULT '',
        began_at timestamptz NOT NULL DEFAULT now(),
        seen_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE slow_ways (
        way text CONSTRAINT slow_ways_pkey PRIMARY KEY,
        until timestamptz NOT NULL,
        step integer NOT NULL,
        because text NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Make the tables of sending."""
    for statement in STATEMENTS:
        op.execute(statement)
