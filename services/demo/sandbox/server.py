"""The sandbox at work: on a loopback port, in the process that starts it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from services.demo.sandbox.api import application
from services.demo.sandbox.keys import Keys
from services.demo.sandbox.moods import Moods, Moody
from services.demo.sandbox.timeline import Timeline
from shared.process import open_port

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox."""

    address: str  # http://127.0.0.1:port: X's addresses below it, its page at its root
    keys: Keys
    timeline: Timeline
    moods: Moods


class _Server(uvicorn.Server):
    """uvicorn, but signals belong to whoever runs the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def sandbox(folder: Path | None = None, *, keys: Keys | None = None, port: int = 0) -> AsyncIterator[Sandbox]:
    """Give a sandbox until the block ends; its timeline is kept in `folder` where one is given. Port 0: any free one."""
    opened = open_port(LOOPBACK, port)
    running = Sandbox(
        address=f"http://{LOOPBACK}:{opened.getsockname()[1]}",
        keys=keys or Keys.new(),
        timeline=Timeline(folder),
        moods=Moods(),
    )
    app = Moody(application(running.timeline, running.keys, running.moods), running.moods)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False, timeout_graceful_shutdown=1)
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[opened]), name="sandbox")
    try:
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        yield running
    finally:
        server.should_exit = True
        await serving
        opened.close()
