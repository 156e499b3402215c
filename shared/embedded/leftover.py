"""Ending servers: ours at a clean stop, and the one that lives on after a process was killed."""

import logging
import os
import select
import shutil
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from shared.embedded.errors import StartError

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0  # for each way of asking
SOCKET_FOLDER_PREFIX = "tidings-socket-"  # where the data's own path is too long for a socket


def end(pid: int, exited: Callable[[float], bool]) -> None:
    """End a PostgreSQL server; `exited` waits so many seconds and says whether it has. Raises StartError when nothing helps."""
    # Fast: sessions end, everything is written. Immediate: nothing more is written, the next start reads its log again.
    for way in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, way)
        if exited(STOP_SECONDS):
            return
    raise StartError(f"The PostgreSQL server with process number {pid} does not end. Look what holds it, then start again.")


def stop_server_on(data: Path) -> None:
    """Stop the server that still runs on `data`, and take away what says that one does; its data stays.

    Nobody may be using it: the caller holds the lock on the folder.
    """
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    # Process number, data folder, start, port, folder of the socket, … in this order; a server about to start has fewer.
    if len(lines) > 4 and lines[4]:
        if _answers(Path(lines[4]) / f".s.PGSQL.{lines[3]}"):
            pid = int(lines[0])
            log.warning("stopping the database server %d, left behind by a process that was killed", pid)
            end(pid, lambda seconds: _gone(pid, seconds))
        if Path(lines[4]).name.startswith(SOCKET_FOLDER_PREFIX):
            shutil.rmtree(lines[4], ignore_errors=True)
    # A server refuses to start while one of these names a living process, and the number may be another's by now. A server that
    # does not answer yet or no more is found by the shared memory it holds; the new one then says so and is started again.
    for left in (data / "postmaster.pid", *data.glob(".s.PGSQL.*")):
        left.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    """Say whether somebody listens on a socket: a file that a dead server has left refuses."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(STOP_SECONDS)
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def _gone(pid: int, seconds: float) -> bool:
    """Wait for a process that is not our child; a dead one that nobody has fetched counts as gone."""
    if hasattr(os, "pidfd_open"):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            return bool(waiting.poll(seconds * 1000))
        finally:
            os.close(descriptor)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False
