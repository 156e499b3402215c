"""A GCM Talk as linked data (schema.org Event), for search engines and whoever gathers events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from services.intake.domain.talks import StoredTalk, TalkState, when_of
from shared.events.codes import TalkFormat
from shared.events.times import ApproximateDate, TimeWithZone, When
from shared.web.linked_data import content_of, page_under, places, terms

_SCHEMA = "https://schema.org/"
_ATTENDED = {
    TalkFormat.IN_PERSON: "OfflineEventAttendanceMode",
    TalkFormat.ONLINE: "OnlineEventAttendanceMode",
    TalkFormat.HYBRID: "MixedEventAttendanceMode",
}


def linked_data(talk: StoredTalk, *, language: str, address: str, network: str, licence: str | None) -> Markup:
    """Return the content of a script element of type application/ld+json that says what the page says in `language`.

    What is only roughly known has no day there either.
    """
    fields = talk.fields
    return content_of(
        {
            "@context": "https://schema.org",
            "@type": "Event",
            "@id": address,
            "url": address,
            "identifier": str(talk.id),
            "name": fields["title"][language],
            "description": fields["summary"][language],
            "inLanguage": fields.get("spoken", ()) or language,
            "eventStatus": _SCHEMA + _status(talk),
            "previousStartDate": [start for was in talk.was if (start := _when(when_of(was)).get("startDate"))],
            "eventAttendanceMode": _SCHEMA + _ATTENDED[TalkFormat(fields["format"])],
            "location": _location(fields, address),
            "organizer": [{"@type": "Organization", "name": name} for name in (fields["entity"], *fields.get("partners", ()))],
            "superEvent": {"@type": "EventSeries", "name": "GCM Talks", "organizer": {"@type": "Organization", "name": network}},
            "about": [
                *terms(fields.get("objectives", ()), fields.get("principles", ()), language),
                *places(fields.get("countries", ()), language),
            ],
            "subjectOf": page_under(address, licence),
            **_when(talk.when),
        }
    )


def _status(talk: StoredTalk) -> str:
    if talk.state is TalkState.CANCELLED:
        return "EventCancelled"
    if talk.moved_from is None:
        return "EventScheduled"
    # One that has lost its day is put off, not put on another.
    return "EventPostponed" if isinstance(talk.when, ApproximateDate) else "EventRescheduled"


def _location(fields: Mapping[str, Any], address: str) -> list[Mapping[str, str]]:
    place = fields.get("place")
    held_at = [{"@type": "Place", "name": place, "address": place}] if place else []
    online = (
        [] if fields["format"] == TalkFormat.IN_PERSON else [{"@type": "VirtualLocation", "url": fields.get("registration") or address}]
    )
    return [*held_at, *online]


def _when(when: When) -> dict[str, str]:
    if isinstance(when, ApproximateDate):
        return {}
    if isinstance(when, TimeWithZone):
        ends = {"endDate": _local(when.ends, when.zone)} if when.ends else {}
        return {"startDate": _local(when.starts, when.zone), **ends}
    return {"startDate": when.first.isoformat(), "endDate": when.last.isoformat()}


def _local(instant: datetime, zone: str) -> str:
    """Return an instant with the offset of its place, so that both can be read from it."""
    return instant.astimezone(ZoneInfo(zone)).isoformat()
