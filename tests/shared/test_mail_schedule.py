"""When a deferred mail is tried again."""

from datetime import UTC, datetime, timedelta

from shared.mail.schedule import HORIZON, next_try

BEGAN = datetime(2026, 6, 16, 9, tzinfo=UTC)


def test_pauses_grow_and_end_at_the_horizon() -> None:
    now = BEGAN
    pauses: list[timedelta] = []
    while (at := next_try(len(pauses) + 1, BEGAN, now)) is not None:
        pauses.append(at - now)
        now = at
    assert pauses == sorted(pauses)
    assert pauses[2] >= timedelta(minutes=30)
    assert timedelta(days=4) <= now - BEGAN <= HORIZON <= timedelta(days=5)
