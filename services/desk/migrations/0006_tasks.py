"""What awaits people in every service, as the services tell; who was mailed of what; and how each person wants to be mailed."""

from alembic import op

from shared.migrations.backbone import statements

revision = "0006"
down_revision = "0005"

# A task may be closed before it is heard of, so what only its opening says may be empty.
AWAITED = """
CREATE TABLE awaited (
    id text CONSTRAINT awaited_pkey PRIMARY KEY,
    kind text NOT NULL,
    role text,
    title jsonb,
    address text,
    due jsonb,
    due_at timestamptz,
    not_by text[] NOT NULL,
    revision integer NOT NULL,
    opened_at timestamptz,
    heard_at timestamptz NOT NULL,
    closed_at timestamptz,
    "end" text,
    closed_by text
);
CREATE INDEX awaited_open_idx ON awaited (role, heard_at) WHERE closed_at IS NULL;
CREATE INDEX awaited_closed_by_idx ON awaited (closed_by, closed_at);
CREATE INDEX awaited_closed_at_idx ON awaited (closed_at);

CREATE TABLE notices (
    task_id text NOT NULL CONSTRAINT notices_task_id_fkey REFERENCES awaited (id) ON DELETE CASCADE,
    person_id text NOT NULL CONSTRAINT notices_person_id_fkey REFERENCES people (id),
    mail_id uuid,
    at timestamptz NOT NULL,
    CONSTRAINT notices_pkey PRIMARY KEY (task_id, person_id)
);
CREATE INDEX notices_mail_id_idx ON notices (mail_id);
CREATE INDEX notices_person_id_idx ON notices (person_id, at);

CREATE TABLE mail_choices (
    person_id text CONSTRAINT mail_choices_pkey PRIMARY KEY CONSTRAINT mail_choices_person_id_fkey REFERENCES people (id),
    rhythm text NOT NULL,
    hour integer NOT NULL,
    zone text,
    language text
);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in statements(AWAITED):
        op.execute(statement)
