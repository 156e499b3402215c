"""One batch, one transaction: what becomes of good events, bad ones, and those that stand behind bad ones."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError

from shared import clock, parking
from shared.consumer import RUN, Consumer
from shared.db import Database, Transaction
from shared.events.intake import PracticePublished, PracticeWithdrawn
from shared.inbox import inbox
from shared.listening import Received, batch, each, listeners
from shared.parking import MAX_ATTEMPTS, ParkedState, parked
from shared.testing import trial
from shared.trace import trace_id_var


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await trial.make_schemas(database_url)
    opened = Database(database_url, trial.LISTENER)
    yield opened
    await opened.close()


@pytest.fixture
def consumer(database: Database) -> Consumer:
    return Consumer(trial.LISTENER, database, trial.LISTENS, trial.KNOWN)


async def effects_of(database: Database) -> list[tuple[str, int]]:
    async with database.transaction() as tx:
        rows = await tx.execute(select(trial.effects.c.subject, trial.effects.c.number).order_by(trial.effects.c.place))
        return [(row.subject, row.number) for row in rows]


async def parked_in(database: Database) -> list[tuple[str, int, str, bool]]:
    async with database.transaction() as tx:
        rows = await tx.execute(select(parked).order_by(parked.c.id))
        return [(row.subject, row.offset, row.state, row.behind) for row in rows]


async def make_due(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(update(parked).values(next_at=clock.now() - timedelta(seconds=1)))


async def mend(database: Database) -> None:
    """Make the stored poison harmless, as a release with a mended handler would."""
    async with database.transaction() as tx:
        await tx.execute(update(parked).values(value=trial.practice().model_dump_json().encode()))


async def test_good_events_take_effect_once_in_order(consumer: Consumer, database: Database) -> None:
    records = [trial.record("a", 1, offset=0), trial.record("b", 1, offset=1), trial.record("a", 2, offset=2)]
    outcome = await consumer.take(records)
    assert await effects_of(database) == [("a", 1), ("b", 1), ("a", 2)]
    assert outcome.taken == {(trial.TYPE, "handled"): 3}


async def test_a_batch_that_comes_again_has_no_second_effect(consumer: Consumer, database: Database) -> None:
    records = [trial.record("a", 1, offset=0), trial.record("b", 1, offset=1)]
    await consumer.take(records)
    again = await consumer.take([*records, trial.record("a", 2, offset=2)])
    assert await effects_of(database) == [("a", 1), ("b", 1), ("a", 2)]
    assert again.taken == {(trial.TYPE, "repeated"): 2, (trial.TYPE, "handled"): 1}


async def test_an_event_that_stands_twice_in_one_batch_takes_effect_once(consumer: Consumer, database: Database) -> None:
    twice = trial.record("a", 1, offset=0)
    again = trial.record("a", 1, offset=7, replace=dict(twice.headers))
    await consumer.take([twice, again])
    assert await effects_of(database) == [("a", 1)]


async def test_a_failing_event_is_parked_with_the_later_ones_of_its_key_and_no_others(consumer: Consumer, database: Database) -> None:
    records = [trial.record(f"s{number}", 1, offset=number) for number in range(200)]
    records[70] = trial.record("bad", 1, offset=70, poison=True)
    records[71] = trial.record("bad", 2, offset=71)
    records[190] = trial.record("bad", 3, offset=190)
    outcome = await consumer.take(records)
    assert outcome.taken == {(trial.TYPE, "handled"): 197, (trial.TYPE, "parked"): 3}
    assert len(await effects_of(database)) == 197
    assert await parked_in(database) == [("bad", 70, "waiting", False), ("bad", 71, "waiting", True), ("bad", 190, "waiting", True)]


async def test_what_goes_well_beside_failing_events_is_handled_twice_at_most_each_under_its_own_trace(database: Database) -> None:
    tried: dict[str, int] = {}
    traces: set[tuple[str, str]] = set()

    async def note(tx: Transaction, event: Received[PracticePublished]) -> None:
        tried[event.subject] = tried.get(event.subject, 0) + 1
        traces.add((event.trace_id, trace_id_var.get()))
        await trial.take_one(tx, event)

    records = [trial.record(f"s{number}", 1, offset=number, poison=number in {10, 11, 40}) for number in range(RUN)]
    await Consumer(trial.LISTENER, database, listeners(each(PracticePublished, note)), trial.KNOWN).take(records)
    assert [row[1] for row in await parked_in(database)] == [10, 11, 40]
    assert len(await effects_of(database)) == RUN - 3
    assert max(tried.values()) == 2
    assert [tried[f"s{number}"] for number in (10, 11, 40)] == [1, 1, 1]
    assert len(traces) == RUN
    assert all(own == logged for own, logged in traces)


async def test_an_event_that_fails_only_where_it_goes_again_is_parked_and_holds_its_key_back(database: Database) -> None:
    tried: list[tuple[str, int]] = []

    async def fickle(tx: Transaction, event: Received[PracticePublished]) -> None:
        tried.append((event.subject, event.revision))
        if tried.count(("a", 1)) == 2 and event.subject == "a":
            raise trial.PoisonError
        await trial.take_one(tx, event)

    records = [trial.record("b", 1, offset=0), trial.record("a", 1, offset=1), trial.record("a", 2, offset=2, poison=True)]
    await Consumer(trial.LISTENER, database, listeners(each(PracticePublished, fickle)), trial.KNOWN).take(records)
    assert await effects_of(database) == [("b", 1)]
    assert await parked_in(database) == [("a", 1, "waiting", False), ("a", 2, "waiting", True)]


async def test_events_of_a_parked_key_in_later_batches_wait_behind_it(consumer: Consumer, database: Database) -> None:
    await consumer.take([trial.record("bad", 1, offset=0, poison=True)])
    await consumer.take([trial.record("bad", 2, offset=1), trial.record("good", 1, offset=2)])
    assert await effects_of(database) == [("good", 1)]
    assert [row[1] for row in await parked_in(database)] == [0, 1]


async def test_parked_events_are_retried_oldest_first_and_keep_their_order(consumer: Consumer, database: Database) -> None:
    await consumer.take([trial.record("bad", 1, offset=0, poison=True), *(trial.record("bad", n, offset=n) for n in (2, 3))])
    await mend(database)
    await make_due(database)
    while await consumer.retry():
        pass
    assert await effects_of(database) == [("bad", 1), ("bad", 2), ("bad", 3)]
    assert await parked_in(database) == []
    async with database.transaction() as tx:
        outcomes = (await tx.execute(select(inbox.c.outcome, inbox.c.attempts).order_by(inbox.c.offset))).all()
    assert [tuple(row) for row in outcomes] == [("handled", 2), ("handled", 1), ("handled", 1)]


async def test_an_event_that_keeps_failing_ends_as_dead_and_holds_its_key_back(consumer: Consumer, database: Database) -> None:
    await consumer.take([trial.record("bad", 1, offset=0, poison=True), trial.record("bad", 2, offset=1)])
    for _ in range(MAX_ATTEMPTS + 2):
        await make_due(database)
        await consumer.retry()
    assert await parked_in(database) == [("bad", 0, "dead", False), ("bad", 1, "waiting", True)]
    assert await effects_of(database) == []


async def test_a_dead_event_that_is_redriven_after_mending_takes_effect_and_so_do_those_behind(
    consumer: Consumer, database: Database
) -> None:
    await consumer.take([trial.record("bad", 1, offset=0, poison=True), trial.record("bad", 2, offset=1)])
    async with database.transaction() as tx:
        await tx.execute(update(parked).where(parked.c.offset == 0).values(state=ParkedState.DEAD.value))
    await mend(database)
    async with database.transaction() as tx:
        assert await parking.redrive(tx, by="a test") == 1
    while await consumer.retry():
        pass
    assert await effects_of(database) == [("bad", 1), ("bad", 2)]


async def test_a_discarded_event_lets_the_later_ones_of_its_key_go_on(consumer: Consumer, database: Database) -> None:
    await consumer.take([trial.record("bad", 1, offset=0, poison=True), trial.record("bad", 2, offset=1)])
    async with database.transaction() as tx:
        event_id = (await tx.execute(select(parked.c.event_id).where(parked.c.offset == 0))).scalar_one()
        assert await parking.discard(tx, event_id, by="a test", reason="sent by mistake")
    while await consumer.retry():
        pass
    assert await effects_of(database) == [("bad", 2)]
    async with database.transaction() as tx:
        kept = (await tx.execute(select(parked.c.state, parked.c.reason))).all()
        assert [tuple(row) for row in kept] == [("discarded", "sent by mistake")]
        assert (await tx.execute(select(inbox.c.outcome).where(inbox.c.event_id == event_id))).scalar_one() == "discarded"


ODD: Sequence[tuple[str, dict[str, bytes | None], bytes | None]] = [
    ("a body that is no JSON", {}, b"\xff\xfenot json"),
    ("no body", {}, None),
    ("a body of another shape", {}, b'{"title": 7}'),
    ("an id that is none", {"ce_id": b"seven"}, b""),
    ("an id that is not UTF-8", {"ce_id": b"\xff\xff"}, b""),
    ("a type that is null", {"ce_type": None}, b""),
    ("a type that is not UTF-8", {"ce_type": b"\xff"}, b""),
    ("no time", {"ce_time": None}, b""),
    ("a time without a zone", {"ce_time": b"2026-01-01T00:00:00"}, b""),
    ("a subject with a NUL", {"ce_subject": b"a\x00b"}, b""),
    ("a revision beyond any", {"ce_revision": b"99999999999"}, b""),
    ("another version of CloudEvents", {"ce_specversion": b"0.3"}, b""),
]


@pytest.mark.parametrize(("headers", "value"), [case[1:] for case in ODD], ids=[case[0] for case in ODD])
async def test_what_cannot_be_read_is_set_aside_dead_whole_and_alone(
    consumer: Consumer, database: Database, headers: dict[str, bytes | None], value: bytes | None
) -> None:
    odd = trial.record("odd", 1, offset=5, value=value, replace=headers)
    await consumer.take([trial.record("a", 1, offset=4), odd, trial.record("b", 1, offset=6)])
    await consumer.take([odd])  # again, as after a crash before the acknowledgement
    assert await effects_of(database) == [("a", 1), ("b", 1)]
    async with database.transaction() as tx:
        (row,) = (await tx.execute(select(parked))).all()
    assert row.state == "dead"
    assert row.value == odd.value
    assert parking.stored_record(row).headers == odd.headers
    assert all(name in row.error for name in headers)  # a person must see which header it is


async def test_odd_headers_that_are_not_ours_do_no_harm(consumer: Consumer, database: Database) -> None:
    await consumer.take([trial.record("a", 1, offset=0, replace={"x-odd": b"\xff\xfe", "x-null": None})])
    assert await effects_of(database) == [("a", 1)]


async def test_an_unknown_type_is_counted_and_passed_by(consumer: Consumer, database: Database) -> None:
    outcome = await consumer.take([trial.record("a", 1, offset=0, replace={"ce_type": b"comet.seen.v9"}), trial.record("b", 1, offset=1)])
    assert outcome.taken == {("unknown", "unknown"): 1, (trial.TYPE, "handled"): 1}
    assert await parked_in(database) == []


async def test_a_type_counts_only_on_the_topic_of_its_teller(database: Database) -> None:
    elsewhere = Consumer(trial.LISTENER, database, trial.LISTENS, {trial.TYPE: frozenset({"intake.v1"})})
    await elsewhere.take([trial.record("a", 1, offset=0)])
    assert await effects_of(database) == []
    assert [row[2] for row in await parked_in(database)] == ["dead"]


async def test_a_failing_event_among_a_list_is_found_and_parked_alone(database: Database) -> None:
    consumer = Consumer(trial.LISTENER, database, trial.LISTENS_TO_LISTS, trial.KNOWN)
    records = [trial.record(f"s{number}", 1, offset=number, poison=number == 123) for number in range(300)]
    outcome = await consumer.take(records)
    assert outcome.taken == {(trial.TYPE, "handled"): 299, (trial.TYPE, "parked"): 1}
    assert [row[1] for row in await parked_in(database)] == [123]
    assert len(await effects_of(database)) == 299


async def test_events_of_two_types_keep_the_order_of_their_key_though_lists_join_them(database: Database) -> None:
    seen: list[tuple[str, list[str]]] = []

    async def published(tx: Transaction, events: Sequence[Received[PracticePublished]]) -> None:
        seen.append(("published", [event.subject for event in events]))

    async def withdrawn(tx: Transaction, events: Sequence[Received[PracticeWithdrawn]]) -> None:
        seen.append(("withdrawn", [event.subject for event in events]))

    known = {trial.TYPE: frozenset({trial.TOPIC}), PracticeWithdrawn.type: frozenset({trial.TOPIC})}
    consumer = Consumer(
        trial.LISTENER, database, listeners(batch(PracticePublished, published), batch(PracticeWithdrawn, withdrawn)), known
    )

    def gone(subject: str, offset: int) -> parking.StoredRecord:
        return trial.record(
            subject, 2, offset=offset, value=b'{"reason": "a mistake"}', replace={"ce_type": PracticeWithdrawn.type.encode()}
        )

    await consumer.take(
        [trial.record("a", 1, offset=0), gone("a", 1), trial.record("b", 1, offset=2), gone("b", 3), trial.record("a", 3, offset=4)]
    )
    assert seen == [("published", ["a", "b"]), ("withdrawn", ["a", "b"]), ("published", ["a"])]


async def test_the_database_going_away_parks_nothing_and_changes_nothing(database: Database) -> None:
    fell = False

    async def falls_once(tx: Transaction, event: Received[PracticePublished]) -> None:
        nonlocal fell
        await trial.take_one(tx, event)
        if event.subject == "s7" and not fell:
            fell = True
            async with database.engine.connect() as other:
                pid = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            await tx.execute(text("SELECT 1"))

    consumer = Consumer(trial.LISTENER, database, listeners(each(PracticePublished, falls_once)), trial.KNOWN)
    records = [trial.record(f"s{number}", 1, offset=number) for number in range(20)]
    with pytest.raises(DBAPIError):
        await consumer.take(records)
    assert await effects_of(database) == []
    assert await parked_in(database) == []
    await consumer.take(records)
    assert len(await effects_of(database)) == 20


async def test_a_value_that_the_database_refuses_parks_its_event_and_not_the_batch(database: Database) -> None:
    async def writes_nul(tx: Transaction, event: Received[PracticePublished]) -> None:
        if event.subject == "bad":
            await tx.execute(insert(trial.effects).values(event_id=event.id, subject="\x00", number=1, told_at=event.time))
        elif event.subject == "wide":
            await tx.execute(insert(trial.effects).values(event_id=event.id, subject="w", number=2**40, told_at=event.time))
        else:
            await trial.take_one(tx, event)

    consumer = Consumer(trial.LISTENER, database, listeners(each(PracticePublished, writes_nul)), trial.KNOWN)
    await consumer.take([trial.record("a", 1, offset=0), trial.record("bad", 1, offset=1), trial.record("wide", 1, offset=2)])
    assert await effects_of(database) == [("a", 1)]
    assert [row[0] for row in await parked_in(database)] == ["bad", "wide"]
