"""Processes of a run: `python -m bench.workers relay|consume|take|put …`, so that teller and listener do not share an interpreter."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from subprocess import PIPE, Popen

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from bench.submissions import LISTENS
from shared import command
from shared.broker import Probe, ensure_topics
from shared.consumer import Consumer
from shared.db import Database
from shared.events import registry
from shared.process import Process, ending_by_signal, open_port, serve
from shared.relay import Relay
from shared.service import Kafka
from shared.settings import read
from shared.subscription import Subscription
from shared.testing import trial

BATCH = 500


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


async def take(database_url: str, how: str, count: str, subjects: str) -> None:
    """Take so many events that nobody had to send; the subjects' names begin with `subjects`."""
    database = Database(database_url, trial.LISTENER)
    listens = trial.LISTENS_TO_LISTS if how == "lists" else trial.LISTENS
    consumer = Consumer(trial.LISTENER, database, listens, trial.KNOWN)
    records = [trial.record(f"{subjects}-{number % 1000}", 1 + number // 1000, offset=number) for number in range(int(count))]
    _ready()
    for start in range(0, len(records), BATCH):
        await consumer.take(records[start : start + BATCH])
    await _asked_to_end()
    await database.close()


async def put(database_url: str, kafka: str, rate: str, seconds: str) -> None:
    """Put single events, each in a transaction of its own, evenly spread, for so many seconds."""
    database = Database(database_url, trial.TELLER)
    teller = trial.Teller(database)
    subjects = trial.subjects(200)
    # As in the product: whoever tells has a relay too, and here another process leads.
    relay_task = asyncio.create_task(Relay(trial.TELLER, trial.TOPIC, database, kafka).run())
    _ready()
    began = time.perf_counter()
    for number in range(int(float(rate) * float(seconds))):
        await asyncio.sleep(max(0.0, began + number / float(rate) - time.perf_counter()))
        await teller.tell([subjects[number % len(subjects)]])
    relay_task.cancel()
    await asyncio.gather(relay_task, return_exceptions=True)
    await database.close()


async def bare(port: str) -> None:
    """Answer 202 to everything and do nothing."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

    config = uvicorn.Config(app, host="127.0.0.1", port=int(port), log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    _ready()
    await serving


async def door(database_url: str, kafka: str, key: str, port: str) -> None:
    """Run intake as `tidings intake` does."""
    from services.intake import app as intake

    settings = read(database=database_url, kafka=kafka, data_keys=[key], port=int(port))
    with closing(open_port(settings.host, settings.port)) as web:
        parts = command.parts_of(settings)

        async def announce(process: Process) -> None:
            del process
            _ready()

        where = Kafka(address=kafka, embedded=False, probe=Probe(kafka))
        await serve([intake.build(parts)], parts, where, web, ending_by_signal(), announce)


async def submissions(database_url: str, kafka: str) -> None:
    """Take submissions as the service that reviews them would."""
    database = Database(database_url, trial.LISTENER)
    await ensure_topics(kafka, registry.TOPICS)
    consumer = Consumer(trial.LISTENER, database, LISTENS, registry.TOPICS_OF)
    subscription = Subscription(consumer, kafka, [registry.topic_of("intake")], instance="bench-submissions")
    await subscription.start()
    _ready()
    await _asked_to_end()
    await subscription.stop()
    await database.close()


async def _asked_to_end() -> None:
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    await ending.wait()


def main() -> None:
    """Run the worker that the first argument names."""
    logging.basicConfig(level=logging.CRITICAL)  # a broker that is away is what is measured
    what, *arguments = sys.argv[1:]
    workers: dict[str, Callable[..., Coroutine[None, None, None]]] = {
        "relay": relay,
        "consume": consume,
        "take": take,
        "put": put,
        "bare": bare,
        "door": door,
        "submissions": submissions,
    }
    uvloop.run(workers[what](*arguments))


if __name__ == "__main__":
    main()
