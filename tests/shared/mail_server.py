"""A mail server that answers as it is told, for tests of what sends."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from shared.mail.server import Encryption, MailServer


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server does where it would answer well."""

    says: bytes = b""  # whole lines, or what is none
    drops: bool = False  # closes the link, after what it says
    after_seconds: float = 0.0
    hangs: bool = False


DROPS = Answer(drops=True)
HANGS = Answer(hangs=True)


def says(text: str, *, after_seconds: float = 0.0, drops: bool = False) -> Answer:
    """Return the answer of these lines."""
    return Answer(says=text.replace("\n", "\r\n").encode("latin-1") + b"\r\n", after_seconds=after_seconds, drops=drops)


WELL: Mapping[str, Answer] = {
    "greeting": says("220 mx.example.org ESMTP"),
    "EHLO": says("250-mx.example.org\n250-SIZE 100000\n250-8BITMIME\n250 ENHANCEDSTATUSCODES"),
    "HELO": says("250 mx.example.org"),
    "MAIL": says("250 2.1.0 Ok"),
    "RCPT": says("250 2.1.5 Ok"),
    "DATA": says("354 End data with <CR><LF>.<CR><LF>"),
    "DOT": says("250 2.0.0 Ok: queued as 4F1A2B3C"),
    "RSET": says("250 2.0.0 Ok"),
    "QUIT": says("221 2.0.0 Bye"),
}
VERBS = ("EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET", "QUIT", "AUTH", "STARTTLS")


@dataclass(kw_only=True)
class ScriptedServer:
    """The server, while it runs: what it will answer, and what it has heard."""

    port: int = 0
    answers: dict[str, list[Answer]] = field(default_factory=dict)  # by step, used up one after another; then it answers well
    heard: list[str] = field(default_factory=list)  # commands as they came
    messages: list[bytes] = field(default_factory=list)  # every message whose last line came, whatever was answered
    links: int = 0
    began: asyncio.Event = field(default_factory=asyncio.Event)  # a first line of a message has come
    cuts_with: bytes | None = None  # at a message's first line it says this and drops the link

    @property
    def address(self) -> MailServer:
        """The server as a setting would name it."""
        return MailServer(host="127.0.0.1", port=self.port, encryption=Encryption.NONE)

    async def _answer(self, step: str, writer: asyncio.StreamWriter) -> bool:
        """Answer, and say whether the link still stands."""
        answer = self.answers[step].pop(0) if self.answers.get(step) else WELL.get(step, says("502 5.5.1 Unknown"))
        if answer.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(answer.after_seconds)
        writer.write(answer.says)
        await writer.drain()
        if answer.drops or step == "QUIT":
            writer.close()
            return False
        return True

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one client until one of the two has had enough."""
        self.links += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            if not await self._answer("greeting", writer):
                return
            while line := (await reader.readline()).decode("utf-8").strip():
                self.heard.append(line)
                verb = line.split()[0].upper()
                planned = bool(self.answers.get("DATA"))
                if not await self._answer(verb if verb in VERBS else "", writer):
                    return
                if verb == "DATA" and not planned and not await self._message(reader, writer):
                    return
        writer.close()

    async def _message(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines: list[bytes] = []
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                return False
            self.began.set()
            lines.append(line)
            if self.cuts_with is not None:
                writer.write(self.cuts_with)
                writer.close()
                return False
        self.messages.append(b"".join(lines))
        return await self._answer("DOT", writer)


@asynccontextmanager
async def scripted(**answers: Answer | list[Answer]) -> AsyncIterator[ScriptedServer]:
    """Run a server that gives `answers` by step ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "DOT", "RSET") until the block ends."""
    made = ScriptedServer(answers={step: answer if isinstance(answer, list) else [answer] for step, answer in answers.items()})
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await made.converse(reader, writer)
        except asyncio.CancelledError:
            pass  # asyncio.streams would report it as an error
        finally:
            writer.close()
            talks.discard(task)

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=2**20)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()
