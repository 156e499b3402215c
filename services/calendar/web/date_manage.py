"""Every date as the team sees it: the list, and one date with all that is known of it and all that can be done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.calendar.domain.dates import StoredDate
from services.calendar.planning import Planning, what_moves_with
from services.calendar.store import dates, desk
from services.calendar.store.desk import TO_DO, Shown
from services.calendar.web.entry_view import kind_title
from services.calendar.web.said import when_said
from shared.auth.require import require
from shared.db import Database, Transaction
from shared.events.codes import DateKind, Language, Role
from shared.events.times import When
from shared.web.pages import Pages, Sentence, localize
from shared.web.request_state import reader_language

PATH = "/calendar/manage/"
PAGE_SIZE = 50
_WORDS_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Row:
    """A date in a list or above a form."""

    date: StoredDate
    title: Sentence
    kind: Sentence
    when: str

    @property
    def page(self) -> str:
        """The path of its page for the team."""
        return f"{PATH}{self.date.id}"


def localized(texts: Mapping[Language, str], reader: str) -> Sentence:
    """Return a text in the reader's language, or the nearest there is."""
    return localize(cast("Mapping[str, str]", texts), reader)


def row(found: StoredDate, reader: str) -> Row:
    """Return a date in the reader's words."""
    return Row(
        date=found,
        title=localized(found.description.title, reader),
        kind=kind_title(found.kind.value, reader),
        when=when_said(found.when, reader),
    )


class Manage:
    """The pages that change nothing."""

    def __init__(self, database: Database, pages: Pages, planning: Planning) -> None:
        self._database = database
        self._pages = pages
        self._planning = planning

    def router(self) -> APIRouter:
        """Return the routes, for moderators; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        router.add_api_route(PATH, self.listing, methods=["GET"])
        router.add_api_route(PATH + "{date}", self.show, methods=["GET"])
        return router

    async def listing(self, request: Request, show: str = Shown.AHEAD.value, kind: str = "", q: str = "", page: str = "") -> Response:
        """List dates."""
        shown = Shown(show) if show in set(Shown) else Shown.AHEAD
        wanted = kind if kind in set(DateKind) else ""
        words = q.strip()[:_WORDS_MAX] if q.isprintable() else ""
        number = max(int(page), 1) if page.isascii() and page.isdigit() and len(page) <= 5 else 1
        reader = reader_language(request)
        async with self._database.transaction() as tx:
            found, total = await desk.listing(
                tx,
                shown=shown,
                kind=wanted,
                words=words,
                today=self._planning.today,
                limit=PAGE_SIZE,
                offset=(number - 1) * PAGE_SIZE,
            )
        return self._pages.render(
            request,
            "calendar/manage.html",
            rows=[row(one, reader) for one in found],
            shown=shown,
            states=tuple(Shown),
            kind=wanted,
            kinds=[(one.value, kind_title(one.value, reader)) for one in DateKind],
            words=words,
            page=number,
            pages=max(1, ceil(total / PAGE_SIZE)),
            total=total,
            path=PATH,
        )

    async def show(self, request: Request, date: str) -> Response:
        """Show one date, what it was before, what moves with it, and what can be done."""
        reader = reader_language(request)
        async with self._database.transaction() as tx:
            found = await found_by(tx, date)
            context = await context_of(tx, found, reader)
            moves = [(when_said(one.was, reader), one) for one in await dates.moves_of(tx, found.id)]
        return self._pages.render(request, "calendar/manage_date.html", **context, moves=moves)


async def found_by(tx: Transaction, date: str, *, held: bool = False) -> StoredDate:
    """Return the date of an address, held where it is to be changed; raises 404 where there is none."""
    try:
        id_ = UUID(date)
    except ValueError:
        raise HTTPException(404) from None
    found = await (dates.hold if held else dates.find)(tx, id_)
    if found is None:
        raise HTTPException(404)
    return found


async def context_of(tx: Transaction, found: StoredDate, reader: str) -> Mapping[str, Any]:
    """Return what the pages of one date show: itself, its meeting, what follows it and what of that would move with it."""
    deadlines = await dates.following(tx, found.id)
    meeting = await dates.find(tx, found.follows) if found.follows else None
    return {
        "one": row(found, reader),
        "following": rows(deadlines, reader),
        "moving": rows(what_moves_with(found, deadlines), reader),
        "meeting": None if meeting is None else row(meeting, reader),
        "can_be_done": found.kind in TO_DO,
        "can_have_deadlines": found.follows is None and found.kind is not DateKind.DEADLINE and _ends(found.when),
        "path": PATH,
    }


def rows(found: Sequence[StoredDate], reader: str) -> Sequence[Row]:
    """Return dates in the reader's words."""
    return [row(one, reader) for one in found]


def _ends(when: When) -> bool:
    return when.last_day is not None
