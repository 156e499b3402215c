"""The feeds that programs subscribe to: iCalendar of what has a day, JSCalendar of everything."""

import asyncio

from fastapi import APIRouter, Request, Response

from services.calendar.domain.filters import Filters
from services.calendar.feeds import jscalendar
from services.calendar.feeds.ical import About, Calendar
from services.calendar.feeds.kept import Kept
from services.calendar.store import listing
from services.calendar.web.answers import CALENDAR, Made, calendar_headers, conditional, feed_language, never_before, weak
from services.calendar.web.choosing import asked_of, with_query
from services.calendar.web.entry_view import PATH
from shared import clock, i18n
from shared.db import Database
from shared.web.linked_data import licensed
from shared.web.unchanged import written_by

ICS, JSON = f"{PATH}feed.ics", f"{PATH}feed.json"
_TYPES = {ICS: "text/calendar; charset=utf-8", JSON: "application/jscalendar+json; type=group"}


def router(database: Database, public_url: str, licence: str | None) -> APIRouter:
    """Return the addresses of the feeds."""
    router, kept, began = APIRouter(include_in_schema=False), Kept(), clock.now()

    @router.get(ICS)
    async def ics(request: Request) -> Response:
        """Give the dates with a day or an hour; what was cancelled is there for 90 days more."""
        return await _give(request, ICS)

    @router.get(JSON)
    async def json(request: Request) -> Response:
        """Give all dates, those without a day too."""
        return await _give(request, JSON)

    async def _give(request: Request, path: str) -> Response:
        asked, language, now = asked_of(request), feed_language(request), clock.now()
        async with database.transaction() as tx:
            stamp = await listing.stamp(tx, now)
        tag = weak(path, stamp, asked.filters, language, public_url, licence, written_by(CALENDAR))
        made = Made(tag=tag, changed_at=never_before(began, stamp.changed_at))
        headers = {**calendar_headers(_TYPES[path], language, ignored=asked.ignored), **licensed(licence)}
        if (unchanged := conditional(request, made, headers)) is not None:
            return unchanged
        about = About(
            name=i18n.translate(language, "agenda.feed-name"),
            language=language,
            source=public_url + with_query(path, asked.filters, lang=language),
            public_url=public_url,
            licence=licence,
        )

        async def write() -> bytes:
            return await (_ics(database, asked.filters, about) if path == ICS else _json(database, asked.filters, about))

        return Response(await kept.get(made.tag, write), headers=headers | made.headers)

    return router


async def _ics(database: Database, filters: Filters, about: About) -> bytes:
    calendar = Calendar(about=about)
    async with database.transaction() as tx:
        async for entries in listing.pieces(tx, filters, clock.now(), exact=True):
            # Others are served while it is written.
            await asyncio.to_thread(calendar.add, entries)
    return await asyncio.to_thread(lambda: calendar.content)


async def _json(database: Database, filters: Filters, about: About) -> bytes:
    written: list[bytes] = []
    async with database.transaction() as tx:
        stamp = await listing.stamp(tx, clock.now())
        async for entries in listing.pieces(tx, filters, clock.now(), exact=False):
            written.extend(await asyncio.to_thread(jscalendar.entries, entries, about))
    return jscalendar.group(written, about, updated=stamp.changed_at or clock.now())
