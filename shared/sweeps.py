"""Sweeps: for each promise a query that finds what is stuck. What is safe to mend is mended, the rest is named for people.

A sweep stands behind what ought to happen by itself: it finds what a crash, a bug or a hand in the database has left lying.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, select

from shared import clock, locks, metrics
from shared.db import Database, Transaction, is_away
from shared.outbox import outbox
from shared.parking import STANDS_BEHIND, ParkedState, parked

log = logging.getLogger(__name__)

SWEEP_EVERY_SECONDS = 60.0
# One sweep names and mends no more than this at a time; the next goes on.
MOST = 200
# What ought to happen by itself happens within seconds; a sweep that came sooner would meet it at work.
LATE = timedelta(minutes=5)
VERY_LATE = timedelta(minutes=15)
# What a crash left is found within minutes; what is older was named for days, and what it came from may be erased.
BACK = timedelta(days=2)


class Promise(StrEnum):
    """What is promised; each has its sentence under `staff.promise` and its line in docs/understand/promises.md."""

    KEPT = "kept"  # what was answered with 202 is kept, told, and becomes what was decided
    TOLD = "told"  # what happened is told
    SET_ASIDE = "set-aside"  # what cannot be handled is tried again, or a person is asked
    ASKED = "asked"  # what awaits people is asked of them, and nothing else
    MAILED = "mailed"  # a mail that was decided leaves, or its end is known
    APPROVED = "approved"  # what is planned is what is approved
    SENT = "sent"  # an issue leaves in its hour, and every copy of it ends
    POSTED = "posted"  # a post leaves in its time
    NEAR = "near"  # deadlines that come near are told of


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """One thing that is stuck; no field holds anything about a person."""

    id: str  # of an event, a submission, an issue, a post, a mail
    why: str  # one word; its sentence is `staff.stuck.<why>`
    since: datetime


Find = Callable[[Transaction], Awaitable[Sequence[Stuck]]]
Mend = Callable[[Transaction, Stuck], Awaitable[bool]]
"""Mends one thing in a transaction of its own, and says whether it is mended now; what is not is named."""
Follow = Callable[[Transaction, Sequence[Stuck]], Awaitable[None]]
"""What follows from what is left, be it nothing."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """One way in which a promise may be stuck."""

    promise: Promise
    find: Find
    mend: Mend | None = None
    follow: Follow | None = None


async def found_by(tx: Transaction, sweeps: Sequence[Sweep]) -> Sequence[tuple[Promise, Stuck]]:
    """Return everything that is stuck now, with the promise that it breaks."""
    return [(sweep.promise, one) for sweep in sweeps for one in await sweep.find(tx)]


class Sweeper:
    """Runs a service's sweeps; in each process, of which one at a time mends."""

    def __init__(self, sweeps: Sequence[Sweep]) -> None:
        self.sweeps = sweeps
        self._named: set[tuple[Promise, str, str]] = set()

    async def run(self, database: Database) -> int:
        """Find what is stuck, mend what can be, show what is left, and return how much that is."""
        async with locks.session(database) as session:
            alone = await locks.try_lock(session, f"sweeps:{database.service}")
            left = dict.fromkeys([sweep.promise for sweep in self.sweeps], 0)
            named: set[tuple[Promise, str, str]] = set()
            for sweep in self.sweeps:
                try:
                    stuck = await self._sweep(database, sweep, alone=alone)
                except Exception as error:
                    if is_away(error):
                        raise
                    # The other promises are looked after all the same, and the age of this sweep shows.
                    log.exception("%s: what is %s could not be swept", database.service, sweep.promise.value)
                    left.pop(sweep.promise, None)
                    continue
                if sweep.promise in left:
                    left[sweep.promise] += len(stuck)
                named |= {(sweep.promise, one.why, one.id) for one in stuck}
            for promise, count in left.items():
                metrics.STUCK.labels(database.service, promise.value).set(count)
                metrics.SWEPT_AT.labels(database.service, promise.value).set(clock.now().timestamp())
            if alone:
                for promise, why, id_ in sorted(named - self._named):
                    log.warning("%s: stuck: %s %s (%s)", database.service, why, id_, promise.value)
            self._named = named
        return sum(left.values())

    async def _sweep(self, database: Database, sweep: Sweep, *, alone: bool) -> Sequence[Stuck]:
        """Return what is left of one sweep."""
        async with database.transaction() as tx:
            stuck = await sweep.find(tx)
        if not alone:
            return stuck
        if stuck and sweep.mend is not None:
            for one in stuck:
                await self._mend(database, sweep, one)
            async with database.transaction() as tx:
                stuck = await sweep.find(tx)
        if sweep.follow is not None:
            async with database.transaction() as tx:
                await sweep.follow(tx, stuck)
        return stuck

    async def _mend(self, database: Database, sweep: Sweep, one: Stuck) -> None:
        assert sweep.mend is not None
        try:
            async with database.transaction() as tx:
                mended = await sweep.mend(tx, one)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("%s: %s %s could not be mended", database.service, one.why, one.id)
            return
        if mended:
            metrics.MENDED.labels(database.service, sweep.promise.value).inc()
            log.warning("%s: mended: %s %s (%s)", database.service, one.why, one.id, sweep.promise.value)


# ---- what every service promises ----


def rows(query: Select[*tuple[Any, ...]], why: str) -> Find:
    """Return a sweep's find from a query of id and since."""

    async def find(tx: Transaction) -> Sequence[Stuck]:
        return [Stuck(id=str(row.id), why=why, since=row.since) for row in await tx.execute(query.limit(MOST))]

    return find


def before(late: timedelta) -> Any:
    """Return the time of the database that is so long ago."""
    return func.now() - late


TELLS = Sweep(
    promise=Promise.TOLD,
    find=rows(
        select(outbox.c.id, outbox.c.time.label("since"))
        .where(outbox.c.sent_at.is_(None), outbox.c.time < before(LATE))
        .order_by(outbox.c.seq),
        "unsent",
    ),
)
"""For a service that tells."""

_DEAD = rows(
    select(parked.c.event_id.label("id"), parked.c.last_at.label("since"))
    .where(parked.c.state == ParkedState.DEAD.value)
    .order_by(parked.c.id),
    "dead",
)
_NOT_TRIED = Sweep(
    promise=Promise.SET_ASIDE,
    find=rows(
        select(parked.c.event_id.label("id"), parked.c.next_at.label("since"))
        .where(parked.c.state == ParkedState.WAITING.value, parked.c.next_at < before(VERY_LATE), ~STANDS_BEHIND)
        .order_by(parked.c.id),
        "not-tried",
    ),
)


def listens(follow: Follow | None = None) -> tuple[Sweep, ...]:
    """Return the sweeps of a service that listens; `follow` is what follows from what is dead."""
    return (Sweep(promise=Promise.SET_ASIDE, find=_DEAD, follow=follow), _NOT_TRIED)
