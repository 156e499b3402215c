"""Tables and queries of social media, as functions on a transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, DateTime, Index, Integer, Row, Table, Text, Uuid, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.social.domain import Draft, DraftState
from shared.db import Transaction, metadata
from shared.events.codes import Service
from shared.ids import new_id
from shared.pauses.sender import Sender
from shared.pauses.store import Waiting

TABLES = metadata()

drafts = Table(
    "drafts",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("source_kind", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("title", JSONB, nullable=False),
    Column("texts", JSONB, nullable=False),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("withdrawn_because", Text),  # in the words of who withdrew the source
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # The source decides which draft it is, not a look before the insert: the same source told again finds its own draft.
    Index("drafts_source_idx", "source_kind", "source_id", unique=True),
)


async def save_draft(tx: Transaction, draft: Draft) -> bool:
    """Make the draft, or bring it to a newer revision of its source; returns whether anything changed."""
    values = asdict(draft) | {"state": DraftState.DRAFTED.value}
    new = insert(drafts).values(id=new_id(), **values)
    changed = {name: new.excluded[name] for name in values} | {"withdrawn_because": None, "updated_at": func.now()}
    done = await tx.execute(
        new.on_conflict_do_update(
            index_elements=["source_kind", "source_id"], set_=changed, where=drafts.c.revision < new.excluded.revision
        ).returning(drafts.c.id)
    )
    return done.first() is not None


async def withdraw_draft(tx: Transaction, *, source_kind: str, source_id: str, revision: int, because: str) -> bool:
    """Mark the draft of a source as withdrawn; returns whether there was one that this withdrawal is not older than."""
    done = await tx.execute(
        update(drafts)
        .where(drafts.c.source_kind == source_kind, drafts.c.source_id == source_id, drafts.c.revision <= revision)
        .values(state=DraftState.WITHDRAWN.value, withdrawn_because=because, revision=revision, updated_at=func.now())
        .returning(drafts.c.id)
    )
    return done.first() is not None


async def list_drafts(tx: Transaction, limit: int = 200) -> Sequence[Row[Any]]:
    """Return the drafts, newest first."""
    return (await tx.execute(select(drafts).order_by(drafts.c.created_at.desc(), drafts.c.id).limit(limit))).all()


async def waiting(tx: Transaction, scope: str) -> Waiting:
    """Return what of a scope waits to be sent: nothing, as long as nothing is sent from here."""
    return Waiting(count=0, items=())


SENDER = Sender(service=Service.SOCIAL, waiting=waiting)
