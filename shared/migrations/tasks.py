"""The table of what awaits people, as of each version; called by the migrations of every service that opens tasks.

What stands here has run somewhere: it is never changed, only followed by another function.
"""

from alembic import op

from shared.migrations.backbone import statements

TASKS_1 = """
CREATE TABLE tasks (
    id uuid CONSTRAINT tasks_pkey PRIMARY KEY,
    kind text NOT NULL,
    subject text NOT NULL,
    facts jsonb NOT NULL,
    revision integer NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    "end" text,
    closed_by text
);
CREATE UNIQUE INDEX tasks_open_idx ON tasks (kind, subject) WHERE closed_at IS NULL;
CREATE INDEX tasks_subject_idx ON tasks (subject);
CREATE INDEX tasks_closed_at_idx ON tasks (closed_at);
"""


def create_1() -> None:
    """Make the table of tasks."""
    for statement in statements(TASKS_1):
        op.execute(statement)
