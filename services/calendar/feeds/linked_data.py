"""A date as linked data (schema.org Event), for search engines and whoever gathers events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from markupsafe import Markup

from services.calendar.domain.entries import Entry
from services.calendar.feeds.words import in_language
from shared.events.codes import DateStatus
from shared.events.times import ApproximateDate, TimeWithZone, When
from shared.reference.objectives import objective
from shared.web.linked_data import page_under

# HTML ends a script at "</script" whatever the quotation marks around it, and begins a comment at "<!--".
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
_SCHEMA = "https://schema.org/"


def linked_data(entry: Entry, moves: Sequence[When], *, language: str, address: str, licence: str | None) -> Markup:
    """Return the content of a script element of type application/ld+json; `moves` are the times that it had before, the last one last.

    What is only roughly known has no day there either, and whether one attends in a place or from afar is said only where a place is
    known: an empty one may be online or not yet found.
    """
    return Markup(orjson.dumps(_event(entry, moves, language, address, licence)).decode().translate(_ESCAPES))  # noqa: S704  # escaped above


def _event(entry: Entry, moves: Sequence[When], language: str, address: str, licence: str | None) -> dict[str, Any]:
    title, title_language = in_language(entry.title, language)
    summary, _ = in_language(entry.summary, title_language)
    event: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Event",
        "@id": address,
        "url": address,
        "identifier": str(entry.id),
        "name": title,
        "description": summary,
        "inLanguage": title_language,
        "eventStatus": _SCHEMA + _status(entry, moves),
        "previousStartDate": [start for was in moves if (start := _starts(was))],
        "keywords": [*(f"objective:{number}" for number in entry.objectives), *(["invented sample data"] if entry.synthetic else [])],
        "about": [_objective(number, language) for number in entry.objectives],
        "organizer": {"@type": "Organization", "name": entry.entity} if entry.entity else "",
        "subjectOf": page_under(address, licence),
        **_when(entry.when),
    }
    if entry.place:
        event["location"] = {"@type": "Place", "name": entry.place, "address": entry.place}
        event["eventAttendanceMode"] = _SCHEMA + "OfflineEventAttendanceMode"
    return {name: value for name, value in event.items() if value not in (None, "", [])}


def _status(entry: Entry, moves: Sequence[When]) -> str:
    if entry.status == DateStatus.CANCELLED:
        return "EventCancelled"
    if not moves:
        return "EventScheduled"
    # One that has lost its day is put off, not put on another.
    return "EventRescheduled" if entry.is_exact else "EventPostponed"


def _when(when: When) -> dict[str, str]:
    if isinstance(when, ApproximateDate):
        return {}
    if isinstance(when, TimeWithZone):
        ends = {"endDate": _local(when.ends, when.zone)} if when.ends else {}
        return {"startDate": _local(when.starts, when.zone), **ends}
    return {"startDate": when.first.isoformat(), "endDate": when.last.isoformat()}


def _starts(when: When) -> str:
    return _when(when).get("startDate", "")


def _local(instant: datetime, zone: str) -> str:
    """Return an instant with the offset of its place, so that both can be read from it."""
    return instant.astimezone(ZoneInfo(zone)).isoformat()


def _objective(number: int, language: str) -> dict[str, str]:
    name = objective(number).short.in_(language).text
    return {
        "@type": "DefinedTerm",
        "termCode": str(number),
        "name": name,
        "inDefinedTermSet": "Objectives of the Global Compact for Safe, Orderly and Regular Migration",
    }
