"""What came in and awaits nobody, is asked about though it is decided, or came to nothing."""

from datetime import timedelta
from uuid import UUID

from services.pledges.domain.pledges import NewPledge, Pledge
from services.pledges.domain.reports import Report, Verdict
from services.pledges.store import pledges, reports
from shared import clock
from shared.events.codes import Channel, PledgeState
from shared.ids import new_id
from shared.sweeps import Promise
from tests.pledges.pledges_app import some_facts
from tests.sweeps.swept import ask, open_tasks, put_submission, run, sweep
from tests.watched import PUBLIC_URL, Watched


async def test_a_submission_that_awaits_nobody_is_asked_about(system: Watched) -> None:
    submission = await put_submission(system, "practice")
    await put_submission(system, "pledge")
    assert await sweep(system, "intake") == []
    assert set(await open_tasks(system, "intake")) == {("review-practice", str(submission))}


async def test_nobody_is_asked_about_what_is_decided(system: Watched) -> None:
    declined, waiting = await put_submission(system, "practice", "declined"), await put_submission(system, "practice")
    corrected = await put_submission(system, "news", "accepted")
    for kind, subject in (("review-practice", declined), ("review-practice", waiting), ("publish-news", corrected)):
        await ask(system, "intake", kind, str(subject))
    assert await sweep(system, "intake") == []
    assert set(await open_tasks(system, "intake")) == {("review-practice", str(waiting))}
    ended = await run(system, "intake", 'SELECT DISTINCT "end", closed_by FROM tasks WHERE closed_at IS NOT NULL')
    assert [tuple(row) for row in ended] == [("withdrawn", None)]


async def test_what_was_accepted_at_the_door_and_came_to_nothing_is_named(system: Watched) -> None:
    accepted = await put_submission(system, "talk", "accepted", decided=clock.now() - timedelta(minutes=10))
    untold = await put_submission(system, "practice", event=None)
    partner, receipt = new_id(), new_id()
    await run(system, "intake", "INSERT INTO partners VALUES (:id, 'Example City', '', 10, false, now())", id=partner)
    await run(
        system,
        "intake",
        "INSERT INTO partner_keys (id, partner_id, kind, sealed, created_at) VALUES (:p, :p, 'secret', '', now())",
        p=partner,
    )
    await run(
        system,
        "intake",
        "INSERT INTO receipts VALUES (:id, :p, :p, 'msg_1', '', 'practice.submitted', '', '', '', now(), now(), now(), 0, '{}', 'x')",
        id=receipt,
        p=partner,
    )
    assert set(await sweep(system, "intake")) == {
        (Promise.KEPT, "no-submission", str(receipt)),
        (Promise.KEPT, "not-told", str(untold)),
        (Promise.KEPT, "not-published", str(accepted)),
    }


async def _pledge_submission(system: Watched, state: str) -> UUID:
    submission = new_id()
    await run(
        system,
        "pledges",
        """
        INSERT INTO submissions (id, reference, language, channel, public, internal, files, answers, contact_sealed, event_id, trace_id,
            revision, received_at, state, decision_revision)
        VALUES (:id, 'PL-1', 'en', 'form', '{"title": {"en": "A pledge"}}', '{}', '[]', '[]', '', :id, '', 1, now(), :state, 0)
        """,
        id=submission,
        state=state,
    )
    return submission


async def test_a_pledge_that_awaits_nobody_is_asked_about_and_one_that_is_decided_is_not(system: Watched) -> None:
    waiting, asked, declined = [await _pledge_submission(system, state) for state in ("received", "question", "declined")]
    for subject in (asked, declined):
        await ask(system, "pledges", "review-pledge", str(subject))
    assert await sweep(system, "pledges") == []
    assert set(await open_tasks(system, "pledges")) == {("review-pledge", str(waiting))}


async def test_a_suggested_date_that_awaits_nobody_is_asked_about_and_one_that_is_decided_is_not(system: Watched) -> None:
    waiting, declined = new_id(), new_id()
    for suggestion, state in ((waiting, "received"), (declined, "declined")):
        await run(system, "calendar", _SUGGESTION, id=suggestion, state=state)
    await ask(system, "calendar", "review-date", str(declined))
    assert await sweep(system, "calendar") == []
    assert set(await open_tasks(system, "calendar")) == {("review-date", str(waiting))}


_SUGGESTION = """
    INSERT INTO suggestions (id, reference, language, channel, public, internal, answers, contact_sealed, event_id, trace_id, revision,
        received_at, state, decision_revision)
    VALUES (:id, 'DA-1', 'en', 'form', '{"title": {"en": "A date"}}', '{}', '[]', '', :id, '', 1, now(), :state, 0)
"""


async def test_a_report_that_awaits_nobody_is_asked_about_and_one_that_is_decided_is_not(system: Watched) -> None:
    async with system.database("pledges").transaction() as tx:
        pledge = await pledges.publish(tx, NewPledge(id=new_id(), facts=some_facts(), trace_id="0" * 32), by=None)
        waiting, decided = (_report(pledge, verdict) for verdict in (None, Verdict.ACCEPTED))
        await reports.keep(tx, [waiting, decided])
    await ask(system, "pledges", "review-report", str(decided.id))
    assert await sweep(system, "pledges") == []
    [(asked, task)] = (await open_tasks(system, "pledges")).items()
    assert asked == ("review-report", str(waiting.id))
    assert task.address == f"{PUBLIC_URL}/pledges/reports/{waiting.id}"


def _report(pledge: Pledge, verdict: Verdict | None) -> Report:
    return Report(
        id=new_id(),
        pledge_id=pledge.id,
        reported_on=clock.now().date(),
        state=PledgeState.IN_PROGRESS,
        progress=None,
        note={},
        evidence=(),
        superseded_by=None,
        language="en",
        channel=Channel.FORM,
        sent_at=clock.now(),
        verdict=verdict,
    )


async def test_a_pledge_or_date_that_was_accepted_and_became_nothing_is_named(system: Watched) -> None:
    pledge, date = await _pledge_submission(system, "accepted"), new_id()
    await run(system, "calendar", _SUGGESTION, id=date, state="accepted")
    for service, table in (("pledges", "submissions"), ("calendar", "suggestions")):
        await run(system, service, f"UPDATE {table} SET decided_at = now() - interval '1 hour'")  # of the line above
    assert await sweep(system, "pledges") == [(Promise.KEPT, "not-published", str(pledge))]
    assert await sweep(system, "calendar") == [(Promise.KEPT, "not-published", str(date))]
    async with system.database("pledges").transaction() as tx:
        new = NewPledge(id=new_id(), facts=some_facts(), trace_id="0" * 32, submission_id=pledge)
        await pledges.publish(tx, new, by=None)
    assert await sweep(system, "pledges") == []
