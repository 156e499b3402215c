"""The calendar as people read it: the list, the month, one date."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from services.calendar.domain.periods import Month
from services.calendar.store import dates
from shared import clock, i18n
from shared.db import Database
from shared.events.codes import DateKind
from tests.calendar.made import days, new_date, rough, stored
from tests.calendar.reading import asking, at_clock
from tests.shared.web_app import Page

TODAY = date(2026, 11, 22)


@pytest.fixture
async def reader(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on 22 November 2026."""
    moment = clock.now().replace(year=TODAY.year, month=TODAY.month, day=TODAY.day)
    monkeypatch.setattr(clock, "now", lambda: moment)
    async with asking(database) as client:
        yield client


async def page_at(reader: httpx.AsyncClient, address: str) -> Page:
    answer = await reader.get(address)
    assert answer.status_code == 200, answer.text
    page = Page(answer.text)
    assert page.faults == []
    return page


def links(page: Page) -> list[str]:
    return [link.get("href", "") for link in page.all("a")]


def months_of(page: Page) -> list[str]:
    """The months that are named, as their headings' ids say."""
    return [heading["id"].removeprefix("m-") for heading in page.all("h2") if heading.get("id", "").startswith("m-")]


# ---- where the list opens ----

OPENS: Mapping[str, tuple[list[str], str]] = {
    "this month": (["2026-11-03", "2026-12-18"], "2026-11"),
    "the next that has a date": (["2026-09-01", "2027-02-01"], "2027-02"),
    "the last that had one": (["2021-03-21", "2022-05-17"], "2022-05"),
}


@pytest.mark.parametrize("case", OPENS)
async def test_list_opens_at_the_nearest_month_that_has_a_date(database: Database, reader: httpx.AsyncClient, case: str) -> None:
    there, opens = OPENS[case]
    for day in there:
        await stored(database, new_date(f"On {day}", days(day)))
    assert months_of(await page_at(reader, "/calendar/"))[0] == opens


async def test_list_without_a_day_opens_at_the_nearest_period(database: Database, reader: httpx.AsyncClient) -> None:
    await stored(database, new_date("Plan", rough("half", ("2022-07-01", "2022-12-31"))))
    await stored(database, new_date("Always", rough("ongoing", ("2021-01-01", None))))
    page = await page_at(reader, "/calendar/")
    assert months_of(page) == ["2022-12"]
    assert "2nd half of 2022" in page.text
    assert "Ongoing since January 2021" in page.text


async def test_empty_calendar_is_a_page(reader: httpx.AsyncClient) -> None:
    for address in ("/calendar/", "/calendar/month/2026-11", "/calendar/workplan", "/calendar/embed"):
        await page_at(reader, address)


async def test_one_turns_to_what_was_and_to_what_comes(database: Database, reader: httpx.AsyncClient) -> None:
    for day in ("2021-03-21", "2026-11-03", "2029-01-01"):
        await stored(database, new_date(f"On {day}", days(day)))
    page = await page_at(reader, "/calendar/?kind=meeting")
    ways = {link["rel"]: link["href"] for link in page.all("a") if link.get("rel") in {"prev", "next"}}
    assert ways == {"prev": "/calendar/?kind=meeting&at=2021-03", "next": "/calendar/?kind=meeting&at=2029-01"}
    assert "On 2021-03-21" in (await page_at(reader, ways["prev"])).text
    assert "On 2029-01-01" in (await page_at(reader, ways["next"])).text


async def test_every_date_is_reached_by_turning_once(database: Database, reader: httpx.AsyncClient) -> None:
    for number in range(120):
        await stored(database, new_date(f"Date <{number}>", days(str(TODAY + timedelta(days=(number - 40) * 9)))))
    address, seen = "/calendar/?at=2020-01", []
    while address:
        text = (await reader.get(address)).text
        seen += re.findall(r"Date &lt;(\d+)&gt;", text.partition("agenda-subscribe")[0])
        turned = re.search(r'rel="next" href="([^"]+)"', text)
        address = turned[1].replace("&amp;", "&") if turned else ""
    assert seen == [str(number) for number in range(120)]


# ---- what stands there ----


async def test_today_is_marked_and_parts_what_was_from_what_comes(database: Database, reader: httpx.AsyncClient) -> None:
    for day in ("2026-11-02", "2026-11-22", "2026-11-30"):
        await stored(database, new_date(f"On {day}", days(day)))
    text = (await page_at(reader, "/calendar/")).text
    places = [text.index(words) for words in ("On 2026-11-02", "Today, Sunday, 22 November 2026", "On 2026-11-22", "On 2026-11-30")]
    assert places == sorted(places)


async def test_each_date_says_its_full_day(database: Database, reader: httpx.AsyncClient) -> None:
    await stored(database, new_date("One", days("2026-11-24")))
    await stored(database, new_date("More", days("2026-11-25", "2026-11-27")))
    articles = re.findall(r"<article.*?</article>", (await reader.get("/calendar/")).text, re.DOTALL)
    assert "Tuesday, 24 November 2026" in Page(articles[0]).text
    assert "Wednesday, 25 November 2026 to Friday, 27 November 2026" in Page(articles[1]).text
    for language, day in (("fr", "mardi 24 novembre 2026"), ("es", "martes, 24 de noviembre de 2026")):
        assert day in (await page_at(reader, f"/calendar/?lang={language}")).text


NAMED: Mapping[str, tuple[Any, str, str]] = {
    "month": (rough("month", ("2026-11-01", "2026-11-30")), "November 2026", "novembre 2026"),
    "quarter": (rough("quarter", ("2026-10-01", "2026-12-31")), "4th quarter 2026", "4e trimestre 2026"),
    "half": (rough("half", ("2026-07-01", "2026-12-31")), "2nd half of 2026", "2e semestre 2026"),
    "year": (rough("year", ("2026-01-01", "2026-12-31")), "2026", "2026"),
    "years": (rough("year", ("2025-01-01", "2026-12-31")), "2025 to 2026", "2025 à 2026"),
    "to a quarter": (rough("quarter", ("2026-01-01", "2027-03-31")), "January 2026 to March 2027", "janvier 2026 à mars 2027"),
}


@pytest.mark.parametrize("case", NAMED)
async def test_what_has_no_day_stands_apart_under_its_period(database: Database, reader: httpx.AsyncClient, case: str) -> None:
    when, english, french = NAMED[case]
    await stored(database, new_date("With a day", days("2026-11-24")))
    await stored(database, new_date("Roughly known", when))
    for language, name in (("en", english), ("fr", french)):
        for address in ("/calendar/", "/calendar/month/2026-11"):
            text = (await reader.get(f"{address}?lang={language}")).text
            before, _, apart = text.partition('<section class="agenda-rough"')
            assert "Roughly known" not in before
            assert f"<h3>{name}</h3>" in apart
            assert "<time" not in apart.partition("</section>")[0], "a day is nowhere faked"


async def test_two_periods_of_one_activity_count_each_and_not_between(database: Database, reader: httpx.AsyncClient) -> None:
    await stored(database, new_date("Twice", rough("quarter", ("2026-04-01", "2026-06-30"), ("2027-04-01", "2027-06-30"))))
    for month, shown in (("2026-05", True), ("2026-11", False), ("2027-05", True)):
        assert ("Twice" in (await page_at(reader, f"/calendar/month/{month}")).text) is shown
    assert "<h3>2nd quarter 2027</h3>" in (await reader.get("/calendar/month/2027-05")).text


async def test_moved_says_when_it_was_and_cancelled_stays(database: Database, reader: httpx.AsyncClient) -> None:
    moved = await stored(database, new_date("Moved one", days("2026-11-24")))
    gone = await stored(database, new_date("Cancelled one", days("2026-11-25")))
    async with database.transaction() as tx:
        await dates.move(tx, moved, days("2026-12-01"), at=clock.now(), because={"en": "The Chair asked for it."})
        await dates.cancel(tx, gone, at=clock.now(), because={"en": "The venue was flooded."})
    for address in ("/calendar/", f"/calendar/{moved.slug}"):
        assert "Before: Tuesday, 24 November 2026" in (await page_at(reader, address)).text
    assert "The Chair asked for it." in (await page_at(reader, f"/calendar/{moved.slug}")).text
    for address in ("/calendar/", f"/calendar/{gone.slug}"):
        text = (await page_at(reader, address)).text
        assert "The venue was flooded." in text
        assert "cancelled" in text.lower()
    assert "cancelled" in (await page_at(reader, "/calendar/month/2026-11")).text


async def test_invented_dates_say_so_everywhere(database: Database, reader: httpx.AsyncClient) -> None:
    one = await stored(database, new_date("Sample", days("2026-11-24"), synthetic=True, countries=("QM",)))
    for address in ("/calendar/", "/calendar/month/2026-11", f"/calendar/{one.slug}", "/calendar/embed"):
        assert "invented" in (await page_at(reader, address)).text, address
    entries = (await reader.get("/calendar/feed.json")).json()["entries"]
    assert entries[0]["tidings.example.org:synthetic"] is True


async def test_kosovo_is_named_with_its_footnote(database: Database, reader: httpx.AsyncClient) -> None:
    one = await stored(database, new_date("Meeting", days("2026-11-24"), countries=("XK",)))
    for address in ("/calendar/", "/calendar/month/2026-11", f"/calendar/{one.slug}"):
        assert "1244 (1999)" in (await page_at(reader, address)).text, address


async def test_hours_are_said_by_the_clock_of_the_place_and_in_utc(database: Database, reader: httpx.AsyncClient) -> None:
    when = at_clock("2026-11-24T22:30", "America/New_York", "2026-11-25T01:00")
    one = await stored(database, new_date("Late meeting", when))
    for address in ("/calendar/", f"/calendar/{one.slug}"):
        page = await page_at(reader, address)
        assert "22:30 to 01:00 (America/New_York, UTC-5)" in page.text
        assert "Wednesday, 25 November 2026, 03:30 to 06:00 UTC" in page.text
        [own] = [span for span in page.all("span") if "own-zone" in span.get("class", "")]
        assert (own["data-starts"], own["data-ends"]) == ("2026-11-25T03:30:00Z", "2026-11-25T06:00:00Z")


# ---- filters and subscribing ----


async def test_chosen_filters_are_named_and_each_can_be_dropped(database: Database, reader: httpx.AsyncClient) -> None:
    await stored(database, new_date("Chosen", days("2026-11-24"), objectives=(3,)))
    page = await page_at(reader, "/calendar/?kind=meeting&objective=3&kind=lunch")
    assert "Kind: Meeting" in page.text
    assert "3. Information provision" in page.text
    assert {"/calendar/?kind=meeting", "/calendar/?objective=3"} <= set(links(page))
    feed = "tidings.example.org/calendar/feed.ics?kind=meeting&objective=3&lang=en"
    assert f"webcal://{feed}" in links(page)
    assert f"https://{feed}" in page.text
    assert "once or twice a day" in page.text
    selected = [option["value"] for option in page.all("option") if "selected" in option]
    assert selected == ["meeting", "3"]


# ---- the month ----


async def test_month_is_a_table_of_weeks_from_monday(database: Database, reader: httpx.AsyncClient) -> None:
    await stored(database, new_date("Three days", days("2026-11-30", "2026-12-02")))
    answer = await reader.get("/calendar/month/2026-12")
    page = Page(answer.text)
    assert page.faults == []
    assert len(page.all("caption")) == 1
    assert [head.get("scope") for head in page.all("th")] == ["col"] * 7
    heads = re.findall(r'<span class="month-long">(\w+)</span>', answer.text)
    assert heads == ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    rows = re.findall(r"<tr>(.*?)</tr>", answer.text.partition("<tbody>")[2].partition("</tbody>")[0], re.DOTALL)
    assert [row.count("<td") for row in rows] == [7] * 5
    assert re.findall(r'<time datetime="2026-12-(\d\d)">', rows[0]) == ["01", "02", "03", "04", "05", "06"]
    cells = rows[0].split("<td")[1:]
    assert ["Three days" in cell for cell in cells] == [False, True, True, False, False, False, False]
    assert "Monday, 30 November 2026 to Wednesday, 2 December 2026" in cells[1], "each entry announces its full date"


async def test_month_marks_today_and_leads_to_its_neighbours(reader: httpx.AsyncClient) -> None:
    page = await page_at(reader, "/calendar/month/2026-11?kind=talk")
    assert len([cell for cell in page.all("td") if cell.get("aria-current") == "date"]) == 1
    assert {"/calendar/month/2026-10?kind=talk", "/calendar/month/2026-12?kind=talk"} <= set(links(page))


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "1899-12", "2201-01", "26-11", "２０２６-11", "x"])
async def test_there_is_no_such_month(reader: httpx.AsyncClient, month: str) -> None:
    assert (await reader.get(f"/calendar/month/{month}")).status_code == 404


@pytest.mark.parametrize("month", ["1900-01", "2200-12"])
async def test_the_ends_of_the_calendar_lead_one_way_only(reader: httpx.AsyncClient, month: str) -> None:
    page = await page_at(reader, f"/calendar/month/{month}")
    assert len([link for link in page.all("a") if link.get("rel") in {"prev", "next"}]) == 1


async def test_bare_month_leads_to_the_nearest(database: Database, reader: httpx.AsyncClient) -> None:
    await stored(database, new_date("Later", days("2027-02-01")))
    answer = await reader.get("/calendar/month/?kind=meeting")
    assert (answer.status_code, answer.headers["location"]) == (303, "/calendar/month/2027-02?kind=meeting")


def test_weeks_of_every_month_hold_each_day_once() -> None:
    for number in range(12 * 30):
        month = Month(year=2010, month=1).shifted(number)
        assert month is not None
        found = [day for week in month.weeks for day in week if day]
        assert (found[0], found[-1], len(found)) == (month.first, month.last, month.last.day)
        assert all(len(week) == 7 for week in month.weeks)
        assert all(day is None or day.weekday() == place for week in month.weeks for place, day in enumerate(week))


# ---- one date ----


async def test_deadline_leads_to_its_meeting_and_back(database: Database, reader: httpx.AsyncClient) -> None:
    meeting = await stored(database, new_date("Committee", days("2027-01-21"), kind=DateKind.STEERING_COMMITTEE))
    due = new_date("Concept notes", days("2026-12-10"), kind=DateKind.DEADLINE, follows=meeting.id, days_before=42)
    deadline = await stored(database, due)
    page = await page_at(reader, f"/calendar/{deadline.slug}")
    assert f"/calendar/{meeting.slug}" in links(page)
    assert "42 days before" in page.text
    assert f"/calendar/{deadline.slug}" in links(await page_at(reader, f"/calendar/{meeting.slug}"))


async def linked_data_of(reader: httpx.AsyncClient, slug: str) -> Mapping[str, Any]:
    text = (await reader.get(f"/calendar/{slug}")).text
    [data] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    found: Mapping[str, Any] = json.loads(data)
    return found


async def test_page_says_the_same_to_search_engines(database: Database, reader: httpx.AsyncClient) -> None:
    when = at_clock("2027-06-16T09:00", "Europe/Zurich", "2027-06-16T17:00")
    one = await stored(database, new_date("Meeting </script><b>", when, place="Geneva", objectives=(3,)))
    data = await linked_data_of(reader, one.slug)
    assert (data["@type"], data["name"]) == ("Event", "Meeting </script><b>")
    assert (data["startDate"], data["endDate"]) == ("2027-06-16T09:00:00+02:00", "2027-06-16T17:00:00+02:00")
    assert data["eventStatus"] == "https://schema.org/EventScheduled"
    assert data["eventAttendanceMode"] == "https://schema.org/OfflineEventAttendanceMode"
    async with database.transaction() as tx:
        moved = await dates.move(tx, one, days("2027-07-01"), at=clock.now())
    data = await linked_data_of(reader, one.slug)
    assert (data["eventStatus"], data["startDate"]) == ("https://schema.org/EventRescheduled", "2027-07-01")
    assert data["previousStartDate"] == ["2027-06-16T09:00:00+02:00"]
    async with database.transaction() as tx:
        await dates.cancel(tx, moved, at=clock.now())
    assert (await linked_data_of(reader, one.slug))["eventStatus"] == "https://schema.org/EventCancelled"


async def test_invented_data_is_said_to_be_so_and_its_codes_show_the_entity(database: Database, reader: httpx.AsyncClient) -> None:
    invented = new_date("Due", days("2026-11-24"), kind=DateKind.PLEDGE_DUE, entity="Example State A", countries=("QM",), synthetic=True)
    one = await stored(database, invented)
    assert "invented sample data" in (await linked_data_of(reader, one.slug))["keywords"]
    for path in ("/calendar/", "/calendar/?country=QM", "/calendar/month/2026-11", f"/calendar/{one.slug}"):
        shown = await page_at(reader, path)
        assert "Example State A" in shown.text, path
        assert "QM" not in shown.text.replace("country=QM", ""), path  # which is the address to subscribe to
    assert "QM" in [option.get("value") for option in (await page_at(reader, "/calendar/")).all("option")]


async def test_what_has_no_day_has_none_for_search_engines(database: Database, reader: httpx.AsyncClient) -> None:
    one = await stored(database, new_date("Roughly", rough("year", ("2027-01-01", "2027-12-31"))))
    assert not {"startDate", "endDate"} & set(await linked_data_of(reader, one.slug))


async def test_page_is_in_the_readers_language_and_says_where_a_title_is_not(database: Database, reader: httpx.AsyncClient) -> None:
    one = await stored(database, new_date("Only in English", days("2026-11-24")))
    for language in i18n.LANGUAGES:
        page = await page_at(reader, f"/calendar/{one.slug}?lang={language}")
        assert page.all("html")[0]["dir"] == i18n.direction(language)
        marked = [span for span in page.all("span") if span.get("lang") == "en"]
        assert bool(marked) is (language != "en")


@pytest.mark.parametrize("slug", ["nothing", "n%C3%A9ant", "a%00b", "x" * 500])
async def test_there_is_no_such_date(reader: httpx.AsyncClient, slug: str) -> None:
    for address in (f"/calendar/{slug}", f"/calendar/{slug}.ics"):
        assert (await reader.get(address)).status_code == 404
