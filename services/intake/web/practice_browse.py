"""The public repository of practices: the list with its filters, and one practice."""

from dataclasses import dataclass
from math import ceil
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Row
from starlette.exceptions import HTTPException

from services.intake.domain.practices import PracticeState
from services.intake.domain.slugs import PRACTICES, practice_path
from services.intake.store import practices
from services.intake.web.practice_linked_data import linked_data
from shared import i18n
from shared.db import Database
from shared.reference.countries import is_country
from shared.web import wording
from shared.web.pages import Pages, Sentence, localize, plain
from shared.web.request_state import reader_language

PAGE_SIZE = 20
_PAGES_MAX = 10_000  # further than anybody turns, and within what the database counts
_OBJECTIVES = range(1, 24)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a reader wants to see; what makes no sense is passed over."""

    objective: int | None
    country: str | None
    page: int  # from 1


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the public pages of practices."""
    router = APIRouter(include_in_schema=False)

    @router.get(PRACTICES)
    async def browse(request: Request, objective: str = "", country: str = "", page: str = "") -> Response:
        """List practices, newest first."""
        filters = _filters(objective, country, page)
        reader = reader_language(request)
        async with database.transaction() as tx:
            total = await practices.count(tx, objective=filters.objective, country=filters.country)
            last = max(1, ceil(total / PAGE_SIZE))
            here = min(filters.page, last)
            chosen = {"objective": filters.objective, "country": filters.country}
            rows = await practices.listing(
                tx, objective=filters.objective, country=filters.country, limit=PAGE_SIZE, offset=(here - 1) * PAGE_SIZE
            )
            named = await practices.countries_named(tx)
        return pages.render(
            request,
            "intake/practices.html",
            practices=[_entry(row, reader) for row in rows],
            total=total,
            page=here,
            pages=last,
            chosen=chosen,
            objectives=[(str(number), wording.objective_title(number, reader)) for number in _OBJECTIVES],
            countries=wording.country_options(reader, named),
            footnotes=wording.footnotes({code for row in rows for code in row.countries}, reader),
        )

    @router.get(PRACTICES + "{slug}")
    async def show(request: Request, slug: str, text: str = "") -> Response:
        """Show one practice, in the language of `text` where it has it, else in the reader's, else in one that it has."""
        async with database.transaction() as tx:
            practice = await practices.by_slug(tx, slug) if slug.isascii() and "\0" not in slug else None
        if practice is None:
            raise HTTPException(404)
        if practice.state == PracticeState.WITHDRAWN.value:
            return pages.render(request, "intake/practice_gone.html", 410)
        return pages.render(request, "intake/practice.html", **_shown(practice, reader_language(request), text, pages))

    return router


def _filters(objective: str, country: str, page: str) -> Filters:
    number = int(objective) if objective.isascii() and objective.isdigit() and len(objective) <= 2 else 0
    wanted = int(page) if page.isascii() and page.isdigit() and len(page) <= 5 else 1
    return Filters(
        objective=number if number in _OBJECTIVES else None,
        country=country if is_country(country) else None,
        page=min(max(wanted, 1), _PAGES_MAX),
    )


def _entry(practice: Row[Any], reader: str) -> dict[str, object]:
    return {
        "path": practice_path(practice.slug),
        "title": localize(practice.title, reader),
        "summary": localize(practice.summary, reader),
        "entity": practice.entity,
        "countries": wording.named_countries(practice.countries, reader),
        "published_at": practice.published_at,
    }


def _shown(practice: Row[Any], reader: str, wanted: str, pages: Pages) -> dict[str, Any]:
    language = wanted if wanted in practice.title else localize(practice.title, reader).lang
    title = Sentence(practice.title[language], lang=language, reader=reader)
    return {
        "practice": practice,
        "language": language,
        "title": title,
        "summary": Sentence(practice.summary[language], lang=language, reader=reader),
        "body": Sentence(practice.text[language], lang=language, reader=reader) if practice.text else None,
        "is_fallback": language not in {reader, wanted},
        "is_translation": language != practice.language,
        "others": [code for code in practice.title if code != language],
        "own_names": {code: i18n.language_name(code, code) for code in practice.title},
        "interface_languages": i18n.LANGUAGES,
        "entity_type": wording.entity_type_title(practice.entity_type, reader),
        "countries": list(zip(practice.countries, wording.named_countries(practice.countries, reader), strict=True)),
        "footnotes": wording.footnotes(practice.countries, reader),
        "objectives": [(number, wording.objective_title(number, reader)) for number in practice.objectives],
        "principles": [wording.principle_title(code, reader) for code in practice.principles],
        "linked_data": linked_data(
            practice,
            language=language,
            address=f"{pages.public_url}{practice_path(practice.slug)}",
            publisher=plain(i18n.translate(reader, "base.network")),
            licence=pages.licence,
        ),
    }
