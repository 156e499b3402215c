"""A month of the calendar as a table: a row for each week, from Monday on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.calendar.domain.periods import Month
from services.calendar.store import listing
from services.calendar.web.agenda_show import ROUGH_MAX, opening
from services.calendar.web.choosing import asked_of, choices, chosen, ways_of, with_query
from services.calendar.web.entry_view import PATH, View, by_period, view
from shared import i18n
from shared.db import Database
from shared.web import wording
from shared.web.pages import Pages
from shared.web.request_state import reader_language

MONTH = f"{PATH}month/"
_MONDAY = date(2024, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Day:
    """A cell of the table."""

    day: date
    name: str  # the full date
    views: Sequence[View]
    is_today: bool


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the months."""
    router = APIRouter(include_in_schema=False)

    @router.get(MONTH)
    async def nearest_month(request: Request) -> Response:
        """Lead to the nearest month that has dates."""
        filters = asked_of(request).filters
        async with database.transaction() as tx:
            month = opening(await listing.months(tx, filters), Month.of(pages.today))
        return RedirectResponse(with_query(f"{MONTH}{month}", filters, lang=request.query_params.get("lang")), status_code=303)

    @router.get(MONTH + "{month}")
    async def show(request: Request, month: str) -> Response:
        """Show one month."""
        shown = Month.read(month)
        if shown is None:
            raise HTTPException(404)
        reader, today = reader_language(request), pages.today
        filters = asked_of(request).filters
        async with database.transaction() as tx:
            exact = await listing.exact_within(tx, filters, shown.first, shown.last)
            rough = await listing.approximate_within(tx, filters, shown.first, shown.last, ROUGH_MAX + 1)
            form = await choices(tx, filters, reader)
        views = [view(entry, reader, today) for entry in exact]
        context: dict[str, Any] = {
            "month": shown,
            "name": i18n.month(shown.first, reader),
            "weekdays": [_weekday(number, reader) for number in range(7)],
            "weeks": [[_day(day, views, reader, today) if day else None for day in week] for week in shown.weeks],
            "periods": by_period(rough[:ROUGH_MAX], reader, today, shown.first, shown.last),
            "more_rough": len(rough) > ROUGH_MAX,
            "beside": [(rel, other, i18n.month(other.first, reader)) for rel, other in _beside(shown)],
            "here": lambda other: with_query(f"{MONTH}{other}", filters),
            "agenda_page": with_query(PATH, filters, at=str(shown)),
            "choices": form,
            "chosen": chosen(filters, reader, form),
            "ways": ways_of(filters, pages.public_url, reader),
            "path": f"{MONTH}{shown}",
            "footnotes": wording.footnotes({code for entry in (*exact, *rough) for code in entry.countries}, reader),
            "country": lambda code: wording.country_name(code, reader),
        }
        return await asyncio.to_thread(pages.render, request, "calendar/agenda_month.html", **context)

    return router


def _weekday(number: int, reader: str) -> tuple[str, str]:
    """Return the name of a weekday, and its short form for where there is no room."""
    day = _MONDAY + timedelta(days=number)
    return i18n.weekday(day, reader), i18n.weekday(day, reader, short=True)


def _day(day: date, views: Sequence[View], reader: str, today: date) -> Day:
    own = [one for one in views if one.entry.first_day <= day <= (one.entry.last_day or one.entry.first_day)]
    return Day(day=day, name=i18n.full_day(day, reader), views=own, is_today=day == today)


def _beside(shown: Month) -> Sequence[tuple[str, Month]]:
    found = (("prev", shown.shifted(-1)), ("next", shown.shifted(1)))
    return [(rel, month) for rel, month in found if month is not None]
