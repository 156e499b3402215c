"""Dates as JSCalendar (RFC 8984), approximate ones too: those are tasks without a day, with their periods in properties of our own."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from services.calendar.domain.entries import Entry
from services.calendar.feeds import words
from services.calendar.feeds.clocks import by_the_clock
from services.calendar.feeds.ical import UID_HOST, About
from shared import clock
from shared.events.codes import DateStatus

PRODUCT = "-//Tidings//Calendar//EN"


def entries(dates: Iterable[Entry], about: About) -> list[bytes]:
    """Return each date as the JSON of an Event, or of a Task where it has no day."""
    vendor = _vendor(about)
    return [orjson.dumps(_entry(entry, about, vendor)) for entry in dates]


def group(written: Iterable[bytes], about: About, *, updated: datetime) -> bytes:
    """Return the whole as a Group of what `entries` gave."""
    head = {
        "@type": "Group",
        "uid": f"calendar@{UID_HOST}",
        "prodId": PRODUCT,
        "updated": _moment(updated),
        "title": about.name,
        "locale": about.language,
        "source": about.source,
        "links": {
            "page": _link(f"{about.public_url}/calendar/"),
            **({"licence": {**_link(about.licence), "rel": "license"}} if about.licence else {}),
        },
    }
    return orjson.dumps(head)[:-1] + b',"entries":[' + b",".join(written) + b"]}"


def _vendor(about: About) -> str:
    """Properties that the standard does not know are named by the domain that they come from (RFC 8984, section 3.3)."""
    return urlsplit(about.public_url).hostname or "localhost"


def _entry(entry: Entry, about: About, vendor: str) -> dict[str, Any]:
    title, language = words.in_language(entry.title, about.language)
    summary, _ = words.in_language({language: entry.summary.get(language, "")} if entry.summary.get(language) else entry.summary, language)
    remarks = words.remarks(entry, about.language)
    found: dict[str, Any] = {
        "@type": "Event" if entry.is_exact else "Task",
        "uid": f"{entry.id}@{UID_HOST}",
        "prodId": PRODUCT,
        "created": _moment(entry.created_at),
        "updated": _moment(entry.updated_at),
        "sequence": entry.sequence,
        "title": title,
        "locale": language,
        "description": "\n".join([*remarks, *([summary] if summary else [])]),
        "localizations": _localizations(entry, language),
        "keywords": dict.fromkeys(words.codes(entry), True),
        "links": _links(entry, about),
        "freeBusyStatus": "free",
        f"{vendor}:precision": entry.precision,
        **(_event(entry) if entry.is_exact else _task(entry, vendor)),
    }
    if entry.place:
        found["locations"] = {"place": {"@type": "Location", "name": entry.place}}
    if entry.synthetic:
        found[f"{vendor}:synthetic"] = True
    if entry.moved_from is not None:
        found[f"{vendor}:was"] = entry.moved_from.model_dump(mode="json")
    return {name: value for name, value in found.items() if value not in ("", {}, [])}


def _event(entry: Entry) -> dict[str, Any]:
    if entry.precision == "day":
        days = (entry.last_day or entry.first_day) - entry.first_day + timedelta(days=1)
        return {
            "start": f"{entry.first_day.isoformat()}T00:00:00",
            "duration": f"P{days.days}D",
            "showWithoutTime": True,
            "timeZone": None,
            "status": entry.status,
        }
    assert entry.starts_at is not None
    assert entry.zone is not None
    local = by_the_clock(entry.starts_at, entry.zone)
    lasts = (entry.ends_at or entry.starts_at) - entry.starts_at
    return {
        "start": (local or clock.check_aware(entry.starts_at)).replace(tzinfo=None, microsecond=0).isoformat(),
        "timeZone": entry.zone if local else "Etc/UTC",
        "duration": _duration(lasts),
        "status": entry.status,
    }


def _task(entry: Entry, vendor: str) -> dict[str, Any]:
    finished = "completed" if entry.done_on else "needs-action"
    progress = "cancelled" if entry.status == DateStatus.CANCELLED else finished
    windows = [{"first": first.isoformat(), "last": last.isoformat() if last else None} for first, last in entry.windows]
    return {"progress": progress, f"{vendor}:windows": windows}


def _duration(lasts: timedelta) -> str:
    """Hours rather than days: a day is an hour shorter when clocks go forward, and what was meant are the hours between two instants."""
    minutes, seconds = divmod(int(lasts.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = "".join(f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if value)
    return f"PT{parts or '0S'}"


def _localizations(entry: Entry, shown: str) -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    for language in entry.title.keys() | entry.summary.keys():
        patch = {"title": entry.title.get(language), "description": entry.summary.get(language)}
        if language != shown:
            found[language] = {name: text for name, text in patch.items() if text}
    return dict(sorted(found.items()))


def _links(entry: Entry, about: About) -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {"page": _link(f"{about.public_url}/calendar/{entry.slug}")}
    if entry.source_address:
        found["source"] = {**_link(entry.source_address), "rel": "related"}
    for number, link in enumerate(entry.links, start=1):
        found[f"link-{number}"] = {**_link(str(link["address"])), "rel": "related", **_title(link)}
    return found


def _title(link: Mapping[str, Any]) -> Mapping[str, str]:
    label = link.get("label")
    return {"title": str(label)} if label else {}


def _link(address: str) -> dict[str, str]:
    return {"@type": "Link", "href": address}


def _moment(value: datetime) -> str:
    return clock.rfc3339(value.replace(microsecond=0))
