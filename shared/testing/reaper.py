"""Cleans up after a test run, however it ends: Ctrl-C, a time-out, or SIGKILL in the middle of a test.

A process of its own waits for the end of a pipe that the test run holds open; the kernel closes it with the run. The usual way, a
container that removes containers, needs one more image, and knows nothing of servers that are no containers.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Self

from shared.embedded.errors import EmbeddedError
from shared.embedded.postgres import stop_left_behind

LABEL = "tidings.test-run"


class Reaper:
    """Whatever is in `folder`, and every container labelled with `labels`, goes when this process ends or `close` is called."""

    def __init__(self) -> None:
        run = token_hex(8)
        self.labels = {LABEL: run}
        self.folder = Path(tempfile.mkdtemp(prefix="tidings-test-"))
        self.folder.chmod(0o711)  # a server that runs as another account passes through
        self._process = subprocess.Popen(  # noqa: S603  # our own words
            [sys.executable, "-m", "shared.testing.reaper", run, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # whoever reads the run's output would wait for this process too
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # out of reach of Ctrl-C
        )

    @property
    def pid(self) -> int:
        """The number of the process that waits."""
        return self._process.pid

    def close(self) -> None:
        """Clean up now; returns when all is gone."""
        if self._process.returncode is None:
            self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def reap(run: str, folder: Path) -> None:
    """Remove the containers labelled with `run`, stop the servers whose data is under `folder`, and remove that."""
    with suppress(Exception):  # without an engine there are no containers
        from testcontainers.core.docker_client import DockerClient

        client = DockerClient().client
        for container in client.containers.list(all=True, filters={"label": f"{LABEL}={run}"}, ignore_removed=True):
            container.remove(force=True, v=True)
    clear(folder)


def clear(folder: Path) -> None:
    """Stop the database servers whose data is under `folder`, unless a living process holds them, and remove it."""
    for left in folder.rglob("postmaster.pid"):
        with suppress(EmbeddedError, OSError):
            stop_left_behind(left.parent)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os.chdir("/")  # holds no folder of the run's
    sys.stdin.buffer.read()
    reap(sys.argv[1], Path(sys.argv[2]))
