"""A date as it is kept: its UID and address stay, its SEQUENCE counts what RFC 5546 says, when it was before stays visible."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.calendar.domain.dates import StoredDate
from services.calendar.domain.whens import columns_of, days_before, when_of
from services.calendar.store import dates
from shared import clock
from shared.db import Database
from shared.events.base import Source
from shared.events.codes import DateKind, DateStatus, Principle, Region, SourceKind
from shared.events.times import TimeWithZone, When
from tests.calendar.made import days, new_date, rough, stored

MORNING = TimeWithZone(precision="time", starts=datetime(2027, 6, 16, 7, tzinfo=UTC), ends=None, zone="Europe/Zurich")
WHENS = [
    pytest.param(MORNING, id="an hour in a zone"),
    pytest.param(MORNING.model_copy(update={"ends": datetime(2027, 6, 17, 7, tzinfo=UTC)}), id="with an end"),
    pytest.param(days("2027-07-06", "2027-07-15"), id="days"),
    pytest.param(rough("month", ("2027-06-01", "2027-06-30")), id="a month"),
    pytest.param(rough("quarter", ("2021-04-01", "2021-06-30"), ("2022-04-01", "2022-06-30")), id="two quarters a year apart"),
    pytest.param(rough("half", ("2027-01-01", "2027-06-30")), id="half a year"),
    pytest.param(rough("year", ("2021-01-01", "2022-12-31")), id="two years"),
    pytest.param(rough("ongoing", ("2021-01-01", None)), id="ongoing"),
]


@pytest.mark.parametrize("when", WHENS)
async def test_a_when_comes_back_as_it_went_in(database: Database, when: When) -> None:
    kept = await stored(database, new_date(when=when))
    async with database.transaction() as tx:
        assert (await dates.find(tx, kept.id)) == kept
    assert kept.when == when
    assert when_of(columns_of(when)) == when


async def test_everything_said_of_a_date_comes_back(database: Database) -> None:
    new = new_date(
        summary={"en": "Cheaper ways home."},
        place="Example City",
        entity="Example University",
        regions=(Region.ASIA_PACIFIC,),
        countries=("NP",),
        objectives=(1, 20),
        principles=(Principle.HUMAN_RIGHTS,),
        theme="3",
        priority="core-2.1",
        lead=("OIM",),
        participants=("HCR", "PNUD"),
        links=({"address": "https://example.org/", "label": "Programme"},),
        source=Source(kind=SourceKind.TALK, id="t1"),
        source_address="https://example.org/talks/t1",
        plan={"note": "n"},
        historic=True,
        synthetic=True,
    )
    kept = await stored(database, new)
    for name in new.__dataclass_fields__:
        assert getattr(kept, name) == getattr(new, name), name


async def test_uid_and_address_stay_over_twenty_edits_and_only_moves_and_status_count(database: Database) -> None:
    found = first = await stored(database)
    at = clock.now()
    async with database.transaction() as tx:
        for number in range(10):
            words = replace(found.description, title={"en": f"Another title {number}"}, place=f"Room {number}")
            found = await dates.reword(tx, found, words, at=at, plan=None, source_address=None, public=True)
            assert found.sequence == number
            found = await dates.move(tx, found, days(f"2027-07-{number + 1:02}"), at=at, because={"en": "The room"})
            assert found.sequence == number + 1
        found = await dates.mark_done(tx, found, done_on=date(2027, 7, 10), note={"en": "Done"}, at=at)
        assert found.sequence == 10
        found = await dates.cancel(tx, found, at=at, because={"en": "No quorum"})
    assert (found.uid, found.slug, found.id) == (first.uid, first.slug, first.id)
    assert first.uid == f"{first.id}@tidings"
    assert (found.sequence, found.status, found.cancelled_because) == (11, DateStatus.CANCELLED, {"en": "No quorum"})
    async with database.transaction() as tx:
        before = await dates.moves_of(tx, first.id)
    assert [(one.sequence, one.was) for one in before][-2:] == [(1, days("2027-07-01")), (0, days("2027-06-16"))]
    assert len(before) == 10


async def test_addresses_are_words_with_the_year_and_never_shared(database: Database) -> None:
    slugs = [(await stored(database, new_date("Journée des migrants")))]
    slugs += [await stored(database, new_date("Journée des migrants"))]
    assert slugs[0].slug == "journee-des-migrants-2027"
    assert slugs[1].slug == f"journee-des-migrants-2027-{slugs[1].id.hex[-8:]}"
    arabic = await stored(database, new_date({"ar": "يوم المهاجرين"}, language="ar"))
    assert arabic.slug == f"2027-{arabic.id.hex[-8:]}"


@pytest.mark.parametrize(
    ("kind", "public", "shown", "told"),
    [
        pytest.param(DateKind.MEETING, True, True, True, id="a meeting"),
        pytest.param(DateKind.MEETING, False, False, False, id="what the team keeps to itself"),
        pytest.param(DateKind.BLACKOUT, True, False, True, id="a blackout is for the senders alone"),
        pytest.param(DateKind.EMBARGO, True, False, True, id="an embargo is for the senders alone"),
    ],
)
async def test_who_hears_of_a_date(database: Database, kind: DateKind, public: bool, shown: bool, told: bool) -> None:
    found: StoredDate = await stored(database, new_date(kind=kind, public=public))
    assert (found.shown, found.told) == (shown, told)
    assert found.path == (f"/calendar/{found.slug}" if shown else f"/calendar/manage/{found.id}")


@pytest.mark.parametrize(
    ("when", "due"),
    [
        pytest.param(days("2027-06-16", "2027-06-18"), days("2027-05-05"), id="six weeks before the first day"),
        pytest.param(MORNING, days("2027-05-05"), id="before the day of an hour"),
        pytest.param(rough("month", ("2027-06-01", "2027-06-30")), rough("month", ("2027-04-01", "2027-05-31")), id="a month stays rough"),
    ],
)
def test_a_deadline_falls_six_weeks_before(when: When, due: When) -> None:
    assert days_before(when, 42) == due


def test_a_deadline_at_an_hour_keeps_its_hour_over_a_change_of_clocks() -> None:
    was = TimeWithZone(precision="time", starts=datetime(2027, 3, 20, 16, tzinfo=UTC), ends=None, zone="Europe/Zurich")  # 17:00 in winter
    moved = days_before(days("2027-05-12"), 42, was=was)
    assert isinstance(moved, TimeWithZone)
    assert moved.starts == datetime(2027, 3, 31, 15, tzinfo=UTC)  # 17:00 in summer
