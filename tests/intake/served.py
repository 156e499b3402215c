"""Intake as a process of its own, for tests that need a real server: `python -m tests.intake.served PORT`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from services.intake import app as intake_app
from shared import log
from tests.intake.intake_app import Intake, app_of, parts_of

ROOT = Path(__file__).parents[2]
DATABASE = "INTAKE_TEST_DATABASE"
DATA_KEY = "INTAKE_TEST_DATA_KEY"
READY = b"Uvicorn running"


def app() -> FastAPI:
    """The app of intake on the database that the environment names."""
    parts = parts_of(os.environ[DATABASE], os.environ[DATA_KEY])
    return app_of(intake_app.build(parts), parts)


@dataclass
class Server:
    """One process that serves intake."""

    port: int
    lines: list[bytes] = field(default_factory=list)  # what it wrote to its log

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def server(intake: Intake, port: int) -> AsyncIterator[Server]:
    """Serve intake's database from a process of its own until the block ends."""
    environment = {**os.environ, DATABASE: intake.url, DATA_KEY: intake.data_key}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.intake.served", str(port), cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    found = Server(port=port)
    ready = asyncio.Event()

    async def listen(stream: asyncio.StreamReader) -> None:
        async for line in stream:
            found.lines.append(line)
            if READY in line:
                ready.set()
        ready.set()

    listening = asyncio.create_task(listen(process.stderr))
    try:
        await asyncio.wait_for(ready.wait(), 60)
        assert process.returncode is None, b"".join(found.lines).decode()
        yield found
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await listening


if __name__ == "__main__":
    log.configure("json")
    uvicorn.run(app(), host="127.0.0.1", port=int(sys.argv[1]), log_config=None, log_level="info", access_log=False)
