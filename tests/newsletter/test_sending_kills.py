"""Twenty thousand copies, while senders and the database are killed again and again: each once, or uncertain by name."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from services.newsletter.sending.rules import AudienceState, SendState, message_id
from shared.db import Database, is_away
from shared.embedded.postgres import EmbeddedPostgres
from shared.migrations import migrate
from shared.testing.databases import ask
from shared.vault import Vault, new_key
from tests.newsletter.sending import HELLO, rows_of, send_now, standing_of, subscribe
from tests.newsletter.sink import Sink, sink

ROOT = Path(__file__).parents[2]
RECIPIENTS = int(os.environ.get("TIDINGS_TEST_RECIPIENTS", "20000"))
KILLS = 30
DATABASE_KILLS = 10  # of these
SENDERS, CONNECTIONS_EACH = 2, 5
SECONDS_A_MESSAGE = 0.02


class Senders:
    """Sender processes; a killed one is followed by another."""

    def __init__(self, server: Process) -> None:
        self._server = server
        self.alive: dict[UUID, int] = {}  # process numbers
        self.killed: list[UUID] = []

    async def _heard(self, word: str) -> str:
        assert self._server.stdout is not None
        async with asyncio.timeout(60):
            first, _, rest = (await self._server.stdout.readline()).decode().strip().partition(" ")
        assert first == word, f"{first} {rest}"
        return rest

    async def add(self) -> None:
        """Begin one."""
        assert self._server.stdin is not None
        self._server.stdin.write(b"\n")
        pid, name = (await self._heard("born")).split()
        self.alive[UUID(name)] = int(pid)

    def kill(self, sender: UUID) -> None:
        """Kill one, wherever it is."""
        os.kill(self.alive.pop(sender), signal.SIGKILL)  # raises where it had ended by itself
        self.killed.append(sender)

    async def end(self) -> None:
        """End all in good order."""
        for pid in self.alive.values():
            os.kill(pid, signal.SIGTERM)
        assert {int(await self._heard("ended")) for _ in self.alive} == set(self.alive.values())
        self.alive.clear()

    def leave(self) -> None:
        """End all without further ado."""
        for pid in self.alive.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._server.kill()


@asynccontextmanager
async def senders(*arguments: str) -> AsyncIterator[Senders]:
    """Run two senders until the block ends."""
    command = [sys.executable, "-m", "tests.newsletter.sender_process", *arguments]
    server = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=ROOT)
    made = Senders(server)
    try:
        for _ in range(SENDERS):
            await made.add()
        yield made
        await made.end()
    finally:
        made.leave()
        await server.wait()


async def open_rows(url: str, sender: UUID | None = None) -> int:
    """Return how many copies are claimed or started, by one sender or by all."""
    whose = "" if sender is None else f" AND sender = '{sender}'"
    rows = await ask(url, f"SELECT count(*) AS n FROM newsletter.audience WHERE state IN ('claimed', 'started'){whose}")
    return int(rows[0]["n"])


async def kill_database(server: EmbeddedPostgres) -> None:
    """Kill PostgreSQL as the system would, and start it again."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    while server.pid is not None:
        await asyncio.sleep(0.001)
    await asyncio.to_thread(server.start)


async def more(taken: Sink, count: int, until: int) -> None:
    """Return when the sink has taken `count` more messages, or `until` altogether."""
    aim = min(taken.count + count, until)
    async with asyncio.timeout(120):
        while taken.count < aim:
            await asyncio.sleep(0.01)


def faults(rows: Sequence[Any], addresses: dict[UUID, str], taken: Counter[tuple[str, str]], killed: Sequence[UUID]) -> list[str]:
    """Return everything that is not as promised."""
    found = []
    lost_by = Counter((row.sender, row.link) for row in rows if row.state == AudienceState.UNCERTAIN.value)
    found += [f"{count} uncertain of one connection: {which}" for which, count in lost_by.items() if count > 1]
    found += [f"uncertain without a kill: {sender}" for sender, _ in lost_by if sender not in killed]
    for row in rows:
        address = addresses[row.subscriber_id]
        times = taken[address, message_id(row.issue_id, row.subscriber_id, HELLO)]
        allowed = {AudienceState.ACCEPTED.value: {1}, AudienceState.UNCERTAIN.value: {0, 1}}.get(row.state, set())
        if times not in allowed:
            found.append(f"{address} is {row.state} and was taken {times} times")
    found += [f"taken and not in the audience: {address}" for address, _ in taken if address not in set(addresses.values())]
    return found


@pytest.mark.xdist_group("faults")
@pytest.mark.timeout(900)
async def test_each_copy_goes_once_while_senders_and_database_are_killed(var: Path) -> None:
    chance, vault_key = Random(20_000), new_key()
    server = EmbeddedPostgres(var / "postgres", durable=False)
    await asyncio.to_thread(server.start)
    await migrate(server.url, ["newsletter"])
    database = Database(server.url, "newsletter")
    ids = await subscribe(database, Vault([vault_key]), [f"reader-{number}@domain-{number % 50}.example" for number in range(RECIPIENTS)])
    issue = await send_now(database)
    watched: list[int] = []
    broken: list[str] = []

    async def watch() -> None:
        while True:
            try:
                found = await standing_of(database, issue)
                watched.append(found.accepted)
            except AssertionError as error:
                broken.append(str(error))
            except Exception as error:
                if not is_away(error):
                    raise
            await asyncio.sleep(0.25)

    watching = asyncio.create_task(watch())
    try:
        async with (
            sink(var / "taken", seconds=SECONDS_A_MESSAGE) as taken,
            senders(server.url, str(taken.port), str(CONNECTIONS_EACH), vault_key) as running,
        ):
            plan = ["database"] * DATABASE_KILLS + ["sender"] * (KILLS - DATABASE_KILLS)
            chance.shuffle(plan)
            between = RECIPIENTS * 0.8 / KILLS
            for what in plan:
                await more(taken, int(between * chance.uniform(0.4, 1.2)), RECIPIENTS)
                if what == "database":
                    while not await open_rows(server.url):
                        await asyncio.sleep(0.005)
                    await kill_database(server)
                    assert await open_rows(server.url), "a kill of the database hit no open work"
                else:
                    victim = chance.choice(list(running.alive))
                    while not await open_rows(server.url, victim):
                        await asyncio.sleep(0.005)
                    running.kill(victim)
                    assert await open_rows(server.url, victim), "a kill of a sender hit no open work"
                    await running.add()
            async with asyncio.timeout(300):
                while (now := await standing_of(database, issue)).waiting or now.state is not SendState.SENT:
                    await asyncio.sleep(0.1)
            killed = running.killed
        rows = await rows_of(database, issue)
        assert faults(rows, {subscriber: address for address, subscriber in ids.items()}, taken.taken(), killed) == []
        assert broken == []
        assert len(watched) > KILLS
        assert now.accepted + now.uncertain == RECIPIENTS == now.audience
        assert now.uncertain <= CONNECTIONS_EACH * len(killed)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await database.close()
        await asyncio.to_thread(server.stop)
    print(f"{RECIPIENTS} copies, {KILLS} kills, {now.uncertain} uncertain of {CONNECTIONS_EACH * len(killed)} possible")
