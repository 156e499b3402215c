"""The steps between which a process may die, and how it dies at one of them: the real functions are wrapped from outside."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.produce import ProduceRequest
from faststream.kafka import KafkaBroker

from shared import consumer, inbox, locks, parking
from shared.consumer import Consumer
from shared.db import Database, Transaction
from shared.relay import Relay
from shared.subscription import Subscription
from shared.testing import trial


class Step(StrEnum):
    """A place in the work of relay or consumer: what has just been done, and what has not."""

    # The relay.
    LEADS = "it leads, nothing is read"
    READ = "rows are read, nothing is handed over"
    HALF_ACKNOWLEDGED = "half of a batch is acknowledged, the rest is not handed over"
    REQUEST_SENT = "records are on the wire, the answer is not read"
    ACKNOWLEDGED = "the batch is acknowledged, not marked"
    MARKED = "rows are marked, not committed"
    MARKS_COMMIT_SENT = "the commit of the marks is on the wire, the answer is not read"
    MARKS_COMMITTED = "marks are committed"
    OFFERED_AGAIN = "part of what is retained is offered again"  # embedded broker only
    # The consumer, from Kafka.
    IN_HAND = "a batch is in hand, no transaction is open"
    IDS_TAKEN = "ids are in the inbox, parked keys are not looked up"
    KEYS_LOOKED_UP = "parked keys are looked up, nothing is handled"
    HALF_HANDLED = "half of a run is handled"
    HANDLED = "all is handled, nothing is parked"
    PARKED = "failed events are parked, not committed"
    WRITTEN = "everything is written, not committed"
    COMMIT_SENT = "the commit is on the wire, the answer is not read"
    COMMITTED = "the batch is committed, not acknowledged"
    OFFSETS_SENT = "the acknowledgement is on the wire, the answer is not read"
    OFFSETS_KEPT = "the acknowledgement is answered"
    # The consumer, from parking.
    DUE = "parked events are locked, none is tried"
    TRIED = "a parked event is handled, still in parking"
    SETTLED = "a parked event is out of parking, not committed"
    FAILED_AGAIN = "a parked event has failed again, not committed"
    RETRY_COMMIT_SENT = "the commit of a retry is on the wire, the answer is not read"
    RETRY_COMMITTED = "a retry is committed"


_ALL = tuple(Step)
RELAY_STEPS = _ALL[: _ALL.index(Step.OFFERED_AGAIN)]
CONSUMER_STEPS = _ALL[_ALL.index(Step.IN_HAND) :]


class Aim:
    """The step that this process does not survive, and at which time of reaching it; without a step it survives them all."""

    def __init__(self, step: Step | None = None, times: int = 1) -> None:
        self.step = step
        self.first: Callable[[], Awaitable[None]] | None = None  # what has to come true elsewhere before the process dies
        self._times = times

    async def reached(self, step: Step) -> None:
        """Die here, if this is it."""
        if self._is_it(step):
            if self.first is not None:
                await self.first()
            self._die()

    def sent(self, step: Step) -> None:
        """Die, if this is it, when what this turn of the loop has written is out, and before any answer is read."""
        if self._is_it(step):
            asyncio.get_running_loop().call_soon(self._die)

    def _is_it(self, step: Step) -> bool:
        if step is not self.step:
            return False
        self._times -= 1
        return self._times == 0

    def _die(self) -> None:
        os.write(1, f"reached {self.step}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


_Hook = Callable[..., Awaitable[None]]


def _around(owner: Any, name: str, *, before: _Hook | None = None, after: _Hook | None = None) -> None:
    """Wrap a coroutine function: `before` gets its arguments, `after` its result and then the same."""
    real = getattr(owner, name)

    async def wrapped(*arguments: Any, **named: Any) -> Any:
        if before is not None:
            await before(*arguments)
        result = await real(*arguments, **named)
        if after is not None:
            await after(result, *arguments)
        return result

    setattr(owner, name, wrapped)


class _Hooks:
    def __init__(self, aim: Aim) -> None:
        self.aim = aim
        # The steps at the end of the transaction that a task has open: everything written, commit on the wire.
        self._ending: ContextVar[tuple[Step | None, Step] | None] = ContextVar("ending", default=None)
        self._offering_again = False
        self._to_hand_over = 0  # rows until half of a batch is handed over
        self._to_handle = 0  # events until half of a run is handled

    def at(self, step: Step) -> _Hook:
        async def hook(*_: Any) -> None:
            await self.aim.reached(step)

        return hook

    def at_something(self, step: Step) -> _Hook:
        """As `at`, for a result that is not empty."""

        async def hook(result: Any, *_: Any) -> None:
            if result:
                await self.aim.reached(step)

        return hook

    def relay(self) -> None:
        _around(locks, "hear", after=self.at(Step.LEADS))
        _around(Relay, "_unsent", after=self.at_something(Step.READ))
        _around(Relay, "_offer_again", before=self._begin_offer, after=self._end_offer)
        _around(Relay, "_send", before=self._begin_batch, after=self._batch_sent)
        _around(KafkaBroker, "publish", after=self._handed_over)
        _around(Relay, "_mark", before=self._begin_marking, after=self.at(Step.MARKS_COMMITTED))

    def consumer(self) -> None:
        _around(Consumer, "take", before=self.at(Step.IN_HAND), after=self.at(Step.COMMITTED))
        _around(inbox, "take", after=self._ids_taken)
        _around(parking, "blocked", after=self.at(Step.KEYS_LOOKED_UP))
        _around(consumer, "try_handling", before=self._begin_run)
        _around(trial, "take_one", after=self._one_handled)
        _around(parking, "park", before=self.at(Step.HANDLED), after=self._set_aside)
        _around(Subscription, "_acknowledge", after=self.at(Step.OFFSETS_KEPT))

    def retry(self) -> None:
        _around(parking, "due", after=self._found_due)
        _around(parking, "settle", before=self.at(Step.TRIED), after=self.at(Step.SETTLED))
        _around(parking, "fail", after=self.at(Step.FAILED_AGAIN))
        _around(Consumer, "retry", after=self.at_something(Step.RETRY_COMMITTED))

    def wires(self) -> None:
        """Wrap what writes to PostgreSQL at the end of a transaction, and to Kafka."""
        transaction = Database.transaction
        send: Callable[..., Any] = AIOKafkaConnection.send  # it has no types

        @asynccontextmanager
        async def wrapped_transaction(database: Database) -> AsyncIterator[Transaction]:
            async with transaction(database) as tx:
                yield tx
                ending = self._ending.get()
                self._ending.set(None)
                if ending is not None:
                    written, commit_sent = ending
                    if written is not None:
                        await self.aim.reached(written)
                    self.aim.sent(commit_sent)

        def wrapped_send(connection: Any, request: Any, *arguments: Any, **named: Any) -> Any:
            answer = send(connection, request, *arguments, **named)
            if isinstance(request, ProduceRequest):
                self.aim.sent(Step.REQUEST_SENT)
            elif isinstance(request, OffsetCommitRequest):
                self.aim.sent(Step.OFFSETS_SENT)
            return answer

        holders: tuple[Any, Any] = (Database, AIOKafkaConnection)
        holders[0].transaction, holders[1].send = wrapped_transaction, wrapped_send

    async def _begin_offer(self, *_: Any) -> None:
        self._offering_again = True

    async def _end_offer(self, *_: Any) -> None:
        self._offering_again = False

    async def _begin_batch(self, _relay: Relay, rows: Any) -> None:
        self._to_hand_over = len(rows) // 2

    async def _handed_over(self, acknowledgement: Any, *_: Any) -> None:
        self._to_hand_over -= 1
        if self.aim.step is Step.HALF_ACKNOWLEDGED and self._to_hand_over == 0:  # a batch of one begins below it
            await acknowledgement
            await self.aim.reached(Step.HALF_ACKNOWLEDGED)

    async def _batch_sent(self, *_: Any) -> None:
        await self.aim.reached(Step.OFFERED_AGAIN if self._offering_again else Step.ACKNOWLEDGED)

    async def _begin_marking(self, *_: Any) -> None:
        self._ending.set((Step.MARKED, Step.MARKS_COMMIT_SENT))

    async def _ids_taken(self, *_: Any) -> None:
        self._ending.set((Step.WRITTEN, Step.COMMIT_SENT))
        await self.aim.reached(Step.IDS_TAKEN)

    async def _begin_run(self, _tx: Transaction, _listener: Any, arrivals: Any) -> None:
        self._to_handle = len(arrivals) // 2

    async def _one_handled(self, *_: Any) -> None:
        self._to_handle -= 1
        if self._to_handle == 0:
            await self.aim.reached(Step.HALF_HANDLED)

    async def _set_aside(self, _result: None, _tx: Transaction, settings: Any) -> None:
        if settings:
            await self.aim.reached(Step.PARKED)

    async def _found_due(self, rows: Any, *_: Any) -> None:
        if rows:
            self._ending.set((None, Step.RETRY_COMMIT_SENT))
            await self.aim.reached(Step.DUE)


def install(aim: Aim) -> None:
    """Wrap the functions of this process, for good; done once in a process that is to die."""
    hooks = _Hooks(aim)
    hooks.relay()
    hooks.consumer()
    hooks.retry()
    hooks.wires()
