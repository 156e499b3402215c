"""The desk as it runs, but for Kafka: its own app on a database of the test's, and the mails that it hands over."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from fastapi import Depends, FastAPI
from sqlalchemy import Row, text

from services.desk import app as desk_app
from services.desk import store
from services.desk.domain import LINK_LASTS, StoredPerson
from services.desk.links import MailedLink
from services.desk.web import routers
from shared.auth.require import of_service
from shared.db import Database, Transaction, is_away
from shared.events.codes import Role
from shared.migrations import migrate
from shared.web.pages import Pages
from shared.web.wiring import install
from tests.people import SIGNER, VERIFIER
from tests.shared.web_app import BROWSER

PUBLIC_URL = "http://127.0.0.1:8000"


@dataclass(kw_only=True)
class Desk:
    """The service with what a test looks at."""

    app: FastAPI
    database: Database
    mailed: list[MailedLink] = field(default_factory=list)

    async def rows(self, query: str, **values: object) -> Sequence[Row[Any]]:
        """The rows of a query."""
        async with self.database.transaction() as tx:
            return (await tx.execute(text(query), values)).all()

    async def add(self, *roles: Role, mail: str = "alex@example.org", name: str = "Alex Example") -> StoredPerson:
        """A person who may sign in."""
        async with self.database.transaction() as tx:
            return await store.add_person(tx, mail=mail, name=name, roles=roles or (Role.ADMIN,), languages=("en",))

    async def link(self, person: StoredPerson, *, wanted: str = "/desk/", lasts: timedelta = LINK_LASTS) -> str:
        """The path of a new link of a person."""
        async with self.database.transaction() as tx:
            return f"/desk/sign-in/{(await store.add_link(tx, person.id, wanted=wanted, lasts=lasts)).text}"

    @asynccontextmanager
    async def browser(self, signed_in: StoredPerson | None = None, *, address: str = "192.0.2.7") -> AsyncIterator[httpx.AsyncClient]:
        """A browser, in which somebody has signed in by a link where one is named."""
        transport = httpx.ASGITransport(app=self.app, client=(address, 40000))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers={**BROWSER, "Origin": PUBLIC_URL}) as client:
            if signed_in is not None:
                answer = await client.post(await self.link(signed_in))
                assert answer.status_code == 303, answer.text
            yield client


@asynccontextmanager
async def desk_of(url: str, *, public_url: str = PUBLIC_URL, mails: bool = True) -> AsyncIterator[Desk]:
    """The desk on a database that gets its tables; with `mails`, links are handed over instead of being mailed."""
    await migrate(url, ["desk"])
    database = Database(url, "desk")
    app = FastAPI(openapi_url=None)
    found = Desk(app=app, database=database)

    async def hand_over(tx: Transaction, mail: MailedLink) -> None:
        del tx
        found.mailed.append(mail)

    pages = Pages(public_url=public_url, templates={"desk": desk_app.TEMPLATES})
    install(app, pages=pages, verifier=VERIFIER, unavailable=is_away)
    for router in routers.all_of(database, SIGNER, pages, desk_app.ASKED, hand_over if mails else None):
        app.include_router(router, dependencies=[Depends(of_service(database))])
    yield found
    await database.close()
