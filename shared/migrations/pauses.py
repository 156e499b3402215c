"""The table of pauses, as of each version; called by the migrations of every service that sends.

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


def create_1() -> None:
    """Make the table of pauses."""
    for statement in statements(PAUSES_1):
        op.execute(statement)
