"""Wiring of the calendar."""

from services.calendar import handlers, jobs
from shared.mail.queue.hand_over import HandOver
from shared.parts import Parts
from shared.service import Service

NAME = "calendar"


def build(parts: Parts) -> Service:
    """Return the calendar, put together and not yet at work."""
    database, mails = parts.database(NAME), parts.mails()
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.LISTENS,
        tells=False,
        jobs=(*jobs.JOBS, *HandOver(mails).jobs()),
        routers=(),
    )
