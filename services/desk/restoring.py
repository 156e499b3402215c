"""After a restore: whoever was signed in signs in again, and no link from before opens the door."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, update

from services.desk.links import PURPOSE
from services.desk.store import sessions, sign_in_links
from shared import clock
from shared.backup.held import Held
from shared.db import Transaction
from shared.mail.queue.store import MailState, mails


async def end_sessions(tx: Transaction, taken_at: datetime) -> Sequence[Held]:
    """End every session and sign-in link, for those ended after the backup was taken would live again; nothing of desk's is held."""
    del taken_at
    now = clock.now()
    await tx.execute(delete(sessions))
    await tx.execute(update(sign_in_links).where(sign_in_links.c.used_at.is_(None), sign_in_links.c.ends_at > now).values(ends_at=now))
    # The links in them have just ended; the queue's own job counts them as too late.
    await tx.execute(update(mails).where(mails.c.purpose == PURPOSE, mails.c.state == MailState.WAITING.value).values(expires_at=now))
    return ()
