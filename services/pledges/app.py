"""Wiring of the register of pledges."""

from pathlib import Path

from services.pledges import handlers, jobs
from services.pledges.web import register_routers
from shared.mail.queue.hand_over import HandOver
from shared.parts import Parts
from shared.service import Service

NAME = "pledges"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return the register, put together and not yet at work."""
    database, mails = parts.database(NAME), parts.mails()
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.LISTENS,
        tells=False,
        jobs=(*jobs.JOBS, *HandOver(mails).jobs()),
        routers=register_routers.all_of(database, parts.pages(NAME, TEMPLATES)),
    )
