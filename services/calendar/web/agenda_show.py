"""The calendar as a list: it opens at the nearest month that has dates, and what has no day stands apart under its period."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from services.calendar.domain.entries import Entry
from services.calendar.domain.periods import Month, nearest
from services.calendar.store import listing
from services.calendar.store.listing import Filled
from services.calendar.web.choosing import asked_of, choices, chosen, ways_of, with_query
from services.calendar.web.entry_view import PATH, View, by_period, view
from shared import i18n
from shared.db import Database
from shared.events.times import YEARS
from shared.web import wording
from shared.web.pages import Pages
from shared.web.request_state import reader_language

# Months are shown whole; as many as bring a page to this number of dates, or one that has more.
PAGE_DATES = 25
# And never further than this, so that what is only roughly known beside them is of the same time.
PAGE_MONTHS = 12
# Of what is only roughly known in the months shown.
ROUGH_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Section:
    """A month of the list."""

    name: str
    month: Month
    before: Sequence[View]  # what is over, and what is today or later: between them stands today, in its month
    after: Sequence[View]
    has_today: bool


@dataclass(frozen=True, kw_only=True)
class Span:
    """The months that a page shows, and where one turns to from there."""

    months: Sequence[Month]  # with dates
    first: Month
    last: Month
    earlier: Month | None
    later: Month | None


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the list of dates."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def agenda(request: Request, at: str = "") -> Response:
        """List dates from a month on, or from the nearest that has any."""
        reader, today = reader_language(request), pages.today
        filters = asked_of(request).filters
        async with database.transaction() as tx:
            filled = await listing.months(tx, filters)
            span = span_of(filled, Month.read(at) or opening(filled, Month.of(today)))
            exact = await listing.exact_within(tx, filters, span.first.first, span.last.last)
            rough = await listing.approximate_within(tx, filters, span.first.first, span.last.last, ROUGH_MAX + 1)
            form = await choices(tx, filters, reader)
        context: dict[str, Any] = {
            "sections": _sections(exact, span, reader, today),
            "periods": by_period(rough[:ROUGH_MAX], reader, today, span.first.first, span.last.last),
            "more_rough": len(rough) > ROUGH_MAX,
            "today": i18n.full_day(today, reader),
            "span": span,
            "span_name": _span_name(span, reader),
            "name_of": lambda month: i18n.month(month.first, reader),
            "here": lambda month: with_query(PATH, filters, at=str(month)),
            "whole": with_query(PATH, filters),
            "years": _years(filled),
            "month_page": with_query(f"{PATH}month/{span.first}", filters),
            "choices": form,
            "chosen": chosen(filters, reader, form),
            "ways": ways_of(filters, pages.public_url, reader),
            "path": PATH,
            "footnotes": wording.footnotes({code for entry in (*exact, *rough) for code in entry.countries}, reader),
            "country": lambda code: wording.country_name(code, reader),
        }
        return await asyncio.to_thread(pages.render, request, "calendar/agenda.html", **context)

    return router


def opening(filled: Sequence[Filled], now: Month) -> Month:
    """Return the month to open at: the nearest with a day in it, else the nearest with anything, else this one."""
    return nearest((one.month for one in filled if one.exact), now) or nearest((one.month for one in filled), now) or now


def span_of(filled: Sequence[Filled], anchor: Month) -> Span:
    """Return the months from `anchor` on that fill a page."""
    exact = [one for one in filled if one.exact]
    months, count = [anchor], next((one.exact for one in exact if one.month == anchor), 0)
    after = [one for one in exact if one.month > anchor]
    end = anchor.shifted(PAGE_MONTHS) or Month(year=YEARS[-1], month=12)
    while after and after[0].month < end and count + after[0].exact <= PAGE_DATES:
        one = after.pop(0)
        months.append(one.month)
        count += one.exact
    last = months[-1]
    before, count, begin = None, 0, anchor.shifted(-PAGE_MONTHS) or anchor
    for one in reversed([one for one in exact if one.month < anchor]):
        if before is not None and (one.month < begin or count + one.exact > PAGE_DATES):
            break
        before, count = one.month, count + one.exact
    # Where nothing has a day any more, the way leads on to what is only roughly known.
    rough_before = max((one.month for one in filled if one.month < anchor), default=None)
    rough_after = min((one.month for one in filled if one.month > last), default=None)
    return Span(
        months=months,
        first=anchor,
        last=last,
        earlier=before or rough_before,
        later=after[0].month if after else rough_after,
    )


def _sections(exact: Sequence[Entry], span: Span, reader: str, today: date) -> Sequence[Section]:
    found = []
    for month in span.months:
        # What began before the page does stands at its head.
        own = [entry for entry in exact if month == max(Month.of(entry.first_day), span.first)]
        views = [view(entry, reader, today) for entry in own]
        if not views and month != span.first:
            continue  # something that began before goes on in it, and nothing begins
        found.append(
            Section(
                name=i18n.month(month.first, reader),
                month=month,
                before=[one for one in views if one.is_over],
                after=[one for one in views if not one.is_over],
                has_today=Month.of(today) == month,
            )
        )
    return found


def _span_name(span: Span, reader: str) -> str:
    first, last = (i18n.month(month.first, reader) for month in (span.first, span.last))
    return first if first == last else i18n.translate(reader, "agenda.from-to", first=first, last=last)


def _years(filled: Sequence[Filled]) -> Sequence[Month]:
    """Return the first month with dates of each year."""
    first: dict[int, Month] = {}
    for one in filled:
        first.setdefault(one.month.year, one.month)
    return list(first.values())
