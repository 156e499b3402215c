"""Deadlines: a committee's meeting has its own, they move and end with it, and people hear of them in time, once."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.calendar.deadlines import Nearness
from services.calendar.domain.dates import NoDayBeforeError, NotMovedError, StoredDate
from services.calendar.store import dates
from shared import clock
from shared.events.codes import DateKind, DateStatus
from shared.events.times import TimeWithZone, When
from shared.i18n import LANGUAGES
from shared.trace import Cause
from tests.calendar.calendar_app import ZONE, Calendar
from tests.calendar.made import days, new_date, rough


async def meeting(calendar: Calendar, when: When | None = None, **more: object) -> tuple[StoredDate, StoredDate]:
    """A committee's meeting and the deadline that follows it."""
    new = new_date("Steering Committee, 12th meeting", when or days("2097-06-16"), kind=DateKind.STEERING_COMMITTEE, **more)
    async with calendar.database.transaction() as tx:
        found = await calendar.planning.add(tx, new, cause=Cause.start())
        [deadline] = await dates.following(tx, found.id)
    return found, deadline


async def moved(calendar: Calendar, found: StoredDate, when: When) -> StoredDate:
    async with calendar.database.transaction() as tx:
        held = await dates.hold(tx, found.id)
        assert held is not None
        return await calendar.planning.move(tx, held, when, cause=Cause.start(), because={"en": "The room"})


async def look(calendar: Calendar, at: datetime) -> int:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "now", lambda: at)
        return await Nearness(calendar.planning.tell, ZONE).run(calendar.database)


async def near(calendar: Calendar) -> list[int]:
    return [row.data["days_left"] for row in await calendar.told("deadline.near.v1")]


def noon(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) + timedelta(hours=12)


async def test_a_committees_meeting_has_its_deadline_six_weeks_before(calendar: Calendar) -> None:
    found, deadline = await meeting(calendar)
    assert (deadline.when, deadline.days_before, deadline.follows, deadline.kind) == (days("2097-05-05"), 42, found.id, DateKind.DEADLINE)
    assert set(deadline.description.title) == set(LANGUAGES)
    assert [(row.type, row.data["kind"]) for row in await calendar.told()] == [
        ("date.published.v1", "steering-committee"),
        ("date.published.v1", "deadline"),
    ]


async def test_moving_the_meeting_moves_its_deadlines_in_the_same_transaction(calendar: Calendar) -> None:
    found, deadline = await meeting(calendar)
    async with calendar.database.transaction() as tx:
        held = await dates.hold(tx, found.id)
        assert held is not None
        papers = await calendar.planning.add_deadline(tx, held, days=7, title={"en": "Papers"}, language="en", cause=Cause.start())
    await moved(calendar, found, days("2097-07-07", "2097-07-08"))
    after = await calendar.again(deadline)
    assert (after.when, after.sequence, after.slug) == (days("2097-05-26"), 1, deadline.slug)
    assert (await calendar.again(papers)).when == days("2097-06-30")
    told = [row for row in await calendar.told() if row.type == "date.moved.v1"]
    assert [row.subject for row in told] == [str(found.id), str(deadline.id), str(papers.id)]
    assert len({row.cause for row in told}) == 1
    assert (told[1].data["was"]["first"], told[1].data["when"]["first"], told[1].revision) == ("2097-05-05", "2097-05-26", 2)
    async with calendar.database.transaction() as tx:
        [before] = await dates.moves_of(tx, deadline.id)
    assert (before.was, before.because, before.moved_by) == (days("2097-05-05"), {"en": "The room"}, None)


async def test_nothing_moves_where_the_transaction_fails(calendar: Calendar) -> None:
    found, deadline = await meeting(calendar)

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("on purpose")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(calendar.planning, "_follow", fail)
        with pytest.raises(RuntimeError, match="on purpose"):
            await moved(calendar, found, days("2097-07-07"))
    assert (await calendar.again(found), await calendar.again(deadline)) == (found, deadline)


async def test_cancelling_the_meeting_cancels_its_deadlines(calendar: Calendar) -> None:
    found, deadline = await meeting(calendar)
    async with calendar.database.transaction() as tx:
        held = await dates.hold(tx, found.id)
        assert held is not None
        await calendar.planning.cancel(tx, held, cause=Cause.start(), because={"en": "No quorum"})
    after = await calendar.again(deadline)
    assert (after.status, after.cancelled_because, after.sequence) == (DateStatus.CANCELLED, {"en": "No quorum"}, 1)
    assert [row.type for row in await calendar.told()][2:] == ["date.cancelled.v1"] * 2


async def test_what_is_done_stays_where_it_is(calendar: Calendar) -> None:
    found, deadline = await meeting(calendar)
    async with calendar.database.transaction() as tx:
        held = await dates.hold(tx, deadline.id)
        assert held is not None
        await calendar.planning.mark_done(tx, held, done_on=date(2097, 5, 1))
    await moved(calendar, found, days("2097-07-07"))
    assert (await calendar.again(deadline)).when == days("2097-05-05")


async def test_a_month_has_a_rough_deadline_that_becomes_a_day_with_the_meeting(calendar: Calendar) -> None:
    found, deadline = await meeting(calendar, rough("month", ("2097-06-01", "2097-06-30")))
    assert deadline.when == rough("month", ("2097-04-01", "2097-05-31"))
    await moved(calendar, found, days("2097-06-16"))
    assert (await calendar.again(deadline)).when == days("2097-05-05")


async def test_a_deadline_has_its_hour_again_when_its_meeting_has_a_day_again(calendar: Calendar) -> None:
    found, deadline = await meeting(calendar)
    at_five = TimeWithZone(precision="time", starts=datetime(2097, 5, 10, 15, tzinfo=UTC), ends=None, zone=ZONE)
    await moved(calendar, deadline, at_five)
    for when, due in (
        (rough("quarter", ("2097-07-01", "2097-09-30")), rough("month", ("2097-05-01", "2097-08-31"))),
        (rough("year", ("2097-01-01", "2097-12-31")), rough("month", ("2096-11-01", "2097-11-30"))),
        (days("2097-01-16"), at_five.model_copy(update={"starts": datetime(2096, 12, 10, 16, tzinfo=UTC)})),
    ):
        await moved(calendar, found, when)
        async with calendar.database.transaction() as tx:
            [now] = await dates.following(tx, found.id)
        assert (now.when, now.days_before) == (due, 37)


async def test_a_deadline_moved_by_hand_goes_on_following_at_its_new_distance(calendar: Calendar) -> None:
    found, deadline = await meeting(calendar)
    by_hand = await moved(calendar, deadline, days("2097-05-06"))
    assert by_hand.days_before == 41
    await moved(calendar, found, days("2097-06-26"))
    assert (await calendar.again(deadline)).when == days("2097-05-16")
    with pytest.raises(NoDayBeforeError):
        await moved(calendar, deadline, days("2097-06-27"))
    with pytest.raises(NotMovedError):
        await moved(calendar, found, days("2097-06-26"))


async def test_it_is_told_at_fourteen_seven_one_and_no_days_each_once(calendar: Calendar) -> None:
    found, deadline = await meeting(calendar)
    for day in range(1, 31):
        for hour in (2, 12, 20):
            await look(calendar, datetime(2097, 4, 12, hour, tzinfo=UTC) + timedelta(days=day))
    assert await near(calendar) == [14, 7, 1, 0]
    told = await calendar.told("deadline.near.v1")
    assert [row.subject for row in told] == [str(deadline.id)] * 4
    assert [row.revision for row in told] == [2, 3, 4, 5]
    assert told[0].data["follows"] == str(found.id)
    assert told[0].data["due"] == {"precision": "day", "first": "2097-05-05", "last": "2097-05-05"}


async def test_a_day_begins_when_it_begins_in_the_calendars_zone(calendar: Calendar) -> None:
    await meeting(calendar)
    zone = ZoneInfo(ZONE)
    assert await look(calendar, datetime(2097, 4, 20, 23, 59, tzinfo=zone)) == 0
    assert await look(calendar, datetime(2097, 4, 21, 0, 1, tzinfo=zone)) == 1
    assert await near(calendar) == [14]


async def test_what_was_slept_through_is_told_once_with_the_days_that_are_left(calendar: Calendar) -> None:
    await meeting(calendar)
    assert await look(calendar, noon("2097-05-01")) == 1
    assert await look(calendar, noon("2097-05-02")) == 0
    assert await near(calendar) == [4]


async def test_a_moved_deadline_is_told_of_again(calendar: Calendar) -> None:
    found, _ = await meeting(calendar)
    await look(calendar, noon("2097-05-01"))
    await moved(calendar, found, days("2097-06-26"))
    assert await look(calendar, noon("2097-05-02")) == 1
    assert await near(calendar) == [4, 13]


@pytest.mark.parametrize("how", ["done", "cancelled", "historic", "private", "rough", "over"])
async def test_nobody_hears_of_what_nobody_awaits(calendar: Calendar, how: str) -> None:
    when = rough("month", ("2097-06-01", "2097-06-30")) if how == "rough" else None
    _, deadline = await meeting(calendar, when, historic=how == "historic", public=how != "private")
    async with calendar.database.transaction() as tx:
        held = await dates.hold(tx, deadline.id)
        assert held is not None
        if how == "done":
            await calendar.planning.mark_done(tx, held, done_on=date(2097, 4, 1))
        if how == "cancelled":
            await calendar.planning.cancel(tx, held, cause=Cause.start())
    assert await look(calendar, noon("2097-05-06" if how == "over" else "2097-05-04")) == 0
    assert await near(calendar) == []


async def test_an_hour_is_due_on_its_day_in_the_calendars_zone(calendar: Calendar) -> None:
    late = TimeWithZone(precision="time", starts=datetime(2097, 5, 5, 23, tzinfo=UTC), ends=None, zone="America/New_York")
    async with calendar.database.transaction() as tx:
        await calendar.planning.add(tx, new_date("Bids", late, kind=DateKind.DEADLINE), cause=Cause.start())
    assert await look(calendar, noon("2097-05-06")) == 1  # one in the morning of the 6th in Zurich
    assert await near(calendar) == [0]


async def test_no_deadline_lies_before_the_years_of_the_calendar(calendar: Calendar) -> None:
    with pytest.raises(NoDayBeforeError):
        await meeting(calendar, days("1900-01-05"))
    with pytest.raises(NoDayBeforeError):
        await meeting(calendar, rough("month", ("1900-01-01", "1900-01-31")))


async def test_a_meeting_without_end_has_no_day_before(calendar: Calendar) -> None:
    new = new_date("Committee", rough("ongoing", ("2097-01-01", None)), kind=DateKind.STEERING_COMMITTEE)
    with pytest.raises(NoDayBeforeError):
        async with calendar.database.transaction() as tx:
            await calendar.planning.add(tx, new, cause=Cause.start())
    assert await calendar.dates() == []
