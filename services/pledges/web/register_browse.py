"""The register as everybody sees it: what it holds, the list with its filters, and the figures as charts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from math import ceil
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Row

from services.pledges.domain.filters import CODES, Filters
from services.pledges.domain.pledges import freshness, pledge_path
from services.pledges.open_data.records import is_overdue
from services.pledges.store import figures, register
from services.pledges.store.pledges import facts_in
from services.pledges.web import words
from services.pledges.web.asking import NAMED, page_in, wish_of_page
from services.pledges.web.figures_show import charts, gap_map, sums
from shared import clock
from shared.db import Database
from shared.events.codes import SYNTHETIC_COUNTRIES
from shared.web import wording
from shared.web.pages import Pages, localize
from shared.web.request_state import reader_language

PATH = "/pledges/"
SUBMIT = "/pledges/submit"
FORM = "/intake/submit/pledge"
PAGE_SIZE = 20

# Asked first; the others stand behind a word, and come forward where one of them is set.
FIRST = ("objective", "region", "state")


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the page of the register, and the way to its form."""
    router = APIRouter(include_in_schema=False, dependencies=NAMED)

    @router.get(PATH)
    async def browse(request: Request) -> Response:
        """Show list and figures of what the filters find, as it stands or as it stood on a day."""
        filters, reader, today = wish_of_page(request).filters, reader_language(request), clock.now().date()
        async with database.transaction() as tx:
            found = await figures.figures(tx, filters, today)
            last = max(1, ceil(found.total / PAGE_SIZE))
            here = min(page_in(request), last)
            rows = await register.listing(tx, filters, today, limit=PAGE_SIZE, offset=(here - 1) * PAGE_SIZE)
            named, invented = await register.countries_named(tx), await register.invented_names(tx)
        codes = {code for row in rows for code in row.countries if code not in SYNTHETIC_COUNTRIES}
        return pages.render(
            request,
            "pledges/register.html",
            filters=filters,
            today=today,
            day=found.day,
            found=found,
            pledges=[entry(row, reader, found.day, filters.as_of) for row in rows],
            page=here,
            pages=last,
            options=_options(named, invented, reader),
            first=FIRST,
            opened=any(name not in {*FIRST, "q"} for name, _ in filters.pairs()),
            charts=charts(found, reader),
            gaps=gap_map(found, reader),
            sums=sums(found, reader),
            query=filters.query(),
            now_query=replace(filters, as_of=None).query(),
            footnotes=wording.footnotes(codes, reader),
        )

    @router.get(SUBMIT)
    async def submit(request: Request) -> Response:
        """Lead to the form, which is where everything comes in."""
        return RedirectResponse(f"{FORM}?{request.url.query}" if request.url.query else FORM, status_code=303)

    return router


def _options(named: Sequence[str], invented: Mapping[str, str], reader: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {name: words.options(name, reader) for name in CODES}
    found["country"] = words.country_options(named, invented, reader)
    order = Filters.__dataclass_fields__
    return {name: found[name] for name in order if name in found}


def path_of(number: str, as_of: date | None) -> str:
    """Return the path of a pledge's page, as it stands or as it stood on a day."""
    return pledge_path(number) + (f"?as_of={as_of.isoformat()}" if as_of else "")


def entry(row: Row[Any], reader: str, day: date, as_of: date | None) -> dict[str, object]:
    """Return what a list shows of a pledge."""
    facts = facts_in(row)
    return {
        "number": row.number,
        "path": path_of(row.number, as_of),
        "title": localize(facts.title, reader),
        "entity": facts.entity,
        "entity_type": words.title_of("entity_type", facts.entity_type, reader),
        "kinds": [words.title_of("kind", code, reader) for code in facts.kinds],
        "objectives": [words.title_of("objective", str(number), reader) for number in facts.objectives],
        "countries": [
            name
            for name, code in zip(words.countries(facts.countries, facts.entity, reader), facts.countries, strict=True)
            if code not in SYNTHETIC_COUNTRIES
        ],
        "state": facts.state.value,
        "freshness": freshness(facts, day),
        "last_word_on": facts.last_word_on,
        "evidenced_on": facts.evidenced_on,
        "due": facts.due,
        "overdue": is_overdue(facts, day),
        "synthetic": facts.synthetic,
    }
