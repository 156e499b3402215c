"""The system that is walked through: one that runs, or a fresh one on embedded parts that ends with the walk."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from services.demo.walk.browser import Browser, WalkError
from shared.embedded import run_file

ROOT = Path(__file__).parents[3]
START_SECONDS = 240
END_SECONDS = 15
_LOOK_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class DemoSystem:
    """A system with demo parts."""

    address: str
    networks: dict[str, str]  # the sandbox of each network


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """A system that was started for a walk."""

    address: str
    var: Path  # its state directory
    process: "subprocess.Popen[bytes]"


@contextmanager
def fresh() -> Iterator[Fresh]:
    """Give a system that was started for this, in a directory of its own, and end it; raises WalkError."""
    with TemporaryDirectory(prefix="tidings-demo-") as folder:
        var = Path(folder)
        # None of the operator's own settings: a walk writes to nobody's database, mail server or network.
        bare = {name: value for name, value in os.environ.items() if not name.startswith("TIDINGS_")}
        # Away from here, because a file .env that lies here is read too.
        environment = bare | {"TIDINGS_VAR": folder, "TIDINGS_PORT": "0", "PYTHONPATH": str(ROOT)}
        said = var / "said.log"
        with said.open("wb") as log:
            process = subprocess.Popen(  # this very program
                [sys.executable, "-m", "services", "all"], env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield Fresh(address=_address_of(process, var, said), var=var, process=process)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(END_SECONDS)


def _address_of(process: "subprocess.Popen[bytes]", var: Path, said: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (running := run_file.read(var)) is not None and running.web:
            return running.web
        if process.poll() is not None:
            raise WalkError(f"`tidings all` ended at its start: {said.read_text(encoding='utf-8', errors='replace')[-1_000:]}")
        time.sleep(_LOOK_AGAIN_SECONDS)
    raise WalkError(f"`tidings all` did not start within {START_SECONDS} s")


def found_at(address: str) -> DemoSystem:
    """Return what there is to see of the system at an address; raises WalkError where mails or posts would leave it."""
    if urlsplit(address).path.strip("/"):
        raise WalkError(f"{address} has no demo inbox below it: give the address of the system alone, without a path.")
    page = Browser(address).look("/demo/parts.json")
    if page.status != 200:
        raise WalkError(
            f"{address} has no demo inbox (GET /demo/parts.json answers {page.status}), so its mails would reach people. "
            "The demo walks through systems alone that keep mails and posts to themselves: start one with `tidings all`."
        )
    networks = page.json["networks"]
    if not networks:
        raise WalkError(f"{address} has no sandbox in the place of social networks, so its posts would be seen by everybody.")
    return DemoSystem(address=address.rstrip("/"), networks=networks)
