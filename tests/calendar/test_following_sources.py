"""What has a day elsewhere stands in the calendar: once, as its newest word says, however often and in whatever order words come."""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any

import pytest

from services.calendar.store import dates
from shared.events.codes import DateKind, DateStatus
from shared.parking import StoredRecord
from shared.trace import Cause
from tests.calendar.calendar_app import Calendar, record_of
from tests.calendar.made import days

TEN = 10
JUNE, JULY = (
    {"precision": "day", "first": "2097-06-16", "last": "2097-06-16"},
    {"precision": "day", "first": "2097-07-07", "last": "2097-07-08"},
)
ACCEPTED = record_of("talk.accepted.v1", subject="t1", when=JUNE)
TYPES_OF_DATES = ("date.published.v1", "date.moved.v1", "date.cancelled.v1")


def pledge(kind: str, revision: int, **changes: Any) -> StoredRecord:
    return record_of(f"pledge.{kind}.v1", subject="p1", revision=revision, **changes)


async def types_told(calendar: Calendar) -> list[str]:
    return [row.type for row in await calendar.told()]


async def test_a_talk_is_taken_once_though_told_ten_times(calendar: Calendar) -> None:
    await calendar.hear(ACCEPTED, times=TEN)
    found = await calendar.one()
    assert (found.kind, found.status, found.when, found.source_address) == (
        DateKind.TALK,
        DateStatus.CONFIRMED,
        days("2097-06-16"),
        "https://tidings.example.org/talks/fair-recruitment",
    )
    assert found.source is not None
    assert (found.source.kind, found.source.id) == ("talk", "t1")
    assert (found.description.entity, found.description.participants) == ("Example State A", ("Example Employers’ Federation",))
    [told] = await calendar.told()
    assert (told.type, told.subject, told.revision, told.historic) == ("date.published.v1", str(found.id), 1, False)
    assert told.data["source"] == {"kind": "talk", "id": "t1"}
    assert told.data["address"] == f"http://127.0.0.1:8000/calendar/{found.slug}"
    assert ("ce_id", told.cause.encode()) in ACCEPTED.headers


async def test_a_talk_moves_is_held_and_is_cancelled(calendar: Calendar) -> None:
    await calendar.hear(ACCEPTED)
    await calendar.hear(record_of("talk.moved.v1", subject="t1", revision=2, when=JULY), times=TEN)
    moved = await calendar.one()
    assert (moved.when, moved.sequence) == (days("2097-07-07", "2097-07-08"), 1)
    await calendar.hear(record_of("talk.held.v1", subject="t1", revision=3, when=JULY), times=TEN)
    held = await calendar.one()
    assert (held.done_on, held.sequence) == (date(2097, 7, 8), 1)
    await calendar.hear(record_of("talk.cancelled.v1", subject="t1", revision=4, when=JULY, reason={"en": "Strike"}), times=TEN)
    ended = await calendar.one()
    assert (ended.status, ended.sequence, ended.cancelled_because) == (DateStatus.CANCELLED, 2, {"en": "Strike"})
    assert (ended.id, ended.slug) == (moved.id, moved.slug)
    told = await calendar.told()
    types = [row.type for row in told]
    assert (types[:2], types[-1], types.count("date.cancelled.v1")) == (["date.published.v1", "date.moved.v1"], "date.cancelled.v1", 1)
    assert told[1].data["was"] == JUNE
    assert [row.revision for row in told] == list(range(1, len(told) + 1))
    assert told[-1].data["reason"] == {"en": "Strike"}


async def test_what_loses_its_end_leaves_its_deadlines_where_they_are_until_it_has_one(calendar: Calendar) -> None:
    await calendar.hear(ACCEPTED)
    async with calendar.database.transaction() as tx:
        held = await dates.hold(tx, (await calendar.one()).id)
        assert held is not None
        due = await calendar.planning.add_deadline(tx, held, days=14, title={"en": "Registration"}, language="en", cause=Cause.start())
    ongoing = {"precision": "ongoing", "windows": [{"first": "2097-06-01", "last": None}]}
    await calendar.hear(record_of("talk.moved.v1", subject="t1", revision=2, when=ongoing), times=TEN)
    assert (await calendar.again(due)).when == days("2097-06-02")
    await calendar.hear(record_of("talk.moved.v1", subject="t1", revision=3, when=JULY), times=TEN)
    assert (await calendar.again(due)).when == days("2097-06-23")


async def test_an_older_word_never_replaces_a_newer_one(calendar: Calendar) -> None:
    words = [
        ACCEPTED,
        record_of("talk.moved.v1", subject="t1", revision=2, when=JULY),
        record_of("talk.cancelled.v1", subject="t1", revision=3),
    ]
    await calendar.hear(words[2])
    await calendar.hear(words[1])
    await calendar.hear(words[0])
    found = await calendar.one()
    assert found.status is DateStatus.CANCELLED
    assert await types_told(calendar) == ["date.cancelled.v1"]


async def test_whatever_the_order_and_however_often_the_end_is_the_newest_word(calendar: Calendar) -> None:
    words: Sequence[StoredRecord] = [
        pledge("published", 1, due="2097-06-16"),
        pledge("updated", 2, due="2097-07-16"),
        pledge("updated", 3, due="2097-08-16"),
        pledge("fulfilled", 4, due="2097-08-16", fulfilled="2097-08-01", state="fulfilled"),
    ]
    told = [one for one in words for _ in range(TEN)]
    Random(5).shuffle(told)
    for one in told:
        await calendar.hear(one)
    found = await calendar.one()
    assert (found.kind, found.when, found.done_on) == (DateKind.PLEDGE_DUE, days("2097-08-16"), date(2097, 8, 1))


async def test_a_pledge_moves_with_its_due_day_is_done_and_is_withdrawn(calendar: Calendar) -> None:
    await calendar.hear(pledge("published", 1, due="2097-06-16"), times=TEN)
    await calendar.hear(pledge("updated", 2, due="2097-06-16"), times=TEN)
    assert await types_told(calendar) == ["date.published.v1"]
    await calendar.hear(pledge("updated", 3, due="2097-09-01"), times=TEN)
    assert (await calendar.one()).sequence == 1
    await calendar.hear(pledge("fulfilled", 4, due="2097-09-01", fulfilled="2097-05-01", state="fulfilled"))
    assert (await calendar.one()).done_on == date(2097, 5, 1)
    await calendar.hear(pledge("withdrawn", 5), times=TEN)
    found = await calendar.one()
    assert (found.status, found.cancelled_because) == (DateStatus.CANCELLED, None)
    assert await types_told(calendar) == ["date.published.v1", "date.moved.v1", "date.cancelled.v1"]


async def test_a_pledge_that_was_given_up_is_awaited_no_more_until_it_is_taken_up_again(calendar: Calendar) -> None:
    await calendar.hear(pledge("published", 1))
    await calendar.hear(pledge("updated", 2, state="discontinued"))
    assert (await calendar.one()).is_cancelled
    await calendar.hear(pledge("updated", 3, state="in-progress"))
    found = await calendar.one()
    assert (found.is_cancelled, found.sequence) == (False, 2)


async def test_what_is_withdrawn_before_it_was_heard_of_never_stands(calendar: Calendar) -> None:
    await calendar.hear(pledge("withdrawn", 2))
    await calendar.hear(pledge("published", 1))
    assert await calendar.dates() == []


async def test_news_stand_at_the_day_of_their_occasion_and_only_then(calendar: Calendar) -> None:
    await calendar.hear(record_of("news.published.v1", subject="n0", occasion=None), times=TEN)
    assert await calendar.dates() == []
    await calendar.hear(record_of("news.published.v1", subject="n1"), times=TEN)
    found = await calendar.one()
    assert (found.kind, found.when, found.source_address) == (
        DateKind.OTHER,
        days("2026-06-16"),
        "https://tidings.example.org/news/family-remittances-2026",
    )
    assert found.description.summary["en"] == "International Day of Family Remittances"
    await calendar.hear(record_of("news.withdrawn.v1", subject="n1", revision=2), times=TEN)
    assert (await calendar.one()).is_cancelled
    assert await types_told(calendar) == ["date.published.v1", "date.cancelled.v1"]


async def test_the_day_of_an_issue_is_the_teams_until_it_is_sent(calendar: Calendar) -> None:
    await calendar.hear(record_of("issue.approved.v1", subject="i1", planned=None))
    assert await calendar.dates() == []
    await calendar.hear(record_of("issue.approved.v1", subject="i1", revision=2, planned="2097-06-30T22:30:00Z"), times=TEN)
    planned = await calendar.one()
    assert (planned.shown, planned.when) == (False, days("2097-07-01"))  # half past midnight in Zurich
    assert await calendar.told() == []
    await calendar.hear(record_of("issue.sent.v1", subject="i1", revision=3, sent="2097-07-02T06:00:00Z"), times=TEN)
    await calendar.hear(record_of("issue.sent.v1", subject="i1", revision=4, sent="2097-07-02T06:00:00Z"), times=TEN)
    sent = await calendar.one()
    assert (sent.shown, sent.when) == (True, days("2097-07-02"))
    [told] = await calendar.told()
    assert (told.type, told.data["when"]["first"]) == ("date.published.v1", "2097-07-02")


@pytest.mark.parametrize("event_type", ["talk.accepted.v1", "pledge.published.v1", "news.published.v1", "issue.sent.v1"])
async def test_the_past_is_taken_and_told_as_the_past(calendar: Calendar, event_type: str) -> None:
    await calendar.hear(record_of(event_type, subject="s1", historic=True), times=TEN)
    assert (await calendar.one()).historic
    assert [(row.type, row.historic) for row in await calendar.told()] == [("date.published.v1", True)]


async def test_invented_pledges_are_marked_as_invented(calendar: Calendar) -> None:
    await calendar.hear(pledge("published", 1, synthetic=True, countries=["QM"]))
    assert (await calendar.one()).synthetic
    assert (await calendar.told())[0].data["synthetic"] is True


async def test_a_pledge_that_turns_out_to_be_invented_or_real_marks_its_day_and_its_deadlines_so(calendar: Calendar) -> None:
    await calendar.hear(pledge("published", 1, synthetic=True, due="2097-06-16"))
    async with calendar.database.transaction() as tx:
        held = await dates.hold(tx, (await calendar.one()).id)
        assert held is not None
        due = await calendar.planning.add_deadline(tx, held, days=14, title={"en": "Report"}, language="en", cause=Cause.start())
    before = len(await calendar.told())
    await calendar.hear(pledge("published", 2, synthetic=False, due="2097-06-16"), times=TEN)
    assert [(found.id, found.synthetic) for found in await calendar.dates()] == [(held.id, False), (due.id, False)]
    told = (await calendar.told())[before:]
    assert {(row.type, row.subject, row.data["synthetic"]) for row in told} == {
        ("date.published.v1", str(held.id), False),
        ("date.published.v1", str(due.id), False),
    }
    assert len(told) == 2
    # Moved in the same word: one event says both.
    await calendar.hear(pledge("updated", 3, synthetic=True, due="2097-07-07"))
    assert all(found.synthetic for found in await calendar.dates())
    moved = [row for row in (await calendar.told())[before + 2 :] if row.subject == str(held.id)]
    assert [(row.type, row.data["synthetic"]) for row in moved] == [("date.moved.v1", True)]
