"""The whole system in one process with its database and its broker, as `tidings all` runs it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from shared import relay
from shared.broker import Probe
from shared.db import Database
from shared.embedded.kafka import EmbeddedKafka
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.run_file import Run, claim
from shared.events.registry import PARTITIONS
from shared.process import at_work
from shared.service import Kafka
from tests.faults import system
from tests.faults.steps import Aim


async def live(
    aim: Aim, var: Path, asked_to_end: Callable[[], Awaitable[None]], give_up: Callable[[str], None], *, put: int, seed: int, reads: bool
) -> None:
    """Run on the state directory `var` until asked to end, putting so many events at first; says where its database is."""
    new = not (var / "postgres").exists()
    topics = {system.TOPIC: PARTITIONS}
    with claim(var) as run_file, EmbeddedPostgres(var / "postgres") as postgres, EmbeddedKafka(topics) as broker:
        if new:
            await system.make_schemas(postgres.url)
        run_file.write(Run(database=postgres.url, kafka=broker.address))
        os.write(1, f"database {postgres.url}\n".encode())
        os.write(1, f"kafka {broker.address}\n".encode())
        kafka = Kafka(address=broker.address, embedded=True, probe=Probe(broker.address), readers=system.readers())
        services = [system.telling(postgres.url), *([system.listening(postgres.url)] if reads else [])]
        async with system.Outside(postgres.url, broker.address) as outside:
            aim.first = lambda: _everything_marked(outside.teller.database)
            await outside.find_told()
            async with at_work(services, kafka, give_up):
                await _put(outside, Random(seed), put)
                os.write(1, b"put all\n")
                await asked_to_end()


async def _put(outside: system.Outside, chance: Random, count: int) -> None:
    before = outside.teller.count
    while outside.teller.count - before < count:
        await outside.put(chance)
        await asyncio.sleep(0)


async def _everything_marked(database: Database) -> None:
    while (await relay.unsent(database))[0]:
        await asyncio.sleep(0.01)
