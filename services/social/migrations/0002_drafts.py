"""Drafts of posts."""

from alembic import op

revision = "0002"
down_revision = "0001"

DRAFTS = """
CREATE TABLE drafts (
    id uuid CONSTRAINT drafts_pkey PRIMARY KEY,
    source_kind text NOT NULL,
    source_id text NOT NULL,
    event_id uuid NOT NULL,
    trace_id text NOT NULL,
    told_at timestamptz NOT NULL,
    revision integer NOT NULL,
    language text NOT NULL,
    title jsonb NOT NULL,
    texts jsonb NOT NULL,
    address text NOT NULL,
    state text NOT NULL,
    withdrawn_because text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
)
"""


def upgrade() -> None:
    """Make the table of drafts."""
    op.execute(DRAFTS)
    op.execute("CREATE UNIQUE INDEX drafts_source_idx ON drafts (source_kind, source_id)")
