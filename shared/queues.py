"""What waits in a service's tables, counted by one statement: how much of each, and since when the oldest of it waits."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import ColumnElement, DateTime, FromClause, Select, Text, cast, func, literal, null, select, text, union_all

from shared import clock, metrics
from shared.db import Database
from shared.outbox import outbox
from shared.parking import ParkedState, parked

log = logging.getLogger(__name__)

Queue = Select[str, str, str, int, datetime]
"""A part of the statement, made by `queue`: rows of queue, state, kind, depth and oldest."""

# However many ask how the queues stand, the database is asked this often at most.
COUNT_EVERY_SECONDS = 15.0
# Whoever asks gets what was counted last instead of waiting longer; the statement goes on, and the next one gets its answer.
WAIT_SECONDS = 1.0
STATEMENT_MILLISECONDS = 10_000

Labels = tuple[str, str, str]
"""Queue, state, kind."""


def queue(
    name: str,
    rows: FromClause,
    where: ColumnElement[bool],
    *,
    since: ColumnElement[datetime] | None,
    state: str | ColumnElement[str] = "waiting",
    kind: str | ColumnElement[str] = "",
) -> Queue:
    """Return a queue: the rows of which `where` is true, by state and kind where these are columns.

    `since` is when a row began to wait; None where that says nothing. What state and kind hold is no personal data: words of our own.
    """
    told = [cast(literal(one) if isinstance(one, str) else one, Text) for one in (state, kind)]
    oldest = cast(null() if since is None else func.min(since), DateTime(timezone=True))
    columns = (cast(literal(name), Text).label("queue"), told[0].label("state"), told[1].label("kind"))
    counted = select(*columns, func.count().label("depth"), oldest.label("oldest")).select_from(rows).where(where)
    groups = [one for one, given in zip(told, (state, kind), strict=True) if not isinstance(given, str)]
    return counted.group_by(*groups) if groups else counted


BACKBONE = (
    queue("outbox", outbox, outbox.c.sent_at.is_(None), since=outbox.c.time),
    *(
        queue("parked", parked, parked.c.state == state.value, state=state.value, since=parked.c.first_at)
        for state in (ParkedState.WAITING, ParkedState.DEAD)
    ),
    queue("parked", parked, parked.c.state == ParkedState.DISCARDED.value, state=ParkedState.DISCARDED.value, since=None),
)
"""What every service that keeps something has."""


class Queues:
    """Keeps the gauges of one service's queues up to date, for whoever asks and however often."""

    def __init__(self, database: Database, queues: Sequence[Queue], *, every_seconds: float = COUNT_EVERY_SECONDS) -> None:
        self._database = database
        self._statement = union_all(*BACKBONE, *queues)
        self._every_seconds = every_seconds
        self._counted_at = float("-inf")  # by the monotonic clock
        self._counting: asyncio.Task[None] | None = None
        self._seen: set[Labels] = set()

    async def measure(self) -> None:
        """Bring the gauges up to date, or return after a second with them as they were; raises nothing while the database is away."""
        if time.monotonic() - self._counted_at < self._every_seconds:
            return
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._count(), name=f"{self._database.service}: queues")
        done, _ = await asyncio.wait({self._counting}, timeout=WAIT_SECONDS)
        if not done:
            metrics.DATABASE_ANSWERS.labels(self._database.service).set(0)

    async def close(self) -> None:
        """End a statement that is still under way."""
        if self._counting is not None:
            self._counting.cancel()
            with suppress(asyncio.CancelledError):
                await self._counting

    async def _count(self) -> None:
        service = self._database.service
        try:
            async with self._database.transaction() as tx:
                await tx.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_MILLISECONDS}"))
                rows = (await tx.execute(self._statement)).all()
        except Exception as error:  # whatever it is, what is measured otherwise is still told
            metrics.DATABASE_ANSWERS.labels(service).set(0)
            log.warning("%s: its queues could not be counted: %s", service, type(error).__name__)
            return
        metrics.DATABASE_ANSWERS.labels(service).set(1)
        self._counted_at = time.monotonic()
        now = clock.now()
        self._show({(row.queue, row.state, row.kind): (row.depth, _age_seconds(row.oldest, now)) for row in rows})

    def _show(self, found: Mapping[Labels, tuple[int, float]]) -> None:
        service = self._database.service
        # A kind of which nothing waits any more has no row, and must not keep its last number.
        for labels in self._seen - found.keys():
            metrics.QUEUE_DEPTH.labels(service, *labels).set(0)
            metrics.QUEUE_OLDEST.labels(service, *labels).set(0)
        self._seen |= found.keys()
        for labels, (depth, oldest_seconds) in found.items():
            metrics.QUEUE_DEPTH.labels(service, *labels).set(depth)
            metrics.QUEUE_OLDEST.labels(service, *labels).set(oldest_seconds)
        metrics.OUTBOX_UNSENT.labels(service).set(found["outbox", "waiting", ""][0])
        metrics.OUTBOX_AGE.labels(service).set(found["outbox", "waiting", ""][1])
        for state in ParkedState:
            metrics.PARKED.labels(service, state.value).set(found["parked", state.value, ""][0])


def _age_seconds(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
