"""What every service tells of tasks, and of mails that it wants."""

from services.desk.awaiting import letters, store
from services.desk.domain import DeskError
from shared.db import Transaction
from shared.events.every import MailWanted, TaskClosed, TaskOpened
from shared.listening import Received, each


class UnknownTemplateError(DeskError):
    """Desk has no text for the mail that is wanted; add its folder to services/desk/templates/mails, then redrive."""


_ANYBODY = letters.Reader(name="", languages=(), zone="UTC")


async def note_opened(tx: Transaction, event: Received[TaskOpened]) -> None:
    """Let something await people."""
    await store.open_task(tx, event)


async def note_closed(tx: Transaction, event: Received[TaskClosed]) -> None:
    """Let it await nobody any more, and take back mails about it that have not begun to leave."""
    await store.close_task(tx, event)
    await store.take_mail_back(tx, event.subject)


async def note_wanted(tx: Transaction, event: Received[MailWanted]) -> None:
    """Keep that a mail is wanted; raises UnknownTemplateError, and what its texts raise where they lack a fact."""
    if event.data.template not in letters.WANTED:
        raise UnknownTemplateError(f"{UnknownTemplateError.__doc__} It is called {event.data.template}.")
    # What cannot be written is set aside here, where an operator sees it, and not in the job, which would only fail for ever.
    letters.wanted(event.data.template, _ANYBODY, event.data.facts, address=event.data.address, public_url="")
    await store.want_mail(tx, event)


LISTENERS = (each(TaskOpened, note_opened), each(TaskClosed, note_closed), each(MailWanted, note_wanted))
