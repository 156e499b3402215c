"""Partners with their keys, receipts, submissions and practices."""

from alembic import op

from shared.migrations.backbone import statements

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE partners (
    id uuid CONSTRAINT partners_pkey PRIMARY KEY,
    name text NOT NULL,
    contact_sealed bytea NOT NULL,
    rate_per_minute integer NOT NULL,
    demo boolean NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX partners_demo_idx ON partners (demo) WHERE demo;

CREATE TABLE partner_keys (
    id uuid CONSTRAINT partner_keys_pkey PRIMARY KEY,
    partner_id uuid NOT NULL CONSTRAINT partner_keys_partner_id_fkey REFERENCES partners (id),
    kind text NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX partner_keys_partner_id_idx ON partner_keys (partner_id);

CREATE TABLE receipts (
    id uuid CONSTRAINT receipts_pkey PRIMARY KEY,
    partner_id uuid NOT NULL CONSTRAINT receipts_partner_id_fkey REFERENCES partners (id),
    key_id uuid NOT NULL CONSTRAINT receipts_key_id_fkey REFERENCES partner_keys (id),
    webhook_id text NOT NULL,
    fingerprint text NOT NULL,
    type text NOT NULL,
    dialect text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    sent_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    skew_seconds double precision NOT NULL,
    unread text[] NOT NULL,
    raw_sealed bytea,
    CONSTRAINT receipts_partner_id_webhook_id_key UNIQUE (partner_id, webhook_id)
);
CREATE INDEX receipts_raw_idx ON receipts (received_at) WHERE raw_sealed IS NOT NULL;

CREATE TABLE submissions (
    id uuid CONSTRAINT submissions_pkey PRIMARY KEY,
    kind text NOT NULL,
    channel text NOT NULL,
    partner_id uuid CONSTRAINT submissions_partner_id_fkey REFERENCES partners (id),
    language text NOT NULL,
    reference text NOT NULL CONSTRAINT submissions_reference_key UNIQUE,
    public jsonb NOT NULL,
    internal jsonb NOT NULL,
    contact_sealed bytea NOT NULL,
    contact_confirmed_at timestamptz,
    state text NOT NULL,
    reason text,
    reason_language text,
    address text,
    event_id uuid NOT NULL,
    decision_revision integer NOT NULL,
    token text NOT NULL CONSTRAINT submissions_token_key UNIQUE,
    form_hash text CONSTRAINT submissions_form_hash_key UNIQUE,
    received_at timestamptz NOT NULL,
    decided_at timestamptz
);
CREATE INDEX submissions_state_received_at_idx ON submissions (state, received_at);

CREATE TABLE practices (
    id uuid CONSTRAINT practices_pkey PRIMARY KEY,
    submission_id uuid NOT NULL CONSTRAINT practices_submission_id_key UNIQUE
        CONSTRAINT practices_submission_id_fkey REFERENCES submissions (id),
    slug text NOT NULL CONSTRAINT practices_slug_key UNIQUE,
    state text NOT NULL,
    revision integer NOT NULL,
    language text NOT NULL,
    title jsonb NOT NULL,
    summary jsonb NOT NULL,
    text jsonb,
    entity text NOT NULL,
    entity_type text NOT NULL,
    countries text[] NOT NULL,
    objectives integer[] NOT NULL,
    principles text[] NOT NULL,
    links jsonb NOT NULL,
    published_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    withdrawn_because text
);
CREATE INDEX practices_published_at_idx ON practices (published_at) WHERE state = 'published';
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in statements(TABLES):
        op.execute(statement)
