"""`/calendar/feed.ics`: what programs that subscribe get, and what they need not get again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import vobject
from sqlalchemy import update

from services.calendar.domain.dates import NewDate, StoredDate
from services.calendar.domain.entries import CANCELLED_KEPT
from services.calendar.store import dates
from services.calendar.store.tables import dates as kept_dates
from shared import clock
from shared.db import Database
from shared.events.codes import DateKind, DateStatus
from tests.calendar.made import days, new_date, rough, stored
from tests.calendar.reading import app_of, asking, at_clock
from tests.upgrading import EVERYTHING, Upgrade

FEED = "/calendar/feed.ics"
LONG = "Réunion régionale sur les envois de fonds : 汇款问题区域会议，" * 6


async def feed_of(database: Database, query: str = "") -> str:
    """The feed as it comes."""
    async with asking(database) as program:
        answer = await program.get(FEED + query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return answer.text


async def events_of(database: Database, query: str = "") -> Sequence[Any]:
    """The events of the feed, as vobject reads them."""
    return list(getattr(vobject.readOne(await feed_of(database, query)), "vevent_list", []))


async def titles_of(database: Database, query: str = "") -> set[str]:
    """The titles in the feed."""
    return {event.summary.value for event in await events_of(database, query)}


async def as_of(database: Database, one: StoredDate, **values: Any) -> None:
    """Set what only time would bring."""
    async with database.transaction() as tx:
        await tx.execute(update(kept_dates).where(kept_dates.c.id == one.id).values(**values))


async def test_feed_gives_all_that_a_calendar_can_show(database: Database) -> None:
    new = new_date(
        {"en": "Meeting; on, remittances\\", "fr": "Réunion"},
        at_clock("2027-06-16T09:00", "Europe/Zurich", "2027-06-16T17:30"),
        summary={"en": "First line\nsecond, line"},
        place="Geneva, Palais",
        objectives=(3, 20),
    )
    one = await stored(database, new)
    text = await feed_of(database)
    [event] = vobject.readOne(text).vevent_list
    assert event.uid.value == f"{one.id}@tidings"
    assert event.summary.value == "Meeting; on, remittances\\"
    assert event.summary.language_param == "en"
    assert event.description.value == "First line\nsecond, line"
    assert event.location.value == "Geneva, Palais"
    assert event.url.value == f"https://tidings.example.org/calendar/{one.slug}"
    assert event.categories.value == ["meeting", "objective:3", "objective:20"]
    assert (event.status.value, event.sequence.value) == ("CONFIRMED", "0")
    assert event.dtstamp.value == event.last_modified.value == one.updated_at.replace(microsecond=0)
    assert "\r\nDTSTART;TZID=Europe/Zurich:20270616T090000\r\n" in text
    for line in (
        "NAME;LANGUAGE=en:",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
        "SOURCE;VALUE=URI:https://tidings.example.org/calendar/feed.ics",
    ):
        assert f"\r\n{line}" in text


async def test_two_readings_of_an_unchanged_feed_are_the_same_to_the_byte(database: Database) -> None:
    await stored(database)
    assert await feed_of(database) == await feed_of(database)


async def test_uid_and_address_stay_over_twenty_edits_and_sequence_counts_times_and_status_alone(database: Database) -> None:
    one = await stored(database)
    seen, sequences = set(), []
    for number in range(20):
        async with database.transaction() as tx:
            held = await dates.hold(tx, one.id)
            assert held is not None
            if number % 2:
                await dates.move(tx, held, days(f"2027-07-{number + 1:02}"), at=clock.now())
            else:
                described = replace(held.description, title={"en": f"Another title, {number}"})
                await dates.reword(
                    tx, held, described, at=clock.now(), plan=held.plan, source_address=held.source_address, public=held.public
                )
        [event] = await events_of(database)
        seen.add((event.uid.value, event.url.value))
        sequences.append(int(event.sequence.value))
    assert seen == {(f"{one.id}@tidings", f"https://tidings.example.org/calendar/{one.slug}")}
    assert sequences == [(number + 1) // 2 for number in range(20)]


async def test_lines_have_75_octets_at_most_and_break_no_character(database: Database) -> None:
    await stored(database, new_date({"fr": LONG[:290]}, language="fr", summary={"fr": LONG}))
    async with asking(database) as program:
        content = (await program.get(FEED)).content
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) == 75
    assert [line for line in lines if b"\n" in line or line.decode() is None] == []  # decode() raises within a character
    [event] = vobject.readOne(content.decode()).vevent_list
    assert (event.summary.value, event.description.value) == (LONG[:290].strip(), LONG)


async def test_zones_are_written_for_the_years_that_are_used(database: Database) -> None:
    for year in (2026, 2027):
        await stored(database, new_date(f"In {year}", at_clock(f"{year}-07-01T09:00", "Europe/Paris")))
    await stored(database, new_date("In UTC", at_clock("2030-07-01T09:00", "UTC")))
    text = await feed_of(database)
    assert re.findall(r"TZID:(\S+)", text) == ["Europe/Paris"]
    block = text.partition("BEGIN:VTIMEZONE")[2].partition("END:VTIMEZONE")[0]
    onsets = re.findall(r"(?:DTSTART|RDATE):(\d{4})", block)
    assert set(onsets) == {"2025", "2026", "2027"}, "its last days of 2025 are there to begin with"
    assert "DTSTART:20300701T090000Z" in text
    assert len(block) < 700


async def test_what_has_no_day_is_not_in_it(database: Database) -> None:
    await stored(database, new_date("Some time in June", rough("month", ("2027-06-01", "2027-06-30"))))
    await stored(database, new_date("Ongoing", rough("ongoing", ("2027-06-01", None))))
    await stored(database, new_date("On a day"))
    assert await titles_of(database) == {"On a day"}


@pytest.mark.parametrize("new", [{"public": False}, {"kind": DateKind.BLACKOUT}, {"kind": DateKind.EMBARGO}], ids=str)
async def test_what_is_not_public_is_in_no_feed_and_on_no_page(database: Database, new: Mapping[str, Any]) -> None:
    one = await stored(database, new_date("Secret thing", **new))
    async with asking(database) as reader:
        for address in (FEED, "/calendar/feed.json", "/calendar/", "/calendar/?at=2027-06", "/calendar/month/2027-06", "/calendar/embed"):
            assert "Secret thing" not in (await reader.get(address)).text, address
        assert (await reader.get(f"/calendar/{one.slug}")).status_code == 404
        assert (await reader.get(f"/calendar/{one.slug}.ics")).status_code == 404


async def test_cancelled_stays_for_ninety_days_and_then_goes(database: Database) -> None:
    one = await stored(database)
    async with database.transaction() as tx:
        await dates.cancel(tx, one, at=clock.now(), because={"en": "The venue was flooded."})
    [event] = await events_of(database)
    assert (event.status.value, event.sequence.value) == ("CANCELLED", "1")
    assert "The venue was flooded." in event.description.value
    assert await events_of(database, "?cancelled=hide") == []
    await as_of(database, one, cancelled_at=clock.now() - CANCELLED_KEPT + timedelta(hours=1))
    assert len(await events_of(database)) == 1
    await as_of(database, one, cancelled_at=clock.now() - CANCELLED_KEPT - timedelta(hours=1))
    assert await events_of(database) == []


async def test_moved_date_says_when_it_was(database: Database) -> None:
    one = await stored(database)
    async with database.transaction() as tx:
        await dates.move(tx, one, days("2027-07-01"), at=clock.now())
    [event] = await events_of(database)
    assert "16 June 2027" in event.description.value
    assert event.dtstart.value == date(2027, 7, 1)


async def test_tentative_and_invented_are_marked(database: Database) -> None:
    await stored(database, new_date("Perhaps", status=DateStatus.TENTATIVE, synthetic=True, countries=("QM",)))
    [event] = await events_of(database)
    assert event.status.value == "TENTATIVE"
    assert "invented" in event.description.value


async def test_feed_speaks_the_language_of_its_address(database: Database) -> None:
    await stored(database, new_date({"en": "Meeting", "ar": "اجتماع"}))
    await stored(database, new_date("Only in English", days("2027-06-18")))
    text = await feed_of(database, "?lang=ar")
    assert "SUMMARY;LANGUAGE=ar:اجتماع" in text
    assert "SUMMARY;LANGUAGE=en:Only in English" in text
    async with asking(database) as program:
        answer = await program.get(FEED, headers={"accept-language": "fr"})
    assert "NAME;LANGUAGE=en" in answer.text
    assert "vary" not in answer.headers


CHOSEN: Mapping[str, NewDate] = {
    "kind=report": new_date("chosen", kind=DateKind.REPORT),
    "kind=report,training": new_date("chosen", kind=DateKind.TRAINING),
    "objective=20": new_date("chosen", objectives=(3, 20)),
    "principle=rule-of-law": new_date("chosen", principles=("rule-of-law",)),
    "region=asia-pacific": new_date("chosen", countries=("NP",)),
    "region=arab-states": new_date("chosen", regions=("arab-states",)),
    "country=np": new_date("chosen", countries=("NP", "PT")),
    "theme=3": new_date("chosen", theme="3"),
    "priority=core-1": new_date("chosen", priority="core-1"),
    "lead=OIM, Bureau r%C3%A9gional": new_date("chosen", lead=("OIM, Bureau régional",)),
    "language=es": new_date({"en": "chosen", "es": "elegido"}),
    "from=2028-01-01": new_date("chosen", days("2027-12-30", "2028-01-02")),
    "to=2020-01-01": new_date("chosen", days("2020-01-01", "2020-01-03")),
    "from=2019-01-01&to=2019-12-31": new_date("chosen", days("2018-01-01", "2020-01-03")),
}


@pytest.mark.parametrize("query", CHOSEN)
async def test_each_filter_takes_what_it_says_on_every_address(database: Database, query: str) -> None:
    await stored(database, CHOSEN[query])
    await stored(database, new_date("left out", days("2027-06-16"), kind=DateKind.OTHER))
    found = await events_of(database, f"?{query}&lang=en")
    assert {event.summary.value for event in found} == {"chosen"}
    month = CHOSEN[query].when.first_day.strftime("%Y-%m")
    async with asking(database) as reader:
        for address in ("/calendar/feed.json", "/calendar/", f"/calendar/month/{month}"):
            text = (await reader.get(f"{address}?{query}&lang=en")).text
            assert "chosen" in text, address
            assert "left out" not in text, address
        assert "left out" not in (await reader.get(f"/calendar/embed?{query}&lang=en")).text


async def test_nonsense_is_passed_over_and_named_in_a_header(database: Database) -> None:
    await stored(database)
    async with asking(database) as program:
        answer = await program.get(FEED, params={"kind": "lunch\r\nX-Evil: 1", "objective": "24", "from": "soon", "theme": "１"})
    assert answer.status_code == 200
    assert "Meeting on remittances" in answer.text
    told = answer.headers["x-tidings-ignored"]
    assert "objective=24" in told
    assert "from=soon" in told
    assert "x-evil" not in answer.headers


async def _stamps(program: httpx.AsyncClient, address: str) -> tuple[str, str | None]:
    answer = await program.get(address)
    return answer.headers["etag"], answer.headers.get("last-modified")


@pytest.mark.parametrize("address", [FEED, "/calendar/feed.json", "/calendar/feed.ics?kind=meeting", "/calendar/{slug}.ics"])
async def test_who_has_the_newest_gets_nothing_again(database: Database, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    one = await stored(database)
    await as_of(database, one, updated_at=datetime(2026, 11, 1, 9, tzinfo=UTC))
    address = address.format(slug=one.slug)
    with monkeypatch.context() as then:
        then.setattr(clock, "now", lambda: datetime(2026, 10, 31, tzinfo=UTC))
        app = app_of(database)
    async with asking(database, app) as program:
        tag, time = await _stamps(program, address)
        assert time == "Sun, 01 Nov 2026 09:00:00 GMT"
        for headers in ({"if-none-match": tag}, {"if-none-match": f'"x", {tag}'}, {"if-modified-since": time}):
            again = await program.get(address, headers=headers)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (await program.get(address, headers={"if-none-match": '"other"', "if-modified-since": time})).status_code == 200
        assert (await program.get(address, headers={"if-modified-since": "yesterday"})).status_code == 200
        head = await program.head(address)
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)
        async with database.transaction() as tx:
            await dates.move(tx, one, days("2027-07-01"), at=datetime(2026, 10, 1, tzinfo=UTC))
        changed = await program.get(address, headers={"if-none-match": tag})
        assert changed.status_code == 200, "a change counts though its time lies before that of another"


@pytest.mark.parametrize("address", [FEED, "/calendar/feed.json", "/calendar/embed"])
async def test_after_an_upgrade_it_is_sent_again(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str) -> None:
    await stored(database)
    async with asking(database) as program:
        tag, _ = await _stamps(program, address)
        upgrade = Upgrade(monkeypatch, tmp_path)
        assert (await program.get(address, headers={"if-none-match": tag})).status_code == 304, "the same in another place"
        for changed in (*EVERYTHING, "services/calendar/templates/agenda_embed.html", "services/calendar/feeds/words.py"):
            upgrade.change(changed)
            again = await program.get(address, headers={"if-none-match": tag})
            assert again.status_code == 200, changed
            tag = again.headers["etag"]


@pytest.mark.parametrize("address", [FEED, "/calendar/feed.json", "/calendar/{slug}.ics"])
async def test_who_asks_by_time_alone_gets_what_an_upgrade_has_changed(
    database: Database, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    one = await stored(database)
    await as_of(database, one, updated_at=datetime(2026, 11, 1, 9, tzinfo=UTC))
    with monkeypatch.context() as then:
        then.setattr(clock, "now", lambda: datetime(2026, 11, 2, 7, tzinfo=UTC))
        app = app_of(database)
    async with asking(database, app) as program:
        found = await program.get(address.format(slug=one.slug), headers={"if-modified-since": "Sun, 01 Nov 2026 09:00:00 GMT"})
    assert (found.status_code, found.headers["last-modified"]) == (200, "Mon, 02 Nov 2026 07:00:00 GMT")


async def test_304_writes_no_feed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await stored(database)
    async with asking(database) as program:
        tag, _ = await _stamps(program, FEED)

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("it was read again")

        monkeypatch.setattr("services.calendar.store.listing.pieces", refuse)
        assert (await program.get(FEED, headers={"if-none-match": tag})).status_code == 304
        assert (await program.get(FEED)).status_code == 200, "what was just written is kept"


async def test_feed_changes_when_a_cancelled_date_is_dropped(database: Database) -> None:
    one = await stored(database)
    cancelled_at = clock.now() - CANCELLED_KEPT + timedelta(hours=1)
    await as_of(database, one, status="cancelled", cancelled_at=cancelled_at, updated_at=cancelled_at)
    async with asking(database) as program:
        tag, _ = await _stamps(program, FEED)
        await as_of(database, one, cancelled_at=cancelled_at - timedelta(hours=2))
        assert (await program.get(FEED, headers={"if-none-match": tag})).status_code == 200


async def test_a_date_of_its_own_is_the_same_event_and_what_has_no_day_has_none(database: Database) -> None:
    one = await stored(database)
    approximate = await stored(database, new_date("Roughly", rough("year", ("2027-01-01", "2027-12-31"))))
    async with asking(database) as reader:
        answer = await reader.get(f"/calendar/{one.slug}.ics")
        [event] = vobject.readOne(answer.text).vevent_list
        assert event.uid.value == one.uid
        assert answer.headers["content-disposition"] == f'attachment; filename="{one.slug}.ics"'
        assert not answer.headers["etag"].startswith("W/"), "made of these bytes"
        assert (await reader.get(f"/calendar/{approximate.slug}.ics")).status_code == 404
