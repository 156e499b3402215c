"""Reading what Kafka handed over: a record becomes an event, a reason to pass it by, or a reason why it cannot be read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import ValidationError

from shared import clock
from shared.listening import Listener, Listeners, Received
from shared.trace import trace_id_of

V = TypeVar("V")

UNKNOWN_TYPE = "unknown"
MAX_REVISION = 2**31 - 1


class Record(Protocol):
    """What we use of aiokafka's ConsumerRecord."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class Passed(StrEnum):
    """Why a record is nothing to this service; counted, then passed by."""

    UNKNOWN = "unknown"  # a type that this version does not know
    UNHEARD = "unheard"  # a type that this service does not listen to
    REPEATED = "repeated"  # an event that was taken before


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A record that this service has to answer for."""

    record: Record
    event_id: UUID  # of the event; of the record's place in Kafka where no id can be read
    type: str
    subject: str
    listener: Listener | None  # empty where the type cannot be read
    event: Received[Any] | None  # empty where the event cannot be read
    fault: str = ""  # why it cannot be read


class UnreadableError(Exception):
    """A record is not a CloudEvent of ours in Kafka's binary mode; the message says where it departs from one."""


def read(record: Record, listeners: Listeners, known: Mapping[str, frozenset[str]]) -> Arrival | Passed:
    """Return what `record` is to a service with these listeners; never raises.

    `known` gives for each event type the topics that it may come from: an event never gives a right, and a type is taken
    only from its teller's topic.
    """
    headers, faults = _headers(record)
    event_type = headers.get("ce_type")
    if event_type is not None and event_type not in known:
        return Passed.UNKNOWN
    if event_type is not None and event_type not in listeners:
        return Passed.UNHEARD
    listener = listeners[event_type] if event_type is not None else None
    subject = headers.get("ce_subject") or (record.key or b"").decode("utf-8", "backslashreplace")
    try:
        if listener is None:
            raise UnreadableError(faults.get("ce_type", "it has no ce_type header"))
        event = _event(record, listener, headers, faults, known)
    except UnreadableError as fault:
        return Arrival(
            record=record,
            event_id=place_id(record),
            type=event_type or UNKNOWN_TYPE,
            subject=subject.replace("\x00", "\\x00"),
            listener=listener,
            event=None,
            fault=str(fault).replace("\x00", "\\x00"),
        )
    return Arrival(record=record, event_id=event.id, type=event.type, subject=event.subject, listener=listener, event=event)


def place_id(record: Record) -> UUID:
    """Return an id for a record whose own id cannot be read: the same each time it is handed over."""
    return uuid5(NAMESPACE_URL, f"kafka:{record.topic}/{record.partition}/{record.offset}")


def _headers(record: Record) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headers that can be read, and for each of ours that cannot, why; foreign ones may be anything."""
    read_: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name, value in record.headers:
        if not name.startswith("ce_") and name != "traceparent":
            continue
        if value is None:
            faults[name] = f"its header {name} is null"
            continue
        try:
            read_[name] = value.decode("utf-8")
        except UnicodeDecodeError:
            faults[name] = f"its header {name} is not UTF-8"
    return read_, faults


def _header(headers: Mapping[str, str], name: str, reader: Callable[[str], V], *, otherwise: str | None = None) -> V:
    value = headers.get(name, otherwise)
    if value is None:
        raise UnreadableError(f"it has no {name} header")
    try:
        return reader(value)
    except ValueError as error:
        raise UnreadableError(f"its header {name} is wrong: {error}") from error


def _moment(text: str) -> datetime:
    return clock.check_aware(datetime.fromisoformat(text))


def _event(
    record: Record, listener: Listener, headers: Mapping[str, str], faults: Mapping[str, str], known: Mapping[str, frozenset[str]]
) -> Received[Any]:
    event_type = listener.event_type.type
    if faults:
        raise UnreadableError("; ".join(faults.values()))
    if record.topic not in known[event_type]:
        raise UnreadableError(
            f"{event_type} came on {record.topic}, and only its teller's topic counts: {', '.join(sorted(known[event_type]))}"
        )
    if headers.get("ce_specversion") != "1.0":
        raise UnreadableError("its header ce_specversion is not 1.0")
    if record.value is None:
        raise UnreadableError("it has no value")
    if odd := [name for name, value in headers.items() if "\x00" in value]:
        raise UnreadableError(f"its header {odd[0]} holds a NUL, which no text column takes")
    event_id = _header(headers, "ce_id", UUID)
    time = _header(headers, "ce_time", _moment)
    revision = _header(headers, "ce_revision", int, otherwise="1")
    if not 0 < revision <= MAX_REVISION:
        raise UnreadableError(f"its header ce_revision is {revision}")
    try:
        data = listener.event_type.model_validate_json(record.value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = "/".join(str(part) for part in first["loc"]) or "its value"
        raise UnreadableError(f"it is not a {event_type}: {place}: {first['msg']}") from error
    return Received(
        id=event_id,
        type=event_type,
        subject=headers.get("ce_subject", ""),
        time=time,
        cause=headers.get("ce_cause", ""),
        trace_id=trace_id_of(headers.get("traceparent", "")) or event_id.hex,
        revision=revision,
        historic=headers.get("ce_historic") == "true",
        data=data,
    )
