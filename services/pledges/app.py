"""Wiring of the register of pledges."""

from pathlib import Path

from services.pledges import handlers, jobs, queues
from services.pledges.letters import Letters
from services.pledges.reporting import Reporting
from services.pledges.reviewing import Reviewing
from services.pledges.sweeps import sweeps_of
from services.pledges.web import register_routers, routers
from shared.mail.queue.hand_over import HandOver
from shared.parts import Parts
from shared.service import Service

NAME = "pledges"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return the register, put together and not yet at work."""
    database, pages, mails = parts.database(NAME), parts.pages(NAME, TEMPLATES), parts.mails()
    reviewing = Reviewing(public_url=parts.public_url)
    letters = Letters(mails, parts.vault, public_url=parts.public_url, zone=parts.settings.timezone)
    reporting = Reporting(public_url=parts.public_url, letters=letters)
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.listens(parts.public_url),
        tells=True,
        queues=queues.QUEUES,
        sweeps=sweeps_of(parts.public_url, reviewing, reporting),
        jobs=(*jobs.jobs_of(letters), *HandOver(mails).jobs()),
        routers=(
            *routers.of_team_and_owners(database, pages, reviewing, reporting),
            *register_routers.all_of(database, pages),
        ),
    )
