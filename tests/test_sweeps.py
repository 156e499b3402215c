"""For each promise: what a crash, a bug or a hand in the database leaves lying is mended where that is safe, and named where it is not."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row, insert, text

from services.__main__ import OWNERS
from services.newsletter import sweeps as newsletter
from services.newsletter.sending.rules import AudienceState
from services.social.domain.content import Content
from services.social.domain.posts import Wish
from services.social.posting import planning
from services.social.store import posts
from shared import clock, tasks
from shared.approval.rules import Action
from shared.embedded.postgres import EmbeddedPostgres
from shared.events.codes import Language, Role
from shared.events.every import TaskOpened
from shared.events.kinds import KINDS
from shared.i18n import translate
from shared.ids import new_id
from shared.mail.address import Mailbox
from shared.mail.message import Content as MailContent
from shared.mail.queue.put import OneOff
from shared.parking import parked
from shared.sweeps import Promise, Sweep, Sweeper, found_by
from shared.tasks import Task
from shared.testing.databases import template_of
from shared.trace import Cause
from tests.desk.wire import PRACTICE, tell
from tests.newsletter.sending import approve as approve_issue
from tests.newsletter.sending import send_now, subscribe
from tests.people import cookies_of
from tests.shared.web_app import BROWSER
from tests.social.ledger import approve
from tests.social.x_sandbox import words
from tests.test_docs import DOCS, codes_in, rows_of, text_of
from tests.test_queues import _dead
from tests.watched import PUBLIC_URL, Watched, watched

TITLE: Mapping[Language, str] = {"en": "A matter"}


@pytest.fixture(scope="module")
def template_database(embedded_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with the tables of every service."""
    with template_of(embedded_postgres, OWNERS) as name:
        yield name


@pytest.fixture
async def system(database_url: str) -> AsyncIterator[Watched]:
    async with watched(database_url) as found:
        yield found


def sweeps_of(system: Watched, service: str) -> Sequence[Sweep]:
    return system.of(service).service.sweeps


async def sweep(system: Watched, service: str) -> list[tuple[Promise, str, str]]:
    """Let the job of a service run once, and return what is left: promise, why and id; what Prometheus hears is the same."""
    database = system.database(service)
    count = await Sweeper(sweeps_of(system, service)).run(database)
    async with database.transaction() as tx:
        left = [(promise, one.why, one.id) for promise, one in await found_by(tx, sweeps_of(system, service))]
    assert len(left) == count
    said = await system.scrape()
    for promise in {one.promise for one in sweeps_of(system, service)}:
        stuck = len([one for one in left if one[0] is promise])
        assert said[f'tidings_stuck{{promise="{promise}",service="{service}"}}'] == stuck
    return left


async def run(system: Watched, service: str, sql: str, **values: object) -> Sequence[Row[Any]]:
    async with system.database(service).transaction() as tx:
        done = await tx.execute(text(sql), values)
        return done.all() if done.returns_rows else ()


async def open_tasks(system: Watched, service: str) -> dict[tuple[str, str], TaskOpened]:
    async with system.database(service).transaction() as tx:
        return {(row.kind, row.subject): TaskOpened.model_validate(row.facts) for row in await tasks.open_tasks(tx)}


@pytest.mark.parametrize("service", OWNERS)
async def test_a_service_that_is_well_has_nothing_stuck(system: Watched, service: str) -> None:
    assert await sweep(system, service) == []


async def test_every_promise_is_swept_where_the_page_says_so(system: Watched) -> None:
    section = text_of(DOCS / "understand" / "promises.md").partition("## Swept")[2].partition("\n## ")[0]
    listed = {cells[0].strip("`"): set(codes_in(cells[1])) for cells in rows_of(section)}
    assert listed.keys() == set(Promise)
    by_promise = {promise: {one for one in OWNERS if promise in {sweep.promise for sweep in sweeps_of(system, one)}} for promise in Promise}
    assert by_promise == listed


# ---- told, set aside ----


@pytest.mark.parametrize("service", OWNERS)
async def test_an_event_that_is_not_told_for_long_is_named(system: Watched, service: str) -> None:
    late = await tell(system.database(service), PRACTICE, subject="1")
    await tell(system.database(service), PRACTICE, subject="2")
    await run(system, service, "UPDATE outbox SET time = now() - interval '6 minutes' WHERE id = :id", id=late)
    assert await sweep(system, service) == [(Promise.TOLD, "unsent", str(late))]


async def test_dead_events_are_named_and_an_operator_is_asked_until_none_is_left(system: Watched) -> None:
    dead = _dead("1")
    async with system.database("pledges").transaction() as tx:
        await tx.execute(insert(parked).values(**dead))
    for _ in range(2):
        assert await sweep(system, "pledges") == [(Promise.SET_ASIDE, "dead", str(dead["event_id"]))]
        [(kind, task)] = (await open_tasks(system, "pledges")).items()
        assert kind == ("look-at-dead-events", "pledges")
        assert (task.role, task.address) == (Role.OPERATOR, f"{PUBLIC_URL}/pledges/operations")
    await run(system, "pledges", "DELETE FROM parked")
    assert await sweep(system, "pledges") == []
    assert await open_tasks(system, "pledges") == {}


async def test_what_is_set_aside_and_not_tried_again_is_named_but_not_what_waits_behind_it(system: Watched) -> None:
    first, behind = (_dead("1", state="waiting", next_at=clock.now() - timedelta(hours=1)) for _ in range(2))
    async with system.database("desk").transaction() as tx:
        for row in (first, behind):
            await tx.execute(insert(parked).values(**row))
    assert await sweep(system, "desk") == [(Promise.SET_ASIDE, "not-tried", str(first["event_id"]))]


# ---- kept, asked ----


async def _submission(system: Watched, kind: str, state: str = "received", **columns: object) -> UUID:
    """Put a submission as the door would have, and nothing that follows from it."""
    submission = new_id()
    example = KINDS[kind].example
    await run(
        system,
        "intake",
        """
        INSERT INTO submissions (id, kind, channel, language, reference, public, internal, contact_sealed, state, decision_revision,
            token, received_at, event_id, decided_at, draft)
        VALUES (:id, :kind, 'form', 'en', :reference, CAST(:public AS jsonb), '{}', '', :state, 0, :reference,
            now() - interval '1 hour', :event, :decided, CAST(:draft AS jsonb))
        """,
        id=submission,
        reference=str(submission),
        kind=kind,
        state=state,
        public=json.dumps({"title": example.get("title") or {"en": "What"}}),
        event=columns.get("event", new_id()),
        decided=columns.get("decided"),
        draft=columns.get("draft"),
    )
    return submission


async def test_a_submission_that_awaits_nobody_is_asked_about(system: Watched) -> None:
    submission = await _submission(system, "practice")
    await _submission(system, "pledge")
    assert await sweep(system, "intake") == []
    assert set(await open_tasks(system, "intake")) == {("review-practice", str(submission))}


async def test_nobody_is_asked_about_what_is_decided(system: Watched) -> None:
    declined, waiting = await _submission(system, "practice", "declined"), await _submission(system, "practice")
    corrected = await _submission(system, "news", "accepted")
    for kind, subject in (("review-practice", declined), ("review-practice", waiting), ("publish-news", corrected)):
        await _ask(system, "intake", kind, str(subject))
    assert await sweep(system, "intake") == []
    assert set(await open_tasks(system, "intake")) == {("review-practice", str(waiting))}
    ended = await run(system, "intake", 'SELECT DISTINCT "end", closed_by FROM tasks WHERE closed_at IS NOT NULL')
    assert [tuple(row) for row in ended] == [("withdrawn", None)]


async def _ask(system: Watched, service: str, kind: str, subject: str) -> None:
    task = Task(kind=kind, subject=subject, role=Role.MODERATOR, title=TITLE, address="https://tidings.example.org/1")
    async with system.database(service).transaction() as tx:
        await tasks.open_task(tx, task, cause=Cause.start())


async def test_what_was_accepted_at_the_door_and_came_to_nothing_is_named(system: Watched) -> None:
    accepted = await _submission(system, "talk", "accepted", decided=clock.now() - timedelta(minutes=10))
    untold = await _submission(system, "practice", event=None)
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
        await _ask(system, "pledges", "review-pledge", str(subject))
    assert await sweep(system, "pledges") == []
    assert set(await open_tasks(system, "pledges")) == {("review-pledge", str(waiting))}


async def test_a_suggested_date_that_awaits_nobody_is_asked_about_and_one_that_is_decided_is_not(system: Watched) -> None:
    waiting, declined = new_id(), new_id()
    for suggestion, state in ((waiting, "received"), (declined, "declined")):
        await run(system, "calendar", _SUGGESTION, id=suggestion, state=state)
    await _ask(system, "calendar", "review-date", str(declined))
    assert await sweep(system, "calendar") == []
    assert set(await open_tasks(system, "calendar")) == {("review-date", str(waiting))}


_SUGGESTION = """
    INSERT INTO suggestions (id, reference, language, channel, public, internal, answers, contact_sealed, event_id, trace_id, revision,
        received_at, state, decision_revision)
    VALUES (:id, 'DA-1', 'en', 'form', '{"title": {"en": "A date"}}', '{}', '[]', '', :id, '', 1, now(), :state, 0)
"""


# ---- mailed ----


async def test_mails_that_do_not_leave_are_named_by_their_id_alone(system: Watched, caplog: pytest.LogCaptureFixture) -> None:
    content = MailContent(language="en", subject="Hello", text="A link.\n")
    stuck = {"mail-due": "", "mail-too-late": ", expires_at = now() - interval '20 minutes'", "mail-started": ", state = 'started'"}
    ids = {}
    for why, change in stuck.items():
        mail = OneOff(
            purpose="p", about="1", to=Mailbox(address="amina@example.net"), content=content, expires_at=clock.now() + timedelta(days=1)
        )
        async with system.database("newsletter").transaction() as tx:
            ids[why] = await system.parts.mails().put(tx, mail)
        times = "next_at = now() - interval '20 minutes', started_at = now() - interval '20 minutes'"
        await run(system, "newsletter", f"UPDATE mails SET {times}{change} WHERE id = :id", id=ids[why])
    assert set(await sweep(system, "newsletter")) == {(Promise.MAILED, why, str(id_)) for why, id_ in ids.items()}
    assert str(ids["mail-due"]) in caplog.text
    assert "amina" not in caplog.text


# ---- approved, sent ----


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
    await send_now(database)
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
    # The tests' database has not run for long enough for anybody to be dead in it for minutes.
    monkeypatch.setattr(newsletter, "DEAD", timedelta(0))
    assert await sweep(system, "newsletter") == []
    rows = await run(system, "newsletter", "SELECT subscriber_id, state FROM audience")
    assert {row.subscriber_id: row.state for row in rows} == {
        ids["a@example.net"]: AudienceState.PLANNED,
        ids["b@example.net"]: AudienceState.UNCERTAIN,
    }


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
    await _ask(system, "newsletter", "change-issue", str(issue))
    assert await sweep(system, "newsletter") == []
    assert set(await open_tasks(system, "newsletter")) == {("approve-issue", str(issue))}


async def _issue_of_its_own(system: Watched) -> UUID:
    issue = new_id()
    async with system.database("newsletter").transaction() as tx:
        await approve_issue(tx, issue)
    await run(
        system,
        "newsletter",
        """
        INSERT INTO issues (id, month, number, serial, closes_on, sends_at, zone, remind_days, valid_hours, languages, fallback, subject,
            preheader, revision)
        VALUES (:id, '2026-06-01', '2026-06', 1, '2026-06-30', '2026-07-01 09:00', 'UTC', 1, 24, '{en}', 'en', '{"en": "June"}', '{}', 1)
        """,
        id=issue,
    )
    return issue


# ---- posted ----


async def _post(system: Watched, said: str, *, due: timedelta) -> tuple[UUID, Content]:
    """Put a post that is approved and has its time, and plan it as its page does."""
    content = words(said)
    async with system.database("social").transaction() as tx:
        post = await posts.add(tx, zone="UTC", trace_id="0" * 32)
        assert post is not None
        await posts.write_variant(tx, post, content)
        await posts.write_wish(tx, post, Wish(local=(clock.now() + due).replace(tzinfo=None), zone="UTC", until=None))
        await approve(tx, post, content)
        await planning.follow(tx, post, cause=Cause.start())
    return post, content


async def _plans(system: Watched) -> dict[UUID, str]:
    return {row.post_id: row.state for row in await run(system, "social", "SELECT post_id, state FROM deliveries")}


async def test_a_post_whose_approval_is_void_is_taken_out_of_the_plan_and_one_that_is_approved_stays(system: Watched) -> None:
    void, _ = await _post(system, "One", due=timedelta(days=1))
    good, _ = await _post(system, "Two", due=timedelta(days=1))
    await run(system, "social", "UPDATE approvals SET state = 'draft' WHERE item = :id", id=void)
    assert await sweep(system, "social") == []
    assert await _plans(system) == {void: "cancelled", good: "scheduled"}


async def test_an_approved_post_that_was_not_planned_is_planned(system: Watched) -> None:
    post, _ = await _post(system, "One", due=timedelta(days=1))
    await run(system, "social", "DELETE FROM deliveries")
    await run(system, "social", "UPDATE posts SET updated_at = now() - interval '20 minutes'")
    assert await sweep(system, "social") == []
    assert await _plans(system) == {post: "scheduled"}


async def test_a_post_whose_time_has_come_and_that_nobody_takes_is_named_unless_it_waits_on_purpose(system: Watched) -> None:
    post, _ = await _post(system, "One", due=timedelta(minutes=-20))
    await _post(system, "Two", due=timedelta(minutes=-1))
    assert await sweep(system, "social") == [(Promise.POSTED, "not-taken", str(post))]
    await run(system, "social", "INSERT INTO accounts (network, posts_not_before) VALUES ('x', now() + interval '1 hour')")
    assert await sweep(system, "social") == []


# ---- near ----


async def test_a_deadline_that_nobody_heard_of_is_told(system: Watched) -> None:
    deadline = new_id()
    day = (clock.now() + timedelta(days=7)).date()
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
    if clock.now().hour >= 2:  # in the first hours of a day the job may still be at it
        assert left == []
        assert [row.subject for row in told] == [str(deadline)]
        assert await sweep(system, "calendar") == []
        assert len(await run(system, "calendar", "SELECT 1 FROM outbox WHERE type = 'deadline.near.v1'")) == 1


# ---- the job and the page ----


async def test_of_two_processes_one_mends_and_both_tell_what_is_left(system: Watched) -> None:
    from shared import locks

    submission = await _submission(system, "practice")
    database = system.database("intake")
    async with locks.session(database) as session:
        assert await locks.try_lock(session, "sweeps:intake")
        assert await sweep(system, "intake") == [(Promise.ASKED, "no-task", str(submission))]
    assert await sweep(system, "intake") == []


async def test_one_sweep_that_fails_keeps_no_other_back(system: Watched, caplog: pytest.LogCaptureFixture) -> None:
    late = await tell(system.database("desk"), PRACTICE, subject="1")
    await run(system, "desk", "UPDATE outbox SET time = now() - interval '6 minutes'")

    async def fails(tx: object) -> Sequence[Any]:
        raise ValueError("no")

    sweeper = Sweeper([Sweep(promise=Promise.NEAR, find=fails), *sweeps_of(system, "desk")])
    assert await sweeper.run(system.database("desk")) == 1
    assert str(late) in caplog.text
    assert "what is near could not be swept" in caplog.text


async def test_what_is_stuck_stands_on_the_operations_page(system: Watched) -> None:
    late = await tell(system.database("intake"), PRACTICE, subject="1")
    await run(system, "intake", "UPDATE outbox SET time = now() - interval '6 minutes'")
    system.client.cookies.update(dict(cookies_of()))
    page = (await system.client.get("/intake/operations", headers=BROWSER)).text
    assert translate("en", "staff.promise.told") in page
    assert translate("en", "staff.stuck.unsent") in page
    assert str(late) in page
    answer = await system.client.get("/intake/operations.json")
    found = answer.json()
    assert [(one["promise"], one["why"], one["id"]) for one in found["stuck"]] == [("told", "unsent", str(late))]
    [figure] = [one for one in found["shown"] if one["name"] == "stuck"]
    assert (figure["text"]["text"], figure["tone"]) == ("1", "bad")
