"""What else is published or handed on: statements, press releases, blog articles, news items; contributions; requests for promotion."""

from alembic import op

from shared.migrations.backbone import statements

revision = "0009"
down_revision = "0008"

RECORDS = """
CREATE TABLE news (
    id uuid CONSTRAINT news_pkey PRIMARY KEY,
    submission_id uuid NOT NULL CONSTRAINT news_submission_id_key UNIQUE
        CONSTRAINT news_submission_id_fkey REFERENCES submissions (id),
    state text NOT NULL,
    revision integer NOT NULL,
    language text NOT NULL,
    fields jsonb NOT NULL,
    published_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    corrected_at timestamptz,
    slug text NOT NULL CONSTRAINT news_slug_key UNIQUE,
    kind text NOT NULL,
    level text NOT NULL,
    objectives integer[] NOT NULL,
    countries text[] NOT NULL,
    withdrawn_because text
);
CREATE INDEX news_published_at_idx ON news (published_at) WHERE state = 'published';

CREATE TABLE contributions (
    id uuid CONSTRAINT contributions_pkey PRIMARY KEY,
    submission_id uuid NOT NULL CONSTRAINT contributions_submission_id_key UNIQUE
        CONSTRAINT contributions_submission_id_fkey REFERENCES submissions (id),
    state text NOT NULL,
    revision integer NOT NULL,
    language text NOT NULL,
    fields jsonb NOT NULL,
    published_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    corrected_at timestamptz,
    withdrawn_because text
);

CREATE TABLE promotions (
    id uuid CONSTRAINT promotions_pkey PRIMARY KEY,
    submission_id uuid NOT NULL CONSTRAINT promotions_submission_id_key UNIQUE
        CONSTRAINT promotions_submission_id_fkey REFERENCES submissions (id),
    state text NOT NULL,
    revision integer NOT NULL,
    language text NOT NULL,
    fields jsonb NOT NULL,
    published_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    corrected_at timestamptz,
    withdrawn_because text
);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in statements(RECORDS):
        op.execute(statement)
