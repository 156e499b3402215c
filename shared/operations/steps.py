"""A story told step by step: what one service did, when and why, for its own page and for the page that gathers all services."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.operations import base_of
from shared.operations.readable import readable
from shared.operations.story import Fact, Story
from shared.parking import ParkedState


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something more about a step: a sentence, or what a machine wrote under a name."""

    key: str  # of the sentence, or of the name
    params: Mapping[str, object] = field(default_factory=dict)
    text: str | None = None  # what stands under the name; empty for a sentence


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a story."""

    what: str  # told, taken, parked or fact
    time: datetime
    title_key: str
    params: Mapping[str, object]
    tone: str = "neutral"
    event_id: UUID | None = None
    type: str = ""
    subject: str = ""
    cause: str = ""  # id of the event or the receipt that it came from
    notes: Sequence[Note] = ()
    body: str = ""  # what the event says, readable
    address: str = ""  # a page of ours where its effect can be seen


_ORDER = {"fact": 0, "told": 1, "taken": 2, "parked": 3}


def steps_of(service: str, story: Story) -> Sequence[Step]:
    """Return the steps of a story in time order."""
    steps = [
        *(_fact(service, fact) for fact in story.facts),
        *(_told(service, row) for row in story.told),
        *(_taken(service, row) for row in story.taken),
        *(_parked(service, row) for row in story.parked),
    ]
    return sorted(steps, key=lambda step: (step.time, _ORDER[step.what]))


def _fact(service: str, fact: Fact) -> Step:
    return Step(what="fact", time=fact.time, title_key=fact.title_key, params={"service": service, **fact.params}, address=fact.address)


def _told(service: str, row: Row[Any]) -> Step:
    notes = [Note(key="staff.step.sent", params={"time": row.sent_at}) if row.sent_at else Note(key="staff.step.unsent")]
    if row.revision > 1:
        notes.append(Note(key="staff.step.revision", params={"n": row.revision}))
    if row.historic:
        notes.append(Note(key="staff.step.historic"))
    return Step(
        what="told",
        time=row.time,
        title_key="staff.step.told",
        params={"service": service, "type": row.type},
        tone="neutral" if row.sent_at else "warning",
        event_id=row.id,
        type=row.type,
        subject=row.subject,
        cause=row.cause,
        notes=notes,
        body=readable(row.body.encode()).text,
    )


_TAKEN_TONES = {"handled": "good", "parked": "warning", "discarded": "bad"}


def _taken(service: str, row: Row[Any]) -> Step:
    notes = [Note(key=f"staff.step.outcome.{row.outcome}", params={"time": row.outcome_at})]
    if row.attempts > 1:
        notes.append(Note(key="staff.step.attempts", params={"n": row.attempts}))
    notes.append(Note(key="staff.step.place", text=place_of(row)))
    return Step(
        what="taken",
        time=row.received_at,
        title_key="staff.step.taken",
        params={"service": service, "type": row.type},
        tone=_TAKEN_TONES.get(row.outcome, "neutral"),
        event_id=row.event_id,
        type=row.type,
        subject=row.subject,
        cause=row.cause,
        notes=notes,
    )


def _parked(service: str, row: Row[Any]) -> Step:
    notes = [Note(key="staff.step.attempts", params={"n": row.attempts})] if row.attempts else []
    if row.state == ParkedState.WAITING.value and not row.behind:
        notes.append(Note(key="staff.step.next", params={"time": row.next_at}))
    notes.append(Note(key="staff.parked.error", text=row.error))
    if row.state == ParkedState.DISCARDED.value:
        notes += [Note(key="staff.parked.reason", text=row.reason or ""), Note(key="staff.parked.by", text=row.decided_by or "")]
    return Step(
        what="parked",
        time=row.last_at,
        title_key=f"staff.step.parked.{'behind' if row.behind and row.state == ParkedState.WAITING.value else row.state}",
        params={"service": service, "type": row.type},
        tone="warning" if row.state == ParkedState.WAITING.value else "bad",
        event_id=row.event_id,
        type=row.type,
        subject=row.subject,
        notes=notes,
        address=f"{base_of(service)}/operations/parked/{row.event_id}",
    )


def place_of(row: Row[Any]) -> str:
    """Return where in Kafka an event was found: topic, partition and offset, as Kafka's own tools name them."""
    return f"{row.topic}/{row.partition}@{row.offset}"
