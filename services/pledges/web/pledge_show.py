"""One pledge: all that is public of it, as it stands or as it stood on a day, and what it has been."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Row
from starlette.exceptions import HTTPException

from services.pledges.domain.pledges import Facts, Standing, freshness, number_of, pledge_path
from services.pledges.open_data.linked_data import linked_data
from services.pledges.open_data.records import is_overdue
from services.pledges.store import register
from services.pledges.store.pledges import facts_in
from services.pledges.web import words
from services.pledges.web.asking import NAMED, wish_of_page
from services.pledges.web.register_browse import path_of
from shared import clock, i18n
from shared.db import Database
from shared.events.codes import SYNTHETIC_COUNTRIES
from shared.web import wording
from shared.web.pages import Pages, localize, plain
from shared.web.request_state import reader_language

# No database counts further, and Python reads no number of some thousand digits.
_DIGITS_MAX = 9


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the pages of pledges. Their paths take numbers and ids alone: other words behind /pledges/ are other pages."""
    router = APIRouter(include_in_schema=False, dependencies=NAMED)

    @router.get("/pledges/P-{drawn}")
    async def show(request: Request, drawn: str, text: str = "") -> Response:
        """Show a pledge in the language of `text` where it has it, else in the reader's, else in one that it has; 410 once withdrawn."""
        if not (drawn.isascii() and drawn.isdigit() and len(drawn) <= _DIGITS_MAX):
            raise HTTPException(404)
        number = number_of(int(drawn))
        if request.url.path != pledge_path(number):
            return RedirectResponse(_address(number, request), status_code=308)
        filters, today = wish_of_page(request).filters, clock.now().date()
        async with database.transaction() as tx:
            row = await register.one(tx, number, filters.as_of)
            past = await register.past_of(tx, number)
            beside = {row.matched_number, row.superseded_by} - {None} if row else set()
            matched_by = (await register.matching(tx, [number], filters.as_of)).get(number, [])
            others = await register.titles(tx, [*beside, *matched_by], filters.as_of)
        if row is None:
            if past and filters.as_of is not None:
                return pages.render(
                    request, "pledges/pledge_before.html", 404, number=number, as_of=filters.as_of, since=past[0].stands_from
                )
            raise HTTPException(404)
        if row.standing == Standing.WITHDRAWN.value:
            return pages.render(request, "pledges/pledge_gone.html", 410, number=number)
        reader = reader_language(request)
        shown = _shown(row, past, reader, text, pages, filters.as_of or today)
        withdrawn = past[-1].stands_from if past[-1].standing == Standing.WITHDRAWN.value else None
        # A past day of a pledge is nothing to be found by: the pledge as it stands is.
        hidden: dict[str, Any] = {"indexable": False} if filters.as_of else {}
        return pages.render(
            request,
            "pledges/pledge.html",
            **shown,
            **hidden,
            as_of=filters.as_of,
            withdrawn=withdrawn,
            matches=_other(row.matched_number, others, reader, filters.as_of),
            superseded_by=_other(row.superseded_by, others, reader, filters.as_of),
            matched_by=[_other(one, others, reader, filters.as_of) for one in matched_by],
        )

    @router.get("/pledges/{pledge_id:uuid}")
    async def lead(request: Request, pledge_id: UUID) -> Response:
        """Lead from a pledge's id to its page."""
        async with database.transaction() as tx:
            number = await register.number_of(tx, pledge_id)
        if number is None:
            raise HTTPException(404)
        return RedirectResponse(_address(number, request), status_code=308)

    return router


def _address(number: str, request: Request) -> str:
    return pledge_path(number) + (f"?{request.url.query}" if request.url.query else "")


def _other(number: str | None, others: Mapping[str, Row[Any]], reader: str, as_of: date | None) -> Mapping[str, Any] | None:
    """Return how another pledge is named: with its title and a link where it stands on the register, else by its number alone."""
    if number is None:
        return None
    found = others.get(number)
    return {
        "number": number,
        "path": path_of(number, as_of) if found else None,
        "title": localize(found.title, reader) if found else None,
        "entity": found.entity if found else None,
    }


def _shown(row: Row[Any], past: Sequence[Row[Any]], reader: str, wanted: str, pages: Pages, day: date) -> dict[str, Any]:
    facts = facts_in(row)
    language = wanted if wanted in facts.title and wanted in facts.description else localize(facts.title, reader).lang
    real = [code for code in facts.countries if code not in SYNTHETIC_COUNTRIES]
    written = [version for version in past if version.revision == row.revision]
    return {
        "pledge": facts,
        "number": row.number,
        "language": language,
        "title": words.text_in(facts.title, language, reader),
        "description": words.text_in(facts.description, language, reader),
        "is_fallback": language not in {reader, wanted},
        "is_translation": language != facts.language,
        "others": [code for code in facts.title if code != language],
        "own_names": {code: i18n.language_name(code, code) for code in facts.title},
        "interface_languages": i18n.LANGUAGES,
        "entity_type": words.title_of("entity_type", facts.entity_type, reader),
        "kinds": [(code, words.title_of("kind", code, reader)) for code in facts.kinds],
        "way": words.title_of("way", facts.way, reader),
        "countries": list(zip(facts.countries, words.countries(facts.countries, facts.entity, reader), strict=True)),
        "regions": [(code, words.title_of("region", code, reader)) for code in facts.regions],
        "objectives": [(number, words.title_of("objective", str(number), reader)) for number in facts.objectives],
        "principles": [(code, words.title_of("principle", code, reader)) for code in facts.principles],
        "footnotes": wording.footnotes(real, reader),
        "money": i18n.money(facts.amount, facts.currency, reader) if facts.amount is not None and facts.currency else None,
        "freshness": freshness(facts, day),
        "overdue": is_overdue(facts, day),
        "day": day,
        "steps": [_step(version) for version in past],
        "linked_data": linked_data(
            facts,
            number=row.number,
            language=language,
            address=f"{pages.public_url}{pledge_path(row.number)}",
            changed=clock.rfc3339(written[0].recorded_at) if written else "",
            publisher=plain(i18n.translate(reader, "base.network")),
            licence=pages.licence,
        ),
    }


def _step(version: Row[Any]) -> Mapping[str, Any]:
    facts: Facts = facts_in(version)
    return {
        "change": version.change,
        "day": version.stands_from,
        "revision": version.revision,
        "state": facts.state.value,
        "progress": facts.progress,
        "path": path_of(version.number, version.stands_from) if version.change != Standing.WITHDRAWN.value else None,
    }
