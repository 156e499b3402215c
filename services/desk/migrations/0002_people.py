"""People, their sign-in links and their sessions."""

from alembic import op

from shared.migrations.backbone import statements

revision = "0002"
down_revision = "0001"

PEOPLE = """
CREATE TABLE people (
    id text CONSTRAINT people_pkey PRIMARY KEY,
    mail text NOT NULL CONSTRAINT people_mail_key UNIQUE,
    name text NOT NULL,
    roles text[] NOT NULL,
    languages text[] NOT NULL,
    active boolean NOT NULL,
    demo boolean NOT NULL,
    tokens_valid_from timestamptz NOT NULL,
    revision integer NOT NULL,
    made_at timestamptz NOT NULL,
    signed_in_at timestamptz
);

CREATE TABLE sign_in_links (
    hash bytea CONSTRAINT sign_in_links_pkey PRIMARY KEY,
    person_id text NOT NULL CONSTRAINT sign_in_links_person_id_fkey REFERENCES people (id),
    wanted text NOT NULL,
    made_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX sign_in_links_person_id_idx ON sign_in_links (person_id);
CREATE INDEX sign_in_links_ends_at_idx ON sign_in_links (ends_at);

CREATE TABLE sessions (
    hash bytea CONSTRAINT sessions_pkey PRIMARY KEY,
    person_id text NOT NULL CONSTRAINT sessions_person_id_fkey REFERENCES people (id),
    began_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL
);
CREATE INDEX sessions_person_id_idx ON sessions (person_id);
CREATE INDEX sessions_used_at_idx ON sessions (used_at);
"""


def upgrade() -> None:
    """Make the tables of people."""
    for statement in statements(PEOPLE):
        op.execute(statement)
