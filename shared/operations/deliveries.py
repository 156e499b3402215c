"""What went between one service and the others, and how it is repaired: used by the pages and by `tidings events`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Row, Uuid, any_, bindparam, func, select, text, update

from shared import clock, parking
from shared.db import Transaction
from shared.inbox import inbox
from shared.outbox import outbox
from shared.parking import ParkedState, parked

OPEN = (ParkedState.WAITING.value, ParkedState.DEAD.value)
LISTED = 200


class ReasonMissingError(Exception):
    """An event is given up for good only with a reason; say why nobody will need its effect."""


class ReplayTooWideError(Exception):
    """Name what to offer again: either the ids of events, or the time from which on; everything at once is never meant."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One event that this service told or took."""

    told: bool  # False: taken
    time: datetime  # when it happened; for what could not be read, when it came
    event_id: UUID
    type: str
    subject: str
    trace_id: str  # empty where it could not be read
    state: str  # told: sent or unsent; taken: handled, parked or discarded


@dataclass(frozen=True, kw_only=True)
class ParkedCounts:
    """How many events are set aside; each is counted once."""

    waiting: int  # will be tried again at their time
    behind: int  # were not tried: an earlier event of their subject comes first
    dead: int  # will not be tried again unless a person says so


async def recent(tx: Transaction, limit: int = LISTED) -> Sequence[Delivery]:
    """Return what was told and taken last, newest first."""
    told = (await tx.execute(select(outbox).order_by(outbox.c.seq.desc()).limit(limit))).all()
    taken = (await tx.execute(select(inbox).order_by(inbox.c.outcome_at.desc()).limit(limit))).all()
    deliveries = [_told(row) for row in told] + [_taken(row) for row in taken]
    return sorted(deliveries, key=lambda delivery: delivery.time, reverse=True)[:limit]


def _told(row: Row[Any]) -> Delivery:
    return Delivery(
        told=True,
        time=row.time,
        event_id=row.id,
        type=row.type,
        subject=row.subject,
        trace_id=row.trace_id,
        state="sent" if row.sent_at else "unsent",
    )


def _taken(row: Row[Any]) -> Delivery:
    return Delivery(
        told=False,
        time=row.happened_at or row.received_at,
        event_id=row.event_id,
        type=row.type,
        subject=row.subject,
        trace_id=row.trace_id,
        state=row.outcome,
    )


async def open_parked(tx: Transaction, limit: int = LISTED) -> Sequence[Row[Any]]:
    """Return the events that are set aside and not given up, the dead ones first, then in the order in which they came."""
    dead_first = (parked.c.state != ParkedState.DEAD.value, parked.c.id)
    return (await tx.execute(select(parked).where(parked.c.state.in_(OPEN)).order_by(*dead_first).limit(limit))).all()


async def discarded(tx: Transaction, limit: int = 20) -> Sequence[Row[Any]]:
    """Return the events that a person gave up, the last one first."""
    given_up = select(parked).where(parked.c.state == ParkedState.DISCARDED.value)
    return (await tx.execute(given_up.order_by(parked.c.last_at.desc(), parked.c.id).limit(limit))).all()


async def one_parked(tx: Transaction, event_id: UUID) -> Row[Any] | None:
    """Return an event that is set aside or was given up, or None where it is neither."""
    return (await tx.execute(select(parked).where(parked.c.event_id == event_id))).one_or_none()


async def count_parked(tx: Transaction) -> ParkedCounts:
    """Return how many events are set aside."""
    waiting = parked.c.state == ParkedState.WAITING.value
    found = await tx.execute(
        select(
            func.count().filter(waiting, ~parked.c.behind).label("waiting"),
            func.count().filter(waiting, parked.c.behind).label("behind"),
            func.count().filter(parked.c.state == ParkedState.DEAD.value).label("dead"),
        ).where(parked.c.state.in_(OPEN))
    )
    row = found.one()
    return ParkedCounts(waiting=row.waiting, behind=row.behind, dead=row.dead)


async def count_behind(tx: Transaction, row: Row[Any]) -> int:
    """Return how many later events of the same subject wait for this one."""
    later = (parked.c.topic == row.topic) & (parked.c.key == row.key) & (parked.c.id > row.id)
    return int((await tx.execute(select(func.count()).where(later, parked.c.state.in_(OPEN)))).scalar_one())


async def discard(tx: Transaction, event_id: UUID, *, by: str, reason: str) -> bool:
    """Give one event up for good and return whether it was there to give up; raises ReasonMissingError without a reason."""
    if not reason.strip():
        raise ReasonMissingError(ReasonMissingError.__doc__)
    return await parking.discard(tx, event_id, by=by, reason=reason.strip())


async def told_among(tx: Transaction, event_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these events that this service has told, as far as it still keeps them."""
    return set((await tx.execute(select(outbox.c.id).where(_among(event_ids)))).scalars())


def _among(event_ids: Collection[UUID]) -> ColumnElement[bool]:
    return outbox.c.id == any_(bindparam("ids", list(event_ids), type_=ARRAY(Uuid)))


async def replay(tx: Transaction, *, event_ids: Collection[UUID] = (), since: datetime | None = None, until: datetime | None = None) -> int:
    """Have the relay offer events again, those named or those told from `since` until before `until`, and return how many.

    Listeners that took them already drop them. Raises ReplayTooWideError unless there are either ids or a `since`.
    """
    if bool(event_ids) == (since is not None) or (until is not None and since is None):
        raise ReplayTooWideError(ReplayTooWideError.__doc__)
    if since is None:
        wanted = _among(event_ids)
    else:
        wanted = outbox.c.time >= clock.check_aware(since)
        if until is not None:
            wanted &= outbox.c.time < clock.check_aware(until)
    done = await tx.execute(update(outbox).where(outbox.c.sent_at.is_not(None), wanted).values(sent_at=None))
    # The relay is woken by what is told; this is told already.
    await tx.execute(text("SELECT pg_notify('outbox_' || current_schema(), '')"))
    return int(done.rowcount)
