"""Wiring of the newsletter."""

from pathlib import Path

from services.newsletter import handlers, jobs, web
from services.newsletter.posting import Posting
from shared.parts import Parts
from shared.service import Service

NAME = "newsletter"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return the newsletter, put together and not yet at work."""
    database = parts.database(NAME)
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.LISTENS,
        tells=True,
        jobs=(*jobs.JOBS, *Posting(parts).jobs()),
        facts=web.facts,
        routers=(web.router(database, parts.pages(NAME, TEMPLATES)),),
    )
