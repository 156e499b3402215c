"""The newsletter's pages as they run, but for Kafka: their own app on a database of the test's, its mails read from the queue."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import orjson
from fastapi import Depends, FastAPI
from sqlalchemy import Row, text

from services.newsletter import app as newsletter_app
from services.newsletter.addresses import AddressBook, open_book
from shared.auth.require import of_service
from shared.auth.tokens import Person
from shared.db import Database, is_away
from shared.mail.outgoing import outgoing
from shared.parts import Parts
from shared.service import Service
from shared.settings import Settings
from shared.vault import Vault, new_key
from shared.web.wiring import install
from tests.people import ALEX, VERIFIER, cookies_of
from tests.shared.web_app import BROWSER

PUBLIC_URL = "http://127.0.0.1:8000"
FORM = "/newsletter/subscribe"
READER = "reader@example.net"


@dataclass(frozen=True, kw_only=True)
class Newsletter:
    """The service with what a test looks at."""

    app: FastAPI
    database: Database
    vault: Vault
    parts: Parts
    data_key: str

    async def rows(self, query: str, **values: object) -> Sequence[Row[Any]]:
        """The rows of a query."""
        async with self.database.transaction() as tx:
            return (await tx.execute(text(query), values)).all()

    async def mails(self) -> Sequence[Mapping[str, Any]]:
        """The mails that wait to be handed over, opened: `to` and `content`, oldest first."""
        rows = await self.rows("SELECT sealed FROM mails WHERE state = 'waiting' ORDER BY created_at, id")
        return [orjson.loads(self.vault.open(row.sealed)) for row in rows]

    async def link(self) -> str:
        """The path to which the newest mail leads."""
        [address] = re.findall(rf"^{PUBLIC_URL}(/newsletter/\S+)$", (await self.mails())[-1]["content"]["text"], re.MULTILINE)
        return str(address)

    async def book(self) -> AddressBook:
        """The address book."""
        async with self.database.transaction() as tx:
            return await open_book(tx, self.vault)

    async def subscriber(self, address: str = READER) -> Row[Any]:
        """The subscriber of an address."""
        [row] = await self.rows("SELECT * FROM subscribers WHERE address_hash = :hash", hash=(await self.book()).hash(address))
        return row

    async def acts(self, address: str = READER) -> list[str]:
        """What an address's receipts are of, oldest first."""
        subscriber = (await self.subscriber(address)).id
        rows = await self.rows("SELECT act FROM receipts WHERE subscriber_id = :id ORDER BY at, id", id=subscriber)
        return [row.act for row in rows]

    async def place(self, subscriber_id: UUID) -> str:
        """The path of a subscriber's own page."""
        return f"/newsletter/u/{(await self.book()).leave_token(subscriber_id)}"


async def subscribe(reader: httpx.AsyncClient, address: str = READER, *, language: str = "en", page: str = "en") -> httpx.Response:
    """Fill the form in and send it, as a page in the language `page` gives it."""
    shown = (await reader.get(FORM, params={"lang": page})).text
    [version] = re.findall(r'name="version" value="([^"]+)"', shown)
    data = {"address": address, "language": language, "version": version}
    return await reader.post(FORM, params={"lang": page}, data=data)


async def confirmed(newsletter: Newsletter, reader: httpx.AsyncClient, address: str = READER, *, language: str = "en") -> str:
    """Sign up and confirm; returns the path of the reader's own page."""
    assert (await subscribe(reader, address, language=language)).status_code == 303
    done = await reader.post(await newsletter.link())
    assert done.status_code == 303, done.text
    return str(done.headers["location"]).partition("?")[0]


def app_of(service: Service, parts: Parts) -> FastAPI:
    """The newsletter's app with everything that stands around it."""
    assert service.database is not None
    assert service.sent_by_programs is not None
    app = FastAPI(openapi_url=None)
    pages = parts.pages(service.name, newsletter_app.TEMPLATES)
    install(app, pages=pages, verifier=parts.verifier, sent_by_programs=service.sent_by_programs, unavailable=is_away)
    for router in service.routers:
        app.include_router(router, dependencies=[Depends(of_service(service.database))])
    return app


@asynccontextmanager
async def running(url: str) -> AsyncIterator[Newsletter]:
    """The newsletter on a database that has its tables."""
    key = new_key()
    settings = Settings(database=url, kafka="127.0.0.1:1", data_keys=[key], _env_file=None)
    parts = Parts(settings=settings, vault=Vault([key]), verifier=VERIFIER, public_url=PUBLIC_URL, outgoing=outgoing(settings))
    service = newsletter_app.build(parts)
    assert service.database is not None
    yield Newsletter(app=app_of(service, parts), database=service.database, vault=parts.vault, parts=parts, data_key=key)
    await service.database.close()


@asynccontextmanager
async def running_again(newsletter: Newsletter) -> AsyncIterator[FastAPI]:
    """The app of one more process on the same database."""
    service = newsletter_app.build(newsletter.parts)
    assert service.database is not None
    yield app_of(service, newsletter.parts)
    await service.database.close()


@asynccontextmanager
async def client_of(
    app: FastAPI, *, browser: bool = True, person: Person | None = None, host: str = "192.0.2.7"
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which `person` is signed in, if any; or a program, that brings no origin and keeps no cookie."""
    headers = {**BROWSER, "Origin": PUBLIC_URL} if browser else {}
    cookies = dict(cookies_of(person)) if person else {}
    transport = httpx.ASGITransport(app=app, client=(host, 40000))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers, cookies=cookies) as client:
        yield client


STAFF = ALEX
