"""Tables and queries of the newsletter, as functions on a transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, ForeignKey, Index, Integer, Row, Table, Text, Uuid, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.newsletter.domain.items import Item, ItemState
from shared.db import Transaction, metadata
from shared.heard import Told
from shared.i18n import translate
from shared.ids import new_id

TABLES = metadata()

pool_items = Table(
    "pool_items",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("source_kind", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("milestone", Text, nullable=False, server_default=""),  # what came of the source; empty for the source itself
    Column("label", Text, nullable=False, server_default=""),  # what readers are told that it is
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
    Column("when", JSONB(none_as_null=True)),
    Column("place", Text, nullable=False, server_default=""),
    Column("credit", Text, nullable=False, server_default=""),
    Column("files", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("standing", Text, nullable=False, server_default=""),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("withdrawn_because", Text),  # in the words of who withdrew the source
    Column("issue_id", Uuid, ForeignKey("issues.id"), index=True),  # that it goes into; empty while it waits
    Column("left_out_of", Uuid, ForeignKey("issues.id")),  # the issue whose cut must leave it to the next
    Column("level_by_hand", Text),  # of a person, and kept when the source is corrected
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # The source decides which item it is, not a look before the insert: the same source told again finds its own item.
    Index("pool_items_source_idx", "source_kind", "source_id", "milestone", unique=True),
)


# Any number that no other lock of ours uses.
_POOL_LOCK = 7_310_007


async def hold_pool(tx: Transaction, *, alone: bool) -> None:
    """Wait until the pool may be written to: by many who bring items, or `alone` by one who cuts or moves; held until `tx` ends.

    Take it before any row of the pool or of an issue: rows locked in two orders would make two transactions wait for each other.
    """
    await tx.execute(text(f"SELECT pg_advisory_xact_lock{'' if alone else '_shared'}(:number)"), {"number": _POOL_LOCK})


# What changes without anything being said of the source: an event that only says the same again changes nothing that was approved.
_PROVENANCE = frozenset({"event_id", "trace_id", "told_at", "revision"})


async def save_item(tx: Transaction, item: Item) -> UUID | None:
    """Make the item, or bring it to where its source is now; returns its id, or None where nothing of what it says has changed."""
    here = (pool_items.c.source_kind == item.source_kind) & (pool_items.c.source_id == item.source_id)
    here &= pool_items.c.milestone == item.milestone
    before = (await tx.execute(select(pool_items).where(here).with_for_update())).one_or_none()
    values = _values(item)
    new = insert(pool_items)
    changed = {name: new.excluded[name] for name in values} | {"updated_at": func.now()}
    done = await tx.execute(
        new.on_conflict_do_update(
            index_elements=["source_kind", "source_id", "milestone"], set_=changed, where=pool_items.c.revision <= new.excluded.revision
        ).returning(*pool_items.c),
        {"id": new_id(), **values},
    )
    after = done.one_or_none()
    if after is None or (before is not None and _said(before) == _said(after)):
        return None
    found: UUID = after.id
    return found


async def end_the_others(tx: Transaction, told: Told, milestones: Collection[str]) -> Sequence[UUID]:
    """Withdraw the items of a source that it gives no more, and return their ids; `milestones` are those that it gives."""
    because = told.ended if told.ended is not None else translate("en", "staff.source.not-given")
    done = await tx.execute(
        update(pool_items)
        .where(pool_items.c.source_kind == told.kind.value, pool_items.c.source_id == told.id)
        .where(pool_items.c.milestone.not_in(list(milestones)), pool_items.c.state == ItemState.POOLED.value)
        .where(pool_items.c.revision <= told.revision)
        .values(state=ItemState.WITHDRAWN.value, withdrawn_because=because, revision=told.revision, updated_at=func.now())
        .returning(pool_items.c.id)
    )
    return sorted(done.scalars())


def _values(item: Item) -> dict[str, Any]:
    values = asdict(item) | {"state": item.state.value}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _said(row: Row[Any]) -> Mapping[str, Any]:
    kept = {column.name for column in pool_items.columns} & {one.name for one in fields(Item)} - _PROVENANCE
    return {name: getattr(row, name) for name in kept}


async def list_items(tx: Transaction, limit: int = 200, label: str = "") -> Sequence[Row[Any]]:
    """Return the pool, newest first; with a `label`, what readers are told is that alone."""
    query = select(pool_items).where(pool_items.c.label == label) if label else select(pool_items)
    return (await tx.execute(query.order_by(pool_items.c.created_at.desc(), pool_items.c.id).limit(limit))).all()


async def labels(tx: Transaction) -> Sequence[str]:
    """Return what the items of the pool are, each word once."""
    return (await tx.execute(select(pool_items.c.label).distinct().order_by(pool_items.c.label))).scalars().all()
