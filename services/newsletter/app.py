"""Wiring of the newsletter."""

from pathlib import Path

from services.newsletter import handlers, jobs
from services.newsletter.posting import Posting
from services.newsletter.sending.pausing import SENDER
from services.newsletter.web import pool_show, sends_show
from shared.parts import Parts
from shared.pauses.web import pauses_of
from shared.service import Service

NAME = "newsletter"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return the newsletter, put together and not yet at work."""
    database, pages = parts.database(NAME), parts.pages(NAME, TEMPLATES)
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.listens(parts.public_url),
        tells=True,
        jobs=(*jobs.of(parts.settings.timezone, parts.public_url), *Posting(parts).jobs()),
        facts=pool_show.facts,
        routers=(pool_show.router(database, pages), sends_show.router(database), pauses_of(SENDER, database, pages)),
    )
