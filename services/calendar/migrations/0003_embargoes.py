"""Of one thing several embargoes may be kept: one that was cancelled or is over, and the next."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let only the other kinds of date be one for a thing."""
    op.execute("DROP INDEX dates_source_idx")
    op.execute("CREATE UNIQUE INDEX dates_source_idx ON dates (source_kind, source_id, kind) WHERE kind <> 'embargo'")
