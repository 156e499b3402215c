"""A mail server of its own process: keeps who got which message, durably and before it says so, at a pace that leaves mails in mid flow.

`python -m shared.testing.sink FILE SECONDS [HOST PORT]` takes a port, says it on its output, and needs SECONDS for each message.
"""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import uvloop

_MESSAGE_ID = re.compile(rb"^message-id: *(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Sink:
    """The sink as a test sees it."""

    port: int
    file: Path

    def taken(self) -> Counter[tuple[str, str]]:
        """Return how often each (address, Message-ID) was taken."""
        return Counter((line.split()[0], line.split()[1]) for line in self.file.read_text().splitlines())

    @property
    def count(self) -> int:
        """How many messages were taken."""
        return self.file.read_bytes().count(b"\n")


class _Link(asyncio.Protocol):
    def __init__(self, file: int, seconds: float) -> None:
        self._file = file
        self._seconds = seconds
        self._buffer = bytearray()
        self._recipient = b""
        self._in_message = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            end = self._buffer.find(b"\r\n.\r\n" if self._in_message else b"\r\n")
            if end < 0:
                return
            taken = bytes(self._buffer[:end])
            del self._buffer[: end + (5 if self._in_message else 2)]
            if self._in_message:
                self._in_message = False
                # Taken: from here on the message is with this server, whether or not anybody hears so.
                found = _MESSAGE_ID.search(taken)
                os.write(self._file, b"%s %s\n" % (self._recipient, found[1] if found else b"-"))
                if self._seconds:
                    asyncio.get_running_loop().call_later(self._seconds, self._say, b"250 2.0.0 Ok: queued as 1A2B3C4D\r\n")
                else:
                    self._say(b"250 2.0.0 Ok: queued as 1A2B3C4D\r\n")
            else:
                self._command(taken)

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self._recipient = line[line.index(b"<") + 1 : line.index(b">")]
        self._in_message = verb == b"DATA"
        self._say({b"DATA": b"354 Go on\r\n", b"QUIT": b"221 Bye\r\n", b"EHLO": b"250-sink\r\n250 8BITMIME\r\n"}.get(verb, b"250 Ok\r\n"))
        if verb == b"QUIT":
            self._transport.close()

    def _say(self, line: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(line)


@asynccontextmanager
async def sink(file: Path, *, seconds: float) -> AsyncIterator[Sink]:
    """Run a sink that needs `seconds` for a message until the block ends."""
    command = [sys.executable, "-m", "shared.testing.sink", str(file), str(seconds)]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=Path(__file__).parents[2])
    try:
        assert process.stdout is not None
        yield Sink(port=int(await process.stdout.readline()), file=file)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _serve(file: str, seconds: str, host: str = "127.0.0.1", port: str = "0") -> None:
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Link(opened, float(seconds)), host, int(port))
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    ending = asyncio.Event()
    loop.add_reader(0, ending.set)  # the test has ended, or was killed
    await ending.wait()


if __name__ == "__main__":
    uvloop.run(_serve(*sys.argv[1:]))
