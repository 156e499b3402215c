"""The public archive of issues."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    """
    CREATE TABLE archived_issues (
        issue_id uuid CONSTRAINT archived_issues_pkey PRIMARY KEY,
        number integer NOT NULL,
        month date NOT NULL,
        sent_at timestamptz NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX archived_issues_number_idx ON archived_issues (number)",
    """
    CREATE TABLE archived_variants (
        issue_id uuid NOT NULL CONSTRAINT archived_variants_issue_id_fkey REFERENCES archived_issues (issue_id),
        language text NOT NULL,
        subject text NOT NULL,
        preheader text NOT NULL,
        html text NOT NULL,
        text text NOT NULL,
        CONSTRAINT archived_variants_pkey PRIMARY KEY (issue_id, language)
    )
    """,
    # What was sent to thousands does not read otherwise afterwards.
    """
    CREATE FUNCTION archived_variants_are_kept() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'what was sent is never changed in the archive; say in the next issue what was wrong'; END $$
    """,
    """
    CREATE TRIGGER archived_variants_are_kept BEFORE UPDATE ON archived_variants
    FOR EACH ROW EXECUTE FUNCTION archived_variants_are_kept()
    """,
)


def upgrade() -> None:
    """Make the tables of the archive."""
    for statement in STATEMENTS:
        op.execute(statement)
