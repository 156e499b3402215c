"""The page on which the team looks after a pledge that was published: its evidence, its contact, its withdrawal."""

import logging
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from services.pledges.domain.pledges import PledgeError, UnknownPledgeError
from services.pledges.domain.submissions import number_as_written
from services.pledges.reporting import Reporting
from services.pledges.reviewing import Reviewing, locked, manage_path
from services.pledges.store import history, pledges, reports
from services.pledges.web.values import named_faults
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.codes import Role
from shared.events.kinds.parts import Contact
from shared.events.texts import Line, Text
from shared.vault import SealError
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.request_state import cause_of

log = logging.getLogger(__name__)

MANAGE = "/pledges/manage/"
_LINE: TypeAdapter[str] = TypeAdapter(Line)  # travels to those who had plans with the pledge
_TEXT: TypeAdapter[str] = TypeAdapter(Text)

Moderator = Annotated[Person, Depends(require(Role.MODERATOR))]
Keeper = Annotated[Person, Depends(require(Role.MODERATOR, Role.ADMIN))]


class Managing:
    """The pages of the team about one pledge."""

    def __init__(self, database: Database, pages: Pages, reviewing: Reviewing, reporting: Reporting) -> None:
        self._database = database
        self._pages = pages
        self._reviewing = reviewing
        self._reporting = reporting

    def router(self) -> APIRouter:
        """Return the routes: for moderators and, where a contact has left, for admins too; auditors may read."""
        router = APIRouter(include_in_schema=False)
        keepers, moderators = [Depends(require(Role.MODERATOR, Role.ADMIN))], [Depends(require(Role.MODERATOR))]
        router.add_api_route(MANAGE, self.find, methods=["GET"], dependencies=keepers)
        router.add_api_route(MANAGE + "{number}", self.show, methods=["GET"], dependencies=keepers)
        router.add_api_route(MANAGE + "{number}/contact", self.reassign, methods=["POST"], dependencies=keepers)
        router.add_api_route(MANAGE + "{number}/evidence", self.evidence, methods=["POST"], dependencies=moderators)
        router.add_api_route(MANAGE + "{number}/withdraw", self.withdraw, methods=["POST"], dependencies=moderators)
        return router

    async def find(self, request: Request, number: str = "") -> Response:
        """Lead to the pledge whose number is given."""
        wanted = number_as_written(number)[:40]
        if wanted and wanted.isprintable():
            async with self._database.transaction() as tx:
                found = await pledges.by_number(tx, wanted)
            if found is not None:
                return RedirectResponse(manage_path(found.number), status_code=303)
        return self._pages.render(request, "pledges/manage_find.html", number=number[:40], unknown=bool(wanted), path=MANAGE)

    async def show(self, request: Request, number: str) -> Response:
        """Show a pledge with everything that was said of it, and what can be done with it."""
        return await self._show(request, number)

    async def evidence(self, request: Request, number: str, moderator: Moderator) -> Response:
        """Say that the evidence shows what its owner reported last."""
        try:
            async with self._database.transaction() as tx:
                page = f"{self._pages.public_url}{manage_path(number)}"
                await self._reporting.evidence(tx, await locked(tx, number), moderator, page=page, cause=cause_of(request))
        except PledgeError as error:
            return await self._refused(request, number, error)
        return RedirectResponse(manage_path(number), status_code=303)

    async def withdraw(self, request: Request, number: str, moderator: Moderator, because: Annotated[str, Form()] = "") -> Response:
        """Take a pledge from the register, and tell those who may have plans with it."""
        try:
            words = _LINE.validate_python(because)
            async with self._database.transaction() as tx:
                await self._reviewing.withdraw(tx, await locked(tx, number), words, moderator, cause=cause_of(request))
        except ValidationError as error:
            return await self._show(request, number, 422, faults=named_faults(error, "because"), filled={"because": because})
        except PledgeError as error:
            return await self._refused(request, number, error)
        return RedirectResponse(manage_path(number), status_code=303)

    async def reassign(
        self,
        request: Request,
        number: str,
        keeper: Keeper,
        name: Annotated[str, Form()] = "",
        mail: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
    ) -> Response:
        """Let somebody else be asked about a pledge from now on; the links of whoever was before lead nowhere any more."""
        faults, contact, words = _read_contact(name, mail, reason)
        if contact is None or faults:
            return await self._show(request, number, 422, faults=faults, filled={"name": name, "mail": mail, "reason": reason})
        try:
            async with self._database.transaction() as tx:
                await self._reporting.reassign(
                    tx,
                    await locked(tx, number),
                    contact,
                    reason=words,
                    by=keeper,
                    page=f"{self._pages.public_url}{manage_path(number)}",
                    cause=cause_of(request),
                )
        except PledgeError as error:
            return await self._refused(request, number, error)
        return RedirectResponse(manage_path(number), status_code=303)

    async def _refused(self, request: Request, number: str, error: PledgeError) -> Response:
        if isinstance(error, UnknownPledgeError):
            raise HTTPException(404)
        return await self._show(request, number, 409, notice="staff.pledge.too-late")

    async def _show(
        self,
        request: Request,
        number: str,
        status: int = 200,
        *,
        faults: Sequence[Fault] = (),
        filled: Mapping[str, str] | None = None,
        notice: str = "",
    ) -> Response:
        if not number.isprintable():
            raise HTTPException(404)
        async with self._database.transaction() as tx:
            pledge = await pledges.by_number(tx, number)
            if pledge is None:
                raise HTTPException(404)
            context: dict[str, Any] = {
                "versions": await history.versions_of(tx, pledge.id),
                "reports": await reports.of_pledge(tx, pledge.id),
                "matching": await pledges.matching(tx, pledge.number),
                "matched": await pledges.by_number(tx, pledge.facts.matched_number) if pledge.facts.matched_number else None,
            }
        try:
            contact, sealed = self._reporting.letters.opened(pledge.contact_sealed), False
        except SealError:
            log.error("the contact of %s cannot be opened: %s", pledge.number, SealError.__doc__)  # noqa: TRY400  # says all there is
            contact, sealed = None, True
        return self._pages.render(
            request,
            "pledges/manage.html",
            status,
            pledge=pledge,
            contact=contact,
            sealed=sealed,
            faults=faults,
            filled={"because": "", "name": "", "mail": "", "reason": "", **(filled or {})},
            notice_key=notice,
            path=manage_path(pledge.number),
            back_path=MANAGE,
            **context,
        )


def _read_contact(name: str, mail: str, reason: str) -> tuple[Sequence[Fault], Contact | None, str]:
    faults: list[Fault] = []
    contact, words = None, ""
    try:
        contact = Contact.model_validate({"name": name, "mail": mail})
    except ValidationError as error:
        faults += faults_of(error)
    try:
        words = _TEXT.validate_python(reason)
    except ValidationError as error:
        faults += named_faults(error, "reason")
    return faults, contact, words
