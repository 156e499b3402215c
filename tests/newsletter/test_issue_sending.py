"""From an approved issue to its readers: what was approved leaves, whole, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text, update

from services.newsletter.compose import blocks
from services.newsletter.handlers import listens
from services.newsletter.issues import editing
from services.newsletter.issues.rules import IssueError
from services.newsletter.jobs import of as jobs_of
from services.newsletter.posting import Posting
from services.newsletter.sending import issues as sending
from services.newsletter.sending import ledger
from services.newsletter.sending.rules import Hold, SendState, Standing, SubscriberState
from services.newsletter.sending.tables import audience, senders, sends
from services.newsletter.web.issue_send import mask
from shared import clock, outbox, tasks
from shared.approval.rules import Action
from shared.consumer import Consumer
from shared.db import Database
from shared.events.codes import Role
from shared.events.every import DecisionMade
from shared.events.newsletter import IssueSent
from shared.events.registry import TOPICS_OF
from shared.i18n import translate
from shared.ids import new_id
from shared.testing.sink import Sink, sink
from shared.trace import Cause
from tests.desk.wire import records_of
from tests.intake.page import page
from tests.newsletter.issue_app import Newsletter, newsletter
from tests.newsletter.issue_items import APPROVER, CAUSE, PUBLIC_URL, THING, WRITER, approved, blocks_of, does, seen, told
from tests.newsletter.sending import QUICK, standing_of, subscribe
from tests.people import somebody

ISSUES = "/newsletter/issues/"
OPERATOR = somebody(Role.OPERATOR, name="Dara Operator")


@pytest.fixture
async def taken(var: Path) -> AsyncIterator[Sink]:
    async with sink(var / "taken", seconds=0.0) as running:
        yield running


@pytest.fixture
async def service(database_url: str, taken: Sink) -> AsyncIterator[Newsletter]:
    async with newsletter(database_url, smtp=f"smtp://127.0.0.1:{taken.port}") as found:
        yield found


@asynccontextmanager
async def sender_at_work(service: Newsletter) -> AsyncIterator[None]:
    running = asyncio.create_task(Posting(service.parts, QUICK).run(service.database))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled(), running.exception()


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(90):
        while not await holds():
            await asyncio.sleep(0.05)


async def looked_twice(service: Newsletter) -> None:
    """Return once the sender has looked for what is due, and again."""

    async def last() -> Any:
        async with service.database.transaction() as tx:
            return (await tx.execute(select(senders.c.seen_at))).scalar_one_or_none()

    for _ in range(3):
        before = await last()
        await until(lambda before=before: _is_other(last, before))  # type: ignore[misc]


async def _is_other(last: Callable[[], Awaitable[Any]], before: Any) -> bool:
    return await last() not in (None, before)


async def plan(service: Newsletter, issue: UUID) -> None:
    """Schedule an approved issue for this minute, by its page."""
    async with service.browser(WRITER) as browser:
        at = f"{clock.now():%Y-%m-%dT%H:%M}"
        answer = await browser.post(f"{ISSUES}{issue}/schedule", data={"sends_at": at, "zone": "UTC", "valid_hours": "24"})
        assert answer.status_code == 303, answer.text


async def state_of(service: Newsletter, issue: UUID) -> Standing:
    return await standing_of(service.database, issue)


async def edit(service: Newsletter, issue: UUID, by: Any = WRITER) -> None:
    """Put one comma into the English title of the only item."""
    (block,) = await blocks_of(service.database, issue)
    content = {**block.content, "title": {**block.content["title"], "en": "One desk, for newcomers"}}
    async with service.database.transaction() as tx:
        await editing.write_block(tx, THING, issue, blocks.parse(content), block.revision, by=by, cause=CAUSE)


@pytest.mark.timeout(180)
async def test_issue_scheduled_by_page_reaches_its_audience_and_the_numbers_add_up(service: Newsletter, taken: Sink) -> None:
    vault = service.parts.vault
    await subscribe(service.database, vault, [f"en{number}@example.net" for number in range(3)])
    await subscribe(service.database, vault, ["fr@example.net"], language="fr")
    await subscribe(service.database, vault, ["zh@example.net"], language="zh")
    await subscribe(service.database, vault, ["left@example.net"], state=SubscriberState.UNSUBSCRIBED)
    issue = await approved(service.database)
    await plan(service, issue)
    async with sender_at_work(service):
        await until(lambda: _is(service, issue, SendState.SENT))
    standing = await state_of(service, issue)
    assert (standing.audience, standing.accepted, standing.excluded, standing.holds) == (6, 5, 1, True)
    assert taken.count == 5
    events = [IssueSent.model_validate_json(row.body) for row in await told(service.database, "issue.sent.v1")]
    assert [row.revision for row in await told(service.database, "issue.sent.v1")] == [1, 2]
    assert [(event.counts.waiting, event.counts.accepted) for event in events] == [(5, 0), (0, 5)]
    assert str(events[0].address) == f"{PUBLIC_URL}/newsletter/archive/1"
    async with service.browser(OPERATOR) as operator:
        found = page(await operator.get(f"{ISSUES}{issue}/sending"))
        assert "6 = 5 + 0 + 1 + 0 + 0" in found.text
        assert translate("en", "staff.issues.sending.holds") in found.text
        assert (await operator.get(f"/newsletter/sends/{issue}.json")).json()["standing"]["holds"] is True
        assert "One desk for newcomers" in page(await operator.get("/newsletter/archive/1?lang=en")).text
    with pytest.raises(IssueError):
        await edit(service, issue)


async def test_page_of_sending_says_in_the_servers_words_what_slows_an_issue(service: Newsletter) -> None:
    issue = await approved(service.database)
    await plan(service, issue)
    address = f"{ISSUES}{issue}/sending"
    async with service.browser(OPERATOR) as operator:
        assert "hidden" in page(await operator.get(address)).one("section", id="slowed")
        async with service.database.transaction() as tx:
            trouble = "connect: Error connecting to mail.example.org on port 587"
            await tx.execute(insert(senders).values(id=new_id(), name="one:1", connections=1, trouble=trouble))
            await tx.execute(insert(senders).values(id=new_id(), name="two:1", connections=1, trouble=""))
            await ledger.slow_down(tx, "busy.example", "450 4.2.1 Slower <please>")
        found = page(await operator.get(address))
        lines = [f"one:1: {trouble}", "busy.example: 450 4.2.1 Slower <please>"]
        assert "hidden" not in found.one("section", id="slowed")
        assert all(line in found.text for line in lines)
        assert (await operator.get(f"/newsletter/sends/{issue}.json")).json()["slowed"] == lines


async def _is(service: Newsletter, issue: UUID, state: SendState) -> bool:
    return (await state_of(service, issue)).state is state


@pytest.mark.timeout(180)
async def test_one_comma_after_approval_and_nothing_leaves(service: Newsletter, taken: Sink) -> None:
    await subscribe(service.database, service.parts.vault, ["a@example.net"])
    issue = await approved(service.database)
    await plan(service, issue)
    await edit(service, issue)
    async with sender_at_work(service):
        await looked_twice(service)
    assert taken.count == 0
    assert await told(service.database, "issue.sent.v1") == []
    await does(service.database, issue, Action.SUBMIT, WRITER)
    await does(service.database, issue, Action.APPROVE, APPROVER)
    await plan(service, issue)
    async with sender_at_work(service):
        await until(lambda: _is(service, issue, SendState.SENT))
    assert taken.count == 1


TAMPERED = [
    pytest.param("UPDATE approvals SET state = 'draft'", Hold.APPROVAL, id="the approval is gone"),
    pytest.param(
        "UPDATE sends SET variants = jsonb_set(variants, '{fr,subject}', to_jsonb(variants #>> '{fr,subject}' || ','))",
        Hold.CONTENT,
        id="one comma in one variant of the plan",
    ),
    pytest.param("UPDATE sends SET variants = variants - 'fr'", Hold.CONTENT, id="a variant is missing"),
    pytest.param(
        "UPDATE approvals SET variants = jsonb_set(variants, '{fr}', '\"" + "0" * 64 + "\"')", Hold.CONTENT, id="another approval"
    ),
]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("statement", "because"), TAMPERED)
async def test_what_is_not_approved_to_the_letter_is_held_where_sending_would_begin(
    service: Newsletter, taken: Sink, statement: str, because: Hold
) -> None:
    await subscribe(service.database, service.parts.vault, ["a@example.net"])
    issue = await approved(service.database)
    await plan(service, issue)
    async with service.database.transaction() as tx:
        await tx.execute(text(statement))
    async with sender_at_work(service):
        await until(lambda: _is(service, issue, SendState.HELD))
        await looked_twice(service)
    assert ((await state_of(service, issue)).held_because, taken.count) == (because, 0)


@pytest.mark.timeout(180)
async def test_edit_that_comes_while_sending_begins_is_refused_or_stops_it(service: Newsletter, taken: Sink) -> None:
    await subscribe(service.database, service.parts.vault, ["a@example.net"])
    issue = await approved(service.database)
    await plan(service, issue)
    async with sender_at_work(service):
        edited = await asyncio.gather(edit(service, issue), return_exceptions=True)
        await looked_twice(service)
    left = taken.count == 1
    assert (edited[0] is None) is not left, edited


async def test_sending_is_stopped_resumed_and_ended_by_people_who_may(service: Newsletter) -> None:
    await subscribe(service.database, service.parts.vault, ["a@example.net", "b@example.net"])
    issue = await approved(service.database)
    await plan(service, issue)
    address = f"{ISSUES}{issue}/sending"
    async with service.browser(WRITER) as writer:
        assert (await writer.post(f"{address}/hold", data={"reason": "No."})).status_code == 403
    async with service.browser(OPERATOR) as operator:
        page(await operator.post(f"{address}/hold", data={"reason": " "}), 422)
        assert (await operator.post(f"{address}/hold", data={"reason": "A wrong figure."})).status_code == 303
        assert (await state_of(service, issue)).held_because == Hold.PERSON
        page(await operator.post(f"{address}/hold", data={"reason": "Again."}), 409)
        assert (await operator.post(f"{address}/resume", data={"valid_hours": "5"})).status_code == 303
        assert (await state_of(service, issue)).state is SendState.SCHEDULED
        page(await operator.post(f"{address}/end", data={"reason": "Not held."}), 409)
        await operator.post(f"{address}/hold", data={"reason": "Stop."})
        assert (await operator.post(f"{address}/end", data={"reason": "For good."})).status_code == 303
    assert (await state_of(service, issue)).state is SendState.CANCELLED
    decisions = [DecisionMade.model_validate_json(row.body) for row in await told(service.database, "decision.made.v1")]
    assert [(one.what, one.reason) for one in decisions[-4:]] == [
        ("hold", "A wrong figure."),
        ("resume", None),
        ("hold", "Stop."),
        ("end", "For good."),
    ]


async def test_issue_that_lost_its_approval_does_not_go_on(service: Newsletter) -> None:
    issue = await approved(service.database)
    await plan(service, issue)
    async with service.browser(APPROVER) as approver:
        await approver.post(f"{ISSUES}{issue}/sending/hold", data={"reason": "Wait."})
        async with service.database.transaction() as tx:
            await tx.execute(text("UPDATE approvals SET state = 'draft'"))
        page(await approver.post(f"{ISSUES}{issue}/sending/resume", data={"valid_hours": "5"}), 409)
    assert (await state_of(service, issue)).state is SendState.HELD


async def test_withdrawing_an_issue_on_its_way_holds_it(service: Newsletter) -> None:
    await subscribe(service.database, service.parts.vault, ["a@example.net"])
    issue = await approved(service.database)
    await plan(service, issue)
    async with service.database.transaction() as tx:
        await tx.execute(update(sends).values(state="sending", frozen_at=clock.now()))
    await does(service.database, issue, Action.WITHDRAW, APPROVER)
    assert (await state_of(service, issue)).held_because == Hold.APPROVAL


async def test_held_issue_asks_approvers_until_it_goes_on(service: Newsletter) -> None:
    issue = await approved(service.database)
    (job,) = [job for job in jobs_of("Europe/Zurich", PUBLIC_URL) if job.name == "held issues"]

    async def asked() -> list[tuple[str, str]]:
        for _ in range(2):  # the second finds nothing to do
            await job.run(service.database)
        async with service.database.transaction() as tx:
            open_ = await tasks.open_tasks(tx, str(issue))
            return [(task.facts["role"], task.facts["address"]) for task in open_ if task.kind == "settle-issue"]

    await plan(service, issue)
    assert await asked() == []
    async with service.browser(APPROVER) as client:
        assert (await client.post(f"{ISSUES}{issue}/sending/hold", data={"reason": "Wait."})).status_code == 303
        assert await asked() == [("approver", f"{PUBLIC_URL}/newsletter/issues/{issue}/sending")]
        assert (await client.post(f"{ISSUES}{issue}/sending/resume", data={"valid_hours": "24"})).status_code == 303
    assert await asked() == []


async def test_issue_on_its_way_that_is_approved_again_asks_for_no_hour(service: Newsletter) -> None:
    issue = await approved(service.database)
    await plan(service, issue)
    async with service.database.transaction() as tx:
        assert await sending.begin_due(tx) == [issue]
    await does(service.database, issue, Action.WITHDRAW, APPROVER)
    await does(service.database, issue, Action.SUBMIT, WRITER)
    await does(service.database, issue, Action.APPROVE, APPROVER)
    async with service.database.transaction() as tx:
        assert [task.kind for task in await tasks.open_tasks(tx, str(issue))] == []


async def test_issue_taken_out_of_the_plan_asks_for_its_hour_again(service: Newsletter) -> None:
    issue = await approved(service.database)
    async with service.browser(WRITER) as browser:
        form = {"sends_at": "2090-01-01T09:00", "zone": "UTC", "valid_hours": "24"}
        assert (await browser.post(f"{ISSUES}{issue}/schedule", data=form)).status_code == 303
        async with service.database.transaction() as tx:
            assert [task.kind for task in await tasks.open_tasks(tx, str(issue))] == []
        assert (await browser.post(f"{ISSUES}{issue}/unschedule")).status_code == 303
    async with service.database.transaction() as tx:
        assert [task.kind for task in await tasks.open_tasks(tx, str(issue))] == ["schedule-issue"]


async def test_uncertain_mails_are_listed_by_masked_address_and_settled_once(service: Newsletter) -> None:
    ids = await subscribe(service.database, service.parts.vault, ["ana@example.net", "bo@example.net"])
    issue = await approved(service.database)
    await plan(service, issue)
    async with service.database.transaction() as tx:
        await sending.begin_due(tx)
        await tx.execute(update(audience).values(state="uncertain", reason="crashed", ended_at=clock.now()))
        await sending.end_what_is_over(tx)
    address = f"{ISSUES}{issue}/sending"
    async with service.browser(OPERATOR) as operator:
        found = page(await operator.get(address))
        assert "a•••@example.net" in found.text
        assert "ana@" not in found.text
        one, other = ids.values()
        assert (await operator.post(f"{address}/settle/{one}", data={"outcome": "arrived"})).status_code == 303
        assert (await operator.post(f"{address}/settle/{other}", data={"outcome": "lost"})).status_code == 303
        page(await operator.post(f"{address}/settle/{one}", data={"outcome": "lost"}), 409)
    standing = await state_of(service, issue)
    assert (standing.accepted, standing.refused, standing.uncertain, standing.holds) == (1, 1, 0, True)
    assert mask("x@example.org") == "x•••@example.org"


async def test_message_from_kafka_approves_nothing(service: Newsletter, database_url: str) -> None:
    issue = await approved(service.database)
    await edit(service, issue)
    await does(service.database, issue, Action.SUBMIT, WRITER)
    hash_ = (await seen(service.database, issue)).whole
    desk = Database(database_url, "newsletter")
    said = DecisionMade(who=APPROVER.id, what="approve", about="issue", content_hash=hash_)
    async with desk.transaction() as tx:
        await outbox.put(tx, said, subject=str(issue), cause=Cause.start())
    consumer = Consumer("newsletter", service.database, listens(PUBLIC_URL), TOPICS_OF)
    await consumer.take(await records_of(desk))
    await desk.close()
    async with service.database.transaction() as tx:
        assert (await tx.execute(text("SELECT state FROM approvals"))).scalar_one() == "submitted"


@pytest.mark.parametrize(("sends_at", "zone"), [("9999-12-31T23:59", "America/New_York"), ("0001-01-01T00:00", "Asia/Tokyo")])
async def test_an_hour_in_no_year_that_people_live_in_is_refused(service: Newsletter, sends_at: str, zone: str) -> None:
    issue = await approved(service.database)
    async with service.browser(WRITER) as browser:
        page(await browser.post(f"{ISSUES}{issue}/schedule", data={"sends_at": sends_at, "zone": zone, "valid_hours": "24"}), 422)
