"""The sandbox at work: on a loopback port, in the process that starts it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from pydantic import SecretStr

from services.demo.sandbox.api import application
from services.demo.sandbox.keys import Keys
from services.demo.sandbox.moods import Moods, Moody
from services.demo.sandbox.timeline import Timeline
from shared.process import open_port
from shared.settings import Settings

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox."""

    address: str  # http://127.0.0.1:port: X's addresses below it, its page at its root
    keys: Keys
    timeline: Timeline
    moods: Moods

    @property
    def as_settings(self) -> dict[str, object]:
        """The settings by which posts go here, and nowhere else: keys of a live account are never used in a rehearsal."""
        return {"x_api_url": self.address} | {f"x_{name}": SecretStr(value) for name, value in asdict(self.keys).items()}


class _Server(uvicorn.Server):
    """uvicorn, but signals belong to whoever runs the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def is_wanted(settings: Settings) -> bool:
    """Say whether a sandbox comes along: posts are to be rehearsed, no other place for them is named, and this is one's own machine."""
    host = urlsplit(settings.address).hostname or ""
    here = host == "localhost" or host.endswith(".localhost") or _is_loopback(host)
    return settings.networks == "sandbox" and settings.x_api_url is None and here


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def sandbox(folder: Path | None = None, *, keys: Keys | None = None, host: str = LOOPBACK, port: int = 0) -> AsyncIterator[Sandbox]:
    """Give a sandbox until the block ends; its timeline is kept in `folder` where one is given. Port 0: any free one."""
    opened = open_port(host, port)
    running = Sandbox(
        address=f"http://{host}:{opened.getsockname()[1]}",
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
