"""The register as open data: JSON, CSV, the feed of changes, the figures, Atom; each with its tag, and the query that made it."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from services.pledges.domain.filters import Unfit, Wish
from services.pledges.domain.pledges import Standing
from services.pledges.open_data import feed, records, sheet
from services.pledges.store import changes, figures, register
from services.pledges.store.changes import Place
from services.pledges.web.asking import NAMED, fault_of, number_in, wish_of_program
from services.pledges.web.register_browse import PATH
from shared import clock
from shared.db import Database, Transaction
from shared.web import atom
from shared.web.linked_data import licensed
from shared.web.problem import Invalid, Problem
from shared.web.request_state import reader_language
from shared.web.unchanged import etag_of, unchanged, written_by

API = "/pledges/api/v1"
FEED = "/pledges/feed.atom"

PER_PAGE = 50
PER_PAGE_MAX = 500
CHANGES_MAX = 500
FEED_ENTRIES = 50
ROWS_AT_ONCE = 500
# The register may be another one at any moment; a copy is asked after each time, which costs one look at the stamp.
_CACHE = "public, no-cache"
# The folder of all that the register makes answers of, apart from what is shared.
_REGISTER = Path(__file__).parents[1]
_CURSOR = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-([0-9a-f]{32})-(\d{1,6})")
# What else than a T may stand between day and hour (RFC 3339, section 5.6).
_BETWEEN = re.compile(r"(?<=^[0-9]{4}-[0-9]{2}-[0-9]{2})[t ]")
_MOMENT = "%Y%m%dT%H%M%S.%fZ"


class OpenData:
    """The addresses for programs."""

    def __init__(self, database: Database, public_url: str, licence: str | None = None) -> None:
        """`licence` is the web address of that of the data; None where nothing is said of one."""
        self._database = database
        self._public_url = public_url
        self._licence = licence
        self._headers = {"Cache-Control": _CACHE, **licensed(licence)}

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(dependencies=NAMED)
        router.get(f"{API}/pledges", summary="Pledges on the register, newest first, page by page")(self.pledges)
        router.get(f"{API}/pledges.csv", summary="The same pledges, all of them, as CSV")(self.table)
        router.get(f"{API}/pledges/{{number}}", summary="One pledge")(self.pledge)
        router.get(f"{API}/changes", summary="Every change, oldest first")(self.changes)
        router.get(f"{API}/figures", summary="The numbers behind the charts")(self.figures)
        router.get(FEED, summary="The newest changes, as an Atom feed")(self.feed)
        return router

    async def pledges(self, request: Request) -> Response:
        """Return a page of what the filters find; `page` from 1, `per_page` up to 500."""
        wish = wish_of_program(request, "page", "per_page")
        today, day = _days(wish)
        page = number_in(request, "page", otherwise=1, most=99_999)
        per_page = number_in(request, "per_page", otherwise=PER_PAGE, most=PER_PAGE_MAX)
        async with self._database.transaction() as tx:
            etag, headers = await self._tag(tx, request)
            if same := unchanged(request, etag, headers):
                return same
            total = await register.count(tx, wish.filters, today)
            rows = await register.listing(tx, wish.filters, today, limit=per_page, offset=(page - 1) * per_page)
            matched = await register.matching(tx, [row.number for row in rows], wish.filters.as_of)
        pages = max(1, ceil(total / per_page))
        more = {} if per_page == PER_PAGE else {"per_page": str(per_page)}
        body = {
            **records.head(day, wish.filters.query(), self._public_url, f"{API}/pledges", self._licence),
            "total": total,
            "page": page,
            "pages": pages,
            "next": f"{self._public_url}{API}/pledges?{wish.filters.query(**more, page=str(page + 1))}" if page < pages else None,
            "pledges": [records.record(row, day, matched.get(row.number, ()), self._public_url) for row in rows],
        }
        return _json(body, {**headers, "ETag": etag})

    async def table(self, request: Request) -> Response:
        """Return all that the filters find, line by line."""
        wish = wish_of_program(request)
        today, day = _days(wish)
        async with self._database.transaction() as tx:
            etag, headers = await self._tag(tx, request)
            headers |= {"Content-Disposition": f'attachment; filename="pledges-{day.isoformat()}.csv"'}
            if same := unchanged(request, etag, headers):
                return same
            keys = await register.keys(tx, wish.filters, today)
            matched = await register.matching(tx, None, wish.filters.as_of)

        async def written() -> AsyncIterator[str]:
            # A reader may be slow, and no transaction waits for one: versions are the same whenever they are read.
            yield sheet.first_line()
            for start in range(0, len(keys), ROWS_AT_ONCE):
                async with self._database.transaction() as tx:
                    rows = await register.versions_of(tx, keys[start : start + ROWS_AT_ONCE])
                yield sheet.lines(rows, day, matched, self._public_url)

        return StreamingResponse(written(), media_type="text/csv; charset=utf-8", headers={**headers, "ETag": etag})

    async def pledge(self, request: Request, number: str) -> Response:
        """Return one pledge as it stands, or with `as_of` as it stood; 410 where it was withdrawn."""
        wish = wish_of_program(request)
        _, day = _days(wish)
        async with self._database.transaction() as tx:
            etag, headers = await self._tag(tx, request)
            if same := unchanged(request, etag, headers):
                return same
            row = await register.one(tx, number, wish.filters.as_of) if number.isascii() and "\0" not in number else None
            matched = await register.matching(tx, [number], wish.filters.as_of) if row else {}
        if row is None:
            raise HTTPException(404)
        if row.standing == Standing.WITHDRAWN.value:
            raise Problem(410, "pledge-withdrawn")
        body = {
            **records.head(day, wish.filters.query(), self._public_url, f"{API}/pledges/{number}", self._licence),
            **records.record(row, day, matched.get(number, ()), self._public_url),
        }
        return _json(body, {**headers, "ETag": etag})

    async def changes(self, request: Request) -> Response:
        """Return the changes behind `since`: a cursor of an earlier answer, or a day or moment to begin with.

        Ask again with `next` for ever: a change is told once, in the order in which it was written down, and none comes in before one
        that was told. Those of the last few seconds come with the next answer.
        """
        wish = wish_of_program(request, "since", "limit")
        today, day = _days(wish)
        limit = number_in(request, "limit", otherwise=PER_PAGE, most=CHANGES_MAX)
        since = request.query_params.get("since", "")
        place = _place(since)
        async with self._database.transaction() as tx:
            rows = await changes.since(tx, place, wish.filters, today, limit=limit)
        told = [records.change(row, _cursor(row), self._public_url) for row in rows]
        following = told[-1]["cursor"] if told else since
        more = {"since": following} if following else {}
        body = {
            **records.head(day, wish.filters.query(), self._public_url, f"{API}/changes", self._licence),
            "more": len(rows) == limit,
            "cursor": following or None,
            "next": f"{self._public_url}{API}/changes?{wish.filters.query(**more)}",
            "changes": told,
        }
        # What is settled grows without any change, so the answer itself is its tag.
        content = orjson.dumps(body)
        etag = etag_of(content.decode())
        if same := unchanged(request, etag, self._headers):
            return same
        return Response(content, media_type="application/json", headers={**self._headers, "ETag": etag})

    async def figures(self, request: Request) -> Response:
        """Return what is counted of all that the filters find."""
        wish = wish_of_program(request)
        today, day = _days(wish)
        async with self._database.transaction() as tx:
            etag, headers = await self._tag(tx, request)
            if same := unchanged(request, etag, headers):
                return same
            found = await figures.figures(tx, wish.filters, today)
        body = {
            **records.head(day, wish.filters.query(), self._public_url, f"{API}/figures", self._licence),
            **records.figures_record(found),
        }
        return _json(body, {**headers, "ETag": etag})

    async def feed(self, request: Request) -> Response:
        """Return the pledges that changed last, of all that the filters find, in the reader's language."""
        wish = wish_of_program(request)
        today, _ = _days(wish)
        reader = reader_language(request)
        async with self._database.transaction() as tx:
            etag, headers = await self._tag(tx, request, reader)
            headers |= {"Cache-Control": atom.CACHE, "Vary": "Accept-Language, Cookie", "Content-Language": reader}
            if same := unchanged(request, etag, headers):
                return same
            rows = await register.latest(tx, wish.filters, today, limit=FEED_ENTRIES)
        head = atom.Feed(
            id=f"{self._public_url}{FEED}" + (f"?{wish.filters.query()}" if wish.filters.pairs() else ""),
            language=reader,
            title_key="register.title",
            address=f"{self._public_url}{FEED}?{wish.filters.query(lang=reader)}",
            page=f"{self._public_url}{PATH}?{wish.filters.query(lang=reader)}",
            site=self._public_url + PATH,
            updated=max((row.updated_at for row in rows), default=datetime.fromtimestamp(0, UTC)),
            licence=self._licence,
        )
        content = atom.document(head, feed.entries(rows, reader, self._public_url))
        return Response(content, media_type=atom.MEDIA_TYPE, headers={**headers, "ETag": etag})

    async def _tag(self, tx: Transaction, request: Request, *more: str) -> tuple[str, dict[str, str]]:
        """Return the tag of an answer and its other headers; lights and what is overdue change with the day alone."""
        stamp = await register.stamp(tx)
        today = clock.now().date().isoformat()
        given = (written_by(_REGISTER), self._public_url, self._licence or "")
        tag = etag_of(*given, stamp, today, str(request.url.path), str(request.url.query), *more)
        return tag, dict(self._headers)


def _days(wish: Wish) -> tuple[Any, Any]:
    today = clock.now().date()
    return today, wish.filters.as_of or today


def _json(body: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json", headers=dict(headers))


def _cursor(row: Any) -> str:
    return f"{row.recorded_at.astimezone(UTC).strftime(_MOMENT)}-{row.pledge_id.hex}-{row.revision}"


def _place(text: str) -> Place | None:
    if not text:
        return None
    try:
        if found := _CURSOR.fullmatch(text):
            moment = datetime.strptime(found[1], _MOMENT).replace(tzinfo=UTC)
            return Place(recorded_at=moment, pledge_id=UUID(found[2]), revision=int(found[3]))
        # A day begins at midnight; a moment is as it says. An offset's plus sign is a space in a query that was not escaped.
        written = _BETWEEN.sub("T", text).replace(" ", "+")
        moment = datetime.fromisoformat(written)
        return Place(recorded_at=clock.check_aware(moment.replace(tzinfo=UTC) if len(written) <= len("2026-11-29") else moment))
    except (ValueError, OverflowError):
        raise Invalid([fault_of(Unfit(name="since", code="not-a-moment", params={}))]) from None
