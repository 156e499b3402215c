"""News as an Atom feed (RFC 4287), in the language asked for, with every filter of the list."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Row

from services.intake.domain.slugs import NEWS, news_path
from services.intake.store import news
from services.intake.web.news_browse import filters_in
from shared import clock
from shared.db import Database
from shared.web import atom, writing
from shared.web.atom import Entry, Feed
from shared.web.linked_data import licensed
from shared.web.pages import localize
from shared.web.request_state import reader_language

FEED = f"{NEWS}feed.atom"
# Readers of feeds keep what they saw.
ENTRIES = 30


def router(database: Database, public_url: str, licence: str | None) -> APIRouter:
    """Return the address of the feed."""
    router = APIRouter(include_in_schema=False)

    @router.get(FEED)
    async def feed(request: Request, kind: str = "", level: str = "", objective: str = "", country: str = "") -> Response:
        """Give the newest items whole, each in the language asked for, or in another and marked with it."""
        filters, language = filters_in(kind=kind, level=level, objective=objective, country=country), reader_language(request)
        async with database.transaction() as tx:
            items = await news.listing(tx, filters, limit=ENTRIES)
        head = Feed(
            id=public_url + FEED,
            language=language,
            title_key="news.title",
            address=f"{public_url}{FEED}?lang={language}",
            page=f"{public_url}{NEWS}?lang={language}",
            site=public_url + "/",
            updated=max((item.updated_at for item in items), default=clock.now()),
            licence=licence,
        )
        document = atom.document(head, _entries(items, language, public_url))
        headers = {"Cache-Control": atom.CACHE, "Vary": "Accept-Language, Cookie", "Content-Language": language, **licensed(licence)}
        return Response(document, media_type=atom.MEDIA_TYPE, headers=headers)

    return router


def _entries(items: Sequence[Row[Any]], reader: str, public_url: str) -> Sequence[Entry]:
    return [_entry(item, localize(item.fields["title"], reader).lang, public_url) for item in items]


def _entry(item: Row[Any], language: str, public_url: str) -> Entry:
    address = f"{public_url}{news_path(item.slug)}"
    return Entry(
        id=f"urn:uuid:{item.id}",
        language=language,
        title=item.fields["title"][language],
        published=item.published_at,
        updated=item.updated_at,
        addresses={code: f"{address}?text={code}" for code in item.fields["title"]},
        html=str(writing.html(writing.read(item.fields["text"][language]))),
        categories=[("kind", item.kind), ("level", item.level)],
    )
