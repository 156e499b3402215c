"""Statements, press releases, blog articles and news items as everybody reads them: the list with its filters, and one of them."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Row
from starlette.exceptions import HTTPException

from services.intake.domain.records import RecordState
from services.intake.domain.slugs import NEWS, news_path
from services.intake.domain.talks import when_of
from services.intake.store import news
from services.intake.store.news import Filters
from services.intake.web.news_linked_data import linked_data
from services.intake.web.record_show import (
    country_in,
    languages_of,
    objective_in,
    one_of,
    page_in,
    said,
    subjects_of,
    words_for,
)
from shared import i18n
from shared.db import Database
from shared.events.codes import OBJECTIVES, Level, NewsKind
from shared.web import wording, writing
from shared.web.pages import Pages, localize, plain
from shared.web.request_state import reader_language
from shared.when import say

PAGE_SIZE = 20
# Small headings of a text stand under the title of its page.
_HEADING = 2


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the public pages of news."""
    router = APIRouter(include_in_schema=False)

    @router.get(NEWS)
    async def browse(request: Request, kind: str = "", level: str = "", objective: str = "", country: str = "", page: str = "") -> Response:
        """List what was published, newest first."""
        filters = filters_in(kind=kind, level=level, objective=objective, country=country)
        reader = reader_language(request)
        async with database.transaction() as tx:
            total = await news.count(tx, filters)
            last = max(1, ceil(total / PAGE_SIZE))
            here = min(page_in(page), last)
            found = await news.listing(tx, filters, limit=PAGE_SIZE, offset=(here - 1) * PAGE_SIZE)
            named = await news.countries_named(tx)
        return pages.render(
            request,
            "intake/news.html",
            items=[_entry(item, reader) for item in found],
            total=total,
            page=here,
            pages=last,
            chosen=filters,
            is_filtered=filters != Filters(),
            options=_options(named, reader),
            footnotes=wording.footnotes({code for item in found for code in item.countries}, reader),
        )

    @router.get(NEWS + "{slug}")
    async def show(request: Request, slug: str, text: str = "") -> Response:
        """Show one item, in the language of `text` where it has it, else in the reader's, else in one that it has."""
        async with database.transaction() as tx:
            item = await news.by_slug(tx, slug) if slug.isascii() and "\0" not in slug else None
        if item is None:
            raise HTTPException(404)
        if item.state == RecordState.WITHDRAWN.value:
            return pages.render(request, "intake/news_gone.html", 410)
        return pages.render(request, "intake/news_item.html", **_shown(item, reader_language(request), text, pages))

    return router


def filters_in(*, kind: str, level: str, objective: str, country: str) -> Filters:
    """Return the filters of a query; what makes no sense is passed over."""
    return Filters(kind=one_of(NewsKind, kind), level=one_of(Level, level), objective=objective_in(objective), country=country_in(country))


def _options(countries: Sequence[str], reader: str) -> Mapping[str, Sequence[wording.Option]]:
    return {
        "kind": words_for(NewsKind, "submit.word.news-kind", reader),
        "level": words_for(Level, "submit.word.level", reader),
        "objective": [(str(number), wording.objective_title(number, reader)) for number in OBJECTIVES],
        "country": wording.country_options(reader, countries),
    }


def _entry(item: Row[Any], reader: str) -> Mapping[str, Any]:
    return {
        "path": news_path(item.slug),
        "title": localize(item.fields["title"], reader),
        "kind": said("submit.word.news-kind", item.kind, reader),
        "level": said("submit.word.level", item.level, reader),
        "entity": item.fields["entity"],
        "published_at": item.published_at,
        "corrected_at": item.corrected_at,
    }


def _shown(item: Row[Any], reader: str, wanted: str, pages: Pages) -> Mapping[str, Any]:
    languages = languages_of(item.fields, item.language, reader, wanted)
    language = languages["language"]
    occasion = item.fields.get("occasion")
    return {
        **languages,
        **subjects_of(item.fields, reader),
        "item": item,
        "fields": item.fields,
        "kind": said("submit.word.news-kind", item.kind, reader),
        "level": said("submit.word.level", item.level, reader),
        "body": writing.html(writing.read(item.fields["text"][language]), heading=_HEADING),
        "occasion": localize(occasion["name"], reader) if occasion else None,
        "occasion_days": say(when_of(occasion["days"]), reader) if occasion and occasion.get("days") else None,
        "linked_data": linked_data(
            item,
            language=language,
            address=f"{pages.public_url}{news_path(item.slug)}",
            publisher=plain(i18n.translate(reader, "base.network")),
            licence=pages.licence,
        ),
    }
