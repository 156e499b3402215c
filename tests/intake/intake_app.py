"""Intake as it runs, but for Kafka: its own app on a database of the test's, and the senders that knock at it."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import orjson
from fastapi import Depends, FastAPI
from sqlalchemy import Row, text

from services.intake import app as intake_app
from services.intake.kinds.catalogue import body_of
from services.intake.publishing.arriving import Arrivals
from services.intake.store import partners
from services.intake.web.webhook_accept import Door, Patience, is_webhook, webhook_limits
from services.intake.webhooks.keys import SharedKey, read_key
from shared import clock
from shared.auth.require import of_service
from shared.auth.tokens import Person
from shared.db import Database, is_away
from shared.events.every import DecisionMade
from shared.events.kinds import KINDS
from shared.mail.outgoing import outgoing
from shared.mail.queue.put import Mails
from shared.parts import Parts
from shared.service import Job, Service
from shared.settings import Settings
from shared.vault import Vault, new_key
from shared.web.pages import Pages
from shared.web.wiring import install
from tests.intake.webhook_sender import body_of as body_bytes
from tests.intake.webhook_sender import signed
from tests.people import ALEX, VERIFIER, cookies_of
from tests.shared.web_app import BROWSER

PUBLIC_URL = "http://127.0.0.1:8000"
PRACTICE = "practice"


def app_of(service: Service, parts: Parts) -> FastAPI:
    """The app of one service with everything that stands around it."""
    app = FastAPI(openapi_url=None)
    install(
        app,
        pages=parts.pages(service.name, intake_app.TEMPLATES),
        verifier=parts.verifier,
        sent_by_programs=service.sent_by_programs or (lambda scope: False),
        **({"limit_of": service.limit_of} if service.limit_of else {}),
        unavailable=is_away,
    )
    assert service.database is not None
    for router in service.routers:
        app.include_router(router, dependencies=[Depends(of_service(service.database))])
    return app


def parts_of(url: str, key: str) -> Parts:
    """Parts as the command makes them, for a database at `url` and one data key."""
    settings = Settings(database=url, kafka="127.0.0.1:1", data_keys=[key], _env_file=None)
    return Parts(settings=settings, vault=Vault([key]), verifier=VERIFIER, public_url=PUBLIC_URL, outgoing=outgoing(settings))


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A partner at its own end."""

    id: UUID
    secret: str

    @property
    def path(self) -> str:
        """Where it sends to."""
        return f"/intake/webhooks/{self.id}"

    @property
    def key(self) -> bytes:
        """The bytes that it signs with."""
        key = read_key("", self.secret)
        assert isinstance(key, SharedKey)
        return key.secret

    def headers(self, body: bytes, event_id: str = "msg_1", *, sent_at: datetime | None = None, **more: Any) -> list[tuple[bytes, bytes]]:
        """The headers of a request well signed."""
        return signed(body, event_id=event_id, sent_at=sent_at or clock.now(), secret=self.key, **more)


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The service with what a test looks at."""

    app: FastAPI
    database: Database
    vault: Vault
    data_key: str
    url: str
    sender: Sender
    jobs: Sequence[Job] = ()

    async def run(self, job: str) -> object:
        """Do the work of one job, as the clock does."""
        [found] = [one for one in self.jobs if one.name == job]
        return await found.run(self.database)

    async def rows(self, query: str, **values: object) -> Sequence[Row[Any]]:
        """The rows of a query."""
        async with self.database.transaction() as tx:
            return (await tx.execute(text(query), values)).all()

    async def told(self) -> Sequence[Row[Any]]:
        """The outbox in its order, without what is told to desk alone: decisions and tasks."""
        columns = "id, type, subject, cause, trace_id, revision, body::jsonb AS data"
        return await self.rows(f"SELECT {columns} FROM outbox WHERE type <> 'decision.made.v1' AND type NOT LIKE 'task.%' ORDER BY seq")

    async def decisions(self) -> Sequence[DecisionMade]:
        """What the audit trail is told."""
        rows = await self.rows("SELECT body FROM outbox WHERE type = 'decision.made.v1' ORDER BY seq")
        return [DecisionMade.model_validate_json(row.body) for row in rows]

    async def mails(self) -> Sequence[Mapping[str, Any]]:
        """The mails that wait to be handed over, opened: `to` and `content`, oldest first."""
        rows = await self.rows("SELECT sealed FROM mails WHERE state = 'waiting' ORDER BY created_at, id")
        return [orjson.loads(self.vault.open(row.sealed)) for row in rows]

    async def confirm_path(self) -> str:
        """The path that the newest mail leads to."""
        [address] = re.findall(rf"^{PUBLIC_URL}(/intake/confirm/\S+)$", (await self.mails())[-1]["content"]["text"], re.MULTILINE)
        return str(address)

    async def counts(self) -> Mapping[str, int]:
        """How many rows stand in each table that an accepted webhook writes to."""
        tables = {"receipts": "receipts", "submissions": "submissions", "outbox": "outbox WHERE type NOT LIKE 'task.%'"}
        return {name: (await self.rows(f"SELECT count(*) FROM {table}"))[0][0] for name, table in tables.items()}


def example(kind: str = PRACTICE, **changes: object) -> dict[str, Any]:
    """A whole request body of a kind, with some of its fields changed; None leaves one out."""
    data = {name: value for name, value in {**KINDS[kind].example, **changes}.items() if value is not None}
    return body_of(KINDS[kind], data)


async def send(
    client: httpx.AsyncClient, sender: Sender, body: object = None, event_id: str = "msg_1", *, query: str = "", **more: Any
) -> httpx.Response:
    """Send a body, by default the example of a practice, as the partner does."""
    content = body if isinstance(body, bytes) else body_bytes(example() if body is None else body)
    return await client.post(sender.path + query, content=content, headers=sender.headers(content, event_id, **more))


async def add_sender(database: Database, vault: Vault, name: str = "Example City", rate_per_minute: int = 100_000) -> Sender:
    """A partner that may send."""
    async with database.transaction() as tx:
        made = await partners.add_partner(tx, vault, name=name, contact="desk@example.org", rate_per_minute=rate_per_minute)
    return Sender(id=made.id, secret=made.secret)


@asynccontextmanager
async def running(url: str) -> AsyncIterator[Intake]:
    """Intake on a database that has its tables."""
    data_key = new_key()
    parts = parts_of(url, data_key)
    service = intake_app.build(parts)
    assert service.database is not None
    sender = await add_sender(service.database, parts.vault)
    yield Intake(
        app=app_of(service, parts),
        database=service.database,
        vault=parts.vault,
        data_key=data_key,
        url=url,
        sender=sender,
        jobs=service.jobs,
    )
    await service.database.close()


def door_app(database: Database, vault: Vault, patience: Patience) -> FastAPI:
    """The webhook door alone, with a patience of the test's."""
    app = FastAPI(openapi_url=None)
    pages = Pages(public_url=PUBLIC_URL)
    install(app, pages=pages, verifier=VERIFIER, sent_by_programs=is_webhook, limit_of=webhook_limits, unavailable=is_away)
    mails = Mails(vault, outgoing(Settings(_env_file=None)))
    arrivals = Arrivals(vault, mails, public_url=PUBLIC_URL)
    app.include_router(Door(database, vault, public_url=PUBLIC_URL, arrivals=arrivals, patience=patience).router())
    return app


@asynccontextmanager
async def client_of(app: FastAPI, *, browser: bool = False, staff: bool = False, person: Person = ALEX) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app: a program, or a browser in which, for `staff`, `person` is signed in."""
    headers = {**BROWSER, "Origin": PUBLIC_URL} if browser else {}
    cookies = dict(cookies_of(person)) if staff else {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC_URL, headers=headers, cookies=cookies) as client:
        yield client
