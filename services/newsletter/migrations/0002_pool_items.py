"""The pool of items."""

from alembic import op

revision = "0002"
down_revision = "0001"

POOL_ITEMS = """
CREATE TABLE pool_items (
    id uuid CONSTRAINT pool_items_pkey PRIMARY KEY,
    source_kind text NOT NULL,
    source_id text NOT NULL,
    event_id uuid NOT NULL,
    trace_id text NOT NULL,
    told_at timestamptz NOT NULL,
    revision integer NOT NULL,
    language text NOT NULL,
    title jsonb NOT NULL,
    summary jsonb NOT NULL,
    entity text NOT NULL,
    level text NOT NULL,
    countries text[] NOT NULL,
    objectives integer[] NOT NULL,
    address text NOT NULL,
    state text NOT NULL,
    withdrawn_because text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
)
"""


def upgrade() -> None:
    """Make the table of items."""
    op.execute(POOL_ITEMS)
    op.execute("CREATE UNIQUE INDEX pool_items_source_idx ON pool_items (source_kind, source_id)")
