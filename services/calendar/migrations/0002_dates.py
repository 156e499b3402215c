"""Dates with their moves, the things they are the dates of, what was suggested, deadlines that were told of."""

from alembic import op

from shared.migrations.backbone import statements

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE dates (
    id uuid CONSTRAINT dates_pkey PRIMARY KEY,
    slug text NOT NULL CONSTRAINT dates_slug_key UNIQUE,
    kind text NOT NULL,
    public boolean NOT NULL,
    language text NOT NULL,
    title jsonb NOT NULL,
    summary jsonb NOT NULL,
    place text,
    entity text,
    precision text NOT NULL,
    starts_at timestamptz,
    ends_at timestamptz,
    zone text,
    first_day date NOT NULL,
    last_day date,
    windows jsonb NOT NULL,
    status text NOT NULL,
    sequence integer NOT NULL,
    revision integer NOT NULL,
    regions text[] NOT NULL,
    countries text[] NOT NULL,
    objectives integer[] NOT NULL,
    principles text[] NOT NULL,
    theme text,
    priority text,
    lead text[] NOT NULL,
    participants text[] NOT NULL,
    links jsonb NOT NULL,
    source_kind text,
    source_id text,
    source_address text,
    submission_id uuid CONSTRAINT dates_submission_id_key UNIQUE,
    import_key text CONSTRAINT dates_import_key_key UNIQUE,
    yearly text,
    follows uuid CONSTRAINT dates_follows_fkey REFERENCES dates (id),
    days_before integer,
    plan jsonb,
    done_on date,
    done_note jsonb,
    historic boolean NOT NULL,
    synthetic boolean NOT NULL,
    cancelled_at timestamptz,
    cancelled_because jsonb,
    trace_id text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX dates_days_idx ON dates (first_day, last_day);
CREATE INDEX dates_follows_idx ON dates (follows);
CREATE INDEX dates_yearly_idx ON dates (yearly);
CREATE UNIQUE INDEX dates_source_idx ON dates (source_kind, source_id, kind);

CREATE TABLE sources (
    kind text NOT NULL,
    id text NOT NULL,
    revision integer NOT NULL,
    told_at timestamptz NOT NULL,
    CONSTRAINT sources_pkey PRIMARY KEY (kind, id)
);

CREATE TABLE imported_rows (
    key text CONSTRAINT imported_rows_pkey PRIMARY KEY,
    row jsonb NOT NULL,
    taken_at timestamptz NOT NULL
);

CREATE TABLE suggestions (
    id uuid CONSTRAINT suggestions_pkey PRIMARY KEY,
    reference text NOT NULL,
    language text NOT NULL,
    channel text NOT NULL,
    partner text,
    public jsonb NOT NULL,
    internal jsonb NOT NULL,
    answers jsonb NOT NULL,
    contact_sealed bytea,
    entered_by text,
    event_id uuid NOT NULL,
    trace_id text NOT NULL,
    revision integer NOT NULL,
    received_at timestamptz NOT NULL,
    state text NOT NULL,
    reason text,
    reason_language text,
    date_id uuid CONSTRAINT suggestions_date_id_fkey REFERENCES dates (id),
    decision_revision integer NOT NULL,
    decided_at timestamptz,
    decided_by text,
    decided_by_name text
);
CREATE INDEX suggestions_state_idx ON suggestions (state, received_at);

CREATE TABLE moves (
    date_id uuid NOT NULL CONSTRAINT moves_date_id_fkey REFERENCES dates (id),
    sequence integer NOT NULL,
    was jsonb NOT NULL,
    moved_at timestamptz NOT NULL,
    moved_by text,
    because jsonb,
    CONSTRAINT moves_pkey PRIMARY KEY (date_id, sequence)
);

CREATE TABLE told_deadlines (
    date_id uuid NOT NULL CONSTRAINT told_deadlines_date_id_fkey REFERENCES dates (id),
    due_day date NOT NULL,
    days integer NOT NULL,
    told_at timestamptz NOT NULL,
    CONSTRAINT told_deadlines_pkey PRIMARY KEY (date_id, due_day, days)
);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in statements(TABLES):
        op.execute(statement)
