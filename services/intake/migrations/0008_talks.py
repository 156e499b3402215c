"""GCM Talks with their pages and outcomes; and what colleagues change in a submission before it is published."""

from alembic import op

from shared.migrations.backbone import statements

revision = "0008"
down_revision = "0007"

TALKS = """
ALTER TABLE submissions ADD COLUMN draft jsonb;
ALTER TABLE submissions ADD COLUMN edited_by text;
ALTER TABLE submissions ADD COLUMN edited_by_name text;
ALTER TABLE submissions ADD COLUMN edited_at timestamptz;

CREATE TABLE talks (
    id uuid CONSTRAINT talks_pkey PRIMARY KEY,
    submission_id uuid NOT NULL CONSTRAINT talks_submission_id_key UNIQUE
        CONSTRAINT talks_submission_id_fkey REFERENCES submissions (id),
    state text NOT NULL,
    revision integer NOT NULL,
    language text NOT NULL,
    fields jsonb NOT NULL,
    published_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    corrected_at timestamptz,
    slug text NOT NULL CONSTRAINT talks_slug_key UNIQUE,
    format text NOT NULL,
    level text NOT NULL,
    objectives integer[] NOT NULL,
    regions text[] NOT NULL,
    countries text[] NOT NULL,
    first_day date NOT NULL,
    last_day date,
    was jsonb NOT NULL,
    cancelled_because jsonb,
    outcome jsonb,
    shows_note boolean NOT NULL
);
CREATE INDEX talks_first_day_idx ON talks (first_day);
"""


def upgrade() -> None:
    """Make the table, and room for changes."""
    for statement in statements(TALKS):
        op.execute(statement)
