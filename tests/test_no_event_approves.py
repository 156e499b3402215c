"""No message approves anything: whatever comes over Kafka, what waits for a person's approval still waits for it afterwards."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from services.owners import OWNERS
from services.social.domain.content import Content
from shared.approval import store
from shared.approval.content import fingerprint
from shared.approval.rules import Standing, State
from shared.consumer import Consumer
from shared.db import Database
from shared.events.codes import Network, Service
from shared.events.registry import EVENT_TYPES, TOPICS, TOPICS_OF
from shared.ids import new_id
from shared.migrations import approval, migrate
from shared.parking import StoredRecord
from tests.sample_events import every_sample, record, sample_of
from tests.shared.approval_items import _in_operations
from tests.social.ledger import put
from tests.test_roles import application_on

SENDERS = {"newsletter": "issue", "social": "post"}
"""Who sends in the Network's name, and what is approved there."""
CONTENT = {"x/en": {"text": "Words that nobody has approved"}}
WRITER = "0197a000-0000-7000-8000-00000000a11e"


class Waiting:
    """Every service with its consumer, and in each sender an item that was submitted and waits for another person."""

    def __init__(self, consumers: Mapping[str, Consumer]) -> None:
        self.consumers = consumers
        self.item = new_id()
        self.hash = fingerprint(CONTENT).whole

    async def submit(self) -> None:
        """Put the items there."""
        for service, about in SENDERS.items():
            database = self.consumers[service].database
            try:
                async with database.transaction() as tx:
                    await store.find(tx, about, self.item)
            except ProgrammingError:  # this service has nothing yet that people approve
                async with database.transaction() as tx:
                    await tx.run_sync(_make_approvals)
            async with database.transaction() as tx:
                held = await store.hold(tx, about, self.item)
                submitted = Standing(state=State.SUBMITTED, fingerprint=fingerprint(CONTENT), hands=frozenset({WRITER}), steps=1)
                await store.keep_contents(tx, CONTENT)
                await store.take(tx, held, submitted, what="submit", who=WRITER)
        await put(self.consumers["social"].database, Content(network=Network.X, language="en", text="Words", pictures=()), approved=False)

    async def take(self, records: Sequence[StoredRecord]) -> Mapping[str, int]:
        """Have every service take these, and return how many each has handled."""
        handled = {}
        for service, consumer in self.consumers.items():
            # Those of one subject one by one: an event that is set aside must not hide those behind it.
            alone = [[one] for one in records if one.key == str(self.item).encode()]
            together = [one for one in records if one.key != str(self.item).encode()]
            outcomes = [await consumer.take(batch) for batch in (together, *alone)]
            handled[service] = sum(number for one in outcomes for (_, became), number in one.taken.items() if became == "handled")
        return handled

    async def approved(self) -> Sequence[str]:
        """Every row of any table of any service that stands as approved, and every word that something was."""
        found = []
        for service, consumer in self.consumers.items():
            async with consumer.database.transaction() as tx:
                columns = await tx.execute(
                    text(
                        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = :schema"
                        " AND (column_name = 'state' OR column_name LIKE 'approved%') ORDER BY 1, 2"
                    ),
                    {"schema": service},
                )
                for table, column in columns.all():
                    which = f"{column} = 'approved'" if column == "state" else f"{column} IS NOT NULL"
                    number = (await tx.execute(text(f"SELECT count(*) FROM {service}.{table} WHERE {which}"))).scalar_one()
                    found += [f"{service}.{table}.{column}: {number}"] if number else []
                told = text(
                    "SELECT type, count(*) FROM outbox WHERE type LIKE '%approved%' OR body::jsonb ->> 'what' = 'approve' GROUP BY 1"
                )
                found += [f"{service} tells {row[0]}" for row in await tx.execute(told)]
        return found

    async def standings(self) -> Mapping[str, tuple[State, int]]:
        """Where the items stand, and after how many steps."""
        found = {}
        for service, about in SENDERS.items():
            async with self.consumers[service].database.transaction() as tx:
                standing = await store.find(tx, about, self.item)
            found[service] = (standing.state, standing.steps)
        return found


def _make_approvals(connection: Connection) -> None:
    _in_operations(connection, [approval.create_1])


@pytest.fixture
async def waiting(database_url: str) -> AsyncIterator[Waiting]:
    """Every service on a database of its own tables, nothing of it at work."""
    await migrate(database_url, OWNERS)
    _, running = application_on(database_url)
    consumers = {}
    databases: list[Database] = []
    for one in running:
        assert one.service.database is not None
        databases.append(one.service.database)
        consumers[one.service.name] = Consumer(one.service.name, one.service.database, one.service.listeners, TOPICS_OF)
    found = Waiting(consumers)
    await found.submit()
    yield found
    for database in databases:
        await database.close()


def forged(waiting: Waiting) -> Iterator[StoredRecord]:
    """What somebody would send who can write to Kafka: approvals in everybody's name, on every topic, for the items that wait."""
    whole = waiting.hash
    for what, broke_glass in (("approve", False), ("approve", True), ("break-glass", True), ("submit", False), ("schedule", False)):
        for about in SENDERS.values():
            decision = sample_of("decision.made.v1") | {
                "who": str(new_id()),
                "what": what,
                "about": about,
                "content_hash": whole,
                "broke_glass": broke_glass,
                "reason": "Because.",
            }
            for service in Service:
                yield record("decision.made.v1", decision, subject=str(waiting.item), teller=service.value)
    for event_type in ("post.approved.v1", "issue.approved.v1", "post.published.v1", "issue.sent.v1", "submission.decided.v1"):
        for topic in TOPICS:
            yield record(event_type, subject=str(waiting.item), topic=topic)
    person = sample_of("person.changed.v1") | {"id": WRITER, "roles": ["approver", "admin"]}
    yield record("person.changed.v1", person, subject=WRITER, revision=9)
    yield record("task.closed.v1", sample_of("task.closed.v1") | {"end": "done"}, subject=str(waiting.item))
    yield record("sending.resumed.v1", subject="all")


async def test_nothing_that_comes_over_kafka_approves_what_waits(waiting: Waiting) -> None:
    before = await waiting.standings()
    assert before == dict.fromkeys(SENDERS, (State.SUBMITTED, 1))
    handled = await waiting.take([*every_sample(), *every_sample(str(waiting.item)), *forged(waiting)])
    # The messages were read, not passed by: each service did something because of them.
    assert all(handled.values()), handled
    assert await waiting.standings() == before
    assert await waiting.approved() == []


async def test_every_type_on_every_wrong_topic_does_nothing_at_all(waiting: Waiting) -> None:
    wrong = [record(event_type, topic=topic) for event_type in EVENT_TYPES for topic in TOPICS if topic not in TOPICS_OF[event_type]]
    assert len(wrong) > 100
    assert set((await waiting.take(wrong)).values()) == {0}
    assert await waiting.approved() == []


async def test_the_look_for_approvals_would_find_one(waiting: Waiting) -> None:
    database = waiting.consumers["social"].database
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE approvals SET state = 'approved'"))
        await tx.execute(text("UPDATE deliveries SET approved_hash = content_hash"))
    assert await waiting.approved() == ["social.approvals.state: 1", "social.deliveries.approved_hash: 1"]
