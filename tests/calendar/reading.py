"""The calendar's public pages in an app, and readers that ask it: a browser, a program."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI

from services.calendar.app import TEMPLATES
from services.calendar.web.public_routers import public
from shared.db import Database
from shared.events.times import TimeWithZone
from shared.web.pages import Pages
from shared.web.wiring import install
from tests.people import VERIFIER
from tests.shared.web_app import BROWSER

SITE = "https://tidings.example.org"


def app_of(database: Database, zone: str = "UTC") -> FastAPI:
    """The app with the calendar's public pages."""
    pages = Pages(public_url=SITE, templates={"calendar": TEMPLATES}, zone=zone)
    app = FastAPI(openapi_url=None)
    install(app, pages=pages, verifier=VERIFIER)
    for router in public(database, pages):
        app.include_router(router)
    return app


@asynccontextmanager
async def asking(database: Database, app: FastAPI | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that asks the public pages as a browser does."""
    transport = httpx.ASGITransport(app=app or app_of(database))
    async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=BROWSER) as client:
        yield client


def at_clock(starts: str, zone: str, ends: str | None = None) -> TimeWithZone:
    """A time as clocks in a zone show it, written as 2027-06-16T09:00."""
    first, last = (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) if text else None for text in (starts, ends))
    assert first is not None
    return TimeWithZone(precision="time", starts=first, ends=last, zone=zone)
