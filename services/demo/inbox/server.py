"""The mail server of the demo inbox, on a free port of this machine's loopback."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.demo.inbox.kept import Inbox
from shared import clock
from shared.mail.server import Encryption, MailServer
from shared.settings import DEMO, Settings, SettingsError
from shared.web.addresses import on_loopback

HOST = "127.0.0.1"
MAIL_MAX_BYTES = 10 * 1024 * 1024

REHEARSED = {
    "refused": "550 5.1.1 Nobody has this address (a rehearsed refusal)",
    "later": "451 4.3.0 Try again later (a rehearsed deferral)",
}
"""What the server answers to recipients with these names before the @, so that refusals and deferrals can be seen."""


@dataclass(frozen=True, kw_only=True)
class InboxServer:
    """A running demo inbox."""

    inbox: Inbox
    server: MailServer  # where mails for it go


class _Handler:
    """What aiosmtpd calls; its names are the library's."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        del server, session, options
        if rehearsed := REHEARSED.get(address.partition("@")[0].lower()):
            return rehearsed
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        numbers = [
            self._inbox.add(received_at=clock.now(), sender=envelope.mail_from or "", recipient=recipient, raw=raw).number
            for recipient in envelope.rcpt_tos
        ]
        return f"250 2.0.0 Ok: queued as demo-{numbers[-1]}"


@asynccontextmanager
async def demo_inbox(host: str = HOST, port: int = 0) -> AsyncIterator[InboxServer]:
    """Run the server until the block ends; port 0 takes any free one."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # the library tells of every command
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    links: set[asyncio.BaseTransport] = set()  # uvloop's are of no class that asyncio names

    class Link(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            links.add(transport)
            self._link = transport
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            links.discard(self._link)
            super().connection_lost(error)

    def link() -> SMTP:
        return Link(
            _Handler(inbox), loop=loop, hostname="demo.tidings.localhost", ident="Tidings demo inbox", data_size_limit=MAIL_MAX_BYTES
        )

    server = await loop.create_server(link, host, port)
    try:
        taken = server.sockets[0].getsockname()[1]
        yield InboxServer(inbox=inbox, server=MailServer(host=host, port=taken, encryption=Encryption.NONE))
    finally:
        server.close()
        for open_link in list(links):
            open_link.close()
        await server.wait_closed()


def inbox_wanted(settings: Settings) -> bool:
    """Say whether mails go to a demo inbox: TIDINGS_SMTP names no server, and Tidings is reached on this machine alone.

    Raises SettingsError where TIDINGS_SMTP says `demo` and Tidings is reached from elsewhere: the inbox shows sign-in links.
    """
    wish = settings.smtp.get_secret_value() if settings.smtp else ""
    if wish not in {"", DEMO}:
        return False
    if wish == DEMO and (why := seen_by_others(settings)):
        raise SettingsError(f"TIDINGS_SMTP is wrong: {why}. For example: TIDINGS_SMTP=smtp://user:password@mail.example.org")
    return not seen_by_others(settings)


def is_rehearsal(settings: Settings) -> bool:
    """Say whether demo parts stand for the world here: an inbox of this process's own, or one beside it that this machine alone sees."""
    return inbox_wanted(settings) or (settings.demo and not seen_by_others(settings))


def seen_by_others(settings: Settings) -> str:
    """Return why others might see what the demo parts show, sign-in links among it; empty where this machine alone can."""
    if not on_loopback(settings.address):
        return f"Tidings is reached at {settings.address}, and the demo inbox shows sign-in links to whoever opens it"
    if settings.demo or on_loopback(f"http://[{settings.host}]" if ":" in settings.host else f"http://{settings.host}"):
        return ""
    return f"pages are served on {settings.host}, where others on the network may open them; set TIDINGS_DEMO=1 if they cannot"
