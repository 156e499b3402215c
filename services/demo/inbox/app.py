"""Wiring of the demo inbox's pages."""

from pathlib import Path

from services.demo.inbox import web
from services.demo.inbox.kept import Inbox
from shared.parts import Parts
from shared.service import Service

NAME = "demo"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts, inbox: Inbox) -> Service:
    """Return the pages of an inbox whose server runs."""
    return Service(name=NAME, routers=(web.router(inbox, parts.pages(NAME, TEMPLATES)),))
