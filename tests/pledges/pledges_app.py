"""The register as it runs, but for Kafka: its own app on a database of the test's, and what knocks at it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import httpx
import orjson
from fastapi import Depends, FastAPI
from sqlalchemy import Row, text

from services.pledges import app as pledges_app
from services.pledges.domain.pledges import Facts, NewPledge, Pledge, facts_of
from services.pledges.letters import Letters
from services.pledges.store import pledges
from shared.auth.require import of_service
from shared.auth.tokens import Person
from shared.db import Database, is_away
from shared.events.every import DecisionMade
from shared.events.kinds.pledge import PledgeSubmission
from shared.ids import new_id
from shared.mail.outgoing import outgoing
from shared.parts import Parts
from shared.service import Service
from shared.settings import Settings
from shared.vault import Vault, new_key
from shared.web.wiring import install
from tests.people import ALEX, VERIFIER, cookies_of
from tests.shared.web_app import BROWSER

PUBLIC_URL = "http://127.0.0.1:8000"
OWNER = "lucia@example.org"
"""The mail address of the contact of every pledge that a test makes."""


@dataclass(frozen=True, kw_only=True)
class Register:
    """The service with what a test looks at."""

    app: FastAPI
    database: Database
    service: Service
    parts: Parts
    vault: Vault
    data_key: str
    url: str

    async def rows(self, query: str, **values: object) -> Sequence[Row[Any]]:
        """The rows of a query."""
        async with self.database.transaction() as tx:
            return (await tx.execute(text(query), values)).all()

    async def told(self) -> Sequence[Row[Any]]:
        """The outbox in its order, without what is told to desk alone: decisions and tasks."""
        columns = "id, type, subject, cause, trace_id, revision, historic, body::jsonb AS data"
        return await self.rows(f"SELECT {columns} FROM outbox WHERE type <> 'decision.made.v1' AND type NOT LIKE 'task.%' ORDER BY seq")

    async def decisions(self) -> Sequence[DecisionMade]:
        """What the audit trail is told."""
        rows = await self.rows("SELECT body FROM outbox WHERE type = 'decision.made.v1' ORDER BY seq")
        return [DecisionMade.model_validate_json(row.body) for row in rows]

    async def tasks(self) -> Sequence[Row[Any]]:
        """What awaits somebody, oldest first."""
        return await self.rows("SELECT kind, subject, facts FROM tasks WHERE closed_at IS NULL ORDER BY opened_at, id")

    async def mails(self) -> Sequence[Mapping[str, Any]]:
        """The mails that wait to be handed over, opened: `to` and `content`, oldest first."""
        rows = await self.rows("SELECT sealed FROM mails WHERE state = 'waiting' ORDER BY created_at, id")
        return [orjson.loads(self.vault.open(row.sealed)) for row in rows]

    def sealed_contact(self, mail: str = OWNER, name: str = "Lucía Example") -> bytes:
        """A contact as the door seals it."""
        return self.vault.seal(orjson.dumps({"contact": {"name": name, "mail": mail}}))

    async def publish(self, *, contact: bool = True, **changes: Any) -> Pledge:
        """A pledge that stands on the register: the example of the form, but for some of its facts."""
        new = NewPledge(
            id=new_id(),
            facts=some_facts(**changes),
            contact_sealed=self.sealed_contact() if contact else b"",
            trace_id=new_id().hex,
        )
        async with self.database.transaction() as tx:
            return await pledges.publish(tx, new, by=None)

    async def pledge(self, number: str) -> Pledge:
        """A pledge as it is kept."""
        async with self.database.transaction() as tx:
            found = await pledges.by_number(tx, number)
        assert found is not None, number
        return found


def some_facts(**changes: Any) -> Facts:
    """The facts of the form's example, some of them changed."""
    public = PledgeSubmission.model_validate(dict(PledgeSubmission.example)).split().public
    facts = facts_of(public, published_on=datetime.now(UTC).date())
    return replace(facts, **changes)


def day(text_: str) -> date:
    """A day as it is written."""
    return date.fromisoformat(text_)


def letters_of(register: Register) -> Letters:
    """What writes to owners."""
    return Letters(register.parts.mails(), register.vault, public_url=PUBLIC_URL, zone=register.parts.settings.timezone)


def parts_of(url: str, key: str) -> Parts:
    """Parts as the command makes them, for a database at `url` and one data key."""
    settings = Settings(database=url, kafka="127.0.0.1:1", data_keys=[key], _env_file=None)
    return Parts(settings=settings, vault=Vault([key]), verifier=VERIFIER, public_url=PUBLIC_URL, outgoing=outgoing(settings))


@asynccontextmanager
async def running(url: str) -> AsyncIterator[Register]:
    """The register on a database that has its tables."""
    data_key = new_key()
    parts = parts_of(url, data_key)
    service = pledges_app.build(parts)
    assert service.database is not None
    app = FastAPI(openapi_url=None)
    # The register may have no templates of its own yet; then its pages are those that every service has.
    templates = getattr(pledges_app, "TEMPLATES", None)
    pages = parts.pages(service.name, templates) if templates else parts.shared_pages()
    install(
        app, pages=pages, verifier=parts.verifier, sent_by_programs=service.sent_by_programs or (lambda scope: False), unavailable=is_away
    )
    for router in service.routers:
        app.include_router(router, dependencies=[Depends(of_service(service.database))])
    yield Register(app=app, database=service.database, service=service, parts=parts, vault=parts.vault, data_key=data_key, url=url)
    await service.database.close()


@asynccontextmanager
async def client_of(app: FastAPI, *, browser: bool = True, person: Person | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app: a browser in which `person`, if named, is signed in; or a program."""
    headers = {**BROWSER, "Origin": PUBLIC_URL} if browser else {}
    cookies = dict(cookies_of(person)) if person else {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC_URL, headers=headers, cookies=cookies) as client:
        yield client


STAFF = ALEX
"""Who is signed in where a test does not care who it is."""
