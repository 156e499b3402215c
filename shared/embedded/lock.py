"""A lock on a folder that its holder cannot forget: the kernel drops it with the process, SIGKILL included.

A file with a process number in it would need guessing whether that number still means the same process.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.embedded.errors import AlreadyRunningError, StartError

# `is_held` takes the lock for an instant to find out; a start must not be refused because somebody looked.
PATIENCE_SECONDS = 0.3


@contextmanager
def only_here(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path` while the block runs.

    Raises AlreadyRunningError, naming `what` and its holder, when it is taken; StartError where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never removed: a file made anew beside one that is still locked would let two in.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise StartError(f"This account may not write {error.filename}. Start as its owner, or with another TIDINGS_VAR.") from error
    except OSError as error:
        raise StartError(f"{path.parent} cannot be used ({error.strerror}). Set TIDINGS_VAR to a folder that can be written.") from error
    try:
        if not _taken(descriptor):
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "of unknown number"
            raise AlreadyRunningError(
                f"{what} already runs on {path.parent}, as process {holder}. "
                f"Stop that one first (kill {holder}), or start this one with another TIDINGS_VAR."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Say whether a living process holds the lock file `path`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _taken(descriptor: int) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True
