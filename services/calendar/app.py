"""Wiring of the calendar."""

from pathlib import Path

from services.calendar import handlers, jobs, queues
from services.calendar.deadlines import Nearness
from services.calendar.planning import Planning
from services.calendar.reviewing import Reviewing
from services.calendar.sweeps import sweeps_of
from services.calendar.web.public_routers import public
from services.calendar.web.team_routers import team
from shared.mail.queue.hand_over import HandOver
from shared.parts import Parts
from shared.service import Service

NAME = "calendar"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return the calendar, put together and not yet at work."""
    database, mails = parts.database(NAME), parts.mails()
    pages = parts.pages(NAME, TEMPLATES)
    planning = Planning(parts.public_url, parts.settings.timezone)
    reviewing = Reviewing(planning, parts.public_url)
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.listens_with(planning, reviewing),
        tells=True,
        queues=queues.QUEUES,
        sweeps=sweeps_of(parts.public_url, reviewing, Nearness(planning.tell, planning.zone), planning.zone),
        jobs=(*jobs.jobs_of(planning), *HandOver(mails).jobs()),
        routers=(*team(database, parts.vault, pages, planning, reviewing), *public(database, pages)),
    )
