"""What the front page shows, and what the team hears of lately, as the services tell."""

from alembic import op

from shared.migrations.backbone import statements

revision = "0008"
down_revision = "0007"

FRONT_PAGE = """
CREATE TABLE public_things (
    kind text NOT NULL,
    id text NOT NULL,
    revision integer NOT NULL,
    state text NOT NULL,
    told_at timestamptz NOT NULL,
    published_at timestamptz,
    title jsonb,
    address text NOT NULL,
    entity text NOT NULL,
    word text NOT NULL,
    number text NOT NULL,
    language text NOT NULL,
    "when" jsonb,
    first_day date,
    last_day date,
    moved boolean NOT NULL,
    synthetic boolean NOT NULL,
    about text NOT NULL,
    CONSTRAINT public_things_pkey PRIMARY KEY (kind, id)
);
CREATE INDEX public_things_newest_idx ON public_things (kind, published_at);
CREATE INDEX public_things_last_day_idx ON public_things (kind, last_day);

CREATE TABLE happenings (
    kind text NOT NULL,
    id text NOT NULL,
    revision integer NOT NULL,
    happened_at timestamptz NOT NULL,
    title jsonb,
    facts jsonb NOT NULL,
    address text NOT NULL,
    due date,
    CONSTRAINT happenings_pkey PRIMARY KEY (kind, id)
);
CREATE INDEX happenings_happened_at_idx ON happenings (happened_at);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in statements(FRONT_PAGE):
        op.execute(statement)
