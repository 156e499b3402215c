"""Embedded parts: how soon the first event is there, and whether a flood outlives a reader that is away."""

import asyncio
import tempfile
from pathlib import Path

from bench.figures import Clock, Figure, show
from shared.broker import Probe
from shared.consumer import Consumer
from shared.db import Database
from shared.embedded.kafka import EmbeddedKafka
from shared.embedded.postgres import EmbeddedPostgres
from shared.events.registry import PARTITIONS
from shared.relay import Relay
from shared.subscription import EMBEDDED, Subscription
from shared.testing import trial
from shared.window import Window

FLOOD = 30_000
POLL_SECONDS = 0.005


async def measure() -> None:
    """Measure and show both."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "postgres") as postgres:
        await trial.make_schemas(postgres.url)
        teller_database, listener_database = Database(postgres.url, trial.TELLER), Database(postgres.url, trial.LISTENER)
        teller = trial.Teller(teller_database)
        clock = Clock()
        with EmbeddedKafka({trial.TOPIC: PARTITIONS}) as kafka:
            probe = Probe(kafka.address)
            window = Window(probe, trial.TOPIC, [trial.LISTENER])
            relay = asyncio.create_task(Relay(trial.TELLER, trial.TOPIC, teller_database, kafka.address, window=window).run())
            consumer = Consumer(trial.LISTENER, listener_database, trial.LISTENS_TO_LISTS, trial.KNOWN)
            subscription = Subscription(consumer, kafka.address, [trial.TOPIC], pace=EMBEDDED)
            await subscription.start()
            await teller.tell(["first"])
            await _effects(listener_database, 1)
            first_seconds = clock.seconds
            await subscription.stop()
            subjects = trial.subjects(1000)
            clock = Clock()
            for start in range(0, FLOOD, 500):
                await teller.tell(subjects[start % 1000 : start % 1000 + 500])
            put_seconds = clock.seconds
            await subscription.start()
            clock = Clock()
            await _effects(listener_database, FLOOD + 1)
            flood_seconds = clock.seconds
            wrong = await trial.faults(listener_database, teller.told)
            await subscription.stop()
            relay.cancel()
            await asyncio.gather(relay, return_exceptions=True)
            await probe.close()
        await teller_database.close()
        await listener_database.close()
    show(
        "Embedded broker and database",
        [
            Figure(what="from the broker's start to the first effect", value=first_seconds, unit="s", aim=0.5, lower_is_better=True),
            Figure(
                what=f"of {FLOOD:,} events put while their listener is away, lost, doubled or out of order",
                value=len(wrong),
                unit="subjects",
                aim=0,
                lower_is_better=True,
                note=f"put in {put_seconds:.1f} s, handled within {flood_seconds:.1f} s of its return",
            ),
        ],
    )


async def _effects(database: Database, count: int) -> None:
    async with asyncio.timeout(120):
        while await trial.count_effects(database) < count:
            await asyncio.sleep(POLL_SECONDS)
