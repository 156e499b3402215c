"""Wiring of social media."""

from pathlib import Path

from services.social import handlers, jobs, web
from shared.parts import Parts
from shared.service import Service

NAME = "social"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return social media, put together and not yet at work."""
    database = parts.database(NAME)
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.LISTENS,
        tells=True,
        jobs=jobs.JOBS,
        facts=web.facts,
        routers=(web.router(database, parts.pages(NAME, TEMPLATES)),),
    )
