"""The pauses of one sender, as functions on a transaction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Column, ColumnElement, DateTime, Row, Table, Text, and_, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from shared import clock
from shared.db import Transaction, metadata
from shared.pauses.scopes import covering
from shared.trace import Cause

TABLES = metadata()

# A pause that is over ends when the job has listed what waited. Should no job come, it ends all the same this much later.
GRACE_SECONDS = 60.0
# Any number that no other advisory lock of ours uses beside the hash of a schema's name.
_LOCK = 7_310_002


class Origin(StrEnum):
    """Who set a pause; each ends only where it was set."""

    DESK = "desk"  # the kill switch, by event
    HERE = "here"  # by hand on this sender's own page, for when desk or Kafka is away


pauses = Table(
    "pauses",
    TABLES,
    Column("scope", Text, primary_key=True),
    Column("origin", Text, primary_key=True),
    Column("paused", Boolean, nullable=False),  # a row that is over stays, so that an older word that comes late finds it
    Column("reason", Text, nullable=False),  # of the pause, or of its end
    Column("until", DateTime(timezone=True)),  # when it ends by itself; empty until somebody resumes
    Column("by", Text),  # id of the person; empty for the machine
    Column("since", DateTime(timezone=True), nullable=False),  # in force here
    Column("told_at", DateTime(timezone=True), nullable=False),  # when it was said; an older word changes nothing
    Column("cause", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("waited", JSONB(none_as_null=True)),  # what waited when it ended
)


@dataclass(frozen=True, kw_only=True)
class Pause:
    """A pause in force, or how the last one ended."""

    scope: str
    origin: Origin
    paused: bool
    reason: str
    until: datetime | None
    by: str | None
    since: datetime
    cause: Cause
    waited: "Waiting | None"  # None while it lasts


@dataclass(frozen=True, kw_only=True)
class WaitingItem:
    """One thing that waits to be sent."""

    id: str
    title: str
    address: str  # path of its page
    due: datetime | None  # when it should have left; None where it has no time


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What waits to be sent."""

    count: int  # mails or posts, all of them
    items: tuple[WaitingItem, ...]  # what they belong to, first due first; as many as a page shows


async def paused(tx: Transaction, scope: str) -> Pause | None:
    """Return the widest pause that covers a scope, or None where sending may go on.

    Ask on the transaction that claims, before it claims: until `tx` ends nobody can set a pause, so once a pause is confirmed nothing
    more is claimed under it. Keep such transactions short.
    """
    await share(tx)
    return await find(tx, scope)


async def open_ones(tx: Transaction, scopes: Sequence[str]) -> Sequence[str]:
    """Return those scopes in which sending may go on, in the order given; otherwise as `paused`."""
    await share(tx)
    in_force = set((await tx.execute(select(pauses.c.scope).where(_in_force(clock.now())))).scalars())
    return [scope for scope in scopes if in_force.isdisjoint(covering(scope))]


async def share(tx: Transaction) -> None:
    """Have nobody set a pause, or a day on which nothing leaves, until `tx` ends."""
    await tx.execute(text("SELECT pg_advisory_xact_lock_shared(hashtext(current_schema()), :number)"), {"number": _LOCK})


async def find(tx: Transaction, scope: str) -> Pause | None:
    """Return what `paused` returns, for pages: it waits for nobody and holds nobody up."""
    order = {name: place for place, name in enumerate(covering(scope))}
    rows = (await tx.execute(select(pauses).where(pauses.c.scope.in_(list(order)), _in_force(clock.now())))).all()
    return min(map(_pause, rows), key=lambda pause: (order[pause.scope], pause.origin), default=None)


async def listing(tx: Transaction) -> Sequence[Pause]:
    """Return every pause, those in force and the last one over of each scope and origin, latest first."""
    rows = await tx.execute(select(pauses).order_by(pauses.c.since.desc(), pauses.c.scope, pauses.c.origin))
    return [_pause(row) for row in rows]


async def hold(tx: Transaction) -> None:
    """Have nobody claim or set a pause until `tx` ends; waits for those who are claiming."""
    await tx.execute(text("SELECT pg_advisory_xact_lock(hashtext(current_schema()), :number)"), {"number": _LOCK})


async def set_pause(
    tx: Transaction, scope: str, origin: Origin, *, reason: str, until: datetime | None, by: str | None, told_at: datetime, cause: Cause
) -> bool:
    """Put a pause in force, and say whether it is news: an older word than the last one about the same changes nothing. Hold first."""
    values = {"paused": True, "reason": reason, "until": until, "by": by, "waited": None}
    return await _write(tx, scope, origin, values, told_at=told_at, cause=cause)


async def end_pause(
    tx: Transaction, scope: str, origin: Origin, *, reason: str, by: str | None, told_at: datetime, cause: Cause, waited: Waiting
) -> bool:
    """End a pause and keep what waited; otherwise as `set_pause`."""
    values = {"paused": False, "reason": reason, "until": None, "by": by, "waited": _json(waited)}
    return await _write(tx, scope, origin, values, told_at=told_at, cause=cause)


async def over(tx: Transaction, at: datetime) -> Sequence[Pause]:
    """Return the pauses whose time is over and that nobody has ended yet. Hold first."""
    rows = await tx.execute(select(pauses).where(pauses.c.paused, pauses.c.until <= at).order_by(pauses.c.until, pauses.c.scope))
    return [_pause(row) for row in rows]


async def end_by_itself(tx: Transaction, pause: Pause, *, waited: Waiting) -> None:
    """End a pause whose time is over and keep what waited; when it was said stays, so that a newer word still counts."""
    await tx.execute(
        update(pauses)
        .where(pauses.c.scope == pause.scope, pauses.c.origin == pause.origin.value)
        .values(paused=False, until=None, by=None, since=clock.now(), waited=_json(waited))
    )


async def _write(tx: Transaction, scope: str, origin: Origin, values: dict[str, Any], *, told_at: datetime, cause: Cause) -> bool:
    values |= {"since": clock.now(), "told_at": told_at, "cause": cause.id, "trace_id": cause.trace_id}
    new = insert(pauses).values(scope=scope, origin=origin.value, **values)
    done = await tx.execute(
        new.on_conflict_do_update(
            index_elements=["scope", "origin"], set_={name: new.excluded[name] for name in values}, where=pauses.c.told_at <= told_at
        ).returning(pauses.c.scope)
    )
    return done.first() is not None


def _in_force(now: datetime) -> ColumnElement[bool]:
    return and_(pauses.c.paused, or_(pauses.c.until.is_(None), pauses.c.until > now - timedelta(seconds=GRACE_SECONDS)))


def _json(waited: Waiting) -> dict[str, Any]:
    items = [{**asdict(item), "due": item.due.isoformat() if item.due else None} for item in waited.items]
    return {"count": waited.count, "items": items}


def _waiting(kept: dict[str, Any]) -> Waiting:
    items = [{**item, "due": datetime.fromisoformat(item["due"]) if item["due"] else None} for item in kept["items"]]
    return Waiting(count=kept["count"], items=tuple(WaitingItem(**item) for item in items))


def _pause(row: Row[Any]) -> Pause:
    return Pause(
        scope=row.scope,
        origin=Origin(row.origin),
        paused=row.paused,
        reason=row.reason,
        until=row.until,
        by=row.by,
        since=row.since,
        cause=Cause(id=row.cause, trace_id=row.trace_id),
        waited=_waiting(row.waited) if row.waited is not None else None,
    )
