"""A small system to be killed: a service that tells, one that listens, somebody who puts events, and one who mends what fails.

The trial's tables stand under the names of two real services, since what runs services takes topics from their names.
"""

import asyncio
import itertools
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

from sqlalchemy import Column, Table, Uuid, func, insert, select, text

from shared import outbox, parking, relay
from shared.broker import BrokerAwayError, Probe, group_of
from shared.db import Database, Transaction, is_away, metadata
from shared.events import registry
from shared.events.intake import PracticePublished
from shared.listening import Received, each, listeners
from shared.parking import parked
from shared.service import Service
from shared.testing import trial

TELLER = "intake"
LISTENER = "newsletter"
TOPIC = registry.topic_of(TELLER)
READERS = {TOPIC: [LISTENER]}
SUBJECTS = trial.subjects(40)
# Without a step for so long, what has not come will not come.
STILL_SECONDS = 30.0
LOOK_SECONDS = 0.1
# A bug is mended when its event has failed so often: at once, and again from parking.
FAILURES_BEFORE_MENDING = 2
# Of the transactions that put events, one in so many puts a poison one.
POISON_EVERY = 20

TABLES = metadata()
mended = Table("mended", TABLES, Column("event_id", Uuid, primary_key=True))
"""The poison events that the listener takes by now, as after a release with a mended handler."""


def a_seed() -> int:
    """Return a new seed, or the one that FAULTS_SEED gives again, and show it: pytest repeats it where the test fails."""
    seed = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(1_000_000))
    sys.stderr.write(f"to meet the same kills again: FAULTS_SEED={seed}\n")
    return seed


async def take(tx: Transaction, event: Received[PracticePublished]) -> None:
    """Take one event as the trial does, or refuse it while it is poison."""
    if event.data.entity == trial.POISON_ENTITY:
        if (await tx.execute(select(mended).where(mended.c.event_id == event.id))).first() is None:
            raise trial.PoisonError(event.subject)
        event = replace(event, data=trial.practice())
    await trial.take_one(tx, event)


def telling(url: str) -> Service:
    """Return the service that tells."""
    return Service(name=TELLER, routers=(), database=Database(url, TELLER), tells=True)


def listening(url: str) -> Service:
    """Return the service that listens."""
    return Service(name=LISTENER, routers=(), database=Database(url, LISTENER), listeners=listeners(each(PracticePublished, take)))


async def make_schemas(url: str) -> None:
    """Make the schemas of both services, empty."""
    await trial.make_schemas(url)
    database = Database(url, LISTENER)
    async with database.transaction() as tx:
        await tx.execute(text(f"ALTER SCHEMA {trial.TELLER} RENAME TO {TELLER}"))
        await tx.execute(text(f"ALTER SCHEMA {trial.LISTENER} RENAME TO {LISTENER}"))
        await tx.run_sync(TABLES.create_all)
    await database.close()


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far the system has come."""

    told: int
    unsent: int
    effects: int
    parked: int
    lag: int | None  # None while Kafka does not answer

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return not self.unsent and not self.parked and self.lag == 0 and self.effects >= self.told


class Outside:
    """The test's own eyes and hands: looks at both databases and at Kafka, puts events, mends."""

    def __init__(self, url: str, kafka: str) -> None:
        self.teller = trial.Teller(Database(url, TELLER))
        self.listener = Database(url, LISTENER)
        self.probe = Probe(kafka)
        self._enough = asyncio.Event()  # has been put
        self._putting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._putting is not None:
            self._putting.cancel()
            await asyncio.gather(self._putting, return_exceptions=True)
        if kind is not None:  # what was wrong by then says more than which wait was too long
            with suppress(Exception):
                async with asyncio.timeout(5):
                    print(await self.standing(), *await self.faults(), sep="\n", file=sys.stderr)
        await self.probe.close()
        await self.teller.database.close()
        await self.listener.close()

    async def put(self, chance: random.Random, *, subjects: int = 8, poison: bool = False) -> None:
        """Put one event about each of some subjects, in one transaction; one of them is poison where that is said."""
        chosen = chance.sample(SUBJECTS, subjects)
        bad = [(chosen[0], self.teller.told.get(chosen[0], 0) + 1)] if poison else []
        await self.teller.tell(chosen, poison=bad)

    def begin_putting(self, chance: random.Random, *, every_seconds: float = 0.06) -> None:
        """Put events, now and then a poison one, until `end_putting`; while the database is away, try again."""
        self._putting = asyncio.create_task(self._keep_putting(chance, every_seconds))

    async def end_putting(self) -> None:
        """Return once no more is put and all that was is known; raises what went wrong with it."""
        # Not cancelled: a commit without an answer may still come about after one has looked.
        self._enough.set()
        if self._putting is not None:
            await self._putting

    async def _keep_putting(self, chance: random.Random, every_seconds: float) -> None:
        for number in itertools.count(1):
            if self._enough.is_set():
                return
            try:
                await self.put(chance, poison=number % POISON_EVERY == 0)
            except Exception as error:
                if not is_away(error):
                    raise
                await self.find_told()
            await asyncio.sleep(every_seconds)

    async def find_told(self) -> None:
        """Read what has been told from the outbox, once the database answers: a commit without an answer may have been one.

        Raises AssertionError when something is gone whose commit was answered.
        """
        while True:
            try:
                found = await self._told()
            except Exception as error:
                if not is_away(error):
                    raise
                await asyncio.sleep(LOOK_SECONDS)
                continue
            gone = {subject: number for subject, number in self.teller.told.items() if found.get(subject, 0) < number}
            assert not gone, f"the outbox has lost what was committed: {gone}"
            self.teller.told = found
            return

    async def _told(self) -> dict[str, int]:
        query = select(outbox.outbox.c.subject, func.max(outbox.outbox.c.revision).label("number")).group_by(outbox.outbox.c.subject)
        async with self.teller.database.transaction() as tx:
            return {row.subject: row.number for row in await tx.execute(query)}

    @asynccontextmanager
    async def mending(self) -> AsyncIterator[None]:
        """Mend what has failed again in parking, and redrive it, as a person would, until the block ends; raises what went wrong."""
        work = asyncio.create_task(self._keep_mending())
        try:
            yield
            if work.done():
                work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _keep_mending(self) -> None:
        while True:
            try:
                await self._mend()
            except Exception as error:
                if not is_away(error):
                    raise
            await asyncio.sleep(LOOK_SECONDS)

    async def _mend(self) -> None:
        async with self.listener.transaction() as tx:
            failed = parked.c.attempts >= FAILURES_BEFORE_MENDING
            ids: Sequence[UUID] = (
                await tx.scalars(select(parked.c.event_id).where(failed, parked.c.event_id.not_in(select(mended.c.event_id))))
            ).all()
            if ids:
                await tx.execute(insert(mended), [{"event_id": event_id} for event_id in ids])
        for event_id in ids:
            async with self.listener.transaction() as tx:
                await parking.redrive(tx, event_id=event_id, by="whoever released the mended handler")

    async def unsent(self) -> int:
        """Return how many events are not marked as sent."""
        return (await relay.unsent(self.teller.database))[0]

    async def standing(self) -> Standing:
        """Return how far the system has come."""
        unsent = await self.unsent()
        async with self.listener.transaction() as tx:
            counts = await parking.counts(tx)
        try:
            lag = sum((await self.probe.lag(group_of(LISTENER), [TOPIC])).values())
        except BrokerAwayError:
            lag = None
        effects = await trial.count_effects(self.listener)
        return Standing(told=self.teller.count, unsent=unsent, effects=effects, parked=sum(counts.values()), lag=lag)

    async def more_effects(self, count: int) -> None:
        """Return once there are so many effects more than now; while the database is away, that is waited out."""
        wanted: int | None = None
        async with asyncio.timeout(STILL_SECONDS + count / 20):
            while True:
                try:
                    effects = await trial.count_effects(self.listener)
                except Exception as error:
                    if not is_away(error):
                        raise
                else:
                    wanted = effects + count if wanted is None else wanted
                    if effects >= wanted:
                        return
                await asyncio.sleep(LOOK_SECONDS)

    async def at_rest(self) -> Standing:
        """Return once nothing is left to do, or once nothing has moved for long."""
        return await self.still(STILL_SECONDS, unless_complete=True)

    async def still(self, seconds: float, *, unless_complete: bool = False) -> Standing:
        """Return how far the system has come once nothing has moved for so long, or at once when nothing is left to do."""
        last, since = await self.standing(), time.monotonic()
        while time.monotonic() < since + seconds and not (unless_complete and last.complete):
            await asyncio.sleep(LOOK_SECONDS)
            if (now := await self.standing()) != last:
                last, since = now, time.monotonic()
        return last

    async def faults(self) -> list[str]:
        """Return what is wrong with the effects against what was told, and what is left that should not be."""
        found = await trial.faults(self.listener, self.teller.told)
        async with self.listener.transaction() as tx:
            left = (await tx.execute(select(parked.c.subject, parked.c.state, parked.c.error).order_by(parked.c.id).limit(20))).all()
        found += [f"{row.subject} is still parked, {row.state}: {row.error}" for row in left]
        return [*found, f"{unsent} events are not sent"] if (unsent := await self.unsent()) else found
