"""The kill switch in a sender: what is paused is not claimed, what is said back is true, and what waited is listed."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from services.newsletter.handlers import LISTENS as NEWSLETTER
from services.newsletter.jobs import JOBS as NEWSLETTER_JOBS
from services.social.handlers import listens_at
from services.social.jobs import JOBS as SOCIAL_JOBS
from shared import clock
from shared.consumer import Consumer
from shared.db import Database, Transaction
from shared.events.codes import Role, Service
from shared.events.desk import SendingPaused, SendingResumed
from shared.events.registry import TOPICS_OF
from shared.listening import Listeners, listeners
from shared.migrations import migrate
from shared.pauses import by_hand, ending, saying, store
from shared.pauses.listening import listeners_of
from shared.pauses.scopes import concerns, covering
from shared.pauses.sender import Sender
from shared.pauses.store import GRACE_SECONDS, Origin, Pause, Waiting, WaitingItem
from shared.trace import Cause
from tests.desk.wire import make_schema, records_of, tell
from tests.shared.actors import Actor
from tests.shared.approval_items import told, waits_for_lock

SOCIAL = listens_at("http://127.0.0.1:8000")

OPERATOR = Actor(id="olu", roles=frozenset({Role.OPERATOR}))
CAUSE = Cause.start()
REASON = "A day of mourning."
SCOPES = ("all", "newsletter", "social", "social/x", "social/linkedin")
ITEM = WaitingItem(id="post-1", title="A post", address="/social/posts/1", due=datetime(2026, 6, 16, 9, tzinfo=UTC))


async def three_wait(tx: Transaction, scope: str) -> Waiting:
    return Waiting(count=3, items=(ITEM,))


SENDER = Sender(service=Service.SOCIAL, waiting=three_wait)


@pytest.fixture
async def social(database_url: str) -> AsyncIterator[Database]:
    async for database in _migrated(database_url, "social"):
        yield database


@pytest.fixture
async def newsletter(database_url: str) -> AsyncIterator[Database]:
    async for database in _migrated(database_url, "newsletter"):
        yield database


async def _migrated(url: str, service: str) -> AsyncIterator[Database]:
    await migrate(url, [service])
    database = Database(url, service)
    yield database
    await database.close()


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, "desk")
    await make_schema(database)
    yield database
    await database.close()


async def carry(desk: Database, sender: Database, listens: Listeners) -> Mapping[Any, int]:
    """Hand over all that desk has told, and return what became of it."""
    outcome = await Consumer(sender.service, sender, listens, TOPICS_OF).take(await records_of(desk))
    assert not any(became == "parked" for _, became in outcome.taken), outcome.taken
    return outcome.taken


def paused_event(scope: str = "social", *, until: datetime | None = None) -> SendingPaused:
    return SendingPaused(scope=scope, reason=REASON, until=until, by="olu")


def resumed_event(scope: str = "social") -> SendingResumed:
    return SendingResumed(scope=scope, reason="It is over.", by="olu")


async def find(database: Database, scope: str) -> Pause | None:
    async with database.transaction() as tx:
        return await store.paused(tx, scope)


async def stops(database: Database) -> list[str]:
    return [scope for scope in SCOPES if await find(database, scope)]


async def confirmed(database: Database) -> list[tuple[str, str, int]]:
    """Return what was told back: scope, state, how many wait."""
    found: list[tuple[str, str, int]] = []
    for row in await told(database, "sending.confirmed.v1"):
        event = json.loads(row.body)
        assert (row.subject, event["sender"]) == (event["scope"], database.service)
        found.append((event["scope"], event["state"], event["waiting"]))
    return found


@pytest.mark.parametrize(
    ("scope", "stopped"),
    [
        pytest.param("all", {"all", "newsletter", "social", "social/x", "social/linkedin"}, id="everything"),
        pytest.param("social", {"social", "social/x", "social/linkedin"}, id="a sender with its networks"),
        pytest.param("social/x", {"social/x"}, id="one network"),
    ],
)
async def test_pause_covers_its_scope_and_those_within(social: Database, desk: Database, scope: str, stopped: set[str]) -> None:
    await tell(desk, paused_event(scope), subject=scope)
    await carry(desk, social, SOCIAL)
    assert {found for found in SCOPES if scope in covering(found)} == stopped
    assert set(await stops(social)) == stopped
    pause = await find(social, "social/x")
    assert pause is not None
    assert (pause.scope, pause.origin, pause.reason, pause.by, pause.until) == (scope, Origin.DESK, REASON, "olu", None)


@pytest.mark.parametrize(
    ("scope", "senders"),
    [("all", {"newsletter", "social"}), ("newsletter", {"newsletter"}), ("social", {"social"}), ("social/x", {"social"})],
)
def test_each_scope_is_the_business_of_its_senders(scope: str, senders: set[str]) -> None:
    assert {service.value for service in (Service.NEWSLETTER, Service.SOCIAL) if concerns(service, scope)} == senders


@pytest.mark.parametrize("service", ["newsletter", "social"])
async def test_both_senders_obey_and_answer(database_url: str, desk: Database, service: str) -> None:
    listens, jobs = (NEWSLETTER, NEWSLETTER_JOBS) if service == "newsletter" else (SOCIAL, SOCIAL_JOBS)
    other = "social" if service == "newsletter" else "newsletter"
    async for database in _migrated(database_url, service):
        for scope in ("all", service, other):
            await tell(desk, paused_event(scope), subject=scope)
        await carry(desk, database, listens)
        assert await confirmed(database) == [("all", "paused", 0), (service, "paused", 0)]
        await tell(desk, resumed_event("all"), subject="all")
        await carry(desk, database, listens)
        # What lies within is answered for as well: it may have been stopped by the wider pause alone.
        answers = [("all", "paused", 0), (service, "paused", 0), ("all", "running", 0), (service, "paused", 0)]
        assert await confirmed(database) == answers
        assert await stops(database) == [scope for scope in SCOPES if service in covering(scope)]
        # The end of a pause comes by the job that the service has.
        async with database.transaction() as tx:
            await tx.execute(update(store.pauses).values(until=clock.now()))
        (ends,) = (job for job in jobs if job.name == "pauses")
        await ends.run(database)
        assert await stops(database) == []


async def test_answer_names_its_cause_and_comes_with_the_obedience(social: Database, desk: Database) -> None:
    door = Cause.start()
    event_id = await tell(desk, paused_event(), subject="social", cause=door)
    await carry(desk, social, listeners(*listeners_of(SENDER)))
    (row,) = await told(social)
    assert (row.cause, row.trace_id) == (str(event_id), door.trace_id)
    assert await confirmed(social) == [("social", "paused", 3)]


async def test_resuming_lists_what_waited(social: Database, desk: Database) -> None:
    await tell(desk, paused_event(), subject="social")
    await tell(desk, resumed_event(), subject="social")
    await carry(desk, social, listeners(*listeners_of(SENDER)))
    assert await stops(social) == []
    assert await confirmed(social) == [("social", "paused", 3), ("social", "running", 3)]
    async with social.transaction() as tx:
        (over,) = await store.listing(tx)
    assert (over.paused, over.reason, over.waited) == (False, "It is over.", Waiting(count=3, items=(ITEM,)))


async def test_pause_of_another_scope_stays_when_one_is_resumed(social: Database, desk: Database) -> None:
    for scope in ("all", "social/x"):
        await tell(desk, paused_event(scope), subject=scope)
    await tell(desk, resumed_event("all"), subject="all")
    await tell(desk, resumed_event("social"), subject="social")
    await carry(desk, social, SOCIAL)
    assert await stops(social) == ["social/x"]


async def test_older_word_that_comes_late_changes_nothing(social: Database, desk: Database) -> None:
    await tell(desk, paused_event(), subject="social")
    await tell(desk, resumed_event(), subject="social")
    first, second = await records_of(desk)
    consumer = Consumer("social", social, SOCIAL, TOPICS_OF)
    for record in (second, first):
        await consumer.take([record])
    assert await stops(social) == []
    assert await confirmed(social) == [("social", "running", 0)]


async def test_same_word_twice_is_answered_once(social: Database, desk: Database) -> None:
    await tell(desk, paused_event(), subject="social")
    await carry(desk, social, SOCIAL)
    await carry(desk, social, SOCIAL)
    assert await confirmed(social) == [("social", "paused", 0)]


async def test_pause_ends_by_itself_and_lists_what_waited(social: Database, desk: Database) -> None:
    until = clock.now() + timedelta(hours=1)
    await tell(desk, paused_event(until=until), subject="social")
    await carry(desk, social, SOCIAL)
    assert await ending.end_due(social, SENDER) == 0
    assert await stops(social) == ["social", "social/x", "social/linkedin"]
    await _over_since(social, timedelta(seconds=1))
    # Over, and not a mail leaves before what waited is listed.
    assert await stops(social) == ["social", "social/x", "social/linkedin"]
    ended = await asyncio.gather(*(ending.end_due(social, SENDER) for _ in range(5)))
    assert sorted(ended) == [0, 0, 0, 0, 1]
    assert await stops(social) == []
    assert await confirmed(social) == [("social", "paused", 0), ("social", "running", 3)]
    async with social.transaction() as tx:
        (over,) = await store.listing(tx)
    assert over.waited == Waiting(count=3, items=(ITEM,))


async def test_pause_is_over_soon_after_its_end_even_without_the_job(social: Database, desk: Database) -> None:
    await tell(desk, paused_event(until=clock.now() + timedelta(hours=1)), subject="social")
    await carry(desk, social, SOCIAL)
    await _over_since(social, timedelta(seconds=GRACE_SECONDS))
    assert await stops(social) == []


async def _over_since(database: Database, past: timedelta) -> None:
    async with database.transaction() as tx:
        await tx.execute(update(store.pauses).values(until=clock.now() - past))


async def test_pause_that_arrives_after_its_end_is_answered_as_running(social: Database, desk: Database) -> None:
    await tell(desk, paused_event(until=clock.now() - timedelta(days=1)), subject="social")
    await carry(desk, social, SOCIAL)
    assert await confirmed(social) == [("social", "running", 0)]


async def test_confirmed_pause_means_that_nobody_claims_any_more(social: Database, desk: Database) -> None:
    """A sender in mid claim makes the pause wait; who claims later sees it."""
    await tell(desk, paused_event(), subject="social")
    async with social.transaction() as claiming:
        assert await store.paused(claiming, "social/x") is None
        async with social.transaction() as beside:
            assert await store.paused(beside, "social/x") is None  # senders do not wait for each other
        carried = asyncio.create_task(carry(desk, social, SOCIAL))
        await waits_for_lock(social)
        assert await confirmed(social) == []
    await carried
    assert await confirmed(social) == [("social", "paused", 0)]
    assert await find(social, "social/x") is not None


async def test_pause_of_one_service_holds_up_no_other(database_url: str, social: Database, newsletter: Database) -> None:
    async with social.transaction() as holder:
        await store.hold(holder)
        async with newsletter.transaction() as tx:
            await tx.execute(text("SET LOCAL lock_timeout = '10s'"))
            assert await store.paused(tx, "newsletter") is None


async def by_hand_pause(
    database: Database, scope: str = "social", *, by: Actor = OPERATOR, reason: str = REASON, until: datetime | None = None
) -> Pause:
    async with database.transaction() as tx:
        return await by_hand.pause_here(tx, SENDER, scope, by=by, reason=reason, until=until, cause=CAUSE)


async def by_hand_resume(database: Database, scope: str = "social", *, by: Actor = OPERATOR, reason: str = "Over.") -> Waiting:
    async with database.transaction() as tx:
        return await by_hand.resume_here(tx, SENDER, scope, by=by, reason=reason, cause=CAUSE)


async def test_pause_by_hand_works_without_desk_and_is_told(social: Database) -> None:
    pause = await by_hand_pause(social)
    assert (pause.origin, pause.reason, pause.by, pause.paused) == (Origin.HERE, REASON, "olu", True)
    assert await stops(social) == ["social", "social/x", "social/linkedin"]
    assert await by_hand_resume(social) == Waiting(count=3, items=(ITEM,))
    assert await stops(social) == []
    assert await confirmed(social) == [("social", "paused", 3), ("social", "running", 3)]
    decisions = [json.loads(row.body) for row in await told(social, "decision.made.v1")]
    assert [(fact["who"], fact["what"], fact["about"], fact["reason"]) for fact in decisions] == [
        ("olu", "pause", "sending", REASON),
        ("olu", "resume", "sending", "Over."),
    ]


async def test_each_pause_ends_where_it_was_set(social: Database, desk: Database) -> None:
    await by_hand_pause(social)
    await tell(desk, paused_event(), subject="social")
    await tell(desk, resumed_event(), subject="social")
    await carry(desk, social, SOCIAL)
    assert await stops(social) == ["social", "social/x", "social/linkedin"]
    assert (await confirmed(social))[-1] == ("social", "paused", 0)
    await by_hand_resume(social)
    await tell(desk, paused_event(), subject="social")
    await carry(desk, social, SOCIAL)
    with pytest.raises(by_hand.NotPausedHereError):
        await by_hand_resume(social)
    assert await stops(social) == ["social", "social/x", "social/linkedin"]


NOT_OPERATOR = Actor(id="ana", roles=frozenset(Role) - {Role.OPERATOR})
REFUSALS: Sequence[Any] = [
    pytest.param({"by": NOT_OPERATOR}, saying.MayNotPauseError, id="every other role"),
    pytest.param({"scope": "newsletter"}, saying.OtherSenderError, id="another sender's scope"),
    pytest.param({"reason": " "}, saying.ReasonNeededError, id="no reason"),
    pytest.param({"reason": "a\nb"}, saying.ReasonNeededError, id="reason of two lines"),
]


@pytest.mark.parametrize(("given", "error"), [*REFUSALS, pytest.param({"until": clock.now()}, saying.EndInThePastError, id="over already")])
async def test_pause_by_hand_that_cannot_be_is_refused(social: Database, given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        await by_hand_pause(social, **given)
    assert (await stops(social), await told(social)) == ([], [])


@pytest.mark.parametrize(("given", "error"), REFUSALS)
async def test_end_by_hand_that_cannot_be_is_refused(social: Database, given: dict[str, Any], error: type[Exception]) -> None:
    await by_hand_pause(social)
    with pytest.raises(error):
        await by_hand_resume(social, **given)
    assert await stops(social) == ["social", "social/x", "social/linkedin"]
