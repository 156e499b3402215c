"""What a service listens to: one function per event type, taking events singly or as the list that came together."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from shared.db import Transaction
from shared.events.base import EventData
from shared.trace import Cause

D = TypeVar("D", bound=EventData)


@dataclass(frozen=True, kw_only=True, slots=True)
class Received(Generic[D]):
    """An event as it came in."""

    id: UUID
    type: str
    subject: str  # what it is about; its Kafka key
    time: datetime  # when it happened, as its teller says; aware, UTC
    cause: str  # id of the event or request it came from
    trace_id: str
    revision: int
    historic: bool  # an import of the past: registers and calendar take it, drafts and pool do not
    data: D

    def as_cause(self) -> Cause:
        """Return this event as the cause of what its handler tells."""
        return Cause(id=str(self.id), trace_id=self.trace_id)


@dataclass(frozen=True, kw_only=True)
class Listener:
    """How one service takes one event type."""

    event_type: type[EventData]
    handle: Callable[[Transaction, Any], Awaitable[None]]  # takes a list of events where `together`, else one event
    together: bool  # takes a whole list in a few statements, so a long run costs no more round trips than a short one


Listeners = Mapping[str, Listener]


def each(event_type: type[D], handle: Callable[[Transaction, Received[D]], Awaitable[None]]) -> Listener:
    """Return a listener whose function takes one event at a time.

    The function may run twice for one event (a savepoint rolled back and tried again), so it has no effect outside `tx`.
    """
    return Listener(event_type=event_type, handle=handle, together=False)


def batch(event_type: type[D], handle: Callable[[Transaction, Sequence[Received[D]]], Awaitable[None]]) -> Listener:
    """Return a listener whose function takes the list of events that came together: about ten times as fast as singly."""
    return Listener(event_type=event_type, handle=handle, together=True)


def listeners(*given: Listener) -> Listeners:
    """Return the table of a service's listeners by event type; raises ValueError when a type has two."""
    table = {listener.event_type.type: listener for listener in given}
    if len(table) != len(given):
        raise ValueError("an event type has two listeners in one service; join them in one function")
    return table
