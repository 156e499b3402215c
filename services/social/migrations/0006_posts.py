"""Posts as people write them, where their approval stands, and what awaits people."""

from alembic import op

from shared.migrations import approval, tasks
from shared.migrations.backbone import statements

revision = "0006"
down_revision = "0005"

POSTS = """
CREATE TABLE posts (
    id uuid CONSTRAINT posts_pkey PRIMARY KEY,
    draft_id uuid CONSTRAINT posts_draft_id_fkey REFERENCES drafts (id),
    source_kind text,
    source_id text,
    source_revision integer,
    source_withdrawn text,
    local_time timestamp,
    zone text NOT NULL,
    until_time timestamp,
    trace_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX posts_draft_idx ON posts (draft_id);
CREATE INDEX posts_source_idx ON posts (source_kind, source_id);
CREATE INDEX posts_trace_idx ON posts (trace_id);

CREATE TABLE post_variants (
    post_id uuid NOT NULL CONSTRAINT post_variants_post_id_fkey REFERENCES posts (id),
    network text NOT NULL,
    language text NOT NULL,
    text text NOT NULL,
    pictures jsonb NOT NULL,
    CONSTRAINT post_variants_pkey PRIMARY KEY (post_id, network, language)
);
"""


def upgrade() -> None:
    """Make the tables of posts, approvals and tasks."""
    for statement in statements(POSTS):
        op.execute(statement)
    approval.create_1()
    tasks.create_1()
