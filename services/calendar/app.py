"""Wiring of the calendar."""

from pathlib import Path

from services.calendar import handlers, jobs
from services.calendar.web.public_routers import public
from shared.mail.queue.hand_over import HandOver
from shared.parts import Parts
from shared.service import Service

NAME = "calendar"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return the calendar, put together and not yet at work."""
    database, mails = parts.database(NAME), parts.mails()
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.LISTENS,
        tells=False,
        jobs=(*jobs.JOBS, *HandOver(mails).jobs()),
        routers=(*public(database, parts.pages(NAME, TEMPLATES)),),
    )
