"""Public things as desk was told of them, and what happened lately: tables and queries, as functions on a transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

from services.desk.public.rules import Kind, State, Thing
from services.desk.store import TABLES
from shared.db import Transaction

things = Table(
    "public_things",
    TABLES,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
    Column("published_at", DateTime(timezone=True)),
    Column("title", JSONB(none_as_null=True)),
    Column("address", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("word", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("when", JSONB(none_as_null=True)),
    Column("first_day", Date),
    Column("last_day", Date),
    Column("moved", Boolean, nullable=False),
    Column("synthetic", Boolean, nullable=False),
    Column("about", Text, nullable=False),
)
Index("public_things_newest_idx", things.c.kind, things.c.published_at)
Index("public_things_last_day_idx", things.c.kind, things.c.last_day)

happenings = Table(
    "happenings",
    TABLES,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("happened_at", DateTime(timezone=True), nullable=False, index=True),
    Column("title", JSONB(none_as_null=True)),
    Column("facts", JSONB, nullable=False),
    Column("address", Text, nullable=False),
    Column("due", Date),
)


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something that the team should know of, and that is no task of anybody's."""

    kind: str
    id: str
    revision: int
    happened_at: datetime
    title: Mapping[str, str] | None = None
    facts: Mapping[str, Any]  # what its sentence names
    address: str = ""
    due: date | None = None  # of a deadline


# ---- what is told ----


def _newest(table: Table, of: type[Thing | Happening], *, stays: Collection[str] = ()) -> Insert:
    """Return what puts a row, or brings the one that is there to where a newer word has it; what `stays` is as it was first said."""
    row = insert(table)
    told = row.excluded
    names = [field.name for field in fields(of)]
    changed = {name: func.coalesce(table.c[name], told[name]) if name in stays else told[name] for name in names}
    return row.on_conflict_do_update(index_elements=[table.c.kind, table.c.id], set_=changed, where=table.c.revision < told.revision)


# Made once: to make them takes as long as to run them, and what every service tells comes by here.
# When a thing was news is when it first was: a correction does not make it new.
_KEEPING = _newest(things, Thing, stays=("published_at",)).returning(things.c.id)
_NOTING = _newest(happenings, Happening)


async def keep(tx: Transaction, thing: Thing) -> bool:
    """Keep what was told of a thing and return True; an older word, or the same again, changes nothing."""
    return (await tx.execute(_KEEPING, asdict(thing))).first() is not None


async def note(tx: Transaction, happening: Happening) -> None:
    """Keep that something happened; an older word of it, or the same again, changes nothing."""
    await tx.execute(_NOTING, asdict(happening))


async def settle(tx: Transaction, kind: str, id_: str) -> None:
    """Forget what happened, since something later has made it good."""
    await tx.execute(delete(happenings).where(happenings.c.kind == kind, happenings.c.id == id_))


async def move_deadline(tx: Transaction, kind: str, id_: str, *, due: date | None, revision: int) -> None:
    """Let a deadline that is near move with its date; without a day there is none any more. An older word changes nothing."""
    newer = (happenings.c.kind == kind, happenings.c.id == id_, happenings.c.revision < revision)
    if due is None:
        await tx.execute(delete(happenings).where(*newer))
    else:
        await tx.execute(update(happenings).where(*newer).values(due=due, revision=revision))


# ---- what is shown ----


def _of(kind: Kind) -> Select[Any]:
    return select(things).where(things.c.kind == kind.value)


async def newest(tx: Transaction, kind: Kind, limit: int) -> Sequence[Thing]:
    """Return the newest of a kind; what was imported as the past comes after all that was news."""
    shown = _of(kind).where(things.c.state == State.SHOWN.value)
    order = (things.c.published_at.desc().nulls_last(), things.c.told_at.desc(), things.c.number.desc(), things.c.id)
    return [_thing(row) for row in await tx.execute(shown.order_by(*order).limit(limit))]


async def coming(tx: Transaction, kind: Kind, today: date, limit: int) -> Sequence[Thing]:
    """Return what is still to come of Talks or dates, the next first, cancelled ones among them."""
    ahead = _of(kind).where(_is_public(), things.c.last_day >= today)
    return [_thing(row) for row in await tx.execute(ahead.order_by(things.c.first_day, things.c.id).limit(limit))]


async def past(tx: Transaction, kind: Kind, today: date, limit: int) -> Sequence[Thing]:
    """Return what was, of Talks or dates, the last first, and what has no day; cancelled ones are forgotten."""
    over = or_(things.c.last_day < today, things.c.last_day.is_(None))
    rows = await tx.execute(
        _of(kind)
        .where(things.c.state == State.SHOWN.value, over)
        .order_by(things.c.last_day.desc().nulls_last(), things.c.told_at.desc(), things.c.id)
        .limit(limit)
    )
    return [_thing(row) for row in rows]


async def titles_of(tx: Transaction, named: Sequence[str]) -> Mapping[str, Thing]:
    """Return the public things among these, each named `kind:id`."""
    name = things.c.kind + ":" + things.c.id
    rows = await tx.execute(select(things).where(name.in_(named), _is_public(), things.c.title.is_not(None)))
    return {f"{row.kind}:{row.id}": _thing(row) for row in rows}


def _is_public() -> ColumnElement[bool]:
    return things.c.state.in_([State.SHOWN.value, State.CANCELLED.value])


def _thing(row: Row[Any]) -> Thing:
    return Thing(**row._asdict() | {"kind": Kind(row.kind), "state": State(row.state)})


async def lately(tx: Transaction, *, since: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return what happened since then and is no deadline, the last first."""
    query = select(happenings).where(happenings.c.happened_at >= since, happenings.c.due.is_(None))
    return (await tx.execute(query.order_by(happenings.c.happened_at.desc(), happenings.c.id).limit(limit))).all()


async def deadlines(tx: Transaction, *, today: date, limit: int) -> Sequence[Row[Any]]:
    """Return the deadlines that are near, the nearest first."""
    query = select(happenings).where(happenings.c.due >= today).order_by(happenings.c.due, happenings.c.id)
    return (await tx.execute(query.limit(limit))).all()


# ---- what is kept ----


async def forget_beyond(tx: Transaction, kind: Kind, *, most: int, before: datetime, today: date) -> int:
    """Delete what is beyond the newest `most` of a kind, but nothing still to come; and what was hidden or withdrawn before then."""
    newest_first = (things.c.published_at.desc().nulls_last(), things.c.told_at.desc(), things.c.id)
    standing = (things.c.kind == kind.value, _is_public(), or_(things.c.last_day.is_(None), things.c.last_day < today))
    beyond = select(things.c.id).where(*standing).order_by(*newest_first).offset(most)
    gone = await tx.execute(delete(things).where(things.c.kind == kind.value, things.c.id.in_(beyond)))
    silent = delete(things).where(things.c.kind == kind.value, ~_is_public(), things.c.told_at < before)
    return int(gone.rowcount + (await tx.execute(silent)).rowcount)


async def forget_happened(tx: Transaction, before: datetime, today: date) -> int:
    """Delete what happened before then, but no deadline that is still to come; returns how much."""
    over = (happenings.c.happened_at < before, or_(happenings.c.due.is_(None), happenings.c.due < today))
    return (await tx.execute(delete(happenings).where(*over))).rowcount
