"""Files that come with submissions, what colleagues enter for others, answers to questions, and what senders are told."""

from alembic import op

from shared.migrations.backbone import statements

revision = "0006"
down_revision = "0005"

FORMS = """
ALTER TABLE submissions ADD COLUMN files jsonb NOT NULL DEFAULT '[]';
ALTER TABLE submissions ADD COLUMN answers jsonb NOT NULL DEFAULT '[]';
ALTER TABLE submissions ADD COLUMN became text;
ALTER TABLE submissions ADD COLUMN entered_by text;
ALTER TABLE submissions ADD COLUMN entered_by_name text;
ALTER TABLE submissions ADD COLUMN came_by text;
ALTER TABLE submissions ADD COLUMN came_on date;
ALTER TABLE submissions ADD COLUMN came_from text;
CREATE INDEX submissions_became_idx ON submissions (became) WHERE became IS NOT NULL;
CREATE INDEX submissions_files_idx ON submissions USING gin (files jsonb_path_ops);

CREATE TABLE files (
    sha256 text CONSTRAINT files_pkey PRIMARY KEY,
    media_type text NOT NULL,
    data bytea NOT NULL,
    kept_at timestamptz NOT NULL
);

CREATE TABLE notices (
    id uuid CONSTRAINT notices_pkey PRIMARY KEY,
    submission_id uuid NOT NULL CONSTRAINT notices_submission_id_fkey REFERENCES submissions (id) ON DELETE CASCADE,
    state text NOT NULL,
    reason text,
    reason_language text,
    address text,
    decided_at timestamptz NOT NULL,
    ended_at timestamptz,
    was_mailed boolean NOT NULL DEFAULT false
);
CREATE INDEX notices_submission_id_idx ON notices (submission_id);
CREATE INDEX notices_waiting_idx ON notices (decided_at) WHERE ended_at IS NULL;
"""


def upgrade() -> None:
    """Make them."""
    for statement in statements(FORMS):
        op.execute(statement)
