"""One process of Tidings: services at work, their pages on one port, and an end that loses nothing."""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI

from shared import i18n, spans
from shared.application import application
from shared.parts import Parts
from shared.service import Kafka, Running, Service
from shared.settings import Settings

log = logging.getLogger(__name__)

# Requests in hand get this long to be answered; batches and relay take less.
GRACEFUL_SECONDS = 4


@dataclass(kw_only=True)
class Process:
    """A running process, as its start sees it."""

    address: str  # where it answers: http://127.0.0.1:8000
    running: Sequence[Running]
    failure: str = ""  # why it ends by itself; empty when it was asked to end


class _Server(uvicorn.Server):
    """uvicorn, but signals are ours: its own way raises them again and would end the process before the services have ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def ending_by_signal() -> asyncio.Event:
    """Return an event that is set when the process is asked to end: Ctrl-C, SIGTERM, or a terminal that is closed.

    Call it before anything is started, so that whatever was started is ended too.
    """
    ending = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    return ending


@asynccontextmanager
async def at_work(services: Sequence[Service], kafka: Kafka, give_up: Callable[[str], None]) -> AsyncIterator[Sequence[Running]]:
    """Run the services without pages until the block ends; the probe is closed with them."""
    running = [Running(service, kafka, give_up) for service in services]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(kafka.probe.close)
        for one in running:
            await stack.enter_async_context(one.at_work())
        preparing = asyncio.create_task(kafka.prepare(), name="topics")
        stack.push_async_callback(_end, preparing)
        yield running


async def serve(
    services: Sequence[Service],
    parts: Parts,
    kafka: Kafka,
    web: socket.socket,
    ending: asyncio.Event,
    announce: Callable[[Process], Awaitable[None]],
) -> Process:
    """Answer on the listening socket `web` until `ending` is set, or a service gives up: the process then has a `failure`."""
    i18n.be_lenient()  # a sentence that lacks is a blemish here, and an error in tests
    process = Process(address="", running=())

    def give_up(why: str) -> None:
        process.failure = why
        log.critical("the process ends and should be started anew: %s", why)
        ending.set()

    name = services[0].name if len(services) == 1 else "tidings"
    async with spans.exported(parts.settings.otlp_endpoint, name), at_work(services, kafka, give_up) as running:
        process.running = running
        app = application(running, parts)
        spare_what_stays()
        async with answering(app, web, parts.settings) as serving:
            ended = asyncio.create_task(ending.wait())
            try:
                process.address = f"http://{parts.settings.host}:{web.getsockname()[1]}"
                await announce(process)
                await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _end(ended)
    return process


def spare_what_stays() -> None:
    """Let the garbage collector pass over all that there is by now, which stays for the process's life.

    Each of its full looks stops everything, and takes a fifth of a second where it goes through the code and models of every service.
    """
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def answering(app: FastAPI, web: socket.socket, settings: Settings) -> AsyncIterator["asyncio.Task[None]"]:
    """Answer on the listening socket `web` until the block ends; gives the task that does, which ends by itself only when it fails."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # ours carries the trace id and no query
        lifespan="off",
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[web]), name="web")
    try:
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        yield serving
    finally:
        server.should_exit = True
        await serving


def open_port(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes any free one. Raises OSError, with what to do, when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        wrong = "TIDINGS_HOST to an address of this machine" if isinstance(error, socket.gaierror) else "TIDINGS_PORT to a free one"
        raise OSError(f"Port {port} on {host} cannot be opened ({error.strerror}); set {wrong}.") from error
    opened.setblocking(False)
    return opened


async def _end(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
