"""The calendar as it runs, but for Kafka: its own app on a database of the test's, and events handed to its consumer."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import httpx
import orjson
from fastapi import Depends, FastAPI
from sqlalchemy import Row, text

from services.calendar import app as calendar_app
from services.calendar.domain.dates import StoredDate
from services.calendar.planning import Planning
from services.calendar.store import dates
from services.calendar.store.dates import date_of
from services.calendar.store.tables import dates as table
from shared.auth.require import of_service
from shared.auth.tokens import Person
from shared.consumer import Consumer
from shared.db import Database, is_away
from shared.events.registry import TOPICS_OF
from shared.mail.outgoing import outgoing
from shared.parking import StoredRecord, listing
from shared.parts import Parts
from shared.settings import Settings
from shared.vault import Vault, new_key
from shared.web.wiring import install
from tests.people import ALEX, VERIFIER, cookies_of
from tests.sample_events import record, sample_of
from tests.shared.web_app import BROWSER

PUBLIC_URL = "http://127.0.0.1:8000"
ZONE = "Europe/Zurich"


def record_of(
    event_type: str, *, subject: str, revision: int = 1, historic: bool = False, data: Mapping[str, Any] | None = None, **changes: Any
) -> StoredRecord:
    """An event as Kafka hands it over: its type's sample, or `data`, with some fields changed."""
    body = {**(sample_of(event_type) if data is None else data), **changes}
    made = record(event_type, json.loads(json.dumps(body)), subject=subject, revision=revision)
    return replace(made, headers=[*made.headers, ("ce_historic", b"true")]) if historic else made


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The service with what a test looks at."""

    app: FastAPI
    database: Database
    vault: Vault
    consumer: Consumer
    planning: Planning
    heard: list[StoredRecord] = field(default_factory=list)

    async def hear(self, *records: StoredRecord, times: int = 1) -> None:
        """Hand events over, each so many times; none of them may be parked."""
        self.heard.extend(records)
        for _ in range(times):
            await self.consumer.take(records)
        async with self.database.transaction() as tx:
            parked = await listing(tx)
        assert parked == [], parked[0]

    async def rows(self, query: str, **values: object) -> Sequence[Row[Any]]:
        """The rows of a query."""
        async with self.database.transaction() as tx:
            return (await tx.execute(text(query), values)).all()

    async def told(self, *types: str) -> Sequence[Row[Any]]:
        """The outbox in its order: these types, or all but what is told to desk alone."""
        rows = await self.rows("SELECT type, subject, cause, trace_id, revision, historic, body::jsonb AS data FROM outbox ORDER BY seq")
        wanted = [row for row in rows if row.type in types] if types else rows
        return wanted if types else [row for row in rows if row.type != "decision.made.v1" and not row.type.startswith("task.")]

    async def dates(self) -> Sequence[StoredDate]:
        """Every date, oldest first."""
        async with self.database.transaction() as tx:
            return [date_of(row) for row in await tx.execute(table.select().order_by(table.c.created_at, table.c.id))]

    async def one(self) -> StoredDate:
        """The only date there is."""
        [found] = await self.dates()
        return found

    async def again(self, found: StoredDate) -> StoredDate:
        """A date as it is now."""
        async with self.database.transaction() as tx:
            now = await dates.find(tx, found.id)
        assert now is not None
        return now

    async def mails(self) -> Sequence[Mapping[str, Any]]:
        """The mails that wait to be handed over, opened: `to` and `content`, oldest first."""
        rows = await self.rows("SELECT sealed FROM mails WHERE state = 'waiting' ORDER BY created_at, id")
        return [orjson.loads(self.vault.open(row.sealed)) for row in rows]


@asynccontextmanager
async def running(url: str) -> AsyncIterator[Calendar]:
    """The calendar on a database that has its tables."""
    data_key = new_key()
    settings = Settings(database=url, kafka="127.0.0.1:1", data_keys=[data_key], timezone=ZONE, _env_file=None)
    parts = Parts(settings=settings, vault=Vault([data_key]), verifier=VERIFIER, public_url=PUBLIC_URL, outgoing=outgoing(settings))
    service = calendar_app.build(parts)
    assert service.database is not None
    app = FastAPI(openapi_url=None)
    install(app, pages=parts.pages(service.name, calendar_app.TEMPLATES), verifier=VERIFIER, unavailable=is_away)
    for router in service.routers:
        app.include_router(router, dependencies=[Depends(of_service(service.database))])
    yield Calendar(
        app=app,
        database=service.database,
        vault=parts.vault,
        consumer=Consumer("calendar", service.database, service.listeners, TOPICS_OF),
        planning=Planning(PUBLIC_URL, ZONE),
    )
    await service.database.close()


@asynccontextmanager
async def client_of(app: FastAPI, person: Person | None = ALEX) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which `person`, if any, is signed in."""
    headers = {**BROWSER, "Origin": PUBLIC_URL}
    cookies = dict(cookies_of(person)) if person else {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC_URL, headers=headers, cookies=cookies) as client:
        yield client


def uuid_of(text_: str) -> UUID:
    """The id that the last part of an address is."""
    return UUID(text_.rpartition("/")[2])
