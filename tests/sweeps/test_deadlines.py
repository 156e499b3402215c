"""Deadlines that are near and of which nobody heard."""

from datetime import timedelta

import pytest

from services.calendar.domain.whens import day_of
from shared import clock
from shared.ids import new_id
from tests.sweeps.swept import ZONE, run, sweep
from tests.watched import Watched


async def test_a_deadline_that_nobody_heard_of_is_told(system: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.calendar.sweeps.UNTOLD", timedelta(days=-1))  # in the first hour of a day the job may still be at it
    deadline = new_id()
    day = day_of(clock.now(), ZONE) + timedelta(days=7)
    await run(
        system,
        "calendar",
        """
        INSERT INTO dates (id, slug, kind, public, language, title, summary, precision, first_day, last_day, windows, status, sequence,
            revision, regions, countries, objectives, principles, lead, participants, links, historic, synthetic, trace_id,
            created_at, updated_at)
        VALUES (:id, 'd', 'deadline', true, 'en', '{"en": "Send it"}', '{}', 'day', :day, :day, '[]', 'confirmed', 0, 1,
            '{}', '{}', '{}', '{}', '{}', '{}', '[]', false, false, :trace, now() - interval '2 days', now() - interval '2 days')
        """,
        id=deadline,
        day=day,
        trace="0" * 32,
    )
    left = await sweep(system, "calendar")
    told = await run(system, "calendar", "SELECT subject FROM outbox WHERE type = 'deadline.near.v1'")
    assert left == []
    assert [row.subject for row in told] == [str(deadline)]
    assert await sweep(system, "calendar") == []
    assert len(await run(system, "calendar", "SELECT 1 FROM outbox WHERE type = 'deadline.near.v1'")) == 1
