"""Two programs that know nothing of our writer read its feed, and see the same instants."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import vobject

from shared.db import Database
from shared.events.times import TimeWithZone
from shared.testing.requirements import NODE_PACKAGES
from tests.calendar.made import days, new_date, stored
from tests.calendar.reading import asking

FEED = "/calendar/feed.ics"
# Kathmandu has changed its clocks once in sixty years, by a quarter of an hour; Casablanca does for Ramadan.
ZONES: Mapping[str, int] = {
    "Europe/Paris": 2026,
    "America/New_York": 2026,
    "Africa/Cairo": 2026,
    "Asia/Kathmandu": 1985,
    "Australia/Lord_Howe": 2026,
    "Africa/Casablanca": 2026,
}
QUARTER = timedelta(minutes=15)
# Around each change: the day before, the last quarter before, the change itself, the first two after (the same hour again where clocks
# went back), the day after.
AROUND = (-timedelta(days=1), -QUARTER, timedelta(), QUARTER, 2 * QUARTER)


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a reader says of a date."""

    starts: datetime
    ends: datetime
    sequence: int
    status: str


def changes(zone: str, year: int) -> Iterator[datetime]:
    """The instants, to the quarter of an hour, at which clocks change from a year on."""
    place, day = ZoneInfo(zone), datetime(year, 1, 1, 12, tzinfo=UTC)
    while True:
        quarters = [day + number * QUARTER for number in range(97)]
        offsets = [quarter.astimezone(place).utcoffset() for quarter in quarters]
        if offsets[0] != offsets[-1]:
            yield next(quarter for quarter, offset in zip(quarters, offsets, strict=True) if offset != offsets[0])
        day = quarters[-1]


def over_changes() -> Sequence[TimeWithZone]:
    """Sixty dates, each of two hours, about two changes of clocks in each zone."""
    found = []
    for zone, year in ZONES.items():
        instants = changes(zone, year)
        first = next(instants)
        second = first + timedelta(days=200) if zone == "Asia/Kathmandu" else next(instants)
        for change in (first, second):
            for around in AROUND:
                starts = change + around
                found.append(TimeWithZone(precision="time", starts=starts, ends=starts + timedelta(hours=2), zone=zone))
    return found


def by_vobject(feed: str) -> Mapping[str, Read]:
    """What vobject reads."""
    calendar = vobject.readOne(feed)
    return {
        event.uid.value: Read(
            starts=event.dtstart.value.astimezone(UTC),
            ends=event.dtend.value.astimezone(UTC),
            sequence=int(event.sequence.value),
            status=event.status.value,
        )
        for event in calendar.vevent_list
    }


def run_ical_js(feed: str) -> Sequence[Mapping[str, Any]]:
    """What ical.js reads, as it says it."""
    script = Path(__file__).parent / "ical_js" / "read.mjs"
    done = subprocess.run(["node", script, NODE_PACKAGES], input=feed.encode(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found: Sequence[Mapping[str, Any]] = json.loads(done.stdout)
    return found


def by_ical_js(feed: str) -> Mapping[str, Read]:
    """The same of ical.js."""
    return {
        event["uid"]: Read(
            starts=datetime.fromisoformat(event["starts"]),
            ends=datetime.fromisoformat(event["ends"]),
            sequence=event["sequence"],
            status=event["status"],
        )
        for event in run_ical_js(feed)
    }


@pytest.fixture(scope="module")
def dates_over_changes() -> Sequence[TimeWithZone]:
    return over_changes()


async def test_vobject_reads_the_instants_that_were_meant(database: Database, dates_over_changes: Sequence[TimeWithZone]) -> None:
    meant = await _keep(database, dates_over_changes)
    async with asking(database) as reader:
        assert by_vobject((await reader.get(FEED)).text) == meant


@pytest.mark.node
async def test_ical_js_reads_the_instants_that_were_meant(database: Database, dates_over_changes: Sequence[TimeWithZone]) -> None:
    meant = await _keep(database, dates_over_changes)
    async with asking(database) as reader:
        feed = (await reader.get(FEED)).text
    assert by_ical_js(feed) == meant
    assert by_vobject(feed) == by_ical_js(feed)


async def _keep(database: Database, whens: Sequence[TimeWithZone]) -> Mapping[str, Read]:
    assert len(whens) == 60
    assert sum(bool(when.starts.astimezone(ZoneInfo(when.zone)).fold) for when in whens) >= 4, "none begins in an hour that comes twice"
    kept = [await stored(database, new_date(f"Date {number}", when)) for number, when in enumerate(whens)]
    return {
        one.uid: Read(starts=when.starts, ends=when.ends or when.starts, sequence=0, status="CONFIRMED")
        for one, when in zip(kept, whens, strict=True)
    }


def _vobject_days(feed: str) -> Mapping[str, tuple[date, date]]:
    return {event.summary.value: (event.dtstart.value, event.dtend.value) for event in vobject.readOne(feed).vevent_list}


@pytest.mark.node
async def test_inclusive_days_end_on_the_next_free_day_for_both_readers(database: Database) -> None:
    for title, when in (("One", days("2026-06-16")), ("Ten", days("2026-07-06", "2026-07-15")), ("Year", days("2026-12-31"))):
        await stored(database, new_date(title, when))
    async with asking(database) as reader:
        feed = (await reader.get(FEED)).text
    meant = {
        "One": (date(2026, 6, 16), date(2026, 6, 17)),
        "Ten": (date(2026, 7, 6), date(2026, 7, 16)),
        "Year": (date(2026, 12, 31), date(2027, 1, 1)),
    }
    assert _vobject_days(feed) == meant
    read = {event["summary"]: (date.fromisoformat(event["starts"]), date.fromisoformat(event["ends"])) for event in run_ical_js(feed)}
    assert read == meant
