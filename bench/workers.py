"""Processes of a run: `python -m bench.workers relay|consume|put …`, so that teller and listener do not share an interpreter."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

import uvloop

from shared.consumer import Consumer
from shared.db import Database
from shared.relay import Relay
from shared.subscription import Subscription
from shared.testing import trial


@contextmanager
def worker(*arguments: str) -> Iterator["Popen[str]"]:
    """Run a worker until the block ends; the block begins when it says that it is ready."""
    process = Popen([sys.executable, "-m", "bench.workers", *arguments], stdout=PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if line.strip() != "ready":
            raise RuntimeError(f"bench worker {arguments[0]} did not start: {line!r}")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


async def relay(database_url: str, kafka: str) -> None:
    """Relay the trial teller's outbox until asked to end."""
    database = Database(database_url, trial.TELLER)
    task = asyncio.create_task(Relay(trial.TELLER, trial.TOPIC, database, kafka).run())
    _ready()
    await _asked_to_end()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await database.close()


async def consume(database_url: str, kafka: str, how: str, instance: str) -> None:
    """Take the trial's events, singly or in lists, until asked to end."""
    database = Database(database_url, trial.LISTENER)
    listens = trial.LISTENS_TO_LISTS if how == "lists" else trial.LISTENS
    subscription = Subscription(Consumer(trial.LISTENER, database, listens, trial.KNOWN), kafka, [trial.TOPIC], instance=instance)
    await subscription.start()
    _ready()
    await _asked_to_end()
    await subscription.stop()
    await database.close()


async def put(database_url: str, rate: str, seconds: str) -> None:
    """Put single events, each in a transaction of its own, evenly spread, for so many seconds."""
    database = Database(database_url, trial.TELLER)
    teller = trial.Teller(database)
    subjects = trial.subjects(200)
    _ready()
    began = time.perf_counter()
    for number in range(int(float(rate) * float(seconds))):
        await asyncio.sleep(max(0.0, began + number / float(rate) - time.perf_counter()))
        await teller.tell([subjects[number % len(subjects)]])
    await database.close()


async def _asked_to_end() -> None:
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    await ending.wait()


def main() -> None:
    """Run the worker that the first argument names."""
    logging.basicConfig(level=logging.ERROR)
    what, *arguments = sys.argv[1:]
    workers: dict[str, Callable[..., Coroutine[None, None, None]]] = {"relay": relay, "consume": consume, "put": put}
    uvloop.run(workers[what](*arguments))


if __name__ == "__main__":
    main()
