"""Four services in one app, as they run together, but for Kafka: what it would carry, the test hands over."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import httpx
from fastapi import Depends, FastAPI
from sqlalchemy import select, text, update

from services.desk import app as desk
from services.desk.web import routers as desk_routers
from services.newsletter import app as newsletter
from services.newsletter.handlers import listens as newsletter_listens
from services.newsletter.web import pool_show, sends_show
from services.social import app as social
from services.social.handlers import listens_at
from services.social.posting.things import things_at
from services.social.web import deliveries_show, drafts_show, posts_queue
from services.social.web.post_edit import PostPages
from shared import clock, outbox, relay
from shared.auth.people import TABLES as PEOPLE
from shared.auth.require import of_service
from shared.auth.tokens import Person
from shared.consumer import Consumer
from shared.db import Database, is_away
from shared.events.base import EventData
from shared.events.intake import PracticePublished
from shared.events.registry import TOPICS_OF, topic_of
from shared.files.uploads import takes_files
from shared.listening import Listeners
from shared.migrations import migrate
from shared.migrations.backbone import statements
from shared.operations.story import no_facts
from shared.operations.web import router as operations_router
from shared.parking import StoredRecord
from shared.trace import Cause
from shared.web.pages import Pages
from shared.web.wiring import install
from tests.people import ALEX, SIGNER, VERIFIER, cookies_of
from tests.shared.web_app import BROWSER

PUBLIC_URL = "http://127.0.0.1:8000"
SERVICES = ("intake", "newsletter", "social", "desk")
"""Those in the app; the desk's pages gather these alone here."""
IDLE: Mapping[str, object] = {
    "outbox_unsent": 0,
    "outbox_age_seconds": 0.0,
    "lag": 0,
    "parked": {"waiting": 0, "dead": 0, "discarded": 0},
    "consumer": "idle",
    "relay_leads": True,
    "trouble": "",
}
PRACTICE = PracticePublished.model_validate(
    {
        "language": "fr",
        "title": {"fr": "Un guichet <unique>", "en": "One desk for newcomers", "ar": "مكتب واحد للوافدين"},
        "summary": {"fr": "Tout sous un même toit.", "en": "Everything under one roof.", "ar": "كل شيء تحت سقف واحد."},
        "entity": "Ville d’Exemple & fils",
        "entity_type": "local-authority",
        "countries": ["FR", "MA"],
        "objectives": [4, 16],
        "address": "https://tidings.example.org/practices/guichet?a=1&b=2",
    }
)


async def make_schema(database: Database) -> None:
    """Make a service's schema with the tables that every service has and no others."""
    async with database.transaction() as tx:
        await tx.execute(text(f"CREATE SCHEMA {database.service}"))
        for statement in statements():
            await tx.execute(text(statement))
        await tx.run_sync(PEOPLE.create_all)


async def tell(
    teller: Database, data: EventData, *, subject: str, cause: Cause | None = None, revision: int = 1, historic: bool = False
) -> UUID:
    """Put one event into a service's outbox and return its id."""
    async with teller.transaction() as tx:
        return await outbox.put(tx, data, subject=subject, cause=cause or Cause.start(), revision=revision, historic=historic)


async def records_of(teller: Database) -> Sequence[StoredRecord]:
    """Return a service's outbox as Kafka would hand it over."""
    async with teller.transaction() as tx:
        rows = (await tx.execute(select(outbox.outbox).order_by(outbox.outbox.c.seq))).all()
    return [
        StoredRecord(
            topic=topic_of(teller.service),
            partition=0,
            offset=row.seq,
            key=row.subject.encode(),
            value=row.body.encode(),
            headers=[(name, value.encode()) for name, value in relay.headers(teller.service, row).items()],
        )
        for row in rows
    ]


@dataclass(kw_only=True)
class System:
    """The app and what stands behind it."""

    app: FastAPI
    databases: Mapping[str, Database]
    consumers: Mapping[str, Consumer]
    figures: dict[str, Mapping[str, object]] = field(default_factory=dict)  # by service, where they are not IDLE

    @property
    def intake(self) -> Database:
        """The service that tells."""
        return self.databases["intake"]

    async def carry(self) -> None:
        """Send everything told to everybody who listens."""
        records = await records_of(self.intake)
        async with self.intake.transaction() as tx:
            await tx.execute(update(outbox.outbox).where(outbox.outbox.c.sent_at.is_(None)).values(sent_at=clock.now()))
        for consumer in self.consumers.values():
            await consumer.take(records)


@asynccontextmanager
async def system(url: str) -> AsyncIterator[System]:
    """Give four services on fresh schemas; intake is its outbox alone."""
    databases = {service: Database(url, service) for service in SERVICES}
    await make_schema(databases["intake"])
    await migrate(url, ["newsletter", "social", "desk"])
    app = FastAPI(openapi_url=None)
    found = System(
        app=app,
        databases=databases,
        consumers={
            "newsletter": consumer(databases["newsletter"], newsletter_listens(PUBLIC_URL)),
            "social": consumer(databases["social"], listens_at(PUBLIC_URL)),
        },
    )
    _wire(found)
    yield found
    for database in databases.values():
        await database.close()


def consumer(database: Database, listeners: Listeners) -> Consumer:
    """Return the consumer of a service."""
    return Consumer(database.service, database, listeners, TOPICS_OF)


def _wire(found: System) -> None:
    plain = Pages(public_url=PUBLIC_URL)
    install(found.app, pages=plain, verifier=VERIFIER, unavailable=is_away, limit_of=takes_files(social.FILES))
    of_desk = [Depends(of_service(found.databases["desk"]))]
    pages = Pages(public_url=PUBLIC_URL, templates={"desk": desk.TEMPLATES})
    for router in desk_routers.all_of(found.databases["desk"], SIGNER, pages, SERVICES):
        found.app.include_router(router, dependencies=of_desk)
    facts = {"newsletter": pool_show.facts, "social": drafts_show.facts}
    for service, database in found.databases.items():

        async def figures(service: str = service) -> Mapping[str, object]:
            return found.figures.get(service, IDLE)

        router = operations_router(service, database, plain, figures, facts.get(service, no_facts))
        found.app.include_router(router, dependencies=[Depends(of_service(database))])
    for name, templates, its_router in (
        (newsletter.NAME, newsletter.TEMPLATES, pool_show.router),
        (newsletter.NAME, newsletter.TEMPLATES, lambda database, _: sends_show.router(database)),
        (social.NAME, social.TEMPLATES, drafts_show.router),
        (social.NAME, social.TEMPLATES, deliveries_show.router),
        (social.NAME, social.TEMPLATES, lambda database, pages: posts_queue.router(database, pages, things_at(PUBLIC_URL))),
        (social.NAME, social.TEMPLATES, lambda database, pages: PostPages(database, pages, things_at(PUBLIC_URL)).router()),
    ):
        database = found.databases[name]
        router = its_router(database, Pages(public_url=PUBLIC_URL, templates={name: templates}))
        found.app.include_router(router, dependencies=[Depends(of_service(database))])


@asynccontextmanager
async def asker(app: FastAPI, *, entered: bool = True, person: Person = ALEX) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that asks as a browser does; `person` is signed in unless told otherwise."""
    cookies = dict(cookies_of(person)) if entered else {}
    headers = {**BROWSER, "Origin": PUBLIC_URL}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC_URL, headers=headers, cookies=cookies) as client:
        yield client
