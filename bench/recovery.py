"""Whole again after the broker was away: from its first answer to an empty outbox and every effect."""

import asyncio
import time
from collections.abc import Callable

from sqlalchemy import func, select

from bench import events
from bench.figures import Figure, show
from bench.workers import worker
from shared.broker import BrokerAwayError, Probe
from shared.db import Database
from shared.outbox import outbox
from shared.relay import unsent
from shared.testing import trial

RATE = 100
AWAY_SECONDS = 10
POLL_SECONDS = 0.05


async def measure(database_url: str, kafka: str, stop: Callable[[], None], start: Callable[[], None]) -> None:
    """Take the broker away in mid flow by `stop`, bring it back by `start`, and show how long until all is done."""
    await events.fresh(database_url, kafka)
    teller, listener = Database(database_url, trial.TELLER), Database(database_url, trial.LISTENER)
    flow_seconds = AWAY_SECONDS + 20
    with worker("relay", database_url, kafka), worker("consume", database_url, kafka, "single", "bench-0"):
        with worker("put", database_url, kafka, str(RATE), str(flow_seconds)) as putting:
            await asyncio.sleep(3)
            await asyncio.to_thread(stop)
            await asyncio.sleep(AWAY_SECONDS)
            await asyncio.to_thread(start)
            answered = await _answers(kafka)
            # Whole means: what was put before the broker answered has taken effect, though more is coming in.
            async with teller.transaction() as tx:
                waiting = (await tx.execute(select(func.count()).select_from(outbox))).scalar_one()
            while await trial.count_effects(listener) < waiting:
                await asyncio.sleep(POLL_SECONDS)
            whole = time.monotonic() - answered
            while putting.poll() is None:
                await asyncio.sleep(POLL_SECONDS)
        async with asyncio.timeout(60):
            while (await unsent(teller))[0] or await trial.count_effects(listener) < RATE * flow_seconds:
                await asyncio.sleep(POLL_SECONDS)
    told = await _told(teller)
    wrong = await trial.faults(listener, told)
    await teller.close()
    await listener.close()
    show(
        f"The broker away for {AWAY_SECONDS} s under {RATE} events a second",
        [
            Figure(
                what="whole again after its first answer",
                value=whole,
                unit="s",
                aim=15,
                lower_is_better=True,
            ),
            Figure(
                what="lost, doubled or out of order",
                value=len(wrong),
                unit="subjects",
                aim=0,
                lower_is_better=True,
                note=f"of {sum(told.values()):,} events",
            ),
        ],
    )


async def _told(teller: Database) -> dict[str, int]:
    async with teller.transaction() as tx:
        rows = await tx.execute(select(outbox.c.subject, func.count().label("number")).group_by(outbox.c.subject))
        return {row.subject: row.number for row in rows}


async def _answers(kafka: str) -> float:
    probe = Probe(kafka)
    while True:
        try:
            await probe.ends([trial.TOPIC])
        except BrokerAwayError:
            await asyncio.sleep(POLL_SECONDS)
        else:
            await probe.close()
            return time.monotonic()
