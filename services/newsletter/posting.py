"""The sender as this service runs it: one in each process of the newsletter, and one in each `tidings sender`."""

import logging
import os
import socket

from services.newsletter.addresses import open_book
from services.newsletter.copies import Copies
from services.newsletter.issues.telling import moved
from services.newsletter.sending.pausing import may_send
from services.newsletter.sending.sender import Pace, Sender
from shared.db import Database
from shared.parts import Parts
from shared.service import Job

log = logging.getLogger(__name__)

# A sender runs until its process ends; one that failed is begun again after this.
AGAIN_SECONDS = 5.0


class Posting:
    """Begins senders on the newsletter's database."""

    def __init__(self, parts: Parts, pace: Pace | None = None) -> None:
        self._parts = parts
        self._pace = pace
        self._warned = False

    def jobs(self) -> tuple[Job, ...]:
        """Return the job that sends."""
        return (Job(name="sender", every_seconds=AGAIN_SECONDS, run=self.run),)

    async def run(self, database: Database) -> None:
        """Send until cancelled; returns at once where no mail server is set."""
        outgoing = self._parts.outgoing
        if outgoing.server is None:
            if not self._warned:
                log.warning("issues wait: set TIDINGS_SMTP to a mail server, for example smtp://user:password@mail.example.org")
            self._warned = True
            return
        async with database.transaction() as tx:
            book = await open_book(tx, self._parts.vault)
        sender = Sender(
            database,
            outgoing.server,
            name=f"{socket.gethostname()}:{os.getpid()}",
            hello=outgoing.domain,
            open_address=book.open,
            write=Copies(book, outgoing, self._parts.public_url).write,
            may_send=may_send,
            moved=moved(self._parts.public_url),
            pace=self._pace,
        )
        await sender.run()
