"""The newsletter's own pages in an app, and a browser that asks it without a network."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from fastapi import APIRouter, FastAPI
from playwright.async_api import BrowserContext, Route

from services.newsletter.app import TEMPLATES
from services.newsletter.archive.store import keep
from services.newsletter.compose.edition import Edition
from services.newsletter.compose.variants import variants
from services.newsletter.web import archive_feed, archive_show
from shared.db import Database
from shared.web.pages import Pages
from shared.web.wiring import install
from tests.newsletter.editions import SITE
from tests.people import VERIFIER
from tests.shared.web_app import BROWSER

SENT = datetime(2026, 11, 24, 9, tzinfo=UTC)
# One dot: what stands for every picture.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8ffff3f0005fe02fea7350bd00000000049454e44ae426082"
)


def pages_of(site: str = SITE) -> Pages:
    """Return the pages of the newsletter."""
    return Pages(public_url=site, templates={"newsletter": TEMPLATES})


@asynccontextmanager
async def asking(routers: Sequence[APIRouter], site: str = SITE) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that asks these routers as a browser does."""
    app = FastAPI(openapi_url=None)
    install(app, pages=pages_of(site), verifier=VERIFIER)
    for router in routers:
        app.include_router(router)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=site, headers=BROWSER) as client:
        yield client


def public_routers(database: Database, site: str = SITE) -> Sequence[APIRouter]:
    """Return the routers of the public pages."""
    return (archive_show.router(database, pages_of(site)), archive_feed.router(database, site))


async def keep_all(database: Database, *editions: Edition) -> None:
    """Put issues into the archive."""
    async with database.transaction() as tx:
        for edition in editions:
            kept = await keep(
                tx, issue_id=edition.issue_id, number=edition.number, month=edition.month, variants=variants(edition), sent_at=SENT
            )
            assert kept


async def lead(context: BrowserContext, client: httpx.AsyncClient) -> None:
    """Let a browser's requests be answered by the client's app, and pictures by one dot."""

    async def answer(route: Route) -> None:
        if route.request.url.endswith(".png"):
            await route.fulfill(body=PIXEL, content_type="image/png")
            return
        found = await client.get(route.request.url, headers=dict(route.request.headers))
        await route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    await context.route("**/*", answer)
