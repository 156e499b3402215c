"""Entering a date by hand, and correcting the words of one."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.calendar.domain.dates import NewDate, NoDayBeforeError
from services.calendar.domain.entering import EnteredDate, EnteredWords
from services.calendar.planning import Planning, past
from services.calendar.web import date_form, when_form
from services.calendar.web.date_form import Filled, Posted
from services.calendar.web.date_manage import PATH, context_of, found_by
from shared import i18n
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.codes import DateKind, Role
from shared.events.times import When
from shared.ids import new_id
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.request_state import cause_of, reader_language

NEW = PATH + "new"
Moderator = Annotated[Person, Depends(require(Role.MODERATOR))]


class Entering:
    """The form of a date."""

    def __init__(self, database: Database, pages: Pages, planning: Planning) -> None:
        self._database = database
        self._pages = pages
        self._planning = planning

    def router(self) -> APIRouter:
        """Return the routes, for moderators; auditors may read. They stand before the page of one date, whose address is any word."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        router.add_api_route(NEW, self.show_new, methods=["GET"])
        router.add_api_route(NEW, self.enter, methods=["POST"])
        router.add_api_route(PATH + "{date}/words", self.show_words, methods=["GET"])
        router.add_api_route(PATH + "{date}/words", self.correct, methods=["POST"])
        return router

    async def show_new(self, request: Request, kind: str = "") -> Response:
        """Show the empty form."""
        wanted = kind if kind in set(DateKind) else DateKind.MEETING.value
        empty = Posted(values={"kind": [wanted], "public": ["yes"], "language": [reader_language(request)]})
        filled = date_form.filled_by(Posted(values={**empty.values, **_when_values(None, self._planning.zone)}))
        return self._new(request, filled)

    async def enter(self, request: Request, moderator: Moderator) -> Response:
        """Put a date into the calendar, or show the form again with what is wrong."""
        given = await date_form.posted(request)
        values = date_form.words_of(given) | {name: given.one(name) for name in ("kind", "source_kind", "source_id") if given.one(name)}
        entered, faults = date_form.read(EnteredDate, values | {"public": given.one("public") == "yes"})
        when, wrong = when_form.read(given.when)
        if entered is None or when is None:
            return self._new(request, date_form.filled_by(given), (*wrong, *faults), 422)
        cause = cause_of(request)
        new = _new_date(entered, when, trace_id=cause.trace_id)
        try:
            async with self._database.transaction() as tx:
                found = await self._planning.add(tx, past(new, self._planning.today), cause=cause)
                await self._planning.tell.decided(tx, found, "add", by=moderator, cause=cause)
        except NoDayBeforeError:
            return self._new(request, date_form.filled_by(given), (_fault("precision", "staff.dates.fault.no-day-before"),), 422)
        return RedirectResponse(f"{PATH}{found.id}", status_code=303)

    async def show_words(self, request: Request, date: str) -> Response:
        """Show the words of a date, to be corrected."""
        async with self._database.transaction() as tx:
            found = await found_by(tx, date)
        filled = date_form.filled_with(
            found.description, when_form.filled(None, zone=self._planning.zone), kind=found.kind, public=found.public
        )
        return await self._words(request, date, filled)

    async def correct(self, request: Request, date: str, moderator: Moderator) -> Response:
        """Correct the words of a date; its address stays, and its SEQUENCE."""
        given = await date_form.posted(request)
        entered, faults = date_form.read(EnteredWords, date_form.words_of(given))
        seen = given.one("seen")
        if entered is None:
            return await self._words(request, date, date_form.filled_by(given), faults, 422, seen=seen)
        cause = cause_of(request)
        async with self._database.transaction() as tx:
            found = await found_by(tx, date, held=True)
            late = seen not in {"", found.updated_at.isoformat()}
            if not late:
                # What is public stays so: what others have copied cannot be called back, only cancelled.
                public = found.public or given.one("public") == "yes"
                changed = await self._planning.reword(tx, found, entered.description(), cause=cause, public=public)
                if changed != found:
                    await self._planning.tell.decided(tx, changed, "change", by=moderator, cause=cause)
        if late:
            # The form as it was filled in: who sends it again has been told to look first.
            return await self._words(request, date, date_form.filled_by(given), status=409, notice="staff.dates.changed-since")
        return RedirectResponse(f"{PATH}{found.id}", status_code=303)

    def _new(self, request: Request, filled: Filled, faults: Sequence[Fault] = (), status: int = 200) -> Response:
        return self._pages.render(
            request, "calendar/manage_form.html", status, one=None, notice_key="", **self._form(request, filled, faults)
        )

    async def _words(
        self,
        request: Request,
        date: str,
        filled: Filled,
        faults: Sequence[Fault] = (),
        status: int = 200,
        *,
        seen: str = "",
        notice: str = "",
    ) -> Response:
        async with self._database.transaction() as tx:
            found = await found_by(tx, date)
            context = await context_of(tx, found, reader_language(request))
        shown = {**context, **self._form(request, filled, faults), "seen": seen or found.updated_at.isoformat(), "notice_key": notice}
        return self._pages.render(request, "calendar/manage_form.html", status, **shown)

    def _form(self, request: Request, filled: Filled, faults: Sequence[Fault]) -> dict[str, Any]:
        reader = reader_language(request)
        return {
            "filled": filled.lines,
            "boxes": filled.boxes,
            "public": filled.public,
            "options": date_form.options(reader),
            "labels": date_form.labels(reader),
            "faults": faults,
            "languages": i18n.CONTENT_LANGUAGES,
            "first_languages": i18n.LANGUAGES,
            "link_rows": date_form.link_rows(filled),
            "when_rows": range(1, when_form.ROWS + 1),
            "path": PATH,
        }


def _new_date(entered: EnteredDate, when: When, *, trace_id: str) -> NewDate:
    return NewDate(
        id=new_id(),
        kind=entered.kind,
        description=entered.description(),
        when=when,
        public=entered.public,
        source=entered.source,
        trace_id=trace_id,
    )


def _when_values(when: When | None, zone: str) -> dict[str, list[str]]:
    return {name: [value] for name, value in when_form.filled(when, zone=zone).items()}


def _fault(field: str, key: str) -> Fault:
    return Fault(field=field, pointer=f"/{field}", part="body", code=key.rpartition(".")[2], key=key, params={})
