"""Drafts of every kind, with what was wished for; words that stand from before their source changed; what was told; quiet times."""

from alembic import op

from shared.migrations import heard, pauses
from shared.migrations.backbone import statements

revision = "0007"
down_revision = "0006"

DRAFTS = """
ALTER TABLE drafts ADD COLUMN milestone text NOT NULL DEFAULT '';
ALTER TABLE drafts ADD COLUMN label text NOT NULL DEFAULT '';
ALTER TABLE drafts ADD COLUMN "when" jsonb;
ALTER TABLE drafts ADD COLUMN place text NOT NULL DEFAULT '';
ALTER TABLE drafts ADD COLUMN credit text NOT NULL DEFAULT '';
ALTER TABLE drafts ADD COLUMN files jsonb NOT NULL DEFAULT '[]'::jsonb;
ALTER TABLE drafts ADD COLUMN networks text[] NOT NULL DEFAULT '{}';
ALTER TABLE drafts ADD COLUMN wished jsonb;
ALTER TABLE drafts ADD COLUMN standing text NOT NULL DEFAULT '';
UPDATE drafts SET label = source_kind;
DROP INDEX drafts_source_idx;
CREATE UNIQUE INDEX drafts_source_idx ON drafts (source_kind, source_id, milestone);
ALTER TABLE post_variants ADD COLUMN source_revision integer;
UPDATE post_variants SET source_revision = posts.source_revision FROM posts WHERE posts.id = post_id;
ALTER TABLE deliveries ADD COLUMN quiet_until timestamptz
"""


def upgrade() -> None:
    """Widen the drafts, and make the tables of what was told and of quiet times."""
    for statement in statements(DRAFTS):
        op.execute(statement)
    heard.create_1()
    pauses.create_quiet_1()
