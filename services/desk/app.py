"""Wiring of the desk."""

from pathlib import Path

from services.desk import web
from shared.parts import Parts
from shared.service import Service
from shared.web import staff

NAME = "desk"
TEMPLATES = Path(__file__).parent / "templates"
ASKED = ("intake", "newsletter", "social")
"""The services whose operations and events the desk's pages gather: every one that keeps something."""


def build(parts: Parts) -> Service:
    """Return the desk, put together and not yet at work."""
    return Service(name=NAME, routers=(staff.router, web.router(parts.pages(NAME, TEMPLATES), ASKED)))
