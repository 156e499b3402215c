"""Reading a calendar of 20,000 dates: pages, feeds and their 304, each beside the bare work under it."""

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import insert, select, text

from bench.figures import Figure, percentile, show
from services.calendar.app import TEMPLATES
from services.calendar.domain.filters import Filters
from services.calendar.feeds import jscalendar
from services.calendar.feeds.ical import About, Calendar
from services.calendar.store import listing
from services.calendar.store.tables import dates
from services.calendar.web.public_routers import public
from shared import clock
from shared.auth.tokens import Signer, Verifier, new_key_pair
from shared.db import Database
from shared.embedded.postgres import EmbeddedPostgres
from shared.events.codes import DateKind
from shared.ids import new_id
from shared.migrations import migrate
from shared.process import spare_what_stays
from shared.web.pages import Pages
from shared.web.wiring import install

DATES = 20_000
ROUNDS = 15
SITE = "https://tidings.example.org"
# Ten years, the last of them to come; one in ten known to the quarter only, one in four to the day, the others to the hour.
FIRST_DAY = date(2018, 1, 1)
DAYS = 10 * 365
ZONES = ("Europe/Zurich", "America/New_York", "Asia/Kathmandu", "Africa/Casablanca", "UTC")
FILTER = "kind=training&objective=8,21&region=asia-pacific"
_SUMMARY = "Central banks and diaspora groups look for cheaper ways of sending money home, and say what the last year has brought. " * 3


def _row(number: int) -> dict[str, Any]:
    chance = random.Random(number)
    first = FIRST_DAY + timedelta(days=chance.randrange(DAYS))
    exactly = "quarter" if number % 10 == 0 else "day" if number % 4 == 0 else "time"
    last, windows, starts = first + timedelta(days=chance.choice((0, 0, 0, 2))), [], None
    if exactly == "quarter":
        first = first.replace(month=(first.month - 1) // 3 * 3 + 1, day=1)
        last = (first + timedelta(days=92)).replace(day=1) - timedelta(days=1)
        windows = [{"first": first.isoformat(), "last": last.isoformat()}]
    if exactly == "time":
        starts, last = datetime(first.year, first.month, first.day, 8 + number % 10, tzinfo=UTC), first
    id_, at = new_id(), datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    return {
        "id": id_,
        "slug": f"date-{number}-{first.year}",
        "kind": ("meeting", "training", "talk", "report")[number % 4] if exactly != "quarter" else DateKind.ACTIVITY.value,
        "public": True,
        "language": "en",
        "title": {
            "en": f"Regional meeting on remittances, part {number}",
            "fr": f"Réunion régionale sur les envois de fonds, partie {number}",
        },
        "summary": {"en": _SUMMARY},
        "place": "Example City, Town Hall",
        "precision": exactly,
        "starts_at": starts,
        "ends_at": starts + timedelta(hours=2) if starts else None,
        "zone": ZONES[number % len(ZONES)] if starts else None,
        "first_day": first,
        "last_day": last,
        "windows": windows,
        "status": "confirmed",
        "sequence": 0,
        "revision": 1,
        "regions": [],
        "countries": [("NP", "PT", "MA", "CO", "PH")[chance.randrange(5)]],
        "objectives": sorted(chance.sample(range(1, 24), 2)),
        "principles": ["rule-of-law"],
        "lead": [],
        "participants": [],
        "links": [],
        "historic": first < date(2026, 1, 1),
        "synthetic": False,
        "trace_id": id_.hex,
        "created_at": at,
        "updated_at": at,
    }


async def measure() -> None:
    """Measure and show how long a reader waits."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "postgres") as postgres:
        await migrate(postgres.url, ["calendar"])
        database = Database(postgres.url, "calendar")
        async with database.transaction() as tx:
            for start in range(0, DATES, 1000):
                await tx.execute(insert(dates), [_row(number) for number in range(start, start + 1000)])
        async with database.engine.connect() as connection:
            await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE dates"))
        pages = Pages(public_url=SITE, templates={"calendar": TEMPLATES})
        app = FastAPI(openapi_url=None)
        install(app, pages=pages, verifier=Verifier(Signer([new_key_pair().private]).public_keys))
        for router in public(database, pages):
            app.include_router(router)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=SITE) as client:
            await _measure(database, client)
        await database.close()


async def _measure(database: Database, client: httpx.AsyncClient) -> None:
    month = date(2026, 11, 1)

    async def bare_month() -> None:
        async with database.transaction() as tx:
            await listing.exact_within(tx, Filters(), month, month + timedelta(days=29))

    async def every() -> Sequence[Any]:
        async with database.transaction() as tx:
            return [one async for piece in listing.pieces(tx, Filters(), clock.now(), exact=False) for one in piece]

    entries = await every()
    about = About(name="Calendar", language="en", source=f"{SITE}/calendar/feed.ics", public_url=SITE)

    def bare_ics() -> bytes:
        calendar = Calendar(about=about)
        calendar.add(entries)
        return calendar.content

    def bare_json() -> bytes:
        return jscalendar.group(jscalendar.entries(entries, about), about, updated=clock.now())

    async def bare_count() -> None:
        async with database.transaction() as tx:
            await tx.execute(select(dates.c.updated_at).order_by(dates.c.updated_at.desc()).limit(1))

    spare_what_stays()
    tag = (await client.get("/calendar/feed.ics")).headers["etag"]
    agenda = await _times(lambda _: client.get("/calendar/?at=2026-11"))
    table = await _times(lambda _: client.get("/calendar/month/2026-11"))
    month_sql = await _times(lambda _: bare_month())
    # Each round another day of `from`, so that nothing that was kept is given again.
    narrow = await _times(lambda number: client.get(f"/calendar/feed.ics?{FILTER}&from=2000-01-{number + 1:02}"))
    whole = await _times(lambda number: client.get(f"/calendar/feed.ics?from=2000-01-{number + 1:02}"), 3)
    json = await _times(lambda number: client.get(f"/calendar/feed.json?from=2000-01-{number + 1:02}"), 3)
    kept = await _times(lambda _: client.get("/calendar/feed.ics"))
    same = await _times(lambda _: client.get("/calendar/feed.ics", headers={"if-none-match": tag}))
    newest = await _times(lambda _: bare_count())
    ics_bytes, ics_seconds = _written(bare_ics)
    json_bytes, json_seconds = _written(bare_json)
    held_up = await _held_up(client)
    show(
        f"Calendar of {DATES:,} dates",
        [
            _page("list of a month and more", agenda, percentile(month_sql, 50), 300),
            _page("month as a table", table, percentile(month_sql, 50), 300),
            _page("feed.ics, filtered", narrow, None, 300),
            _feed(f"feed.ics, whole, {ics_bytes / 1e6:.1f} MB", whole, ics_seconds),
            _feed(f"feed.json, whole, {json_bytes / 1e6:.1f} MB", json, json_seconds),
            _page("feed.ics, whole, once it is kept", kept, None, 100),
            _page("feed.ics, 304", same, percentile(newest, 50), 50),
            Figure(
                what="longest that another request waits while a whole feed is written",
                value=1000 * held_up,
                unit="ms",
                aim=250,
                lower_is_better=True,
            ),
        ],
    )


async def _times(ask: Callable[[int], Awaitable[Any]], rounds: int = ROUNDS) -> Sequence[float]:
    found = []
    for number in range(rounds):
        began = time.perf_counter()
        answer = await ask(number)
        found.append(time.perf_counter() - began)
        assert answer is None or answer.status_code in {200, 304}, answer
    return found


def _written(write: Callable[[], bytes]) -> tuple[int, float]:
    began = time.perf_counter()
    content = write()
    return len(content), time.perf_counter() - began


async def _held_up(client: httpx.AsyncClient) -> float:
    """Return the longest pause of a loop that only wakes every millisecond, while a feed is written that nobody has asked for."""
    longest, feed = 0.0, asyncio.create_task(client.get("/calendar/feed.ics?from=1999-01-01"))
    while not feed.done():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - began)
    return longest


def _page(what: str, times: Sequence[float], bare: float | None, aim: float) -> Figure:
    return Figure(
        what=what,
        value=1000 * percentile(times, 50),
        unit="ms",
        ceiling=1000 * bare if bare else None,
        ceiling_is="the rows alone" if bare else "",
        aim=aim,
        lower_is_better=True,
        note=f"19 of 20 within {1000 * percentile(times, 95):.0f} ms",
    )


def _feed(what: str, times: Sequence[float], bare: float) -> Figure:
    return Figure(
        what=what,
        value=1000 * percentile(times, 50),
        unit="ms",
        ceiling=1000 * bare,
        ceiling_is="the same bytes written from dates in memory",
        aim=5000,
        lower_is_better=True,
    )
