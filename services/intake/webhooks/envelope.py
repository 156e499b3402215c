"""One shape for what partners send, whatever dialect they speak: Standard Webhooks or CloudEvents 1.0, structured or binary.

All three carry the same signature headers, and in all three `webhook-id` is the idempotency key: it is what the signature covers
and what a sender keeps on every retry. The id and source of a CloudEvent are kept beside it, as what the sender calls the event.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import TypeGuard
from urllib.parse import unquote_to_bytes

from services.intake.webhooks.body import read_json
from services.intake.webhooks.headers import RawHeaders
from services.intake.webhooks.media import CLOUDEVENT, JSON, is_json, media_type
from services.intake.webhooks.problem import Reason, Refusal, refuse, refuse_schema
from services.intake.webhooks.signature import Verified
from shared.events.kinds.faults import Fault, FaultCode, brief_name, fault, pointer_to

SPECVERSION = "1.0"
MAX_TYPE_CHARACTERS = 128
MAX_ATTRIBUTE_CHARACTERS = 1024  # of a CloudEvent's id and source
MAX_UNREAD = 20  # names kept of what we did not read; enough to see that a sender has moved on

_TYPE = re.compile(r"[\x21-\x7e]+")
# RFC 3339, section 5.6. Python's own reader also takes week dates, commas and times without minutes.
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})?")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')

_HEADER_PREFIX = b"ce-"
_REQUIRED = ("specversion", "type", "source", "id")
_UNCHECKED = ("subject", "dataschema")  # attributes we know and have no use for
_ATTRIBUTES = frozenset({*_REQUIRED, *_UNCHECKED, "time"})


class Dialect(Enum):
    """How a sender wraps an event."""

    STANDARD_WEBHOOKS = "standard-webhooks"  # {"type", "timestamp", "data"}
    CLOUDEVENTS_STRUCTURED = "cloudevents-structured"  # all in the body
    CLOUDEVENTS_BINARY = "cloudevents-binary"  # ce-* headers; the body is the data


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One event as it came in, unwrapped; its data not yet held against a schema."""

    id: str  # webhook-id, the idempotency key
    type: str
    occurred_at: datetime  # UTC; where a CloudEvent has no time, the moment its sender signed it
    data: Mapping[str, object]
    dialect: Dialect
    source: str = ""  # of a CloudEvent
    event_id: str = ""  # of a CloudEvent; unique within its source
    unread: tuple[str, ...] = ()  # names beside the data that we know nothing of, sorted; long ones cut, 20 at most
    fingerprint: str  # SHA-256 in hexadecimal; differs where the same id comes with other content

    @property
    def data_pointer(self) -> str:
        """The JSON pointer of the data in the body."""
        return "" if self.dialect is Dialect.CLOUDEVENTS_BINARY else "/data"


def read(*, headers: RawHeaders, body: bytes, verified: Verified) -> Envelope | Refusal:
    """Return the event that a verified request carries, or why it cannot be read (400, 413, 415, 422)."""
    media = media_type(headers)
    if isinstance(media, Refusal):
        return media
    value = read_json(body)
    if isinstance(value, Refusal):
        return value
    if not _is_object(value):
        return refuse_schema([fault("", FaultCode.NOT_AN_OBJECT)])
    if media == CLOUDEVENT:
        return _structured(value, verified)
    names = {name.lower() for name, _ in headers}
    if any(_HEADER_PREFIX + name.encode("ascii") in names for name in _REQUIRED):
        return _binary(headers, value, body, verified)
    return _standard(value, verified)


def unknown_type(envelope: Envelope, known: Sequence[str]) -> Refusal:
    """Return the refusal of an event whose type the door does not take, naming those it does."""
    wrong = fault("/type", FaultCode.UNKNOWN_TYPE, expected=", ".join(known))
    if envelope.dialect is Dialect.CLOUDEVENTS_BINARY:
        wrong = replace(wrong, pointer="/ce-type", part="header")
    return refuse_schema([wrong])


def read_moment(text: str) -> datetime | FaultCode:
    """Return the moment that an RFC 3339 text names, in UTC, or what is wrong with it; one without a zone could be any hour."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return FaultCode.NOT_A_MOMENT
    if match.group(1) is None:
        return FaultCode.NO_ZONE
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # the 31st of June; a leap second; the year 0, or before it in UTC
        return FaultCode.NOT_A_MOMENT


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


class _Members:
    """The members of an envelope, read one by one; what does not fit is gathered, so that one answer names it all."""

    def __init__(self, members: Mapping[str, object]) -> None:
        self._members = members
        self._read: set[str] = set()
        self.faults: list[Fault] = []

    def take(self, name: str) -> object:
        """Return the value of a member as it is, None where it is missing."""
        self._read.add(name)
        return self._members.get(name)

    def note(self, name: str, code: FaultCode, **params: str | int) -> None:
        """Note what is wrong with a member."""
        self.faults.append(fault(pointer_to([name]), code, **params))

    def text(self, name: str, max_characters: int = MAX_ATTRIBUTE_CHARACTERS) -> str:
        """Return the text of a member that must be there, and hold something."""
        value = self.take(name)
        if value is None:
            self.note(name, FaultCode.MISSING)
        elif not isinstance(value, str):
            self.note(name, FaultCode.NOT_TEXT)
        elif not value:
            self.note(name, FaultCode.TOO_SHORT, n=1)
        elif len(value) > max_characters:
            self.note(name, FaultCode.TOO_LONG, n=max_characters)
        elif not value.isprintable():
            self.note(name, FaultCode.WRONG)
        else:
            return value
        return ""

    def type(self) -> str:
        """Return the event's type."""
        text = self.text("type", MAX_TYPE_CHARACTERS)
        if text and not _TYPE.fullmatch(text):
            self.note("type", FaultCode.PATTERN, pattern=_TYPE.pattern)
        return text

    def moment(self, name: str, *, otherwise: datetime | None = None) -> datetime | None:
        """Return the moment of a member; where it is missing `otherwise`, and without that it must be there."""
        value = self.take(name)
        if value is None:
            if otherwise is None:
                self.note(name, FaultCode.MISSING)
            return otherwise
        moment = read_moment(value) if isinstance(value, str) else FaultCode.NOT_A_MOMENT
        if isinstance(moment, FaultCode):
            self.note(name, moment)
            return None
        return moment

    def data(self) -> Mapping[str, object]:
        """Return the data, which must be an object."""
        value = self.take("data")
        if _is_object(value):
            return value
        self.note("data", FaultCode.MISSING if value is None else FaultCode.NOT_AN_OBJECT)
        return {}

    def unread(self) -> tuple[str, ...]:
        """Return the names that nobody asked for, sorted, as they may be told."""
        return tuple(sorted({brief_name(name) for name in self._members if name not in self._read}))[:MAX_UNREAD]


def _standard(value: Mapping[str, object], verified: Verified) -> Envelope | Refusal:
    members = _Members(value)
    kind, occurred_at, data = members.type(), members.moment("timestamp"), members.data()
    if members.faults or occurred_at is None:
        return refuse_schema(members.faults)
    return Envelope(
        id=verified.id,
        type=kind,
        occurred_at=occurred_at,
        data=data,
        dialect=Dialect.STANDARD_WEBHOOKS,
        unread=members.unread(),
        fingerprint=verified.hashed.body_sha256,
    )


def _structured(value: Mapping[str, object], verified: Verified) -> Envelope | Refusal:
    members = _Members(value)
    content_type = members.take("datacontenttype")
    if not (content_type is None or (isinstance(content_type, str) and is_json(content_type))):
        members.note("datacontenttype", FaultCode.NOT_ONE_OF, expected=JSON)
    if members.take("data_base64") is not None:
        members.note("data_base64", FaultCode.UNEXPECTED)  # JSON data travels as JSON, so that its schema can be checked
    return _cloudevent(members, Dialect.CLOUDEVENTS_STRUCTURED, verified.hashed.body_sha256, verified)


def _binary(headers: RawHeaders, data: Mapping[str, object], body: bytes, verified: Verified) -> Envelope | Refusal:
    attributes = _attributes(headers)
    if isinstance(attributes, Refusal):
        return attributes
    # The signature covers the body alone. What the headers add is counted as content, so that a copy of the request under
    # another type or id is told from a retry.
    told = json.dumps([attributes.get(name) for name in (*_REQUIRED, "time")]).encode("ascii")
    fingerprint = hashlib.sha256(told + b"\n" + body).hexdigest()
    # The data comes last: it is the body's, never that of a header of this name.
    return _cloudevent(_Members({**attributes, "data": data}), Dialect.CLOUDEVENTS_BINARY, fingerprint, verified)


def _attributes(headers: RawHeaders) -> dict[str, str] | Refusal:
    attributes: dict[str, str] = {}
    for name, value in headers:
        if not name.lower().startswith(_HEADER_PREFIX):
            continue
        header = name.decode("latin-1").lower()
        attribute = header.removeprefix("ce-")
        if attribute not in _ATTRIBUTES:
            attributes[attribute] = ""  # an extension: its name is told, its value not wanted
            continue
        text = _attribute(value)
        if text is None:
            return refuse(Reason.CLOUDEVENT_HEADER_MALFORMED, header=header)
        if attribute in attributes:
            return refuse(Reason.HEADER_REPEATED, header=header)
        attributes[attribute] = text
    return attributes


def _attribute(value: bytes) -> str | None:
    """Return the text of a `ce-` header: quotation marks first, then one round of percent-decoding (HTTP binding, 3.1.3.2)."""
    try:
        text = value.strip(b" \t").decode("ascii")
        if quoted := _QUOTED.fullmatch(text):
            text = re.sub(r"\\(.)", r"\1", quoted.group(1))
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        return None


def _cloudevent(members: _Members, dialect: Dialect, fingerprint: str, verified: Verified) -> Envelope | Refusal:
    version = members.text("specversion")
    if version not in {"", SPECVERSION}:
        members.note("specversion", FaultCode.NOT_ONE_OF, expected=SPECVERSION)
    kind, event_id, source = members.type(), members.text("id"), members.text("source")
    occurred_at, data = members.moment("time", otherwise=verified.sent_at), members.data()
    for name in _UNCHECKED:
        members.take(name)
    if members.faults or occurred_at is None:
        return _refuse_cloudevent(members.faults, dialect)
    return Envelope(
        id=verified.id,
        type=kind,
        occurred_at=occurred_at,
        data=data,
        dialect=dialect,
        source=source,
        event_id=event_id,
        unread=members.unread(),
        fingerprint=fingerprint,
    )


def _refuse_cloudevent(faults: Sequence[Fault], dialect: Dialect) -> Refusal:
    if dialect is Dialect.CLOUDEVENTS_STRUCTURED:
        return refuse_schema(faults)
    # In binary mode the attributes are headers, and no JSON pointer leads to a header.
    first = faults[0]
    missing = first.code == FaultCode.MISSING.value
    reason = Reason.CLOUDEVENT_HEADER_MISSING if missing else Reason.CLOUDEVENT_HEADER_MALFORMED
    return refuse(reason, header="ce-" + first.pointer.removeprefix("/"))
