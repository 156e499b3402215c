"""Tables and queries of the newsletter, as functions on a transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, ForeignKey, Index, Integer, Row, Table, Text, Uuid, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.newsletter.domain import Item, ItemState
from shared.db import Transaction, metadata
from shared.ids import new_id

TABLES = metadata()

pool_items = Table(
    "pool_items",
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
    Column("summary", JSONB, nullable=False),
    Column("entity", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("countries", ARRAY(Text), nullable=False),
    Column("objectives", ARRAY(Integer), nullable=False),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("withdrawn_because", Text),  # in the words of who withdrew the source
    Column("issue_id", Uuid, ForeignKey("issues.id"), index=True),  # that it goes into; empty while it waits
    Column("left_out_of", Uuid, ForeignKey("issues.id")),  # the issue whose cut must leave it to the next
    Column("level_by_hand", Text),  # of a person, and kept when the source is corrected
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # The source decides which item it is, not a look before the insert: the same source told again finds its own item.
    Index("pool_items_source_idx", "source_kind", "source_id", unique=True),
)


# Any number that no other lock of ours uses.
_POOL_LOCK = 7_310_007


async def hold_pool(tx: Transaction, *, alone: bool) -> None:
    """Wait until the pool may be written to: by many who bring items, or `alone` by one who cuts or moves; held until `tx` ends.

    Take it before any row of the pool or of an issue: rows locked in two orders would make two transactions wait for each other.
    """
    await tx.execute(text(f"SELECT pg_advisory_xact_lock{'' if alone else '_shared'}(:number)"), {"number": _POOL_LOCK})


async def save_item(tx: Transaction, item: Item) -> UUID | None:
    """Make the item, or bring it to a newer revision of its source; returns its id, or None where nothing changed."""
    values = asdict(item) | {"state": ItemState.POOLED.value}
    new = insert(pool_items).values(id=new_id(), **values)
    changed = {name: new.excluded[name] for name in values} | {"withdrawn_because": None, "updated_at": func.now()}
    done = await tx.execute(
        new.on_conflict_do_update(
            index_elements=["source_kind", "source_id"], set_=changed, where=pool_items.c.revision < new.excluded.revision
        ).returning(pool_items.c.id)
    )
    found: UUID | None = done.scalar_one_or_none()
    return found


async def withdraw_item(tx: Transaction, *, source_kind: str, source_id: str, revision: int, because: str) -> UUID | None:
    """Mark the item of a source as withdrawn; returns the id of the one that this withdrawal is not older than, None without one."""
    done = await tx.execute(
        update(pool_items)
        .where(pool_items.c.source_kind == source_kind, pool_items.c.source_id == source_id, pool_items.c.revision <= revision)
        .values(state=ItemState.WITHDRAWN.value, withdrawn_because=because, revision=revision, updated_at=func.now())
        .returning(pool_items.c.id)
    )
    found: UUID | None = done.scalar_one_or_none()
    return found


async def list_items(tx: Transaction, limit: int = 200) -> Sequence[Row[Any]]:
    """Return the pool, newest first."""
    return (await tx.execute(select(pool_items).order_by(pool_items.c.created_at.desc(), pool_items.c.id).limit(limit))).all()
