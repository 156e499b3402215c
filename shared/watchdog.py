"""Liveness is progress: tells broker away, database away, stuck and idle apart, and restarts only what is stuck."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from aiokafka.errors import KafkaError

from shared import metrics
from shared.broker import BrokerAwayError, Probe, group_of
from shared.subscription import Subscription

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# A full batch takes half a second and a rebalance up to a session's ten seconds; longer without a step is no pace of ours.
STUCK_SECONDS = 15.0
MAX_RESTARTS = 3
CANCEL_AGAIN_SECONDS = 20.0  # as long as an orderly stop may take


class State(StrEnum):
    """What the watchdog sees."""

    STARTING = "starting"
    MOVING = "moving"  # there is work, and it is being done
    IDLE = "idle"  # everything in Kafka is done
    BROKER_AWAY = "broker-away"  # wait: restarting would change nothing
    DATABASE_AWAY = "database-away"  # wait: the batch is in hand and comes again
    STUCK = "stuck"  # there is work, both sides answer, and nothing moves


HEALTHY = frozenset({State.STARTING, State.MOVING, State.IDLE})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How patient the watchdog is."""

    look_seconds: float = LOOK_SECONDS
    stuck_seconds: float = STUCK_SECONDS
    max_restarts: int = MAX_RESTARTS


class Watchdog:
    """Looks after one subscription; calls `give_up` when restarting did not help, so that the process ends and is started anew."""

    def __init__(self, subscription: Subscription, probe: Probe, give_up: Callable[[str], None], limits: Limits | None = None) -> None:
        self.state = State.STARTING
        self.since = time.monotonic()
        self.behind = 0  # records in Kafka that this process has still to do
        self.restarts = 0  # without a step in between
        self._subscription = subscription
        self._probe = probe
        self._give_up = give_up
        self._limits = limits or Limits()
        self._still_since = time.monotonic()
        self._moved_at = 0.0
        self._started = False
        self._others: object = None  # what the group had committed when this process was last seen without a partition

    async def run(self) -> None:
        """Start the subscription and look after it until cancelled."""
        try:
            while True:
                if not self._started:
                    await self._start()
                if self._started:
                    await self._look()
                await asyncio.sleep(self._limits.look_seconds)
        finally:
            self._started = False  # it may be run again, under another name in the group
            await self._subscription.stop()

    async def _start(self) -> None:
        starting = asyncio.create_task(self._subscription.start())
        try:
            while not starting.done():
                await asyncio.wait({starting}, timeout=self._limits.look_seconds)
                if not starting.done():
                    await self._look_while_joining()
            await starting
        except (KafkaError, OSError, TimeoutError) as error:
            self._become(State.BROKER_AWAY, str(error))
        else:
            self._started = True
            self._still_since = time.monotonic()
        finally:
            while not starting.done():
                starting.cancel()  # the library swallows one now and then
                await asyncio.wait({starting}, timeout=CANCEL_AGAIN_SECONDS)

    async def _look_while_joining(self) -> None:
        """Say where the broker has gone meanwhile: joining waits for it as long as it stays away, and says nothing."""
        try:
            await self._probe.ends(self._subscription.topics)
        except BrokerAwayError as error:
            self._become(State.BROKER_AWAY, str(error))
        else:
            self._become(State.STARTING)

    async def _look(self) -> None:
        progress = self._subscription.progress
        if progress.moved_at != self._moved_at:
            self._moved_at = progress.moved_at
            self._still_since = time.monotonic()
            if progress.done:
                self.restarts = 0
        try:
            self.behind = await self._count_behind()
        except BrokerAwayError as error:
            self._still_since = time.monotonic()
            self._become(State.BROKER_AWAY, str(error))
            return
        still = time.monotonic() - self._still_since
        if progress.trouble:
            self._still_since = time.monotonic()
            self._become(State.DATABASE_AWAY, progress.trouble)
        elif not self.behind:
            self._still_since = time.monotonic()
            self._become(State.IDLE)
        elif still < self._limits.stuck_seconds or progress.batch_since is not None:
            self._become(State.MOVING)
        else:
            self._become(State.STUCK, f"{self.behind} records wait and nothing has moved for {still:.0f} s")
            await self._mend()

    async def _count_behind(self) -> int:
        """Return how many records wait: of the partitions this process has, or of all when it has none and nobody moves them."""
        ends = await self._probe.ends(self._subscription.topics)
        committed = await self._probe.committed(group_of(self._subscription.service), self._subscription.topics)
        client = self._subscription.client
        assigned = set(client.assignment()) if client is not None else set()
        done = self._subscription.progress.done
        behind = lag = 0
        for partition, end in ends.items():
            # A topic that was deleted and made again begins anew: what was done beyond its end was another one's.
            own = done.get(partition, 0) if done.get(partition, 0) <= end else 0
            left = max(0, end - max(committed.get(partition, 0), own))
            lag += left
            behind += left if not assigned or partition in assigned else 0
        metrics.CONSUMER_LAG.labels(self._subscription.service).set(lag)
        if not assigned and behind:
            self._note_others(committed)
        return behind

    def _note_others(self, committed: object) -> None:
        # Without a partition of its own this process is only a spare; it is stuck when nobody else moves the group either.
        if committed != self._others:
            self._others = committed
            self._still_since = time.monotonic()

    async def _mend(self) -> None:
        if self.restarts >= self._limits.max_restarts:
            self._give_up(f"{self._subscription.service} does not move after {self.restarts} restarts of its subscriber")
            return
        self.restarts += 1
        metrics.CONSUMER_RESTARTS.labels(self._subscription.service).inc()
        log.error("%s restarts its subscriber, try %d of %d", self._subscription.service, self.restarts, self._limits.max_restarts)
        self._started = False
        await self._subscription.stop()
        # Under its fixed name it would be given back what it had, within the session even without partitions that have come since.
        self._subscription.instance = None
        self._still_since = time.monotonic()

    def _become(self, state: State, why: str = "") -> None:
        if state is self.state:
            return
        level = logging.INFO if state in HEALTHY else logging.WARNING
        log.log(level, "%s: %s, was %s%s", self._subscription.service, state.value, self.state.value, f" ({why})" if why else "")
        self.state = state
        self.since = time.monotonic()
