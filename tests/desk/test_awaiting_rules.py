"""Who may act, what is pressing, and when a mail is due."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.desk.awaiting.rules import Awaited, Choice, Rhythm, Unmailed, Urgency, last_slot, mail_is_due, urgency
from shared.events.codes import Role
from shared.events.times import Days, TimeWithZone
from shared.tasks import title_key

ZONE = "Europe/Zurich"
NOW = datetime(2026, 6, 16, 10, 0, tzinfo=UTC)  # noon in Zurich
SECOND = timedelta(seconds=1)


def due_on(day: date) -> Days:
    return Days(precision="day", first=day, last=day)


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        pytest.param(None, Urgency.LATER, id="nothing waits for it"),
        pytest.param(due_on(date(2026, 6, 15)), Urgency.OVERDUE, id="yesterday"),
        pytest.param(due_on(date(2026, 6, 16)), Urgency.SOON, id="today is not over yet"),
        pytest.param(due_on(date(2026, 6, 19)), Urgency.LATER, id="in three days"),
        pytest.param(TimeWithZone(precision="time", starts=NOW, zone=ZONE), Urgency.OVERDUE, id="this very moment"),
        pytest.param(TimeWithZone(precision="time", starts=NOW + timedelta(hours=48), zone=ZONE), Urgency.SOON, id="in 48 hours"),
    ],
)
def test_what_is_due_is_overdue_soon_or_later(due: Days | TimeWithZone | None, expected: Urgency) -> None:
    assert urgency(due, zone=ZONE, now=NOW) is expected


def test_a_day_is_over_at_midnight_of_the_team() -> None:
    before, after = datetime(2026, 6, 16, 21, 59, tzinfo=UTC), datetime(2026, 6, 16, 22, 0, tzinfo=UTC)
    assert urgency(due_on(date(2026, 6, 16)), zone=ZONE, now=before) is Urgency.SOON
    assert urgency(due_on(date(2026, 6, 16)), zone=ZONE, now=after) is Urgency.OVERDUE


def test_a_task_awaits_who_holds_its_role_and_had_no_hand_in_it() -> None:
    task = Awaited(
        id="t", kind="approve-post", role=Role.APPROVER, title={"en": "A"}, address="https://tidings.example.org/", due=None,
        not_by=frozenset({"writer"}), opened_at=NOW, closed_at=None, end=None,
    )  # fmt: skip
    assert task.awaits("other", frozenset({Role.APPROVER}))
    assert not task.awaits("writer", frozenset({Role.APPROVER}))
    assert not task.awaits("other", frozenset({Role.DRAFTER, Role.ADMIN, Role.AUDITOR}))
    assert task.what_key == title_key("approve-post")


@pytest.mark.parametrize(
    ("first", "last", "mailed", "due"),
    [
        pytest.param(9, 9, None, False, id="something else may come"),
        pytest.param(10, 10, None, True, id="ten quiet seconds"),
        pytest.param(59, 1, None, False, id="still coming"),
        pytest.param(60, 1, None, True, id="a minute is enough"),
        pytest.param(30, 30, 59, False, id="a mail went less than a minute ago"),
        pytest.param(30, 30, 60, True, id="a mail went a minute ago"),
    ],
)
def test_mails_at_once_gather_what_comes_together(first: int, last: int, mailed: int | None, due: bool) -> None:
    unmailed = Unmailed(
        first_at=NOW - first * SECOND, last_at=NOW - last * SECOND, mailed_at=None if mailed is None else NOW - mailed * SECOND
    )
    assert mail_is_due(Choice(), unmailed, zone=ZONE, now=NOW) is due
    assert not mail_is_due(Choice(rhythm=Rhythm.NEVER), unmailed, zone=ZONE, now=NOW)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        pytest.param(datetime(2026, 6, 16, 6, 0, tzinfo=UTC), None, datetime(2026, 6, 16, 6, 0, tzinfo=UTC), id="eight in Zurich"),
        pytest.param(datetime(2026, 6, 16, 5, 59, tzinfo=UTC), None, datetime(2026, 6, 15, 6, 0, tzinfo=UTC), id="a minute earlier"),
        pytest.param(NOW, "Africa/Nairobi", datetime(2026, 6, 16, 5, 0, tzinfo=UTC), id="eight in Nairobi"),
        pytest.param(datetime(2026, 10, 25, 12, 0, tzinfo=UTC), None, datetime(2026, 10, 25, 7, 0, tzinfo=UTC), id="clocks changed"),
    ],
)
def test_the_daily_mail_leaves_at_its_hour_in_the_readers_zone(now: datetime, zone: str | None, expected: datetime) -> None:
    choice = Choice(rhythm=Rhythm.DAILY, hour=8, zone=zone)
    assert last_slot(choice, zone=ZONE, now=now) == expected
    heard = Unmailed(first_at=expected, last_at=expected, mailed_at=None)
    assert mail_is_due(choice, heard, zone=ZONE, now=now)
    later = Unmailed(first_at=expected + SECOND, last_at=expected + SECOND, mailed_at=None)
    assert not mail_is_due(choice, later, zone=ZONE, now=now), "what came after the hour waits for the next day"
