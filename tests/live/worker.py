"""Processes that live tests start, freeze and kill: `python -m tests.live.worker listen|hang …`."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from sqlalchemy import event

from shared import db
from shared import service as at_service
from shared.broker import Probe
from shared.db import Database
from shared.events import registry
from shared.process import at_work
from shared.service import Kafka, Service
from shared.subscription import Pace
from shared.testing import trial
from shared.watchdog import Limits
from tests.live.flow import QUICK, Flow

START_SECONDS = 60.0
SIGNATURE = "live test worker"


class Worker:
    """A worker as the test that started it sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def said(self) -> str:
        """Return the next line that the worker says, without its end; empty when it has ended."""
        assert self.process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            return (await self.process.stdout.readline()).decode().strip()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    async def ended(self, seconds: float = 60.0) -> int:
        """Return the exit code once the worker has ended."""
        async with asyncio.timeout(seconds):
            return await self.process.wait()


@asynccontextmanager
async def program(module: str, *arguments: str, env: Mapping[str, str] | None = None, log: Path | None = None) -> AsyncIterator[Worker]:
    """Run a module until the block ends, its standard error in `log`; it is asked to end then, or killed when it does not."""
    with ExitStack() as stack:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=stack.enter_context(log.open("wb")) if log else None,
            env=os.environ | dict(env or {}),
        )
    started = Worker(process)
    try:
        yield started
    finally:
        if process.returncode is None:
            started.signal(signal.SIGCONT)
            started.signal(signal.SIGTERM)
            try:
                await started.ended(30)
            except TimeoutError:
                process.kill()
                await process.wait()


def listening_worker(flow: Flow, *, pace: Pace = QUICK, idle_seconds: float = 60.0) -> AbstractAsyncContextManager[Worker]:
    """Run a listener of `flow` in a process of its own until the block ends; frozen so long in a transaction, it loses that."""
    where = (flow.name, flow.topic, flow.database_url, flow.kafka.address)
    return program("tests.live.worker", "listen", *where, str(pace.session_timeout_ms), str(idle_seconds))


async def listen(name: str, topic: str, database_url: str, address: str, session_timeout_ms: str, idle_seconds: str) -> None:
    """Listen to the trial's events as a process of a service does, until asked to end; says its name in the group when it has one."""
    registry.TOPICS_OF = {trial.TYPE: frozenset({topic})}
    registry.TOPICS = (topic,)
    db.IDLE_IN_TRANSACTION_SECONDS = float(idle_seconds)
    pace = replace(QUICK, session_timeout_ms=int(session_timeout_ms))
    setattr(at_service, "KAFKA", pace)  # noqa: B010  # it is imported there, not made
    database = Database(database_url, trial.LISTENER)
    event.listen(database.engine.sync_engine, "connect", _sign)
    service = Service(name=name, database=database, listeners=trial.LISTENS, routers=())
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    async with at_work([service], Kafka(address=address, embedded=False, probe=Probe(address)), _end_now) as (running,):
        assert running.subscription is not None
        while not (running.subscription.client and running.subscription.client.assignment()):
            await asyncio.sleep(0.02)
        _say(running.subscription.instance or "")
        await ending.wait()


def _sign(connection: Any, _: object) -> None:
    """Let a session show that it is a worker's."""
    connection.cursor().execute(f"SET application_name = '{SIGNATURE}'")
    connection.commit()


def hang(*command: str) -> None:
    """Run the command `tidings …` with a Kafka client that never hands a record over, watched by an impatient watchdog."""
    from services import __main__ as tidings
    from services import wiring

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    def impatient(*given: Any, **named: Any) -> Kafka:
        known = made(*given, **named)
        limits = Limits(look_seconds=0.2, stuck_seconds=1.0)
        return Kafka(address=known.address, embedded=known.embedded, probe=known.probe, readers=known.readers, limits=limits)

    made = wiring.kafka_of
    wiring.kafka_of = impatient
    setattr(AIOKafkaConsumer, "getmany", never)  # noqa: B010  # its type says that it comes back
    sys.argv[1:] = command
    tidings.main()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _end_now(why: str) -> None:
    raise SystemExit(why)


def main(what: str, arguments: Sequence[str]) -> None:
    """Run the worker that the first argument names."""
    if what == "hang":
        hang(*arguments)
    else:
        logging.basicConfig(level=logging.ERROR)
        asyncio.run(listen(*arguments))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
