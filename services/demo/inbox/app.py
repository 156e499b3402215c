"""Wiring of the demo inbox's pages."""

from collections.abc import Mapping
from pathlib import Path

from services.demo.inbox import web
from services.demo.inbox.kept import Inbox
from shared.parts import Parts
from shared.service import Service

NAME = "demo"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts, inbox: Inbox, networks: Mapping[str, str] | None = None) -> Service:
    """Return the pages of an inbox whose server runs; `networks` are the sandboxes beside it, by the network each stands for."""
    return Service(name=NAME, routers=(web.router(inbox, parts.pages(NAME, TEMPLATES), networks or {}),))
