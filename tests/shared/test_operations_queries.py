"""What went by, what is set aside, what is offered again, and what one service knows of one thing: straight from the tables."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from shared import clock, locks, outbox, parking
from shared.consumer import Consumer
from shared.db import Database, Transaction
from shared.ids import new_id
from shared.operations import deliveries
from shared.operations.steps import steps_of
from shared.operations.story import Fact, story_of
from shared.parking import StoredRecord, parked
from shared.testing import trial
from shared.trace import Cause


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await trial.make_schemas(database_url)
    opened = Database(database_url, trial.LISTENER)
    yield opened
    await opened.close()


@pytest.fixture
async def consumer(database: Database) -> Consumer:
    return Consumer(trial.LISTENER, database, trial.LISTENS, trial.KNOWN)


async def tell(database: Database, subject: str, cause: Cause | None = None) -> UUID:
    async with database.transaction() as tx:
        return await outbox.put(tx, trial.practice(), subject=subject, cause=cause or Cause.start())


async def send_all(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(update(outbox.outbox).values(sent_at=clock.now()))


async def unsent(database: Database) -> set[UUID]:
    async with database.transaction() as tx:
        return {row.id for row in await tx.execute(select(outbox.outbox.c.id).where(outbox.outbox.c.sent_at.is_(None)))}


def broken(subject: str, offset: int) -> StoredRecord:
    return trial.record(subject, 1, offset=offset, replace={"ce_id": b"\xff"})


async def test_recent_shows_both_ways_newest_first(consumer: Consumer, database: Database) -> None:
    told = await tell(database, "a")
    await consumer.take([trial.record("b", 1, offset=0), trial.record("c", 1, offset=1, poison=True)])
    await send_all(database)
    later = await tell(database, "d")
    async with database.transaction() as tx:
        found = await deliveries.recent(tx)
        assert [(d.told, d.subject, d.state) for d in found] == [
            (True, "d", "unsent"),
            (False, "c", "parked"),
            (False, "b", "handled"),
            (True, "a", "sent"),
        ]
        assert [d.event_id for d in found if d.told] == [later, told]
        assert len(await deliveries.recent(tx, 2)) == 2


async def test_those_that_were_told_are_known_among_others(database: Database) -> None:
    told, other = await tell(database, "a"), new_id()
    async with database.transaction() as tx:
        assert await deliveries.told_among(tx, {told, other}) == {told}


async def test_parked_events_are_counted_once_and_listed_dead_first(consumer: Consumer, database: Database) -> None:
    await consumer.take([trial.record("a", 1, offset=0, poison=True), trial.record("a", 2, offset=1), broken("b", 2)])
    async with database.transaction() as tx:
        assert await deliveries.count_parked(tx) == deliveries.ParkedCounts(waiting=1, behind=1, dead=1)
        rows = await deliveries.open_parked(tx)
        assert [(row.subject, row.offset) for row in rows] == [("b", 2), ("a", 0), ("a", 1)]
        assert [await deliveries.count_behind(tx, row) for row in rows] == [0, 1, 0]
        await deliveries.discard(tx, rows[0].event_id, by="me", reason=" not needed ")
        assert await deliveries.count_parked(tx) == deliveries.ParkedCounts(waiting=1, behind=1, dead=0)
        assert [(row.subject, row.decided_by, row.reason) for row in await deliveries.discarded(tx)] == [("b", "me", "not needed")]


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
async def test_nothing_is_given_up_without_a_reason(consumer: Consumer, database: Database, reason: str) -> None:
    await consumer.take([broken("a", 0)])
    async with database.transaction() as tx:
        (row,) = await deliveries.open_parked(tx)
        with pytest.raises(deliveries.ReasonMissingError):
            await deliveries.discard(tx, row.event_id, by="me", reason=reason)
        assert len(await deliveries.open_parked(tx)) == 1


async def test_named_events_are_offered_again(database: Database) -> None:
    first, _, third = [await tell(database, subject) for subject in ("a", "b", "c")]
    await send_all(database)
    async with database.transaction() as tx:
        assert await deliveries.replay(tx, event_ids=[first, third, new_id()]) == 2
    assert await unsent(database) == {first, third}


async def test_events_of_a_span_of_time_are_offered_again(database: Database) -> None:
    ids = [await tell(database, subject) for subject in ("a", "b", "c", "d")]
    noon = datetime(2026, 6, 16, 12, tzinfo=UTC)
    async with database.transaction() as tx:
        for hours, event_id in enumerate(ids):
            await tx.execute(update(outbox.outbox).where(outbox.outbox.c.id == event_id).values(time=noon + timedelta(hours=hours)))
    await send_all(database)
    async with database.transaction() as tx:
        assert await deliveries.replay(tx, since=noon + timedelta(hours=1), until=noon + timedelta(hours=3)) == 2
        assert await deliveries.replay(tx, since=noon + timedelta(hours=3)) == 1
    assert await unsent(database) == set(ids[1:])


async def test_replay_must_be_told_what(database: Database) -> None:
    await tell(database, "a")
    await send_all(database)
    now = clock.now()
    async with database.transaction() as tx:
        with pytest.raises(deliveries.ReplayTooWideError):
            await deliveries.replay(tx)
        with pytest.raises(deliveries.ReplayTooWideError):
            await deliveries.replay(tx, until=now)
        with pytest.raises(deliveries.ReplayTooWideError):
            await deliveries.replay(tx, event_ids=[new_id()], since=now)
        with pytest.raises(ValueError, match="time zone"):
            await deliveries.replay(tx, since=datetime(2026, 6, 16))  # noqa: DTZ001  # the point of it
    assert await unsent(database) == set()


async def test_replay_wakes_the_relay(database: Database) -> None:
    event_id = await tell(database, "a")
    await send_all(database)
    woken = asyncio.Event()
    async with locks.session(database) as hearing:
        await locks.hear(hearing, f"outbox_{database.service}", woken.set)
        async with database.transaction() as tx:
            await deliveries.replay(tx, event_ids=[event_id])
        async with asyncio.timeout(5):
            await woken.wait()


async def told_facts(tx: Transaction, trace_id: str) -> Sequence[Fact]:
    del tx
    return [Fact(time=datetime(2026, 1, 1, tzinfo=UTC), title_key="staff.pool.made", params={"about": trace_id})]


async def test_a_story_is_found_by_event_by_cause_and_by_trace(consumer: Consumer, database: Database) -> None:
    door = Cause.start()
    taken = new_id()
    await consumer.take(
        [trial.record("a", 1, offset=0, event_id=taken, replace={"traceparent": door.traceparent.encode(), "ce_cause": door.id.encode()})]
    )
    told = await tell(database, "x", Cause(id=str(taken), trace_id=door.trace_id))
    await tell(database, "foreign")
    for asked in (taken, told, UUID(door.id), UUID(hex=door.trace_id)):
        async with database.transaction() as tx:
            story = await story_of(tx, asked)
        assert [row.event_id for row in story.taken] == [taken]
        assert [row.id for row in story.told] == [told]
        assert story.traces == (door.trace_id,)
        assert story.caused == ((told,) if asked == taken else ())
    assert [step.what for step in steps_of(trial.LISTENER, story)] == ["taken", "told"]


async def test_a_service_adds_its_own_facts_of_the_trace(consumer: Consumer, database: Database) -> None:
    door = Cause.start()
    taken = new_id()
    await consumer.take([trial.record("a", 1, offset=0, event_id=taken, replace={"traceparent": door.traceparent.encode()})])

    async def only_of_this_trace(tx: Transaction, trace_id: str) -> Sequence[Fact]:
        return await told_facts(tx, trace_id) if trace_id == door.trace_id else ()

    async with database.transaction() as tx:
        story = await story_of(tx, taken, only_of_this_trace)
        by_fact_alone = await story_of(tx, new_id(), told_facts)
    assert [fact.params["about"] for fact in story.facts] == [door.trace_id]
    assert [step.what for step in steps_of(trial.LISTENER, story)] == ["fact", "taken"]
    assert by_fact_alone.known
    assert by_fact_alone.traces == (by_fact_alone.asked.hex,)


async def test_what_could_not_be_read_is_no_common_story(consumer: Consumer, database: Database) -> None:
    await consumer.take([broken("a", 0), broken("b", 1)])
    async with database.transaction() as tx:
        first, _ = await deliveries.open_parked(tx)
        story = await story_of(tx, first.event_id)
    assert [row.event_id for row in story.taken] == [first.event_id]
    assert [row.event_id for row in story.parked] == [first.event_id]
    assert story.traces == ()


async def test_a_story_tells_what_became_of_a_failing_event(consumer: Consumer, database: Database) -> None:
    bad, later = new_id(), new_id()
    await consumer.take([trial.record("a", 1, offset=0, event_id=bad, poison=True), trial.record("a", 2, offset=1, event_id=later)])
    titles = {}
    for asked in (bad, later):
        async with database.transaction() as tx:
            titles[asked] = [step.title_key for step in steps_of("x", await story_of(tx, asked))]
    assert titles[bad] == ["staff.step.taken", "staff.step.parked.waiting"]
    assert titles[later] == ["staff.step.taken", "staff.step.parked.behind"]
    async with database.transaction() as tx:
        await tx.execute(update(parked).where(parked.c.event_id == bad).values(state=parking.ParkedState.DEAD))
        assert steps_of("x", await story_of(tx, bad))[-1].title_key == "staff.step.parked.dead"
        await deliveries.discard(tx, bad, by="me", reason="because")
        last = steps_of("x", await story_of(tx, bad))[-1]
    assert last.title_key == "staff.step.parked.discarded"
    assert [note.text for note in last.notes if note.text in {"because", "me"}] == ["because", "me"]


async def test_nothing_known_is_said_as_nothing(database: Database) -> None:
    async with database.transaction() as tx:
        story = await story_of(tx, new_id())
    assert not story.known
    assert story.traces == ()
