"""The newsletter's own app on a database of the test's, and the people who work with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import Depends, FastAPI

from services.newsletter import app as newsletter_app
from shared.auth.require import of_service
from shared.auth.tokens import Person
from shared.db import Database, is_away
from shared.mail.outgoing import outgoing
from shared.migrations import migrate
from shared.parts import Parts
from shared.settings import Settings
from shared.vault import Vault, new_key
from shared.web.wiring import install
from tests.newsletter.issue_items import PUBLIC_URL
from tests.people import VERIFIER, bearer_of, cookies_of
from tests.shared.web_app import BROWSER


@dataclass(frozen=True, kw_only=True)
class Newsletter:
    """The service with what a test looks at."""

    app: FastAPI
    database: Database
    parts: Parts

    @asynccontextmanager
    async def browser(self, person: Person) -> AsyncIterator[httpx.AsyncClient]:
        """Give a browser in which a person is signed in."""
        headers = {**BROWSER, "Origin": PUBLIC_URL}
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers, cookies=dict(cookies_of(person))) as client:
            yield client

    @asynccontextmanager
    async def program(self, person: Person) -> AsyncIterator[httpx.AsyncClient]:
        """Give a program of a person."""
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=dict(bearer_of(person))) as client:
            yield client


@asynccontextmanager
async def newsletter(url: str, *, smtp: str | None = None) -> AsyncIterator[Newsletter]:
    """Give the service on a database that has its tables; nothing of it is at work."""
    await migrate(url, ["newsletter"])
    key = new_key()
    settings = Settings(
        database=url, kafka="127.0.0.1:1", data_keys=[key], smtp=smtp, mail_from="Network <news@example.org>", _env_file=None
    )
    parts = Parts(settings=settings, vault=Vault([key]), verifier=VERIFIER, public_url=PUBLIC_URL, outgoing=outgoing(settings))
    service = newsletter_app.build(parts)
    assert service.database is not None
    app = FastAPI(openapi_url=None)
    install(app, pages=parts.pages(service.name, newsletter_app.TEMPLATES), verifier=VERIFIER, unavailable=is_away)
    for router in service.routers:
        app.include_router(router, dependencies=[Depends(of_service(service.database))])
    yield Newsletter(app=app, database=service.database, parts=parts)
    await service.database.close()
