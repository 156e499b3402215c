"""The tables that every service has to speak with the others, as of each version; called by the services' migrations.

What stands here has run somewhere: it is never changed, only followed by another function.
"""

from alembic import op

OUTBOX_INBOX_PARKED_1 = """
CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_pkey PRIMARY KEY,
    id uuid NOT NULL CONSTRAINT outbox_id_key UNIQUE,
    type text NOT NULL,
    subject text NOT NULL,
    time timestamptz NOT NULL,
    cause text NOT NULL,
    trace_id text NOT NULL,
    revision integer NOT NULL,
    historic boolean NOT NULL,
    body text NOT NULL,
    sent_at timestamptz
);
CREATE INDEX outbox_trace_id_idx ON outbox (trace_id);
CREATE INDEX outbox_unsent_idx ON outbox (seq) WHERE sent_at IS NULL;

CREATE TABLE inbox (
    event_id uuid CONSTRAINT inbox_pkey PRIMARY KEY,
    type text NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    "offset" bigint NOT NULL,
    subject text NOT NULL,
    cause text NOT NULL,
    trace_id text NOT NULL,
    happened_at timestamptz,
    received_at timestamptz NOT NULL,
    outcome text NOT NULL,
    outcome_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 1
);
CREATE INDEX inbox_trace_id_idx ON inbox (trace_id);
CREATE INDEX inbox_outcome_at_idx ON inbox (outcome_at);

CREATE TABLE parked (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT parked_pkey PRIMARY KEY,
    event_id uuid NOT NULL CONSTRAINT parked_event_id_key UNIQUE,
    type text NOT NULL,
    subject text NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    "offset" bigint NOT NULL,
    key bytea,
    value bytea,
    headers jsonb NOT NULL,
    trace_id text NOT NULL,
    state text NOT NULL,
    behind boolean NOT NULL,
    error text NOT NULL,
    attempts integer NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    decided_by text,
    reason text
);
CREATE INDEX parked_key_idx ON parked (topic, key, id) WHERE state IN ('waiting', 'dead');
CREATE INDEX parked_due_idx ON parked (next_at) WHERE state = 'waiting';
"""


PEOPLE_1 = """
CREATE TABLE people (
    id text CONSTRAINT people_pkey PRIMARY KEY,
    name text NOT NULL,
    roles text[] NOT NULL,
    languages text[] NOT NULL,
    active boolean NOT NULL,
    tokens_valid_from timestamptz NOT NULL,
    revision integer NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
)
"""


def create_people_1() -> None:
    """Make the table of people that every service but desk has."""
    op.execute(PEOPLE_1)


def create_1() -> None:
    """Make outbox, inbox and parking."""
    # asyncpg prepares what it runs, and prepares one statement at a time.
    for statement in statements():
        op.execute(statement)


def statements(script: str = OUTBOX_INBOX_PARKED_1) -> list[str]:
    """Return a script's statements: split at the semicolons that end a line."""
    return [statement.strip() for statement in script.replace(";\n", ";;\n").split(";;\n") if statement.strip()]
