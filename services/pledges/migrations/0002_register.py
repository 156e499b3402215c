"""The register: pledges with their versions, what came in, what owners report, champions."""

from alembic import op

from shared.migrations.backbone import statements

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE SEQUENCE pledge_numbers;
CREATE TABLE champions (
    country text CONSTRAINT champions_pkey PRIMARY KEY,
    since text,
    seen text,
    until text,
    source text NOT NULL,
    verified text NOT NULL,
    note text NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text
);

CREATE TABLE pledges (
    id uuid CONSTRAINT pledges_pkey PRIMARY KEY,
    number text NOT NULL CONSTRAINT pledges_number_key UNIQUE,
    submission_id uuid CONSTRAINT pledges_submission_id_key UNIQUE,
    import_key text CONSTRAINT pledges_import_key_key UNIQUE,
    import_hash text,
    language text NOT NULL,
    title jsonb NOT NULL,
    description jsonb NOT NULL,
    entity text NOT NULL,
    entity_type text NOT NULL,
    participants text[] NOT NULL,
    kinds text[] NOT NULL,
    way text NOT NULL,
    matched_number text,
    scope text NOT NULL,
    countries text[] NOT NULL,
    regions text[] NOT NULL,
    objectives integer[] NOT NULL,
    principles text[] NOT NULL,
    metric text NOT NULL,
    baseline text,
    target text NOT NULL,
    currency text,
    amount numeric,
    start date,
    due date NOT NULL,
    links jsonb NOT NULL,
    synthetic boolean NOT NULL,
    standing text NOT NULL,
    withdrawn_because text,
    state text NOT NULL,
    progress text,
    reported_on date,
    evidence jsonb NOT NULL,
    evidenced_on date,
    superseded_by text,
    published_on date NOT NULL,
    revision integer NOT NULL,
    contact_sealed bytea NOT NULL,
    reminded_at timestamptz,
    trace_id text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX pledges_countries_idx ON pledges USING gin (countries);
CREATE INDEX pledges_objectives_idx ON pledges USING gin (objectives);
CREATE INDEX pledges_published_on_idx ON pledges (published_on);

CREATE TABLE submissions (
    id uuid CONSTRAINT submissions_pkey PRIMARY KEY,
    reference text NOT NULL,
    language text NOT NULL,
    channel text NOT NULL,
    partner text,
    entered_by text,
    public jsonb NOT NULL,
    internal jsonb NOT NULL,
    files jsonb NOT NULL,
    answers jsonb NOT NULL,
    contact_sealed bytea NOT NULL,
    event_id uuid NOT NULL,
    trace_id text NOT NULL,
    revision integer NOT NULL,
    received_at timestamptz NOT NULL,
    state text NOT NULL,
    reason text,
    decision_revision integer NOT NULL,
    decided_at timestamptz,
    decided_by text,
    decided_by_name text
);
CREATE INDEX submissions_state_idx ON submissions (state, received_at);

CREATE TABLE reports (
    id uuid CONSTRAINT reports_pkey PRIMARY KEY,
    pledge_id uuid NOT NULL CONSTRAINT reports_pledge_id_fkey REFERENCES pledges (id),
    reported_on date NOT NULL,
    state text NOT NULL,
    progress text,
    note jsonb NOT NULL,
    evidence jsonb NOT NULL,
    superseded_by text,
    language text NOT NULL,
    channel text NOT NULL,
    sent_at timestamptz NOT NULL,
    verdict text,
    reason text,
    decided_at timestamptz,
    decided_by text,
    decided_by_name text
);
CREATE INDEX reports_pledge_id_idx ON reports (pledge_id);

CREATE TABLE update_links (
    token_hash bytea CONSTRAINT update_links_pkey PRIMARY KEY,
    pledge_id uuid NOT NULL CONSTRAINT update_links_pledge_id_fkey REFERENCES pledges (id),
    made_at timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX update_links_pledge_id_idx ON update_links (pledge_id);

CREATE TABLE versions (
    pledge_id uuid NOT NULL CONSTRAINT versions_pledge_id_fkey REFERENCES pledges (id),
    revision integer NOT NULL,
    number text NOT NULL,
    language text NOT NULL,
    title jsonb NOT NULL,
    description jsonb NOT NULL,
    entity text NOT NULL,
    entity_type text NOT NULL,
    participants text[] NOT NULL,
    kinds text[] NOT NULL,
    way text NOT NULL,
    matched_number text,
    scope text NOT NULL,
    countries text[] NOT NULL,
    regions text[] NOT NULL,
    objectives integer[] NOT NULL,
    principles text[] NOT NULL,
    metric text NOT NULL,
    baseline text,
    target text NOT NULL,
    currency text,
    amount numeric,
    start date,
    due date NOT NULL,
    links jsonb NOT NULL,
    synthetic boolean NOT NULL,
    standing text NOT NULL,
    withdrawn_because text,
    state text NOT NULL,
    progress text,
    reported_on date,
    evidence jsonb NOT NULL,
    evidenced_on date,
    superseded_by text,
    published_on date NOT NULL,
    change text NOT NULL,
    stands_from date NOT NULL,
    recorded_at timestamptz NOT NULL,
    changed_by text,
    CONSTRAINT versions_pkey PRIMARY KEY (pledge_id, revision)
);
CREATE INDEX versions_recorded_at_idx ON versions (recorded_at);
CREATE INDEX versions_stands_from_idx ON versions (pledge_id, stands_from, revision);

"""


def upgrade() -> None:
    """Make the tables."""
    for statement in statements(TABLES):
        op.execute(statement)
