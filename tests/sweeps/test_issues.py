"""Issues that leave without approval, do not begin or do not end, and copies that nobody takes."""

import json
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import REGISTRY

from services.newsletter import sweeps as newsletter
from services.newsletter.sending.rules import AudienceState, content_hash
from shared import clock
from shared.approval.rules import Action
from shared.ids import new_id
from shared.sweeps import Promise
from tests.newsletter.sending import VARIANTS, send_now, subscribe
from tests.newsletter.sending import approve as approve_issue
from tests.sweeps.swept import ZONE, ask, open_tasks, run, sweep
from tests.watched import PUBLIC_URL, Watched

# Long before the tests run.
LONG_OVER = date(2026, 6, 30)


async def _planned(system: Watched) -> UUID:
    """Put an approved issue into the plan."""
    issue = await send_now(system.database("newsletter"))
    await run(
        system,
        "newsletter",
        "UPDATE sends SET state = 'scheduled', frozen_at = NULL, starts_at = now() + interval '1 day' WHERE issue_id = :id",
        id=issue,
    )
    await run(system, "newsletter", "DELETE FROM audience WHERE issue_id = :id", id=issue)
    return issue


async def _send(system: Watched, issue: UUID) -> tuple[str, str]:
    [row] = await run(system, "newsletter", "SELECT state, held_because FROM sends WHERE issue_id = :id", id=issue)
    return row.state, row.held_because


async def test_a_plan_whose_approval_is_void_is_held_and_one_that_is_approved_stays(system: Watched) -> None:
    void, good = await _planned(system), await _planned(system)
    await run(system, "newsletter", "UPDATE approvals SET state = 'draft' WHERE item = :id", id=void)
    assert await sweep(system, "newsletter") == []
    assert await _send(system, void) == ("held", "approval")
    assert await _send(system, good) == ("scheduled", "")


async def test_an_issue_whose_hour_has_come_and_that_does_not_begin_is_named(system: Watched) -> None:
    issue, young = await _planned(system), await _planned(system)
    for one, minutes in ((issue, 6), (young, 1)):
        late = f"UPDATE sends SET starts_at = now() - interval '{minutes} minutes' WHERE issue_id = :id"
        await run(system, "newsletter", late, id=one)
    assert await sweep(system, "newsletter") == [(Promise.SENT, "not-begun", str(issue))]


async def test_copies_in_dead_hands_are_freed_and_what_may_have_left_is_uncertain(system: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    database = system.database("newsletter")
    ids = await subscribe(database, system.parts.vault, ["a@example.net", "b@example.net"])
    issue = await send_now(database)
    sender = new_id()
    await run(
        system,
        "newsletter",
        "INSERT INTO senders (id, name, connections, seen_at) VALUES (:id, 'x', 1, now() - interval '1 hour')",
        id=sender,
    )
    for address, state in (("a@example.net", "claimed"), ("b@example.net", "started")):
        await run(
            system,
            "newsletter",
            "UPDATE audience SET state = :state, sender = :sender WHERE subscriber_id = :id",
            state=state,
            sender=sender,
            id=ids[address],
        )
    mended = _mended()
    monkeypatch.setattr(newsletter, "DEAD", timedelta(days=30))  # as in a database that has just been started
    assert await sweep(system, "newsletter") == [(Promise.SENT, "dead-hands", str(issue))]
    assert _mended() == mended
    # The tests' database has not run for long enough for anybody to be dead in it for minutes.
    monkeypatch.setattr(newsletter, "DEAD", timedelta(0))
    assert await sweep(system, "newsletter") == []
    rows = await run(system, "newsletter", "SELECT subscriber_id, state FROM audience")
    assert {row.subscriber_id: row.state for row in rows} == {
        ids["a@example.net"]: AudienceState.PLANNED,
        ids["b@example.net"]: AudienceState.UNCERTAIN,
    }
    assert _mended() == mended + 1


async def test_an_issue_for_which_nobody_waits_any_more_is_ended_though_no_sender_lives(system: Watched) -> None:
    database = system.database("newsletter")
    await subscribe(database, system.parts.vault, ["a@example.net"])
    issue = await send_now(database)
    await run(system, "newsletter", "UPDATE audience SET state = 'accepted', ended_at = now()")
    await run(system, "newsletter", "UPDATE sends SET frozen_at = now() - interval '6 minutes'")
    assert await sweep(system, "newsletter") == []
    assert await _send(system, issue) == ("sending", "")  # its last copy has just ended: a sender is about to close it
    await run(system, "newsletter", "UPDATE audience SET ended_at = now() - interval '6 minutes'")
    assert await sweep(system, "newsletter") == []
    assert await _send(system, issue) == ("sent", "")


async def test_copies_that_nobody_takes_are_named_unless_they_wait_on_purpose(system: Watched) -> None:
    database = system.database("newsletter")
    await subscribe(database, system.parts.vault, ["a@example.net"])
    issue = await send_now(database)
    await run(system, "newsletter", "UPDATE audience SET next_at = now() - interval '20 minutes'")
    await run(system, "newsletter", "UPDATE sends SET frozen_at = now() - interval '20 minutes'")
    assert await sweep(system, "newsletter") == [(Promise.SENT, "copies-wait", str(issue))]
    paused = "INSERT INTO pauses (scope, origin, paused, reason, since, told_at, cause, trace_id)"
    await run(system, "newsletter", f"{paused} VALUES ('newsletter', 'here', true, 'x', now(), now(), '', '')")
    assert await sweep(system, "newsletter") == []
    await run(system, "newsletter", "DELETE FROM audience")
    assert ("copies-missing", str(issue)) in [(why, id_) for _, why, id_ in await sweep(system, "newsletter")]


async def test_a_submitted_issue_that_awaits_nobody_is_asked_about(system: Watched) -> None:
    issue = await _issue_of_its_own(system)
    await run(system, "newsletter", "UPDATE approvals SET state = 'submitted', steps = 1 WHERE item = :id", id=issue)
    await run(
        system,
        "newsletter",
        "INSERT INTO approval_steps (about, item, number, what, state, at) VALUES ('issue', :id, 1, :what, 'submitted', now())",
        id=issue,
        what=Action.SUBMIT.value,
    )
    await ask(system, "newsletter", "change-issue", str(issue))
    assert await sweep(system, "newsletter") == []
    assert set(await open_tasks(system, "newsletter")) == {("approve-issue", str(issue))}


async def _issue_of_its_own(system: Watched, closes_on: date = LONG_OVER) -> UUID:
    """Put an approved issue of which nobody is asked anything; cut, unless it closes on another day."""
    issue = new_id()
    async with system.database("newsletter").transaction() as tx:
        await approve_issue(tx, issue)
    await run(
        system,
        "newsletter",
        """
        INSERT INTO issues (id, month, number, serial, closes_on, sends_at, zone, remind_days, valid_hours, languages, fallback, subject,
            preheader, revision, cut_at)
        VALUES (:id, '2026-06-01', '2026-06', 1, :closes, '2026-07-01 09:00', 'UTC', 1, 24, '{en}', 'en', '{"en": "June"}', '{}', 1, :cut)
        """,
        id=issue,
        closes=closes_on,
        cut=clock.now() if closes_on == LONG_OVER else None,
    )
    return issue


async def test_an_issue_that_closed_and_was_not_cut_is_named(system: Watched) -> None:
    today = clock.now().astimezone(ZoneInfo(ZONE)).date()
    late = await _issue_of_its_own(system, today - timedelta(days=3))
    assert await sweep(system, "newsletter") == [(Promise.SENT, "not-cut", str(late))]
    await run(system, "newsletter", "UPDATE issues SET closes_on = :today", today=today)
    assert await sweep(system, "newsletter") == []


async def test_a_cut_issue_that_awaits_nobody_is_asked_about_until_it_is_submitted(system: Watched) -> None:
    issue = await _issue_of_its_own(system)
    await run(system, "newsletter", "UPDATE approvals SET state = 'draft', variants = NULL")
    assert await sweep(system, "newsletter") == []
    [(asked, task)] = (await open_tasks(system, "newsletter")).items()
    assert asked == ("finish-issue", str(issue))
    assert task.address == f"{PUBLIC_URL}/newsletter/issues/{issue}"
    await run(system, "newsletter", "UPDATE approvals SET state = 'withdrawn', steps = 1")
    assert await sweep(system, "newsletter") == []
    assert await open_tasks(system, "newsletter") == {}


async def test_an_approved_issue_without_an_hour_is_asked_about_until_it_has_one(system: Watched) -> None:
    issue = await _issue_of_its_own(system)
    await run(system, "newsletter", "UPDATE approvals SET steps = 1")
    assert await sweep(system, "newsletter") == []
    assert set(await open_tasks(system, "newsletter")) == {("schedule-issue", str(issue))}
    planned = """
        INSERT INTO sends (issue_id, variants, approved_hash, fallback, starts_at, expires_at, state)
        VALUES (:id, '{}', :hash, 'en', now() + interval '1 day', now() + interval '2 days', 'scheduled')
    """
    await run(system, "newsletter", planned, id=issue, hash=content_hash(VARIANTS))
    assert await sweep(system, "newsletter") == []
    assert await open_tasks(system, "newsletter") == {}


async def test_a_pause_that_did_not_end_by_itself_is_ended_and_desk_is_told(system: Watched) -> None:
    paused = """
        INSERT INTO pauses (scope, origin, paused, reason, until, since, told_at, cause, trace_id)
        VALUES ('newsletter', 'here', true, 'x', now() - make_interval(mins => :over), now(), now(), '', :trace)
    """
    await run(system, "newsletter", paused, over=4, trace="0" * 32)
    assert await sweep(system, "newsletter") == []
    assert [row.paused for row in await run(system, "newsletter", "SELECT paused FROM pauses")] == [True]  # the job is about to end it
    await run(system, "newsletter", "UPDATE pauses SET until = now() - interval '6 minutes'")
    assert await sweep(system, "newsletter") == []
    assert [row.paused for row in await run(system, "newsletter", "SELECT paused FROM pauses")] == [False]
    told = await run(system, "newsletter", "SELECT body FROM outbox WHERE type = 'sending.confirmed.v1'")
    assert [json.loads(row.body)["state"] for row in told] == ["running"]


def _mended() -> float:
    return REGISTRY.get_sample_value("tidings_mended_total", {"service": "newsletter", "promise": Promise.SENT.value}) or 0.0
