"""Sender processes to be killed: `python -m tests.newsletter.sender_process DATABASE PORT CONNECTIONS KEY`.

Imports everything once and bears a sender by fork for each line of its input, so that one costs a tenth of a second. A sender says its
process number and id, and `ended` when it ended in good order after SIGTERM.
"""

import asyncio
import logging
import os
import signal
import sys

import uvloop

from shared.db import Database
from shared.mail.server import Encryption, MailServer
from shared.vault import Vault
from tests.newsletter.sending import QUICK, sender_on

log = logging.getLogger(__name__)


async def _send(url: str, port: str, connections: str, key: str) -> None:
    server = MailServer(host="127.0.0.1", port=int(port), encryption=Encryption.NONE, connections=int(connections))
    database = Database(url, "newsletter")
    sender = await sender_on(database, Vault([key]), server, pace=QUICK)
    running = asyncio.create_task(sender.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    os.write(1, f"born {os.getpid()} {sender.id}\n".encode())
    await asyncio.gather(running, return_exceptions=True)
    await database.close()
    if not running.cancelled():
        running.result()
    os.write(1, f"ended {os.getpid()}\n".encode())


def main() -> None:
    """Bear a sender for each line of the input."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s sender %(process)d %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    for _ in iter(sys.stdin.readline, ""):
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            code = 1
            try:
                uvloop.run(_send(*sys.argv[1:]))
                code = 0
            except BaseException:
                log.exception("a sender failed")
            finally:
                os._exit(code)


if __name__ == "__main__":
    main()
