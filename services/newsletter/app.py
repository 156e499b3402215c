"""Wiring of the newsletter."""

from pathlib import Path

from services.newsletter import handlers, jobs
from services.newsletter.posting import Posting
from services.newsletter.web import pool_show, routers
from shared.mail.queue.hand_over import HandOver
from shared.parts import Parts
from shared.service import Service

NAME = "newsletter"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return the newsletter, put together and not yet at work."""
    database, mails = parts.database(NAME), parts.mails()
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.listens(parts.public_url),
        tells=True,
        jobs=(*jobs.of(parts.settings.timezone, parts.public_url), *Posting(parts).jobs(), *HandOver(mails).jobs()),
        facts=pool_show.facts,
        routers=routers.all_of(database, parts.vault, parts.pages(NAME, TEMPLATES), mails),
    )
