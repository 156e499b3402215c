"""Ports that stay ours while nobody listens on them, so that a broker that a test stops comes back where its clients look for it."""

import os
import random
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from shared.embedded.errors import AlreadyRunningError
from shared.embedded.lock import only_here

# Below what kernels hand out for outgoing connections, one of which could sit on the port meanwhile.
_RANGE = range(20_000, 30_000)


@contextmanager
def reserved_port() -> Iterator[int]:
    """Give a free loopback port that no other test run takes until the block ends."""
    folder = Path(tempfile.gettempdir()) / f"tidings-test-ports-{os.getuid()}"
    for port in random.sample(_RANGE, len(_RANGE)):
        with ExitStack() as stack:
            try:
                stack.enter_context(only_here(folder / str(port), f"Port {port}"))
            except AlreadyRunningError:
                continue
            if not _free(port):
                continue
            yield port
            return
    raise RuntimeError(f"No port from {_RANGE.start} to {_RANGE.stop - 1} is free. End what holds them.")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
