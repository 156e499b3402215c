"""`/calendar/feed.json`: JSCalendar (RFC 8984), with what has no day."""

from collections.abc import Mapping
from typing import Any

from services.calendar.store import dates
from shared import clock
from shared.db import Database
from shared.events.times import TimeWithZone
from tests.calendar.made import days, new_date, rough, stored
from tests.calendar.reading import asking, at_clock

FEED = "/calendar/feed.json"
OURS = "tidings.example.org"


async def entries_of(database: Database, query: str = "") -> Mapping[str, Mapping[str, Any]]:
    """The entries of the feed by their titles."""
    async with asking(database) as program:
        answer = await program.get(FEED + query)
    assert answer.headers["content-type"] == "application/jscalendar+json; type=group"
    group = answer.json()
    assert group["@type"] == "Group"
    return {entry["title"]: entry for entry in group["entries"]}


async def test_hours_are_local_with_their_zone_and_length(database: Database) -> None:
    await stored(database, new_date("Talk", at_clock("2027-06-16T09:00", "Europe/Zurich", "2027-06-16T10:30"), place="Geneva"))
    entry = (await entries_of(database))["Talk"]
    assert {name: entry[name] for name in ("@type", "start", "timeZone", "duration", "status")} == {
        "@type": "Event",
        "start": "2027-06-16T09:00:00",
        "timeZone": "Europe/Zurich",
        "duration": "PT1H30M",
        "status": "confirmed",
    }
    assert entry["locations"] == {"place": {"@type": "Location", "name": "Geneva"}}


async def test_length_is_that_between_the_instants_also_when_clocks_change(database: Database) -> None:
    await stored(database, new_date("Night", at_clock("2026-10-24T22:00", "Europe/Paris", "2026-10-25T06:00")))
    assert (await entries_of(database))["Night"]["duration"] == "PT9H"


async def test_hour_that_comes_twice_is_said_in_utc(database: Database) -> None:
    first = at_clock("2026-10-25T02:30", "Europe/Paris")
    second = TimeWithZone(precision="time", starts=first.starts.astimezone().replace(hour=1, minute=30), zone="Europe/Paris")
    await stored(database, new_date("Second", second))
    entry = (await entries_of(database))["Second"]
    assert (entry["start"], entry["timeZone"]) == (f"{second.starts:%Y-%m-%dT%H:%M:%S}", "Etc/UTC")


async def test_days_have_no_hour_and_count_the_last(database: Database) -> None:
    await stored(database, new_date("Forum", days("2026-07-06", "2026-07-15")))
    entry = (await entries_of(database))["Forum"]
    assert (entry["start"], entry["duration"], entry["showWithoutTime"]) == ("2026-07-06T00:00:00", "P10D", True)
    assert entry["timeZone"] is None


async def test_what_has_no_day_is_there_and_has_none(database: Database) -> None:
    windows = (("2021-04-01", "2021-06-30"), ("2022-04-01", "2022-06-30"))
    await stored(database, new_date("Plan", rough("quarter", *windows)))
    await stored(database, new_date("Always", rough("ongoing", ("2021-01-01", None))))
    found = await entries_of(database)
    plan = found["Plan"]
    assert plan["@type"] == "Task"
    assert not {"start", "due", "duration", "estimatedDuration", "timeZone"} & set(plan)
    assert plan[f"{OURS}:precision"] == "quarter"
    assert plan[f"{OURS}:windows"] == [{"first": first, "last": last} for first, last in windows]
    assert found["Always"][f"{OURS}:windows"] == [{"first": "2021-01-01", "last": None}]


async def test_each_language_is_there(database: Database) -> None:
    titles = {"en": "Meeting", "fr": "Réunion", "ar": "اجتماع"}
    await stored(database, new_date(titles, summary={"fr": "De quoi il s’agit."}))
    entry = (await entries_of(database, "?lang=fr"))["Réunion"]
    assert (entry["locale"], entry["description"]) == ("fr", "De quoi il s’agit.")
    assert entry["localizations"] == {"ar": {"title": "اجتماع"}, "en": {"title": "Meeting"}}


async def test_moved_and_cancelled_and_done_are_told(database: Database) -> None:
    one = await stored(database)
    plan = await stored(database, new_date("Plan", rough("year", ("2021-01-01", "2021-12-31"))))
    async with database.transaction() as tx:
        moved = await dates.move(tx, one, days("2027-07-01"), at=clock.now())
        await dates.cancel(tx, moved, at=clock.now())
        await dates.mark_done(tx, plan, done_on=days("2021-06-20").first, note=None, at=clock.now())
    found = await entries_of(database)
    entry = found["Meeting on remittances"]
    assert (entry["status"], entry["sequence"], entry["uid"]) == ("cancelled", 2, one.uid)
    assert entry[f"{OURS}:was"] == {"precision": "day", "first": "2027-06-16", "last": "2027-06-16"}
    assert found["Plan"]["progress"] == "completed"


async def test_empty_feed_is_a_group(database: Database) -> None:
    assert await entries_of(database) == {}
