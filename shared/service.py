"""A service as a whole: what it shows, tells, listens to and does by the clock; and one that is at work in this process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope

from shared import locks, metrics, parking, relay, retention
from shared.broker import BrokerAwayError, Probe, ensure_topics, group_of
from shared.cluster import Cluster
from shared.consumer import Consumer
from shared.db import Database, is_away
from shared.events import registry
from shared.listening import Listeners
from shared.migrations import versions_of
from shared.operations.story import Facts, no_facts
from shared.queues import Queue, Queues
from shared.readiness import OUTBOX_UNKNOWN, Check, DatabaseState, Grade
from shared.relay import Relay
from shared.subscription import EMBEDDED, KAFKA, Subscription
from shared.sweeps import SWEEP_EVERY_SECONDS, Sweep, Sweeper
from shared.watchdog import HEALTHY, Limits, State, Watchdog
from shared.window import Window

log = logging.getLogger(__name__)

RETRY_LOOK_SECONDS = 0.5
PARKED_AGAIN_SECONDS = 15.0
DAY_SECONDS = 86_400.0
SLOT_LOOK_SECONDS = 2.0
# Longer than a subscriber takes to finish its batch and leave.
CANCEL_AGAIN_SECONDS = 20.0
PREPARE_PAUSE_SECONDS = 1.0
JOB_AGAIN_SECONDS = 60.0
TOPICS_LOOK_SECONDS = 15.0
# An outbox older than this is worth a look even though nothing of it can be lost.
OUTBOX_LATE_SECONDS = 60.0
DATABASE_ANSWER_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """Work by the clock; `run` takes its own locks, since every process of a service has its jobs."""

    name: str
    every_seconds: float
    run: Callable[[Database], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a service's app.py puts together; nothing in it is open yet."""

    name: str
    routers: Sequence[APIRouter]
    database: Database | None = None  # None for a service that keeps nothing
    listeners: Listeners = field(default_factory=dict)
    tells: bool = False
    jobs: Sequence[Job] = ()
    queues: Sequence[Queue] = ()  # what waits in its tables besides what waits in those of every service
    sweeps: Sequence[Sweep] = ()  # what stands behind its promises
    facts: Facts = no_facts  # what the service did within a trace besides telling and taking events
    sent_by_programs: Callable[[Scope], bool] | None = None  # requests that no page of ours sends, so that their origin says nothing
    limit_of: Callable[[Scope], int] | None = None  # bytes that an address takes, where it takes more than a form


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A service's queues as they are now."""

    outbox_unsent: int
    outbox_age_seconds: float  # of the oldest event that waits; 0 when none does
    lag: int | None  # records in Kafka that the service has not finished with; None while Kafka does not answer, or without a consumer
    parked: Mapping[str, int]  # by state
    consumer: str | None  # the watchdog's state; None without a consumer
    relay_leads: bool | None  # whether this process's relay sends; None without a relay
    trouble: str  # why the relay pauses; empty when it does not


@dataclass(frozen=True, kw_only=True)
class Kafka:
    """Where Kafka is, and whether it is the broker that forgets with its process."""

    address: Cluster | str  # a bare address lets everybody in
    embedded: bool
    probe: Probe
    readers: Mapping[str, Collection[str]] = field(default_factory=dict)  # topic -> services of this process that read it
    limits: Limits | None = None  # the watchdog's patience, where a test wants less of it
    prepared: asyncio.Event = field(default_factory=asyncio.Event)  # every topic exists; until then nobody reads or tells

    async def prepare(self) -> None:
        """Make every topic, however long Kafka stays away, and see to it that they stay; runs until cancelled, or once if embedded."""
        while not self.prepared.is_set() and not self.embedded:
            try:
                await ensure_topics(self.address, registry.TOPICS)
            except BrokerAwayError as error:
                log.warning("%s", error)
                await asyncio.sleep(PREPARE_PAUSE_SECONDS)
            else:
                break
        self.prepared.set()
        while not self.embedded:
            # A Kafka that lost everything, or whose topics somebody deleted, is given them back without a restart of ours.
            await asyncio.sleep(TOPICS_LOOK_SECONDS)
            with suppress(BrokerAwayError):
                await ensure_topics(self.address, registry.TOPICS)


class Running:
    """A service at work: its relay, its subscriber under a watchdog, the retry of parked events, and its jobs."""

    def __init__(self, service: Service, kafka: Kafka, give_up: Callable[[str], None]) -> None:
        self.service = service
        self.relay: Relay | None = None
        self.watchdog: Watchdog | None = None
        self.subscription: Subscription | None = None
        self.consumer: Consumer | None = None
        self.queues: Queues | None = None
        self._kafka = kafka
        self._give_up = give_up
        database = service.database
        if database is None:
            return
        self.queues = Queues(database, service.queues)
        if service.tells:
            topic = registry.topic_of(service.name)
            window = Window(kafka.probe, topic, kafka.readers.get(topic, ())) if kafka.embedded else None
            self.relay = Relay(service.name, topic, database, kafka.address, window=window)
        if service.listeners:
            known = registry.TOPICS_OF
            topics = frozenset(topic for event_type in service.listeners for topic in known[event_type])
            self.consumer = Consumer(service.name, database, service.listeners, known)
            self.subscription = Subscription(self.consumer, kafka.address, topics, pace=EMBEDDED if kafka.embedded else KAFKA)
            self.watchdog = Watchdog(self.subscription, kafka.probe, give_up, kafka.limits)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["Running"]:
        """Do everything the service does besides answering requests, until the block ends."""
        tasks: list[asyncio.Task[None]] = []
        async with AsyncExitStack() as stack:
            if self.service.database is not None:
                stack.push_async_callback(self.service.database.close)
                assert self.queues is not None
                stack.push_async_callback(self.queues.close)
                if self.relay is not None:
                    tasks.append(self._task("relay", self._tell(self.relay)))
                if self.watchdog is not None:
                    tasks.append(self._task("consumer", self._listen(self.service.database)))
                    tasks.append(self._task("retry", self._retry()))
                tidy = Job(name="retention", every_seconds=DAY_SECONDS, run=retention.tidy)
                sweep = Job(name="sweeps", every_seconds=SWEEP_EVERY_SECONDS, run=Sweeper(self.service.sweeps).run)
                tasks.extend(self._task(job.name, self._repeat(job)) for job in (tidy, sweep, *self.service.jobs))
            stack.push_async_callback(_end, tasks)
            yield self

    def _task(self, part: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Return `work` as a task that nobody has to watch: one that ends by itself ends the process, which is then started anew."""

        async def watched() -> None:
            try:
                await work
            except Exception:
                log.exception("%s: %s failed", self.service.name, part)
            self._give_up(f"{self.service.name}: {part} has ended")

        return asyncio.create_task(watched(), name=f"{self.service.name}: {part}")

    async def _tell(self, its_relay: Relay) -> None:
        await self._kafka.prepared.wait()
        await its_relay.run()

    async def _listen(self, database: Database) -> None:
        """Listen under the name of a slot that this process holds; a process that was killed leaves its slot and name to the next."""
        assert self.watchdog is not None
        assert self.subscription is not None
        await self._kafka.prepared.wait()
        if self._kafka.embedded:  # this broker ends with the process, and is slow to give a fixed name back
            await self.watchdog.run()
            return
        slot: int | None = None
        listening: asyncio.Task[None] | None = None
        try:
            while True:
                try:
                    async with locks.session(database) as session:
                        if slot is None or not await locks.try_lock(session, f"slot:{self.service.name}", slot):
                            slot = await locks.lowest_slot(session, self.service.name)
                            await _end([listening] if listening else [])
                            self.subscription.instance = f"{self.service.name}-{slot}"
                            listening = asyncio.create_task(self.watchdog.run())
                        while listening is not None and not listening.done():
                            await locks.alive(session)
                            await asyncio.wait({listening}, timeout=SLOT_LOOK_SECONDS)
                        return  # it ends by itself only when it failed; its failure rises below, and ends the process
                except (SQLAlchemyError, OSError, TimeoutError) as error:
                    log.debug("%s looks for its slot again: %r", self.service.name, error)
                    await asyncio.sleep(locks.ASK_AGAIN_SECONDS)
        finally:
            await _end([listening] if listening else [])

    async def _retry(self) -> None:
        assert self.consumer is not None
        while True:
            tried = 0
            try:
                tried = await self.consumer.retry()
            except Exception as error:
                if not is_away(error):
                    log.exception("%s could not retry parked events", self.service.name)
                    await asyncio.sleep(PARKED_AGAIN_SECONDS)  # whatever it is, saying it twice a second makes it no clearer
            if not tried:
                await asyncio.sleep(RETRY_LOOK_SECONDS)

    async def _repeat(self, job: Job) -> None:
        assert self.service.database is not None
        while True:
            try:
                await job.run(self.service.database)
            except Exception as error:
                log.log(logging.WARNING if is_away(error) else logging.ERROR, "%s: %s failed: %r", self.service.name, job.name, error)
                # A daily job must not lose a day to a database that restarts.
                await asyncio.sleep(min(job.every_seconds, JOB_AGAIN_SECONDS))
            else:
                await asyncio.sleep(job.every_seconds)

    async def checks(self) -> Sequence[Check]:
        """Return what is well and what is not, each with its reason."""
        database = self.service.database
        if database is None:
            return []
        found = [await self._check_database(database)]
        if self.watchdog is not None:
            found.append(_check_consumer(self.service.name, self.watchdog, prepared=self._kafka.prepared.is_set()))
        if self.relay is not None and found[0].grade is not Grade.DOWN:
            found.append(await self._check_outbox(database, self.relay))
        return found

    async def _check_database(self, database: Database) -> Check:
        part = f"{self.service.name}.database"
        try:
            async with asyncio.timeout(DATABASE_ANSWER_SECONDS):
                if not await database.migrated():
                    return Check(part=part, grade=Grade.DOWN, state=DatabaseState.NOT_MIGRATED, reason="run `tidings migrate`")
                version = await database.schema_version()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            return Check(part=part, grade=Grade.DOWN, state=DatabaseState.AWAY, reason=f"no answer: {type(error).__name__}")
        return _check_version(part, version, versions_of(self.service.name))

    async def _check_outbox(self, database: Database, its_relay: Relay) -> Check:
        part = f"{self.service.name}.outbox"
        try:
            count, age_seconds = await relay.unsent(database)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            return Check(part=part, grade=Grade.DOWN, state=OUTBOX_UNKNOWN, reason=f"no answer: {type(error).__name__}")
        state = f"{count} unsent, oldest {age_seconds:.0f} s"
        if age_seconds > OUTBOX_LATE_SECONDS or its_relay.trouble:
            return Check(part=part, grade=Grade.DEGRADED, state=state, reason=its_relay.trouble or "events wait longer than they should")
        return Check(part=part, grade=Grade.READY, state=state)

    async def measure(self) -> None:
        """Bring the service's gauges up to date; what cannot be read within a second keeps its last value."""
        name = self.service.name
        if self.relay is not None:
            metrics.RELAY_LEADS.labels(name).set(self.relay.leading)
        if self.watchdog is not None:
            # Lag is not asked for here: the watchdog asks Kafka every second, and a scrape waits for nobody.
            for state in State:
                metrics.CONSUMER_STATE.labels(name, state.value).set(state is self.watchdog.state)
        if self.queues is not None:
            await self.queues.measure()

    async def figures(self) -> Figures | None:
        """Return the state of the service's queues, or None for a service that has none."""
        database = self.service.database
        if database is None:
            return None
        count, age_seconds = await relay.unsent(database)
        async with database.transaction() as tx:
            parked = await parking.counts(tx)
        lag: int | None = None
        # The watchdog has just asked; to ask a broker that hangs again would keep every page and every scrape waiting for it.
        away = not self._kafka.prepared.is_set() or (self.watchdog is not None and self.watchdog.state is State.BROKER_AWAY)
        if self.subscription is not None and not away:
            with suppress(BrokerAwayError):
                lag = sum((await self._kafka.probe.lag(group_of(self.service.name), self.subscription.topics)).values())
        return Figures(
            outbox_unsent=count,
            outbox_age_seconds=age_seconds,
            lag=lag,
            parked=parked,
            consumer=self.watchdog.state.value if self.watchdog else None,
            relay_leads=self.relay.leading if self.relay else None,
            trouble=self.relay.trouble if self.relay else "",
        )


def _check_version(part: str, version: str | None, known: Sequence[str]) -> Check:
    """Return whether a schema is of this program's version: an older one may lack what is asked for, a newer one only has more."""
    if version is None or not known or version == known[-1]:
        return Check(part=part, grade=Grade.READY, state=DatabaseState.ANSWERS)
    if version in known:
        reason = f"its schema is at {version} and this program's at {known[-1]}; run `tidings migrate`"
        return Check(part=part, grade=Grade.DOWN, state=DatabaseState.OLDER, reason=reason)
    reason = f"its schema is at {version}, newer than this program's {known[-1]}; end this program once the newer one runs"
    return Check(part=part, grade=Grade.DEGRADED, state=DatabaseState.NEWER, reason=reason)


def _check_consumer(service: str, watchdog: Watchdog, *, prepared: bool) -> Check:
    part = f"{service}.consumer"
    state = watchdog.state if prepared else State.BROKER_AWAY
    if state is State.STARTING:
        return Check(part=part, grade=Grade.DOWN, state=state.value, reason="it has not joined its group yet")
    if state in HEALTHY:
        return Check(part=part, grade=Grade.READY, state=state.value)
    if state is State.BROKER_AWAY:
        return Check(part=part, grade=Grade.DEGRADED, state=state.value, reason="Kafka does not answer; what comes in is kept")
    reason = (
        "a batch waits for its database, and the log says why"
        if state is State.DATABASE_AWAY
        else f"{watchdog.behind} events wait and nothing moves"
    )
    return Check(part=part, grade=Grade.DOWN, state=state.value, reason=reason)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel the tasks and return once all have ended; a library that swallows a cancellation is told again."""
    while waiting := [task for task in tasks if not task.done()]:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=CANCEL_AGAIN_SECONDS)
