"""Wiring of the newsletter."""

from pathlib import Path

from services.newsletter import handlers, jobs, queues
from services.newsletter.addresses import Shelf
from services.newsletter.posting import Posting
from services.newsletter.subscribing.wishes import Answering
from services.newsletter.sweeps import sweeps_of
from services.newsletter.web import pool_show, routers
from services.newsletter.web.preferences_show import is_one_click
from shared.mail.queue.hand_over import HandOver
from shared.parts import Parts
from shared.service import Service

NAME = "newsletter"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return the newsletter, put together and not yet at work."""
    database, pages, mails = parts.database(NAME), parts.pages(NAME, TEMPLATES), parts.mails()
    shelf = Shelf(database, parts.vault)
    answering = Answering(mails, shelf, public_url=parts.public_url, zone=pages.zone)
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.listens(parts.public_url, parts.settings.timezone),
        tells=True,
        queues=queues.QUEUES,
        sweeps=sweeps_of(parts.public_url, parts.settings.timezone),
        jobs=(
            *jobs.of(parts.settings.timezone, parts.public_url),
            jobs.answer_by(answering),
            *HandOver(mails).jobs(),
            *Posting(parts).jobs(),
        ),
        facts=pool_show.facts,
        sent_by_programs=is_one_click,
        routers=(
            *routers.of_readers(database, shelf, pages, answering, sender=parts.outgoing.sender.address),
            *routers.of_the_team(database, shelf, pages, mails, parts.vault),
        ),
    )
