"""What owners report, as moderators look at it: taken as it is, taken with what shows it, or not taken."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from services.pledges.domain.pledges import PledgeError
from services.pledges.domain.reports import Report
from services.pledges.reporting import REPORTS, Reporting
from services.pledges.reviewing import manage_path
from services.pledges.store import pledges, reports
from services.pledges.web.values import id_in, named_faults
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.events.texts import Text
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.request_state import cause_of

LISTED_MAX = 200
EVIDENCED = "yes"
_REASON: TypeAdapter[str] = TypeAdapter(Text)  # the owner reads it in a mail

Moderator = Annotated[Person, Depends(require(Role.MODERATOR))]


class ReportReview:
    """The pages on which reports are looked at."""

    def __init__(self, database: Database, pages: Pages, reporting: Reporting) -> None:
        self._database = database
        self._pages = pages
        self._reporting = reporting

    def router(self) -> APIRouter:
        """Return the routes, for moderators; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        router.add_api_route(REPORTS, self.listing, methods=["GET"])
        router.add_api_route(REPORTS + "{report}", self.show, methods=["GET"])
        router.add_api_route(REPORTS + "{report}/accept", self.accept, methods=["POST"])
        router.add_api_route(REPORTS + "{report}/decline", self.decline, methods=["POST"])
        return router

    async def listing(self, request: Request) -> Response:
        """List the reports that wait, the oldest first."""
        async with self._database.transaction() as tx:
            waiting = await reports.waiting(tx, limit=LISTED_MAX)
            found = {report.id: await pledges.find(tx, report.pledge_id) for report in waiting}
        return self._pages.render(request, "pledges/reports.html", reports=waiting, pledges=found, path=REPORTS)

    async def show(self, request: Request, report: str) -> Response:
        """Show a report beside the pledge as it stands."""
        return await self._show(request, id_in(report))

    async def accept(self, request: Request, report: str, moderator: Moderator, evidenced: Annotated[str, Form()] = "") -> Response:
        """Make a report public."""
        try:
            async with self._database.transaction() as tx:
                found = await _locked(tx, id_in(report))
                seen = evidenced == EVIDENCED
                await self._reporting.accept(tx, found, moderator, evidenced=seen, cause=cause_of(request))
        except PledgeError:
            return await self._show(request, id_in(report), 409, notice="staff.report.too-late")
        return RedirectResponse(f"{REPORTS}{found.id}", status_code=303)

    async def decline(self, request: Request, report: str, moderator: Moderator, reason: Annotated[str, Form()] = "") -> Response:
        """Take a report not, and write its owner why."""
        try:
            words = _REASON.validate_python(reason)
            async with self._database.transaction() as tx:
                found = await _locked(tx, id_in(report))
                await self._reporting.decline(tx, found, moderator, words, cause=cause_of(request))
        except ValidationError as error:
            return await self._show(request, id_in(report), 422, faults=named_faults(error, "reason"), filled={"reason": reason})
        except PledgeError:
            return await self._show(request, id_in(report), 409, notice="staff.report.too-late")
        return RedirectResponse(f"{REPORTS}{found.id}", status_code=303)

    async def _show(
        self,
        request: Request,
        report_id: UUID,
        status: int = 200,
        *,
        faults: Sequence[Fault] = (),
        filled: Mapping[str, str] | None = None,
        notice: str = "",
    ) -> Response:
        async with self._database.transaction() as tx:
            found = await reports.find(tx, report_id)
            pledge = await pledges.find(tx, found.pledge_id) if found else None
        if found is None or pledge is None:
            raise HTTPException(404)
        return self._pages.render(
            request,
            "pledges/report.html",
            status,
            report=found,
            pledge=pledge,
            later=pledge.facts.reported_on is not None and found.verdict is None and found.reported_on < pledge.facts.reported_on,
            manage=manage_path(pledge.number),
            faults=faults,
            filled={"reason": "", **(filled or {})},
            notice_key=notice,
            path=f"{REPORTS}{found.id}",
            back_path=REPORTS,
            evidenced=EVIDENCED,
        )


async def _locked(tx: Transaction, report_id: UUID) -> Report:
    known = await reports.find(tx, report_id)
    if known is None:
        raise HTTPException(404)
    # The pledge first, as whoever withdraws it does: of two who wait for each other, one would be turned away.
    await pledges.lock(tx, known.pledge_id)
    found = await reports.find(tx, report_id, lock=True)
    assert found is not None  # no report is ever deleted
    return found
