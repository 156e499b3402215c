"""What a service was last told of each thing that it makes something of, kept so that the order of telling makes no difference.

Of every type of event about a source the newest is kept, and nothing else. What follows from a source is worked out from these anew each
time: an event told ten times, or one that comes behind a newer one, gives the same as if it had been told once and in its turn.
"""

from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Boolean, Column, DateTime, Integer, Row, Table, Text, Uuid, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

from shared.db import Transaction, metadata
from shared.events.base import EventData, Withdrawn
from shared.events.calendar import DateCancelled
from shared.events.codes import SourceKind
from shared.events.intake import TalkCancelled
from shared.events.registry import EVENT_TYPES
from shared.i18n import translate
from shared.listening import Received
from shared.retention import Kept

D = TypeVar("D", bound=EventData)

TABLES = metadata()

heard = Table(
    "heard",
    TABLES,
    Column("source_kind", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),  # the subject of its events
    Column("type", Text, primary_key=True),  # of the event
    Column("revision", Integer, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),  # as its teller says
    Column("historic", Boolean, nullable=False),  # one of this type was an import of the past
    Column("data", JSONB, nullable=False),
    Column("heard_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


@dataclass(frozen=True, kw_only=True)
class Told:
    """All that is known of one source."""

    kind: SourceKind
    id: str
    events: tuple[Received[Any], ...]  # one of a type at most, the newest last

    @property
    def revision(self) -> int:
        """How far the source has come."""
        return self.events[-1].revision

    @property
    def ended(self) -> str | None:
        """Why the source no longer stands, in the words of who ended it; None while it stands."""
        data = self.events[-1].data
        if isinstance(data, Withdrawn):
            return data.reason
        if isinstance(data, TalkCancelled | DateCancelled):
            reasons, unsaid = data.reason or {}, translate("en", "staff.source.cancelled")
            return next((reasons[one] for one in (data.language, "en", *reasons) if one in reasons), unsaid)
        return None

    def last(self, *types: type[D]) -> Received[D] | None:
        """Return the newest event of these types."""
        return next((event for event in reversed(self.events) if isinstance(event.data, types)), None)

    def is_news(self, *types: type[EventData]) -> bool:
        """Say whether one of these was told, and never as something of the past: what was imported once is no news when it is corrected."""
        found = [event for event in self.events if isinstance(event.data, types)]
        return bool(found) and not any(event.historic for event in found)


_CHANGING = ("revision", "event_id", "trace_id", "told_at", "historic", "data")


def _hearing() -> Insert:
    row = insert(heard)
    told = row.excluded
    changed = {name: told[name] for name in _CHANGING} | {"historic": heard.c.historic | told.historic, "heard_at": func.now()}
    return row.on_conflict_do_update(
        index_elements=["source_kind", "source_id", "type"], set_=changed, where=heard.c.revision < told.revision
    )


# Made once: to make it takes as long as to run it.
_HEARING = _hearing().returning(heard.c.type)


async def hear(tx: Transaction, kind: SourceKind, event: Received[Any]) -> Told | None:
    """Keep an event and return all that is known of its source now; None where it says nothing that was not heard.

    All events of one subject come one after another, so nobody else writes about this source meanwhile.
    """
    values = {
        "revision": event.revision,
        "event_id": event.id,
        "trace_id": event.trace_id,
        "told_at": event.time,
        "historic": event.historic,
        "data": event.data.model_dump(mode="json"),
    }
    done = await tx.execute(_HEARING, {"source_kind": kind.value, "source_id": event.subject, "type": event.type, **values})
    if done.first() is None and not (event.historic and await _is_of_the_past(tx, kind, event)):
        return None
    return await told_of(tx, kind, event.subject)


async def _is_of_the_past(tx: Transaction, kind: SourceKind, event: Received[Any]) -> bool:
    """Keep that a source is of the past, which an event said that comes behind a newer one; say whether that is new."""
    here = (heard.c.source_kind == kind.value, heard.c.source_id == event.subject, heard.c.type == event.type)
    return bool((await tx.execute(update(heard).where(*here, heard.c.historic.is_(False)).values(historic=True))).rowcount)


async def told_of(tx: Transaction, kind: SourceKind, id_: str) -> Told:
    """Return all that is known of a source; without any event where nothing is."""
    rows = await tx.execute(select(heard).where(heard.c.source_kind == kind.value, heard.c.source_id == id_))
    found = [_received(row) for row in rows if row.type in EVENT_TYPES]
    # Of two with one revision the end counts: what must not leave must not leave.
    return Told(kind=kind, id=id_, events=tuple(sorted(found, key=lambda one: (one.revision, isinstance(one.data, Withdrawn), one.type))))


def _received(row: Row[Any]) -> Received[Any]:
    return Received(
        id=UUID(str(row.event_id)),
        type=row.type,
        subject=row.source_id,
        time=row.told_at,
        cause="",
        trace_id=row.trace_id,
        revision=row.revision,
        historic=row.historic,
        data=EVENT_TYPES[row.type].model_validate(row.data),
    )


def kept(service: str) -> Kept:
    """Return a service's line in the table of what is kept."""
    return Kept(what=f"what was last told of each source ({service})", days=None, why="what comes late, or twice, changes nothing")
