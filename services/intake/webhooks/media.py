"""What a body is said to be, by its `Content-Type` and `Content-Encoding`."""

import re

from services.intake.webhooks.headers import RawHeaders, only
from services.intake.webhooks.problem import Reason, Refusal, refuse

JSON = "application/json"
CLOUDEVENT = "application/cloudevents+json"
_BATCH_PREFIX = "application/cloudevents-batch"

MAX_BYTES = 200  # of a Content-Type; ours have about 40

# RFC 9110, section 8.3.1: a type, then parameters whose values may stand in quotation marks.
# Possessive, since white space between semicolons could otherwise be divided in very many ways.
_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]++"
_MEDIA = re.compile(rf'({_WORD}/{_WORD})((?:[ \t]*+;[ \t]*+(?:{_WORD}=(?:{_WORD}|"[^"\\]*+"))?+)*+)')
_CHARSET = re.compile(rf';[ \t]*charset="?({_WORD})"?', re.IGNORECASE)


def media_type(headers: RawHeaders) -> str | Refusal:
    """Return JSON or CLOUDEVENT, or the refusal (415) of anything else: another type, charset, or compression."""
    encoding = only(headers, b"content-encoding")
    if isinstance(encoding, Refusal):
        return encoding
    if encoding is not None and encoding.lower() != b"identity":
        return refuse(Reason.ENCODING_UNSUPPORTED)
    value = only(headers, b"content-type")
    if isinstance(value, Refusal):
        return value
    if value is None:
        return refuse(Reason.MEDIA_TYPE_MISSING)
    reason, media = _read(value.decode("latin-1"))
    return refuse(reason) if reason else media


def is_json(content_type: str) -> bool:
    """Return whether `content_type`, the `datacontenttype` of a CloudEvent, says JSON in UTF-8."""
    return _read(content_type) == (None, JSON)


def _read(value: str) -> tuple[Reason | None, str]:
    match = _MEDIA.fullmatch(value) if len(value) <= MAX_BYTES else None
    media = match.group(1).lower() if match else ""
    if media.startswith(_BATCH_PREFIX):
        return Reason.BATCH_UNSUPPORTED, ""
    if match is None or media not in {JSON, CLOUDEVENT}:
        return Reason.MEDIA_TYPE_UNSUPPORTED, ""
    if any(charset.lower() != "utf-8" for charset in _CHARSET.findall(match.group(2))):
        return Reason.CHARSET_UNSUPPORTED, ""
    return None, media
