"""Items of every kind: what came of a source as an item of its own, times, credits; what was last told; days on which nothing is sent."""

from alembic import op

from shared.migrations import heard, pauses
from shared.migrations.backbone import statements

revision = "0009"
down_revision = "0008"

ITEMS = """
ALTER TABLE pool_items ADD COLUMN milestone text NOT NULL DEFAULT '';
ALTER TABLE pool_items ADD COLUMN label text NOT NULL DEFAULT '';
ALTER TABLE pool_items ADD COLUMN "when" jsonb;
ALTER TABLE pool_items ADD COLUMN place text NOT NULL DEFAULT '';
ALTER TABLE pool_items ADD COLUMN credit text NOT NULL DEFAULT '';
ALTER TABLE pool_items ADD COLUMN files jsonb NOT NULL DEFAULT '[]'::jsonb;
ALTER TABLE pool_items ADD COLUMN standing text NOT NULL DEFAULT '';
UPDATE pool_items SET label = source_kind;
DROP INDEX pool_items_source_idx;
CREATE UNIQUE INDEX pool_items_source_idx ON pool_items (source_kind, source_id, milestone);
ALTER TABLE sends ADD COLUMN waits_until timestamptz
"""


def upgrade() -> None:
    """Widen the pool, and make the tables of what was told and of quiet times."""
    for statement in statements(ITEMS):
        op.execute(statement)
    heard.create_1()
    pauses.create_quiet_1()
