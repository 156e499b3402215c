"""The table of what was last told of each source, as of each version; called by the migrations of every service that makes items or posts.

What stands here has run somewhere: it is never changed, only followed by another function.
"""

from alembic import op

HEARD_1 = """
CREATE TABLE heard (
    source_kind text NOT NULL,
    source_id text NOT NULL,
    type text NOT NULL,
    revision integer NOT NULL,
    event_id uuid NOT NULL,
    trace_id text NOT NULL,
    told_at timestamptz NOT NULL,
    historic boolean NOT NULL,
    data jsonb NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT heard_pkey PRIMARY KEY (source_kind, source_id, type)
)
"""


def create_1() -> None:
    """Make the table of what was told."""
    op.execute(HEARD_1)
