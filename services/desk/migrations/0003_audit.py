"""The audit trail."""

from alembic import op

revision = "0003"
down_revision = "0002"

AUDIT = """
CREATE TABLE audit (
    number bigint CONSTRAINT audit_pkey PRIMARY KEY,
    event_id uuid NOT NULL CONSTRAINT audit_event_id_key UNIQUE,
    time timestamptz NOT NULL,
    subject text NOT NULL,
    cause text NOT NULL,
    trace_id text NOT NULL,
    said text NOT NULL,
    hash text NOT NULL
)
"""
# Against slips of the hand. Whoever owns the table can take this away, and is found out by the chain of hashes.
REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is only ever added to';
END
$$
"""


def upgrade() -> None:
    """Make the table of the audit trail, and have it refuse to be changed."""
    op.execute(AUDIT)
    op.execute(REFUSE)
    op.execute("CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    op.execute("CREATE TRIGGER audit_stays_whole BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
