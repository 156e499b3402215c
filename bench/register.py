"""The register with 20,000 pledges: its pages and open data, each beside the bare statement of the same question in the same run."""

import statistics
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from bench.figures import Clock, Figure, percentile, show
from services.pledges.app import TEMPLATES
from services.pledges.domain.pledges import Change, Facts, NewPledge
from services.pledges.store import pledges
from services.pledges.store.pledges import Past
from services.pledges.web import register_routers
from shared import clock
from shared.auth.tokens import Signer, Verifier, new_key_pair
from shared.db import Database
from shared.embedded.postgres import EmbeddedPostgres
from shared.events.codes import EntityType, PledgeKind, PledgeState, PledgeWay, Principle, Region, Scope
from shared.ids import new_id
from shared.migrations import migrate
from shared.web.pages import Pages
from shared.web.wiring import install

PLEDGES = 20_000
AT_ONCE = 1_000
# Every second pledge has two versions more: owners report.
REPORTS = 2
ROUNDS = 9
ADDRESS = "http://127.0.0.1:8000"
_WORDS = [
    "law",
    "labour",
    "inspectors",
    "recruitment",
    "fees",
    "migrant",
    "workers",
    "consulates",
    "telephone",
    "survey",
    "results",
    "children",
    "school",
    "health",
    "district",
    "border",
    "rescue",
    "identity",
    "papers",
    "diaspora",
    "remittances",
    "return",
    "skills",
    "housing",
    "municipality",
    "training",
    "budget",
    "parliament",
    "women",
]
_SEARCHED = ("pledges", "versions")
"""Tables whose words are searched: their indexes are made once the rows are there, which is quicker."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Something that is asked of the register, and the bare statement that answers it."""

    what: str
    address: str
    statement: str


def _questions(day: date) -> Sequence[Question]:
    wide = "SELECT * FROM pledges WHERE standing = 'published'"
    newest = "ORDER BY published_on DESC, number DESC"
    then = (
        f"SELECT v.* FROM versions v JOIN (SELECT pledge_id, max(revision) AS revision FROM versions WHERE stands_from <= '{day}'"
        " GROUP BY pledge_id) l USING (pledge_id, revision) WHERE standing = 'published'"
    )
    found = "search_words(title, description, entity) @@ to_tsquery('pg_catalog.simple', '''consulates'':* & ''remittances'':*')"
    grouped = "SELECT state, count(*) FROM pledges WHERE standing = 'published' GROUP BY state"
    return [
        Question(what="page: list and charts of everything", address="/pledges/", statement=f"{wide} {newest} LIMIT 20"),
        Question(
            what="page: objective, region and state chosen",
            address="/pledges/?objective=6&region=africa&state=in-progress",
            statement=f"{wide} AND objectives @> '{{6}}' AND regions @> '{{africa}}' AND state = 'in-progress' {newest} LIMIT 20",
        ),
        Question(
            what="page: two words sought", address="/pledges/?q=consulates+remittances", statement=f"{wide} AND {found} {newest} LIMIT 20"
        ),
        Question(what="page: as of a day two years ago", address=f"/pledges/?as_of={day}", statement=f"{then} {newest} LIMIT 20"),
        Question(what="one pledge", address="/pledges/P-0042", statement="SELECT * FROM versions WHERE number = 'P-0042'"),
        Question(what="JSON: 50 pledges", address="/pledges/api/v1/pledges", statement=f"{wide} {newest} LIMIT 50"),
        Question(what="JSON: 500 pledges", address="/pledges/api/v1/pledges?per_page=500", statement=f"{wide} {newest} LIMIT 500"),
        Question(what="figures behind the charts", address="/pledges/api/v1/figures", statement=grouped),
        Question(what="Atom feed", address="/pledges/feed.atom", statement=f"{wide} ORDER BY updated_at DESC LIMIT 50"),
        Question(
            what="changes: 500",
            address="/pledges/api/v1/changes?limit=500",
            statement="SELECT * FROM versions ORDER BY recorded_at LIMIT 500",
        ),
    ]


async def measure() -> None:
    """Measure and show all of it."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "postgres") as postgres:
        await migrate(postgres.url, ["pledges"])
        database = Database(postgres.url, "pledges")
        filled = await _fill(database)
        app = FastAPI(openapi_url=None)
        pages = Pages(public_url=ADDRESS, templates={"pledges": TEMPLATES})
        install(app, pages=pages, verifier=Verifier(Signer([new_key_pair().private]).public_keys))
        for router in register_routers.all_of(database, pages):
            app.include_router(router)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ADDRESS, timeout=120) as client:
            day = clock.now().date() - timedelta(days=730)
            figures = [await _beside(question, client, database) for question in _questions(day)]
            figures += [await _unchanged(client), *await _table(client, database)]
        await database.close()
    show(f"Register of {PLEDGES:,} pledges, {filled:,} versions (filled once, not measured)", figures)


async def _beside(question: Question, client: httpx.AsyncClient, database: Database) -> Figure:
    async def ask() -> int:
        answer = await client.get(question.address, headers={"Accept-Language": "en"})
        assert answer.status_code == 200, question.address
        return len(answer.content)

    async def bare() -> int:
        async with database.transaction() as tx:
            return len((await tx.execute(text(question.statement.replace(":", "\\:")))).all())

    size = await ask()
    taken, ceiling = await _milliseconds(ask), await _milliseconds(bare)
    return Figure(
        what=question.what,
        value=statistics.median(taken),
        unit="ms",
        ceiling=statistics.median(ceiling),
        ceiling_is="the bare statement, rows fetched",
        lower_is_better=True,
        note=f"95 of 100 within {percentile(taken, 95):.0f} ms; {size / 1024:.0f} KiB",
    )


async def _milliseconds(do: Callable[[], Awaitable[Any]]) -> Sequence[float]:
    found = []
    for _ in range(ROUNDS):
        timer = Clock()
        await do()
        found.append(1000 * timer.seconds)
    return found


async def _unchanged(client: httpx.AsyncClient) -> Figure:
    address = "/pledges/api/v1/pledges?per_page=500"
    tag = (await client.get(address)).headers["etag"]

    async def again() -> None:
        assert (await client.get(address, headers={"If-None-Match": tag})).status_code == 304

    async def whole() -> None:
        assert (await client.get(address)).status_code == 200

    return Figure(
        what="JSON: 500 pledges that the asker has (304)",
        value=statistics.median(await _milliseconds(again)),
        unit="ms",
        ceiling=statistics.median(await _milliseconds(whole)),
        ceiling_is="the same sent again",
        lower_is_better=True,
    )


async def _table(client: httpx.AsyncClient, database: Database) -> Sequence[Figure]:
    timer = Clock()
    answer = await client.get("/pledges/api/v1/pledges.csv")
    whole = PLEDGES / timer.seconds
    assert answer.text.count("\r\nP-") == PLEDGES
    timer = Clock()
    async with database.transaction() as tx:
        rows = (await tx.execute(text("SELECT * FROM pledges WHERE standing = 'published' ORDER BY published_on DESC, number DESC"))).all()
    assert len(rows) == PLEDGES
    return [
        Figure(
            what="CSV of everything",
            value=whole,
            unit="pledges a second",
            ceiling=PLEDGES / timer.seconds,
            ceiling_is="the bare statement, rows fetched",
            note=f"{len(answer.content) / 1024 / 1024:.1f} MiB",
        )
    ]


async def _fill(database: Database) -> int:
    async with database.transaction() as tx:
        for table in _SEARCHED:
            await tx.execute(text(f"DROP INDEX {table}_words_idx"))
    random, written = Random(20_000), 0  # the same in every run
    for _ in range(PLEDGES // AT_ONCE):
        async with database.transaction() as tx:
            numbers = await pledges.draw_numbers(tx, AT_ONCE)
            several = [(number, _new(), _past(random)) for number in numbers]
            await pledges.publish_all(tx, [(number, replace(new, facts=past[-1].facts), past) for number, new, past in several], by=None)
            written += sum(len(past) for _, _, past in several)
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE versions SET recorded_at = recorded_at - interval '1 hour'"))
        for table in _SEARCHED:
            await tx.execute(text(f"CREATE INDEX {table}_words_idx ON {table} USING gin (search_words(title, description, entity))"))
    async with database.engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text("VACUUM ANALYZE"))
    return written


def _new() -> NewPledge:
    return NewPledge(id=new_id(), facts=_facts(Random(0)), trace_id=new_id().hex)  # replaced at once


def _past(random: Random) -> list[Past]:
    facts = _facts(random)
    past = [Past(facts=facts, change=Change.PUBLISHED, stands_from=facts.published_on)]
    for number in range(REPORTS * random.randrange(2)):
        day = facts.published_on + timedelta(days=200 * (number + 1))
        past.append(
            Past(facts=replace(facts, state=random.choice(list(PledgeState)), reported_on=day), change=Change.REPORTED, stands_from=day)
        )
    return past


def _facts(random: Random) -> Facts:
    kinds = random.sample(list(PledgeKind), random.choice((1, 1, 2)))
    financial = PledgeKind.FINANCIAL in kinds
    published = date(2021, 1, 1) + timedelta(days=random.randrange(2000))
    return Facts(
        language="en",
        title={"en": " ".join(random.sample(_WORDS, 6)), "fr": " ".join(random.sample(_WORDS, 6))},
        description={"en": " ".join(random.choices(_WORDS, k=90))},
        entity=f"Example Body {random.randrange(2000)}",
        entity_type=random.choice(list(EntityType)).value,
        kinds=tuple(kind.value for kind in kinds),
        way=random.choice([PledgeWay.INDIVIDUAL, PledgeWay.COMMON]).value,
        scope=random.choice(list(Scope)).value,
        countries=tuple(random.sample(["MA", "NP", "PT", "EG", "XK", "PE", "KE", "FR"], random.randrange(3))),
        regions=tuple(region.value for region in Region if random.random() < 0.3),
        objectives=tuple(sorted(random.sample(range(1, 24), random.randrange(1, 4)))),
        principles=(random.choice(list(Principle)).value,),
        metric="Share of workers, in per cent",
        target="0",
        currency=random.choice(["USD", "EUR"]) if financial else None,
        amount=Decimal(random.randrange(10**4, 10**9)) / 100 if financial else None,
        due=published + timedelta(days=random.randrange(30, 1800)),
        state=random.choice(list(PledgeState)),
        published_on=published,
    )
