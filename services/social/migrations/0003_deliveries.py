"""Deliveries of posts, their attempts and looks, pictures, and the pauses of accounts."""

from alembic import op

revision = "0003"
down_revision = "0002"

DELIVERIES = """
CREATE TABLE deliveries (
    id uuid CONSTRAINT deliveries_pkey PRIMARY KEY,
    post_id uuid NOT NULL,
    cause text NOT NULL,
    trace_id text NOT NULL,
    source_kind text,
    source_id text,
    network text NOT NULL,
    language text NOT NULL,
    content jsonb NOT NULL,
    content_hash text NOT NULL,
    approved_hash text,
    local_time timestamp NOT NULL,
    zone text NOT NULL,
    due_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL,
    state text NOT NULL,
    waiting_for text,
    looks integer NOT NULL DEFAULT 0,
    sent_again integer NOT NULL DEFAULT 0,
    lease uuid,
    lease_until timestamptz,
    place_id text,
    place_address text,
    published_at timestamptz,
    evidence jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
)
"""
ATTEMPTS = """
CREATE TABLE attempts (
    id uuid CONSTRAINT attempts_pkey PRIMARY KEY,
    delivery_id uuid NOT NULL CONSTRAINT attempts_delivery_id_fkey REFERENCES deliveries (id),
    content_hash text NOT NULL,
    lease uuid NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    outcome text,
    evidence jsonb
)
"""
LOOKS = """
CREATE TABLE looks (
    id uuid CONSTRAINT looks_pkey PRIMARY KEY,
    delivery_id uuid NOT NULL CONSTRAINT looks_delivery_id_fkey REFERENCES deliveries (id),
    looked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    found boolean,
    evidence jsonb NOT NULL
)
"""
PICTURES = """
CREATE TABLE pictures (
    sha256 text CONSTRAINT pictures_pkey PRIMARY KEY,
    media_type text NOT NULL,
    data bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
)
"""
ACCOUNTS = """
CREATE TABLE accounts (
    network text CONSTRAINT accounts_pkey PRIMARY KEY,
    posts_not_before timestamptz,
    reads_not_before timestamptz
)
"""
# What was tried stays as it was written: an attempt ends once, and neither its beginning nor its end is changed afterwards.
KEEP_ATTEMPTS = """
CREATE FUNCTION keep_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.ended_at IS NOT NULL
        OR (NEW.id, NEW.delivery_id, NEW.content_hash, NEW.lease, NEW.started_at)
        IS DISTINCT FROM (OLD.id, OLD.delivery_id, OLD.content_hash, OLD.lease, OLD.started_at) THEN
        RAISE EXCEPTION 'attempt % stays as it was written', OLD.id;
    END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    """Make the ledger of what goes out."""
    for statement in (DELIVERIES, ATTEMPTS, LOOKS, PICTURES, ACCOUNTS, KEEP_ATTEMPTS):
        op.execute(statement)
    op.execute("CREATE UNIQUE INDEX deliveries_post_idx ON deliveries (post_id, network, language)")
    # A post on a network belongs to one delivery: a look never takes what another has found.
    op.execute("CREATE UNIQUE INDEX deliveries_place_idx ON deliveries (network, place_id)")
    op.execute("CREATE INDEX deliveries_next_idx ON deliveries (not_before) WHERE state IN ('scheduled', 'sending', 'unknown')")
    # Nobody begins a second attempt while the end of the first is open.
    op.execute("CREATE UNIQUE INDEX attempts_open_idx ON attempts (delivery_id) WHERE ended_at IS NULL")
    op.execute("CREATE INDEX attempts_delivery_id_idx ON attempts (delivery_id)")
    op.execute("CREATE INDEX looks_delivery_id_idx ON looks (delivery_id)")
    op.execute("CREATE TRIGGER attempts_keep BEFORE UPDATE OR DELETE ON attempts FOR EACH ROW EXECUTE FUNCTION keep_attempts()")
