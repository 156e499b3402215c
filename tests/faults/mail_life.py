"""A process that hands one-off mails over until it is killed: `python -m tests.faults.mail_life <database> <port> <data key>`."""

import asyncio
import sys

from shared.db import Database
from shared.mail.address import Mailbox
from shared.mail.outgoing import Outgoing
from shared.mail.queue.hand_over import HandOver
from shared.mail.queue.put import Mails
from shared.mail.server import Encryption, MailServer
from shared.vault import Vault

PAUSE_SECONDS = 0.02


def mails_of(port: int, key: str) -> Mails:
    """Return the queue as both sides know it."""
    server = MailServer(host="127.0.0.1", port=port, encryption=Encryption.NONE)
    sender = Mailbox(address="desk@example.org")
    return Mails(Vault([key]), Outgoing(sender=sender, domain="example.org", signer=None, server=server))


async def live(url: str, port: int, key: str) -> None:
    """Hand over what is due, again and again."""
    over, database = HandOver(mails_of(port, key)), Database(url, "intake")
    while True:
        await over.run(database)
        await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
