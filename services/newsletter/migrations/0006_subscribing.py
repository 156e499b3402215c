"""Signing up with double opt-in, receipts of consent, pauses and reasons of suppression; the queue of one-off mails."""

from alembic import op

from shared.migrations.backbone import statements
from shared.migrations.mail import create_mails_1

revision = "0006"
down_revision = "0005"

SUBSCRIBING = """
ALTER TABLE subscribers ADD COLUMN suppressed_because text NOT NULL DEFAULT '';
ALTER TABLE subscribers ADD COLUMN paused_until timestamptz;
CREATE INDEX subscribers_state_idx ON subscribers (state, language);
CREATE TABLE wishes (
    id uuid CONSTRAINT wishes_pkey PRIMARY KEY,
    purpose text NOT NULL,
    state text NOT NULL,
    address bytea NOT NULL,
    address_hash bytea NOT NULL,
    subscriber_id uuid,
    language text NOT NULL,
    page_language text NOT NULL,
    version text NOT NULL,
    words text NOT NULL,
    client bytea NOT NULL,
    mailed boolean NOT NULL DEFAULT false,
    token_hash bytea CONSTRAINT wishes_token_hash_key UNIQUE,
    asked_at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX wishes_address_hash_idx ON wishes (address_hash, asked_at);
CREATE INDEX wishes_open_idx ON wishes (until) WHERE state IN ('asked', 'mailed');
CREATE INDEX wishes_asked_at_idx ON wishes (asked_at);
CREATE TABLE receipts (
    id uuid CONSTRAINT receipts_pkey PRIMARY KEY,
    subscriber_id uuid NOT NULL,
    act text NOT NULL,
    at timestamptz NOT NULL,
    source text NOT NULL,
    "by" text NOT NULL,
    language text NOT NULL,
    version text NOT NULL,
    words text NOT NULL,
    words_language text NOT NULL,
    note text NOT NULL,
    given_at timestamptz,
    client bytea NOT NULL
);
CREATE INDEX receipts_subscriber_id_idx ON receipts (subscriber_id, at);
"""

# What somebody consented to, and when they took it back, is written once.
KEPT = (
    """
    CREATE FUNCTION receipts_are_kept() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'receipts of consent are never changed or deleted; write what happened later as a row of its own'; END $$
    """,
    "CREATE TRIGGER receipts_are_kept BEFORE UPDATE OR DELETE ON receipts FOR EACH ROW EXECUTE FUNCTION receipts_are_kept()",
)


def upgrade() -> None:
    """Make the tables of subscribing."""
    create_mails_1()
    for statement in (*statements(SUBSCRIBING), *KEPT):
        op.execute(statement)
