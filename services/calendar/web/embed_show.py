"""The next dates as a list without a script, to stand in a frame on somebody else's page: the one page that may be framed."""

from fastapi import APIRouter, Request, Response

from services.calendar.domain.periods import Month
from services.calendar.store import listing
from services.calendar.web.answers import CACHE, CALENDAR, Made, conditional, weak
from services.calendar.web.choosing import asked_of, with_query
from services.calendar.web.entry_view import PATH, by_period, view
from shared import clock
from shared.db import Database
from shared.web.pages import Pages
from shared.web.request_state import reader_language
from shared.web.safety import FRAMED_POLICY
from shared.web.unchanged import written_by

EMBED = f"{PATH}embed"
# As many as a frame of a page's height shows.
DATES = 15
ROUGH = 10


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the page for frames."""
    router = APIRouter(include_in_schema=False)

    @router.get(EMBED)
    async def embed(request: Request) -> Response:
        """List the next dates that pass the filters, from today or from the day of `from` on."""
        reader, now, filters = reader_language(request), clock.now(), asked_of(request).filters
        today = pages.today
        first = filters.first or today
        async with database.transaction() as tx:
            stamp = await listing.stamp(tx, now)
            made_of = (stamp, filters, reader, today, pages.public_url, pages.banner, written_by(CALENDAR))
            made = Made(tag=weak(*made_of), changed_at=None)
            headers = {
                "Cache-Control": CACHE,
                "Content-Security-Policy": FRAMED_POLICY,
                "Cross-Origin-Resource-Policy": "cross-origin",
                "Content-Language": reader,
            }
            if (unchanged := conditional(request, made, {**headers, "Vary": "Accept-Language, Cookie"})) is not None:
                return unchanged
            entries = await listing.upcoming(tx, filters, first, DATES)
            # What is roughly known of the time that the list covers; without one, of this month.
            last = max((entry.first_day for entry in entries), default=Month.of(first).last)
            rough = await listing.approximate_within(tx, filters, first, last, ROUGH)
        answer = pages.render(
            request,
            "calendar/agenda_embed.html",
            headers=headers | made.headers,
            views=[view(entry, reader, today) for entry in entries],
            periods=by_period(rough, reader, today, first, last),
            whole=pages.public_url + with_query(PATH, filters, lang=reader),
        )
        # A frame on another site keeps nothing in the reader's browser.
        if "set-cookie" in answer.headers:
            del answer.headers["set-cookie"]
        return answer

    return router
