"""Processes to be killed. `python -m tests.faults.lives <role> …` imports everything once and then bears one life after another by
fork, so that a life costs a tenth of a second and not the imports' one or two.

A line on its input begins a life: what the role needs to know, and the step at which it is to die. A life without a step ends, in
good order, when its input does. On its output lives say what they have to say, and after each stands how it ended.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from services.social.networks.x.client import X
from services.social.networks.x.session import Account
from services.social.sender import Sender
from shared.broker import Probe
from shared.db import Database
from shared.events.codes import Network
from shared.process import at_work
from shared.service import Kafka, Service
from tests.faults import embedded, system
from tests.faults.steps import Aim, Step, install
from tests.social.x_sandbox import QUICK

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
# A life begins within a second; on a machine with much else to do, or while nothing comes that would lead to its step, later.
LIFE_SECONDS = 90.0


@dataclass(frozen=True, kw_only=True)
class Death:
    """How a life ended."""

    step: str  # that it had reached; empty when it was not killed at one
    code: int  # -9 after SIGKILL
    said: Mapping[str, str]  # what it said before, by its first word


class Lives:
    """The lives of one role, one at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._born = 0  # process number of the living one, or of the last that lived

    async def begin(self, step: Step | None = None, *, times: int = 1, **known: Any) -> None:
        """Begin a life; it dies when it has reached `step` so many times, or goes on until something ends it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"step": step, "times": times, "known": known}).encode() + b"\n")
        await self._process.stdin.drain()
        await self.heard("born")

    async def heard(self, word: str) -> str:
        """Return what the living one says after `word`."""
        async with asyncio.timeout(LIFE_SECONDS):
            while True:
                first, rest = await self._line()
                if first == word:
                    return rest
                assert first != "ended", f"a life ended before it said {word!r}: {rest}"

    async def death(self) -> Death:
        """Return how the life ended, once it has."""
        said: dict[str, str] = {}
        async with asyncio.timeout(LIFE_SECONDS):
            while True:
                word, rest = await self._line()
                if word == "ended":
                    return Death(step=said.get("reached", ""), code=int(rest), said=said)
                said[word] = rest

    async def killed(self) -> Death:
        """Kill the living one, wherever it is, and return its death."""
        os.kill(self._born, signal.SIGKILL)
        return await self.death()

    async def killed_at(self, step: Step, *, times: int = 1, **known: Any) -> Death:
        """Begin a life and return its death; raises AssertionError when it was another than this."""
        await self.begin(step, times=times, **known)
        try:
            death = await self.death()
        except TimeoutError:
            raise AssertionError(f"a life did not come to its step within {LIFE_SECONDS:.0f} s: {step}") from None
        assert (death.step, death.code) == (step, -9), f"a life was to die at {step!r}, and ended otherwise: {death}"
        return death

    async def _line(self) -> tuple[str, str]:
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode()
        assert line, "the server of lives has ended"
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "born":
            self._born = int(rest)
        return word, rest

    async def end(self) -> None:
        """End the input, and with it the life and the server of lives; raises AssertionError when that life does not end in order."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(LIFE_SECONDS):
                said = (await self._process.stdout.read()).decode()
                await self._process.wait()
        finally:
            self.kill()
        assert "ended" not in said or said.endswith("ended 0\n"), said

    def kill(self) -> None:
        """End the server of lives and the life without further ado."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


@asynccontextmanager
async def lives_of(role: str, *arguments: str) -> AsyncIterator[Lives]:
    """Give the lives of a role until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.lives", role, *arguments, stdin=PIPE, stdout=PIPE, cwd=ROOT, start_new_session=True
    )
    lives = Lives(process)
    try:
        yield lives
        await lives.end()
    finally:
        lives.kill()
        await process.wait()


async def _asked_to_end() -> None:
    """Return when there is more on the input; nothing of it is read, for it is the server's."""
    ending = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, ending.set)
    await ending.wait()


async def _service(service: Service, kafka: str) -> None:
    async with at_work([service], Kafka(address=kafka, embedded=False, probe=Probe(kafka)), _give_up):
        await _asked_to_end()


def _give_up(why: str) -> None:
    sys.stderr.write(f"{why}\n")
    os._exit(3)


async def _relay(aim: Aim, url: str, kafka: str) -> None:
    await _service(system.telling(url), kafka)


async def _consumer(aim: Aim, url: str, kafka: str) -> None:
    await _service(system.listening(url), kafka)


async def _embedded(aim: Aim, var: str, **known: Any) -> None:
    await embedded.live(aim, Path(var), _asked_to_end, _give_up, **known)


async def _posts(aim: Aim, url: str, account: str) -> None:
    database = Database(url, "social")
    sender = Sender({Network.X: X(Account(**json.loads(account)), QUICK)}, QUICK)
    ending = asyncio.create_task(_asked_to_end())
    while not ending.done():
        await sender.run(database)
        await asyncio.wait({ending}, timeout=0.02)
    await database.close()


ROLES: Mapping[str, Callable[..., Awaitable[None]]] = {"relay": _relay, "consumer": _consumer, "embedded": _embedded, "posts": _posts}


def _live(role: str, arguments: list[str], line: str) -> None:
    os.write(1, f"born {os.getpid()}\n".encode())
    given = json.loads(line)
    aim = Aim(Step(given["step"]) if given["step"] else None, given["times"])
    install(aim)

    async def live() -> None:
        await ROLES[role](aim, *arguments, **given["known"])

    uvloop.run(live())


def main() -> None:
    """Bear lives until the input ends."""
    logging.basicConfig(level=logging.WARNING, format=f"%(asctime)s {sys.argv[1]} %(process)d %(levelname)s %(name)s: %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    role, *arguments = sys.argv[1:]
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            code = 1
            try:
                _live(role, arguments, line)
                code = 0
            except BaseException:
                log.exception("a life failed")
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        os.set_blocking(0, True)  # the loop of a life has changed it for us too
        os.write(1, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    main()
