"""The whole system in one process with its database and its broker, as `tidings all` runs it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from shared.broker import Probe
from shared.embedded.kafka import EmbeddedKafka
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.run_file import Run, claim
from shared.events.registry import PARTITIONS
from shared.process import at_work
from shared.service import Kafka
from tests.faults import system
from tests.faults.steps import CONSUMER_STEPS, Aim

PUT_EVERY_SECONDS = 0.01


async def live(
    aim: Aim,
    var: Path,
    asked_to_end: Callable[[], Awaitable[None]],
    give_up: Callable[[str], None],
    *,
    seed: int,
    at_first: int = 0,
    then: bool = False,
    reads: bool = True,
) -> None:
    """Run on the state directory `var` until asked to end; says where database and broker are.

    Puts `at_first` transactions of events before anything else works, and `then` more while it does. Without `reads` the service
    that listens is away, although the relay knows that it reads.
    """
    new = not (var / "postgres").exists()
    topics = {system.TOPIC: PARTITIONS}
    with claim(var) as run_file, EmbeddedPostgres(var / "postgres") as postgres, EmbeddedKafka(topics) as broker:
        if new:
            await system.make_schemas(postgres.url)
        run_file.write(Run(database=postgres.url, kafka=broker.address))
        _say("database", postgres.url)
        _say("kafka", broker.address)
        kafka = Kafka(address=broker.address, embedded=True, probe=Probe(broker.address), readers=system.READERS)
        services = [system.telling(postgres.url), *([system.listening(postgres.url)] if reads else [])]
        async with system.Outside(postgres.url, broker.address) as outside:
            await outside.find_told()
            chance = Random(seed)
            for _ in range(at_first):
                await outside.put(chance)
            async with at_work(services, kafka, give_up):
                if then:
                    outside.begin_putting(chance, every_seconds=PUT_EVERY_SECONDS)
                if aim.step in CONSUMER_STEPS:  # at one of its own the relay could not go on marking
                    aim.first = lambda: _all_marked(outside)
                await asked_to_end()
                await outside.end_putting()


async def _all_marked(outside: system.Outside) -> None:
    await outside.end_putting()
    while await outside.unsent():
        await asyncio.sleep(0.01)


def _say(word: str, what: str) -> None:
    os.write(1, f"{word} {what}\n".encode())
