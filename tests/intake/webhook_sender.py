"""A partner for tests: signs as the Standard Webhooks specification says, and as partners get it wrong."""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from services.intake.webhooks.headers import RawHeaders
from services.intake.webhooks.keys import SharedKey
from services.intake.webhooks.problem import Refusal
from services.intake.webhooks.signature import Verified, verify
from shared.events.kinds.faults import Params

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECRET = bytes(range(100, 132))
KEY = SharedKey(id="first", secret=SECRET)
EVENT = {"type": "practice.submitted", "timestamp": "2026-11-22T08:59:00Z", "data": {"title": {"en": "A desk for returning workers"}}}


def body_of(event: object) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def v1(text: bytes, secret: bytes = SECRET) -> bytes:
    return b"v1," + base64.b64encode(hmac.digest(secret, text, "sha256"))


def signed(
    body: bytes,
    *,
    event_id: str = "msg_1",
    sent_at: datetime = NOW,
    secret: bytes = SECRET,
    content_type: str = "application/json",
    extra: Mapping[str, str] | None = None,
) -> list[tuple[bytes, bytes]]:
    """The headers of a well signed request."""
    timestamp = str(int(sent_at.timestamp()))
    headers = {
        "content-type": content_type,
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": v1(f"{event_id}.{timestamp}.".encode() + body, secret).decode(),
        **(extra or {}),
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def with_header(headers: RawHeaders, name: str, value: bytes | None) -> list[tuple[bytes, bytes]]:
    """The headers with one replaced, or left out."""
    rest = [(key, kept) for key, kept in headers if key != name.encode()]
    return rest if value is None else [*rest, (name.encode(), value)]


def verified(headers: RawHeaders, body: bytes) -> Verified:
    """The request as accepted at the moment of its making."""
    result = verify(headers=headers, body=body, keys=[KEY], now=NOW)
    assert isinstance(result, Verified), result
    return result


def say(key: str, params: Params) -> str:
    """Stands for the catalogue: the key and what its sentence would be given."""
    return f"{key} {dict(params)}" if params else key


def everything_said(refusal: Refusal) -> str:
    """All that could reach a partner, a log or a page."""
    return json.dumps(refusal.document(say)) + repr(refusal) + json.dumps(dict(refusal.headers))
