"""Subscribers as the team sees them: how many, and one at a time by their exact address. No page lists addresses."""

import csv
import io
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Row, select
from starlette.exceptions import HTTPException

from services.newsletter.addresses import Shelf
from services.newsletter.issues.tables import issues as issue_rows
from services.newsletter.subscribing import subscribers, why
from services.newsletter.subscribing.rules import STAFF_REASONS, Because, Source, masked
from shared import clock, i18n, outbox
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.events.every import DecisionMade
from shared.mail.address import AddressError, checked
from shared.sheets import as_cell
from shared.vault import SealError
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.request_state import cause_of, reader_language

PATH = "/newsletter/subscribers/"
REASON_LENGTH = 500
ISSUES_SHOWN = 24
DONE = frozenset({"suppressed", "lifted", "erased"})
COLUMNS = ("at", "act", "source", "by", "language", "version", "words", "note", "given_at")
_ADMIN = require(Role.ADMIN)
# An address has no place in a path or a query, where logs keep it; so it is looked up by POST, which changes nothing.
_READER = require(Role.ADMIN, Role.AUDITOR)
WRONG_ADDRESS = Fault(field="address", pointer="/address", part="body", code="mail-address", key="fault.mail-address", params={})
NO_REASON = Fault(field="reason", pointer="/reason", part="body", code="missing", key="fault.missing", params={})
NO_BECAUSE = Fault(field="because", pointer="/because", part="body", code="missing", key="fault.missing", params={})


class Subscribers:
    """The pages of subscribers."""

    def __init__(self, database: Database, shelf: Shelf, pages: Pages) -> None:
        self._database = database
        self._shelf = shelf
        self._pages = pages

    def routers(self) -> tuple[APIRouter, ...]:
        """Return the routes: an admin's, and the one by which an auditor looks somebody up."""
        finding = APIRouter(include_in_schema=False, dependencies=[Depends(_READER)])
        finding.add_api_route(PATH + "find", self.find, methods=["POST"])
        router = APIRouter(include_in_schema=False, dependencies=[Depends(_ADMIN)])
        router.add_api_route(PATH, self.overview, methods=["GET"])
        router.add_api_route(PATH + "suppress", self.suppress_address, methods=["POST"])
        router.add_api_route(PATH + "{subscriber}", self.show, methods=["GET"])
        router.add_api_route(PATH + "{subscriber}/receipts.csv", self.export, methods=["GET"])
        for name, act in (("suppress", self.suppress), ("lift", self.lift), ("erase", self.erase)):
            router.add_api_route(f"{PATH}{{subscriber}}/{name}", act, methods=["POST"])
        return finding, router

    async def overview(self, request: Request) -> Response:
        """Show how many there are, and ask for one address."""
        return await self._overview(request)

    async def find(self, request: Request, address: Annotated[str, Form()] = "") -> Response:
        """Lead to the subscriber of an address."""
        try:
            wanted = checked(address)
        except AddressError:
            return await self._overview(request, 422, address=address, faults=[WRONG_ADDRESS])
        book = await self._shelf.book()
        async with self._database.transaction() as tx:
            row = await subscribers.by_hash(tx, book.hash(wanted))
        if row is None:
            return await self._overview(request, 404, address=wanted, unknown=True)
        return RedirectResponse(f"{PATH}{row.id}", status_code=303)

    async def suppress_address(
        self,
        request: Request,
        person: Annotated[Person, Depends(_ADMIN)],
        address: Annotated[str, Form()] = "",
        because: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
    ) -> Response:
        """Keep out an address that nobody knows yet; only its keyed hash is kept."""
        try:
            wanted = checked(address)
        except AddressError:
            return await self._overview(request, 422, address=address, faults=[WRONG_ADDRESS])
        if faults := _faults(because, reason):
            return await self._overview(request, 422, address=wanted, unknown=True, faults=faults, because=because, reason=reason)
        book = await self._shelf.book()
        async with self._database.transaction() as tx:
            row = await subscribers.meet(tx, book.hash(wanted), i18n.DEFAULT)
            await subscribers.suppress(tx, row, Because(because), by=person.id, reason=reason.strip())
            await self._tell(tx, request, row, person, "suppress", reason)
        return RedirectResponse(f"{PATH}{row.id}?done=suppressed", status_code=303)

    async def show(self, request: Request, subscriber: str, done: str = "") -> Response:
        """Show where one subscriber stands, what they did, and what each issue did for them."""
        return await self._show(request, subscriber, done=done if done in DONE else "")

    async def suppress(
        self,
        request: Request,
        subscriber: str,
        person: Annotated[Person, Depends(_ADMIN)],
        because: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
    ) -> Response:
        """Write to a subscriber no more."""
        if faults := _faults(because, reason):
            return await self._show(request, subscriber, 422, faults=faults, because=because, reason=reason)
        async with self._database.transaction() as tx:
            row = await _found(tx, subscriber, lock=True)
            await subscribers.suppress(tx, row, Because(because), by=person.id, reason=reason.strip())
            await self._tell(tx, request, row, person, "suppress", reason)
        return RedirectResponse(f"{PATH}{row.id}?done=suppressed", status_code=303)

    async def lift(
        self, request: Request, subscriber: str, person: Annotated[Person, Depends(_ADMIN)], reason: Annotated[str, Form()] = ""
    ) -> Response:
        """Let an address sign up again."""
        if not reason.strip():
            return await self._show(request, subscriber, 422, faults=[NO_REASON])
        async with self._database.transaction() as tx:
            row = await _found(tx, subscriber, lock=True)
            if await subscribers.lift(tx, row, by=person.id, reason=reason.strip()):
                await self._tell(tx, request, row, person, "lift-suppression", reason)
        return RedirectResponse(f"{PATH}{row.id}?done=lifted", status_code=303)

    async def erase(
        self, request: Request, subscriber: str, person: Annotated[Person, Depends(_ADMIN)], reason: Annotated[str, Form()] = ""
    ) -> Response:
        """Erase an address at its owner's request, which came by another way than the page."""
        if not reason.strip():
            return await self._show(request, subscriber, 422, faults=[NO_REASON])
        async with self._database.transaction() as tx:
            row = await _found(tx, subscriber, lock=True)
            if await subscribers.erase(tx, row, source=Source.STAFF, by=person.id, reason=reason.strip()):
                await self._tell(tx, request, row, person, "erase", reason)
        return RedirectResponse(f"{PATH}{row.id}?done=erased", status_code=303)

    async def export(self, subscriber: str) -> Response:
        """Give a subscriber's receipts as CSV, to hand to them or to whoever asks for proof."""
        async with self._database.transaction() as tx:
            row = await _found(tx, subscriber)
            history = await subscribers.history(tx, row.id)
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        for receipt in reversed(history):
            writer.writerow([_cell(getattr(receipt, column)) for column in COLUMNS])
        headers = {"Content-Disposition": f'attachment; filename="receipts-{row.id}.csv"'}
        return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    async def _overview(
        self,
        request: Request,
        status: int = 200,
        *,
        address: str = "",
        unknown: bool = False,
        faults: list[Fault] | None = None,
        because: str = "",
        reason: str = "",
    ) -> Response:
        async with self._database.transaction() as tx:
            counts = await subscribers.counts(tx)
        return self._pages.render(
            request,
            "newsletter/subscribers.html",
            status,
            rows=_table(counts),
            content_languages=i18n.CONTENT_LANGUAGES,
            address=address,
            unknown=unknown,
            faults=faults or [],
            path=PATH,
            reasons=[one.value for one in STAFF_REASONS],
            because=because,
            reason=reason,
        )

    async def _show(
        self,
        request: Request,
        subscriber: str,
        status: int = 200,
        *,
        done: str = "",
        faults: list[Fault] | None = None,
        because: str = "",
        reason: str = "",
    ) -> Response:
        language = reader_language(request)
        book = await self._shelf.book()
        async with self._database.transaction() as tx:
            row = await _found(tx, subscriber)
            history = await subscribers.history(tx, row.id)
            issues = [await why.facts(tx, row.id, issue) for issue in await why.issues_of(tx, row.id, ISSUES_SHOWN)]
            shown = [known.send.issue_id for known in issues if known.send is not None]
            asked = select(issue_rows.c.id, issue_rows.c.number).where(issue_rows.c.id.in_(shown))
            numbers = {found.id: found.number for found in await tx.execute(asked)}
        standing = subscribers.standing(row)
        assert standing is not None
        try:
            address = masked(book.open(bytes(row.address))) if row.address else ""
        except SealError:
            address = "…"
        zone = self._pages.zone
        return self._pages.render(
            request,
            "newsletter/subscriber.html",
            status,
            row=row,
            standing=standing,
            paused=standing.is_paused(clock.now()),
            address=address,
            history=history,
            numbers=numbers,
            issues=[(known.send, [why.in_words(language, zone, said) for said in why.explain(known)[:-1]]) for known in issues],
            faults=faults or [],
            because=because,
            reason=reason,
            done=done,
            path=PATH,
            reasons=[one.value for one in STAFF_REASONS],
        )

    async def _tell(self, tx: Transaction, request: Request, row: Row[Any], person: Person, what: str, reason: str) -> None:
        page = f"{self._pages.public_url}{PATH}{row.id}"
        decided = DecisionMade(who=person.id, what=what, about="subscriber", reason=reason.strip(), address=page)
        await outbox.put(tx, decided, subject=str(row.id), cause=cause_of(request))


def _faults(because: str, reason: str) -> list[Fault]:
    faults = [] if because in {one.value for one in STAFF_REASONS} else [NO_BECAUSE]
    return faults if 0 < len(reason.strip()) <= REASON_LENGTH else [*faults, NO_REASON]


def _table(counts: Any) -> list[tuple[str, dict[str, int], int]]:
    """Return a row for each state: its word, how many in each language, and how many together."""
    found: dict[str, dict[str, int]] = {}
    for row in counts:
        state = f"suppressed-{row.because}" if row.because else row.state
        found.setdefault(state, {})[row.language] = row.people
    order = ("confirmed", "paused", "unconfirmed", "unsubscribed", *(f"suppressed-{one.value}" for one in Because))
    return [(state, found[state], sum(found[state].values())) for state in order if state in found]


def _cell(value: object) -> str:
    if value is None:
        return ""
    return clock.rfc3339(value) if isinstance(value, datetime) else as_cell(str(value))


async def _found(tx: Transaction, subscriber: str, *, lock: bool = False) -> Row[Any]:
    try:
        row = await subscribers.by_id(tx, UUID(subscriber), lock=lock)
    except ValueError:
        row = None
    if row is None:
        raise HTTPException(404)
    return row
