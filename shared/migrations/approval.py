"""The tables of the two-person rule, as of each version; called by the migrations of every service that asks for approval.

What stands here has run somewhere: it is never changed, only followed by another function.
"""

from alembic import op

from shared.migrations.backbone import statements

APPROVAL_1 = """
CREATE TABLE approvals (
    about text NOT NULL,
    item uuid NOT NULL,
    state text NOT NULL,
    variants jsonb,
    hands text[] NOT NULL,
    broke_glass boolean NOT NULL,
    expires_at timestamptz,
    steps integer NOT NULL,
    CONSTRAINT approvals_pkey PRIMARY KEY (about, item),
    CONSTRAINT approvals_broke_glass_check CHECK (state = 'approved' OR NOT broke_glass),
    CONSTRAINT approvals_approved_check CHECK (state <> 'approved' OR variants IS NOT NULL)
);
CREATE INDEX approvals_expires_at_idx ON approvals (expires_at) WHERE state IN ('submitted', 'approved');

CREATE TABLE approval_steps (
    about text NOT NULL,
    item uuid NOT NULL,
    number integer NOT NULL,
    what text NOT NULL,
    who text,
    state text NOT NULL,
    variants jsonb,
    hash text,
    reason text,
    at timestamptz NOT NULL,
    CONSTRAINT approval_steps_pkey PRIMARY KEY (about, item, number)
);
CREATE INDEX approval_steps_hash_idx ON approval_steps (hash);

CREATE TABLE approval_contents (
    hash text CONSTRAINT approval_contents_pkey PRIMARY KEY,
    body text NOT NULL
);
"""

# Whoever may write into the schema may still not rewrite who decided what. The owner of the table can take the trigger off,
# which is why desk chains its own copy of every decision.
ONLY_ADDED_1 = """
CREATE FUNCTION approval_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was decided stays as it was: rows of % are only ever added', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""
GUARDED_1 = ("approval_steps", "approval_contents")


def create_1() -> None:
    """Make the tables of standings, steps and contents; steps and contents can only be added to."""
    for statement in (*statements(APPROVAL_1), ONLY_ADDED_1):
        op.execute(statement)
    for table in GUARDED_1:
        op.execute(
            f"CREATE TRIGGER {table}_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION approval_only_added()"
        )


ASKING_2 = """
CREATE INDEX approvals_asking_idx ON approvals (about, item) WHERE state IN ('draft', 'submitted', 'changes_requested', 'expired')
"""


def create_2() -> None:
    """Find what may ask something of people among all that is approved or withdrawn."""
    op.execute(ASKING_2)
