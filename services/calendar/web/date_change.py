"""Moving a date, cancelling it, marking it as done, and giving a meeting a deadline: each on a page of its own, with its reason."""

from collections.abc import Mapping, Sequence
from datetime import date as day_
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict

from services.calendar.domain.dates import CancelledError, NoDayBeforeError, NotMovedError, StoredDate
from services.calendar.domain.entering import EnteredDeadline, EnteredReason
from services.calendar.planning import Planning, Words
from services.calendar.store.desk import TO_DO
from services.calendar.web import date_form, when_form
from services.calendar.web.date_form import Posted
from services.calendar.web.date_manage import PATH, context_of, found_by
from shared import i18n
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.codes import Role
from shared.events.texts import LocalLine
from shared.events.times import Day
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.request_state import cause_of, reader_language

Moderator = Annotated[Person, Depends(require(Role.MODERATOR))]
_FIRST_DAYS = 14


class Done(BaseModel):
    """When something was done, and what there is to say of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    done_on: Day
    because: LocalLine | None = None


class Changing:
    """The pages that change one date."""

    def __init__(self, database: Database, pages: Pages, planning: Planning) -> None:
        self._database = database
        self._pages = pages
        self._planning = planning

    def router(self) -> APIRouter:
        """Return the routes, for moderators; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        for what in ("move", "cancel", "done", "deadline"):
            router.add_api_route(f"{PATH}{{date}}/{what}", getattr(self, f"show_{what}"), methods=["GET"])
            router.add_api_route(f"{PATH}{{date}}/{what}", getattr(self, what), methods=["POST"])
        router.add_api_route(PATH + "{date}/not-done", self.not_done, methods=["POST"])
        return router

    async def show_move(self, request: Request, date: str) -> Response:
        """Ask when a date is to be, and why; say what moves with it."""
        async with self._database.transaction() as tx:
            found = await found_by(tx, date)
        return await self._page(request, date, "move", when_form.filled(found.when, zone=self._planning.zone))

    async def move(self, request: Request, date: str, moderator: Moderator) -> Response:
        """Move a date and what follows it."""
        given = await date_form.posted(request)
        when, wrong = when_form.read(given.when)
        reason, faults = date_form.read(EnteredReason, _reason_in(given))
        if when is None or reason is None:
            return await self._page(request, date, "move", given.when, given, (*wrong, *faults), 422)
        cause = cause_of(request)
        try:
            async with self._database.transaction() as tx:
                found = await found_by(tx, date, held=True)
                moved = await self._planning.move(tx, found, when, cause=cause, by=moderator.id, because=reason.because)
                await self._planning.tell.decided(tx, moved, "move", by=moderator, cause=cause, reason=_told(moved, reason.because))
        except NotMovedError:
            return await self._page(request, date, "move", given.when, given, (_fault("first-1", "staff.dates.fault.not-moved"),), 422)
        except NoDayBeforeError:
            return await self._page(request, date, "move", given.when, given, (_fault("first-1", "staff.dates.fault.no-day-before"),), 422)
        except CancelledError:
            return await self._page(request, date, "move", given.when, given, notice="staff.dates.too-late", status=409)
        return _back_to(moved)

    async def show_cancel(self, request: Request, date: str) -> Response:
        """Ask why a date does not take place; say what is cancelled with it."""
        return await self._page(request, date, "cancel")

    async def cancel(self, request: Request, date: str, moderator: Moderator) -> Response:
        """Cancel a date and what follows it."""
        given = await date_form.posted(request)
        reason, faults = date_form.read(EnteredReason, _reason_in(given))
        if reason is None:
            return await self._page(request, date, "cancel", {}, given, faults, 422)
        cause = cause_of(request)
        try:
            async with self._database.transaction() as tx:
                found = await found_by(tx, date, held=True)
                cancelled = await self._planning.cancel(tx, found, cause=cause, because=reason.because)
                await self._planning.tell.decided(tx, cancelled, "cancel", by=moderator, cause=cause, reason=_told(found, reason.because))
        except CancelledError:
            return await self._page(request, date, "cancel", {}, given, notice="staff.dates.too-late", status=409)
        return _back_to(cancelled)

    async def show_done(self, request: Request, date: str) -> Response:
        """Ask when an activity or deadline was done."""
        return await self._page(request, date, "done", {"done_on": self._planning.today.isoformat()})

    async def done(self, request: Request, date: str, moderator: Moderator) -> Response:
        """Mark an activity or deadline as done."""
        given = await date_form.posted(request)
        lines = {"done_on": given.one("done_on")}
        done, faults = date_form.read(Done, {**lines, **_reason_in(given)})
        if done is None:
            return await self._page(request, date, "done", lines, given, faults, 422)
        return await self._mark(request, date, moderator, done.done_on, done.because, lines, given)

    async def not_done(self, request: Request, date: str, moderator: Moderator) -> Response:
        """Take back that an activity or deadline was done."""
        return await self._mark(request, date, moderator, None, None, {}, Posted(values={}))

    async def show_deadline(self, request: Request, date: str) -> Response:
        """Ask what is due before a meeting, and how many days before."""
        return await self._page(request, date, "deadline", {"days_before": str(_FIRST_DAYS), "language": reader_language(request)})

    async def deadline(self, request: Request, date: str, moderator: Moderator) -> Response:
        """Give a meeting a deadline that moves with it."""
        given = await date_form.posted(request)
        lines = {name: given.one(name) for name in ("days_before", "language")}
        values = {name: value for name, value in {**lines, "title": given.texts("title")}.items() if value}
        entered, faults = date_form.read(EnteredDeadline, values)
        if entered is None:
            return await self._page(request, date, "deadline", lines, given, faults, 422)
        cause = cause_of(request)
        try:
            async with self._database.transaction() as tx:
                meeting = await found_by(tx, date, held=True)
                added = await self._planning.add_deadline(
                    tx, meeting, days=entered.days_before, title=entered.title, language=entered.language, cause=cause
                )
                await self._planning.tell.decided(tx, added, "add", by=moderator, cause=cause)
        except NoDayBeforeError:
            wrong = (_fault("days_before", "staff.dates.fault.no-day-before"),)
            return await self._page(request, date, "deadline", lines, given, wrong, 422)
        except CancelledError:
            return await self._page(request, date, "deadline", lines, given, notice="staff.dates.too-late", status=409)
        return _back_to(meeting)

    async def _mark(
        self, request: Request, date: str, by: Person, done_on: day_ | None, note: Words | None, lines: Mapping[str, str], given: Posted
    ) -> Response:
        cause = cause_of(request)
        try:
            async with self._database.transaction() as tx:
                found = await found_by(tx, date, held=True)
                if found.kind not in TO_DO:
                    raise CancelledError(CancelledError.__doc__)
                marked = await self._planning.mark_done(tx, found, done_on=done_on, note=note)
                what = "finish" if done_on else "reopen"
                await self._planning.tell.decided(tx, marked, what, by=by, cause=cause, reason=_told(marked, note or {}))
        except CancelledError:
            return await self._page(request, date, "done", lines, given, notice="staff.dates.too-late", status=409)
        return _back_to(marked)

    async def _page(
        self,
        request: Request,
        date: str,
        what: str,
        lines: Mapping[str, str] | None = None,
        given: Posted | None = None,
        faults: Sequence[Fault] = (),
        status: int = 200,
        *,
        notice: str = "",
    ) -> Response:
        reader = reader_language(request)
        async with self._database.transaction() as tx:
            context = await context_of(tx, await found_by(tx, date), reader)
        texts = {
            f"{name}.{code}": given.one(f"{name}.{code}") if given else ""
            for name in ("because", "title")
            for code in i18n.CONTENT_LANGUAGES
        }
        return self._pages.render(
            request,
            "calendar/manage_change.html",
            status,
            **context,
            what=what,
            filled={
                "done_on": "",
                "days_before": "",
                "language": "",
                **when_form.filled(None, zone=self._planning.zone),
                **texts,
                **(lines or {}),
            },
            options=date_form.options(reader),
            labels=date_form.labels(reader),
            faults=faults,
            notice_key=notice,
            languages=i18n.CONTENT_LANGUAGES,
            first_languages=i18n.LANGUAGES,
            when_rows=range(1, when_form.ROWS + 1),
        )


def _reason_in(given: Posted) -> dict[str, Any]:
    texts = given.texts("because")
    return {"because": texts} if texts else {}


def _told(found: StoredDate, because: Words) -> str | None:
    """Return the reason in the language of the date, or the first that there is."""
    return because.get(found.description.language) or next(iter(because.values()), None)


def _fault(field: str, key: str) -> Fault:
    return Fault(field=field, pointer=f"/{field}", part="body", code=key.rpartition(".")[2], key=key, params={})


def _back_to(found: StoredDate) -> Response:
    return RedirectResponse(f"{PATH}{found.id}", status_code=303)
