"""The newest word of each source of a date, kept."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from services.calendar.store.tables import sources
from shared.db import Transaction
from shared.events.base import Source


async def take_newer(tx: Transaction, source: Source, revision: int, *, at: datetime) -> bool:
    """Say whether this is the newest word of a source, and keep that it is; others about the same source wait until `tx` ends."""
    row = insert(sources).values(kind=source.kind.value, id=source.id, revision=revision, told_at=at)
    done = await tx.execute(
        row.on_conflict_do_update(
            index_elements=[sources.c.kind, sources.c.id],
            set_={"revision": row.excluded.revision, "told_at": row.excluded.told_at},
            where=sources.c.revision < row.excluded.revision,
        ).returning(sources.c.id)
    )
    return done.first() is not None
