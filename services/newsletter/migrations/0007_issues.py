"""The monthly issue: its rule, its days, its blocks; what needs two persons; what awaits people."""

from alembic import op

from shared.migrations import approval, tasks
from shared.migrations.backbone import statements

revision = "0007"
down_revision = "0006"

ISSUES = """
CREATE TABLE issue_rule (
    id boolean CONSTRAINT issue_rule_pkey PRIMARY KEY,
    closes_day integer NOT NULL,
    sends_day integer NOT NULL,
    months_later integer NOT NULL,
    sends_at time NOT NULL,
    remind_days integer NOT NULL,
    valid_hours integer NOT NULL,
    languages text[] NOT NULL,
    revision integer NOT NULL,
    changed_by text,
    changed_at timestamptz,
    CONSTRAINT issue_rule_single_check CHECK (id)
);
INSERT INTO issue_rule (id, closes_day, sends_day, months_later, sends_at, remind_days, valid_hours, languages, revision)
VALUES (true, 20, 1, 1, '09:00', 3, 48, '{en,fr}', 1);

CREATE TABLE issues (
    id uuid CONSTRAINT issues_pkey PRIMARY KEY,
    month date NOT NULL,
    number text NOT NULL,
    serial integer NOT NULL,
    closes_on date NOT NULL,
    sends_at timestamp NOT NULL,
    zone text NOT NULL,
    remind_days integer NOT NULL,
    valid_hours integer NOT NULL,
    languages text[] NOT NULL,
    fallback text NOT NULL,
    subject jsonb NOT NULL,
    preheader jsonb NOT NULL,
    revision integer NOT NULL,
    changed_by text,
    told integer NOT NULL DEFAULT 0,
    cut_at timestamptz,
    cut_by text,
    opened_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX issues_month_idx ON issues (month);
CREATE UNIQUE INDEX issues_number_idx ON issues (number);
CREATE UNIQUE INDEX issues_serial_idx ON issues (serial);

CREATE TABLE issue_blocks (
    id uuid CONSTRAINT issue_blocks_pkey PRIMARY KEY,
    issue_id uuid NOT NULL CONSTRAINT issue_blocks_issue_id_fkey REFERENCES issues (id),
    item_id uuid CONSTRAINT issue_blocks_item_id_fkey REFERENCES pool_items (id),
    place integer NOT NULL,
    content jsonb NOT NULL,
    source jsonb,
    source_revision integer,
    revision integer NOT NULL,
    changed_by text,
    dropped_at timestamptz,
    dropped_by text,
    dropped_because text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX issue_blocks_issue_id_idx ON issue_blocks (issue_id, place);
CREATE UNIQUE INDEX issue_blocks_item_idx ON issue_blocks (issue_id, item_id) WHERE item_id IS NOT NULL;

ALTER TABLE pool_items ADD COLUMN issue_id uuid CONSTRAINT pool_items_issue_id_fkey REFERENCES issues (id);
ALTER TABLE pool_items ADD COLUMN left_out_of uuid CONSTRAINT pool_items_left_out_of_fkey REFERENCES issues (id);
ALTER TABLE pool_items ADD COLUMN level_by_hand text;
CREATE INDEX pool_items_issue_id_idx ON pool_items (issue_id);

ALTER TABLE sends ADD COLUMN told integer NOT NULL DEFAULT 0
"""


def upgrade() -> None:
    """Make the tables of issues, of approvals and of tasks."""
    approval.create_1()
    tasks.create_1()
    for statement in statements(ISSUES):
        op.execute(statement)
