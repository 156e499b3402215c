"""The tables of pauses, as of each version; called by the migrations of every service that sends, and of desk, which has the switch.

What stands here has run somewhere: it is never changed, only followed by another function.
"""

from alembic import op

from shared.migrations.backbone import statements

PAUSES_1 = """
CREATE TABLE pauses (
    scope text NOT NULL,
    origin text NOT NULL,
    paused boolean NOT NULL,
    reason text NOT NULL,
    until timestamptz,
    by text,
    since timestamptz NOT NULL,
    told_at timestamptz NOT NULL,
    cause text NOT NULL,
    trace_id text NOT NULL,
    waited jsonb,
    CONSTRAINT pauses_pkey PRIMARY KEY (scope, origin)
);
"""

SWITCH_1 = """
CREATE TABLE switches (
    scope text CONSTRAINT switches_pkey PRIMARY KEY,
    paused boolean NOT NULL,
    reason text NOT NULL,
    until timestamptz,
    by text NOT NULL,
    since timestamptz NOT NULL,
    revision integer NOT NULL
);
CREATE TABLE confirmations (
    sender text NOT NULL,
    scope text NOT NULL,
    state text NOT NULL,
    since timestamptz NOT NULL,
    waiting integer NOT NULL,
    told_at timestamptz NOT NULL,
    CONSTRAINT confirmations_pkey PRIMARY KEY (sender, scope)
);
"""


def create_1() -> None:
    """Make the table of pauses, for a service that sends."""
    for statement in statements(PAUSES_1):
        op.execute(statement)


def create_switch_1() -> None:
    """Make the tables of the switch and of what the senders confirmed, for desk."""
    for statement in statements(SWITCH_1):
        op.execute(statement)


QUIET_1 = """
CREATE TABLE quiet_times (
    date_id text CONSTRAINT quiet_times_pkey PRIMARY KEY,
    kind text NOT NULL,
    title jsonb NOT NULL,
    begins timestamptz,
    ends timestamptz,
    source_kind text,
    source_id text,
    standing boolean NOT NULL,
    revision integer NOT NULL,
    event_id uuid NOT NULL
);
CREATE INDEX quiet_times_source_idx ON quiet_times (source_kind, source_id);
"""


def create_quiet_1() -> None:
    """Make the table of blackouts and embargoes, for a service that sends."""
    for statement in statements(QUIET_1):
        op.execute(statement)
