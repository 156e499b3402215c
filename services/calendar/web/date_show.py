"""One date on a page of its own: when it is here and there, what became of it, what follows from it; and the same as iCalendar."""

from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from starlette.exceptions import HTTPException

from services.calendar.domain.entries import Entry
from services.calendar.feeds.ical import About, Calendar
from services.calendar.feeds.linked_data import linked_data
from services.calendar.store import dates, listing
from services.calendar.web.answers import Made, calendar_headers, conditional, feed_language, never_before, strong
from services.calendar.web.entry_view import PATH, path_of, view
from services.calendar.web.said import when_said
from shared import clock
from shared.db import Database, Transaction
from shared.events.codes import SYNTHETIC_COUNTRIES
from shared.reference.regions import region
from shared.reference.thematic import area, priority
from shared.web import wording
from shared.web.linked_data import licensed
from shared.web.pages import Pages, Sentence, localize
from shared.web.request_state import reader_language

ICS = ".ics"


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the pages of single dates; their address has one free part, so this router stands behind all others."""
    router, began = APIRouter(include_in_schema=False), clock.now()

    @router.get(PATH + "{slug}.ics")
    async def one(request: Request, slug: str) -> Response:
        """Give one date as iCalendar, to be put into a calendar by hand."""
        async with database.transaction() as tx:
            entry = await _found(tx, slug)
        if not entry.is_exact:
            raise HTTPException(404)
        language = feed_language(request)
        address = f"{pages.public_url}{path_of(entry.slug)}{ICS}?lang={language}"
        about = About(name=localize(entry.title, language), language=language, source=address, public_url=pages.public_url)
        calendar = Calendar(about=about)
        calendar.add([entry])
        made = Made(tag=strong(calendar.content), changed_at=never_before(began, entry.updated_at))
        headers = {
            **calendar_headers("text/calendar; charset=utf-8", language, filename=f"{entry.slug}{ICS}"),
            **licensed(pages.licence),
        }
        return conditional(request, made, headers) or Response(calendar.content, headers=headers | made.headers)

    @router.get(PATH + "{slug}")
    async def show(request: Request, slug: str) -> Response:
        """Show one date."""
        reader = reader_language(request)
        async with database.transaction() as tx:
            entry = await _found(tx, slug)
            moves = list(reversed(await dates.moves_of(tx, entry.id)))
            meeting, following = await listing.bound_to(tx, entry)
        today = pages.today
        address = f"{pages.public_url}{path_of(entry.slug)}"
        context = {
            "one": view(entry, reader, today),
            "moves": [(when_said(move.was, reader), move.moved_at, _words(move.because, reader)) for move in moves],
            "meeting": view(meeting, reader, today) if meeting else None,
            "following": [view(other, reader, today) for other in following],
            "done_note": _words(entry.done_note, reader),
            "linked_data": linked_data(entry, [move.was for move in moves], language=reader, address=address, licence=pages.licence),
            "ics": f"{path_of(entry.slug)}{ICS}?lang={reader}",
            **_about(entry, reader),
        }
        return pages.render(request, "calendar/agenda_date.html", **context)

    return router


async def _found(tx: Transaction, slug: str) -> Entry:
    entry = await listing.by_slug(tx, slug) if slug.isascii() and "\0" not in slug else None
    if entry is None:
        raise HTTPException(404)
    return entry


def _about(entry: Entry, reader: str) -> dict[str, Any]:
    def title(of: Any) -> Sentence:
        found = of.title.in_(reader)
        return Sentence(found.text, lang=found.lang, reader=reader)

    return {
        "countries": [(code, _country(code, entry, reader)) for code in entry.countries],
        "footnotes": wording.footnotes(entry.countries, reader),
        "regions": [(code, title(region(code))) for code in entry.regions],
        "objectives": [(number, wording.objective_title(number, reader)) for number in entry.objectives],
        "principles": [(code, wording.principle_title(code, reader)) for code in entry.principles],
        "theme": title(area(int(entry.theme))) if entry.theme else None,
        "priority": title(priority(entry.priority)) if entry.priority else None,
    }


def _country(code: str, entry: Entry, reader: str) -> Sentence | Markup:
    """Return the name of a country; a code of sample data stands for the entity itself."""
    if code in SYNTHETIC_COUNTRIES and entry.entity:
        return Markup('<span lang="" dir="auto">{}</span>').format(entry.entity)
    return wording.country_name(code, reader)


def _words(texts: Any, reader: str) -> Sentence | None:
    return localize(texts, reader) if texts else None
