"""One flow of trial events from a teller's outbox through Kafka to a listener's effects, each part of it to be taken away by a test."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from typing import Any

import httpx
import pytest
from aiokafka import ConsumerRecord, TopicPartition
from fastapi import FastAPI
from prometheus_client import REGISTRY
from sqlalchemy import Row, func, select

from shared import relay
from shared.application import health_router
from shared.broker import Probe, group_of
from shared.consumer import Outcome
from shared.db import Database, Transaction
from shared.events.intake import PracticePublished
from shared.inbox import inbox
from shared.listening import Listener, Listeners, Received, each, listeners
from shared.parking import listing
from shared.process import at_work
from shared.relay import Relay
from shared.service import Kafka, Running, Service
from shared.subscription import Pace
from shared.testing import trial
from shared.testing.containers import ApacheKafka, DockerPostgres
from shared.testing.databases import ask
from shared.watchdog import Limits

# For a machine that is busy with other things; nothing here takes a tenth of it otherwise.
PATIENCE_SECONDS = 300.0
POLL_SECONDS = 0.02
# A member that is gone is given up after four seconds instead of ten, and a rebalance waits half a second for the others.
QUICK = Pace(session_timeout_ms=4_000, heartbeat_interval_ms=500)
SUBJECTS = trial.subjects(100)
TELLINGS_A_WAVE = 20


async def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once `condition`, a function or a coroutine function, gives something true; raises TimeoutError saying what did not come."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if await found if isinstance(found, Awaitable) else found:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"in {seconds:.0f} s not: {what}")
        await asyncio.sleep(POLL_SECONDS)


def counted(metric: str, **labels: str) -> float:
    """Return what a counter of this process stands at."""
    return REGISTRY.get_sample_value(metric, labels) or 0.0


@dataclass(kw_only=True)
class Flow:
    """A teller and a listener of a test's own: a database, a topic and a consumer group that nobody else uses."""

    name: str  # of the listening service; names its group and its slots
    topic: str
    kafka: ApacheKafka
    postgres: DockerPostgres
    database_url: str
    teller: trial.Teller
    listener: Database  # to look at what the listener has done
    probe: Probe  # to look at Kafka

    async def tell(self, waves: int, *, poison: Sequence[tuple[str, int]] = ()) -> None:
        """Tell `waves` events about each of the hundred subjects."""
        for _ in range(waves):
            await self.teller.tell(SUBJECTS, poison=poison)

    @asynccontextmanager
    async def told(self, per_second: int = 200) -> AsyncIterator[None]:
        """Tell events evenly until the block ends; ends with the error of a put that failed."""
        ending = asyncio.Event()

        async def tell() -> None:
            began = time.monotonic()
            for number in count(1):
                start = number * TELLINGS_A_WAVE % len(SUBJECTS)
                await self.teller.tell(SUBJECTS[start : start + TELLINGS_A_WAVE])
                due = began + number * TELLINGS_A_WAVE / per_second
                with suppress(TimeoutError):
                    await asyncio.wait_for(ending.wait(), max(0.001, due - time.monotonic()))
                    return

        telling = asyncio.create_task(tell())
        try:
            yield
        finally:
            ending.set()
            await telling

    @asynccontextmanager
    async def relayed(self) -> AsyncIterator[Relay]:
        """Run the teller's relay until the block ends."""
        database = Database(self.database_url, trial.TELLER)
        its_relay = Relay(trial.TELLER, self.topic, database, self.kafka.address)
        running = asyncio.create_task(its_relay.run())
        try:
            yield its_relay
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await database.close()

    @asynccontextmanager
    async def heard(
        self, *, listens: Listeners = trial.LISTENS, limits: Limits | None = None, gave_up: list[str] | None = None
    ) -> AsyncIterator[Running]:
        """Run the listener as a process does, until the block ends; it gives up only into `gave_up`, or the block fails."""
        reasons: list[str] = [] if gave_up is None else gave_up
        async with at_work([self.service(listens)], self.wire(limits), reasons.append) as (running,):
            yield running
        assert gave_up is not None or not reasons

    def service(self, listens: Listeners = trial.LISTENS) -> Service:
        """Return the listening service, its database not yet open."""
        return Service(name=self.name, database=Database(self.database_url, trial.LISTENER), listeners=listens, routers=())

    def wire(self, limits: Limits | None = None) -> Kafka:
        """Return Kafka as a process knows it."""
        return Kafka(address=self.kafka.address, embedded=False, probe=Probe(self.kafka.address), limits=limits)

    async def unsent(self) -> int:
        """Return how many events wait in the outbox."""
        return (await relay.unsent(self.teller.database))[0]

    async def relay_done(self) -> None:
        """Return once Kafka has acknowledged everything told."""

        async def all_sent() -> bool:
            return await self.unsent() == 0

        await until(all_sent, "an empty outbox")

    async def effects(self) -> int:
        """Return how many effects there are."""
        return await trial.count_effects(self.listener)

    async def parked(self) -> Sequence[Row[Any]]:
        """Return what the listener has set aside, oldest first."""
        async with self.listener.transaction() as tx:
            return await listing(tx, limit=10_000)

    async def settled(self, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Return once everything told has its effect or is set aside."""

        async def all_there() -> bool:
            return await self.effects() + len(await self.parked()) >= self.teller.count

        await until(all_there, f"{self.teller.count} effects", seconds)

    async def done(self, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Return once every event told has its effect, and say what is wrong with them: lost, doubled, out of order, left behind."""
        await until(self._all_effects, f"{self.teller.count} effects", seconds)
        assert await trial.faults(self.listener, self.teller.told) == []
        assert await self.parked() == []
        async with self.listener.transaction() as tx:
            outcomes = (await tx.execute(select(inbox.c.outcome, func.count()).group_by(inbox.c.outcome))).all()
        assert [tuple(row) for row in outcomes] == [("handled", self.teller.count)]

    async def _all_effects(self) -> bool:
        return await self.effects() >= self.teller.count

    async def committed(self) -> Mapping[TopicPartition, int]:
        """Return what the listener's group has acknowledged."""
        return await self.probe.committed(group_of(self.name), [self.topic])

    async def all_acknowledged(self) -> None:
        """Return once the listener's group has acknowledged every record of the topic."""

        async def no_lag() -> bool:
            return not sum((await self.probe.lag(group_of(self.name), [self.topic])).values())

        await until(no_lag, "everything acknowledged")

    def retries(self) -> float:
        """Return how often a batch of the listener waited for its database."""
        return counted("tidings_batch_retries_total", service=self.name)

    def restarts(self) -> float:
        """Return how often the listener's subscriber was restarted for not moving."""
        return counted("tidings_consumer_restarts_total", service=self.name)

    async def interrupt_batch(self) -> None:
        """End the sessions in which the listener has a batch in hand, until one of them has to be tried again."""
        before = self.retries()

        async def hit() -> bool:
            await ask(
                self.database_url,
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
                " WHERE relnamespace = $1::regnamespace AND relname = 'inbox' AND mode = 'RowExclusiveLock' AND granted",
                trial.LISTENER,
            )
            return self.retries() > before

        await until(hit, "a batch interrupted")


@asynccontextmanager
async def flow_over(kafka: ApacheKafka, postgres: DockerPostgres, database_url: str, *, topic: str, teller: str) -> AsyncIterator[Flow]:
    """Give a flow over `topic` from the outbox in the schema `teller`; PostgreSQL runs again when the block ends."""
    telling, listening = Database(database_url, teller), Database(database_url, trial.LISTENER)
    probe = Probe(kafka.address)
    try:
        yield Flow(
            name=f"live_{token_hex(4)}",
            topic=topic,
            kafka=kafka,
            postgres=postgres,
            database_url=database_url,
            teller=trial.Teller(telling),
            listener=listening,
            probe=probe,
        )
    finally:
        await asyncio.to_thread(postgres.start)
        await telling.close()
        await listening.close()
        await probe.close()


def joined(running: Running, partitions: int = 1) -> bool:
    """Say whether the listener reads at least so many partitions."""
    client = running.subscription.client if running.subscription else None
    return client is not None and len(client.assignment()) >= partitions


@dataclass(kw_only=True)
class Batches:
    """The batches that a listener was given, every try of each; and a gate that can hold one in its middle."""

    given: list[Sequence[ConsumerRecord[Any, Any]]] = field(default_factory=list)
    armed: bool = False  # the next batch over two partitions stops at the gate
    reached: asyncio.Event = field(default_factory=asyncio.Event)  # a batch stands at the gate, half of it handled
    open: asyncio.Event = field(default_factory=asyncio.Event)
    _handled: int = 0  # of the batch in hand

    def watch(self, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        """See every batch that `running` takes."""
        assert running.consumer is not None
        take = running.consumer.take

        async def seen(records: Sequence[Any]) -> Outcome:
            self.given.append(records)
            self._handled = 0
            return await take(records)

        monkeypatch.setattr(running.consumer, "take", seen)

    def listens(self) -> Listeners:
        """Return the trial's listeners with the gate in them."""
        return listeners(self._listener())

    def _listener(self) -> Listener:
        async def handle(tx: Transaction, event: Received[PracticePublished]) -> None:
            await trial.take_one(tx, event)
            self._handled += 1
            batch = self.given[-1]
            if self.armed and self._handled > len(batch) // 2 and len({record.partition for record in batch}) > 1:
                self.armed = False
                self.reached.set()
                await self.open.wait()

        return each(PracticePublished, handle)


@asynccontextmanager
async def health_of(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the health pages of a process that runs this service."""
    app = FastAPI()
    app.include_router(health_router([running]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://live.test", timeout=PATIENCE_SECONDS) as client:
        yield client
