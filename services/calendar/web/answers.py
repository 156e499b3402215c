"""How feeds answer: with a validator, so that who has the newest already gets nothing again, and readable from any site."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

from fastapi import Request, Response

from shared import clock, i18n
from shared.events.codes import LANGUAGES

# The folder of all that the calendar makes answers of, apart from what is shared.
CALENDAR = Path(__file__).parents[1]
# What a program may keep without asking: a change is seen within a quarter of an hour by whoever asks.
CACHE = "public, max-age=900"
# A change that is committed a moment later may bear an earlier time; so a time is a validator only when the moment is over.
_SETTLED = timedelta(seconds=5)
# Of what was passed over, as much as a header takes.
_IGNORED_MAX = 20
_IGNORED_CHARACTERS = 100


@dataclass(frozen=True, kw_only=True)
class Made:
    """By what an answer is known again."""

    tag: str
    changed_at: datetime | None

    @property
    def headers(self) -> dict[str, str]:
        """The validators of the answer."""
        found = {"ETag": self.tag}
        if self.changed_at is not None and clock.now() - self.changed_at > _SETTLED:
            found["Last-Modified"] = format_datetime(self.changed_at.replace(microsecond=0), usegmt=True)
        return found


def never_before(began: datetime, changed_at: datetime | None) -> datetime | None:
    """Return when an answer changed last, at the earliest when this process began: whoever asks by time alone (RFC 9110, section
    13.1.3) is to get what an upgrade words otherwise, too.
    """
    return max(began, changed_at) if changed_at is not None else None


def strong(content: bytes) -> str:
    """Return the tag of exactly these bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def weak(*made_from: object) -> str:
    """Return the tag of what is made from these things: the same in meaning, whatever its bytes, compressed on the way or not."""
    return f'W/"{hashlib.sha256(repr(made_from).encode()).hexdigest()[:32]}"'


def conditional(request: Request, made: Made, headers: Mapping[str, str]) -> Response | None:
    """Return 304 for who has the newest already (RFC 9110, section 13.2.2), else None."""
    asked = request.headers.get("if-none-match")
    if asked is not None:
        known = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
        same = "*" in known or made.tag.removeprefix("W/") in known
    else:
        same = _not_since(request.headers.get("if-modified-since"), made)
    kept = {name: value for name, value in headers.items() if name not in {"Content-Type", "Content-Disposition"}}
    return Response(status_code=304, headers=kept | made.headers) if same else None


def _not_since(asked: str | None, made: Made) -> bool:
    if asked is None or "Last-Modified" not in made.headers or made.changed_at is None:
        return False
    try:
        since = parsedate_to_datetime(asked)
    except ValueError:
        return False
    return since.tzinfo is not None and made.changed_at.replace(microsecond=0) <= since


def feed_language(request: Request) -> str:
    """Return the language of a feed: that of its address alone, so that one address always gives the same."""
    for name in ("lang", "language"):
        if (wanted := request.query_params.get(name, "")) in LANGUAGES:
            return wanted
    return i18n.DEFAULT


def calendar_headers(content_type: str, language: str, *, filename: str = "", ignored: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the headers of a feed; what was passed over of its address is named in one of them."""
    headers = {
        "Content-Type": content_type,
        "Content-Language": language,
        "Cache-Control": CACHE,
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Robots-Tag": "noindex",
    }
    if filename:
        headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    if ignored:
        told = [quote(one[:_IGNORED_CHARACTERS], safe="=-") for one in ignored[:_IGNORED_MAX]]
        headers["X-Tidings-Ignored"] = ", ".join(told)
    return headers
