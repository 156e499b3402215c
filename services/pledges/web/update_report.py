"""The form by which an owner reports on a pledge, behind a mailed link; what is sent waits for a moderator."""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.datastructures import FormData

from services.pledges.domain.pledges import Pledge, Standing
from services.pledges.domain.reports import EVIDENCE_MAX, ReportForm
from services.pledges.letters import UPDATE
from services.pledges.reporting import NoSuccessorError, Reporting, TooManyWaitingError
from services.pledges.store import pledges, reports
from services.pledges.web.values import fault
from shared import clock, i18n
from shared.db import Database, Transaction
from shared.events.codes import PledgeState
from shared.web import wording
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.rate import Limit
from shared.web.request_state import cause_of, keep_private, reader_language

# A mail program of an office looks at all the links that its people get; who guesses tokens gets nowhere with one in three seconds.
TRIES, REFILL_SECONDS = 30, 3.0
EVIDENCE_SHOWN = 3
_FIELDS_MAX = 40
_LINES = ("language", "state", "reported_on", "progress", "note", "superseded_by")


class UpdateReport:
    """The form."""

    def __init__(self, database: Database, pages: Pages, reporting: Reporting) -> None:
        self._database = database
        self._pages = pages
        self._reporting = reporting

    def router(self) -> APIRouter:
        """Return the routes, for whoever holds a link."""
        router = APIRouter(dependencies=[Depends(Limit(tries=TRIES, refill_seconds=REFILL_SECONDS))], include_in_schema=False)
        router.add_api_route(UPDATE + "/{token}", self.show, methods=["GET"])
        router.add_api_route(UPDATE + "/{token}", self.report, methods=["POST"])
        router.add_api_route(UPDATE + "/{token}/sent", self.sent, methods=["GET"])
        return router

    async def show(self, request: Request, token: str) -> Response:
        """Show the form, with the pledge as it stands."""
        keep_private(request)
        async with self._database.transaction() as tx:
            pledge = await _pledge_of(tx, token)
        if pledge is None:
            return self._gone(request)
        empty = {
            "language": reader_language(request),
            "state": pledge.facts.state.value,
            "reported_on": clock.now().date().isoformat(),
        }
        return self._page(request, pledge, token, empty)

    async def report(self, request: Request, token: str) -> Response:
        """Keep a report for a moderator, or show the form again with what is wrong."""
        keep_private(request)
        async with request.form(max_files=0, max_fields=_FIELDS_MAX) as form:
            filled = _filled(form)
        async with self._database.transaction() as tx:
            pledge = await _pledge_of(tx, token, lock=True)
            if pledge is None:
                return self._gone(request)
            wanted, faults = _read(filled)
            if wanted is not None:
                try:
                    await self._reporting.take(tx, pledge, wanted, cause=cause_of(request))
                    await reports.note_used(tx, token)
                except NoSuccessorError:
                    faults = [fault("superseded_by", "no-successor")]
                except TooManyWaitingError:
                    return self._page(request, pledge, token, filled, 429, notice="pledge.update.full")
        if faults:
            return self._page(request, pledge, token, filled, 422, faults=faults)
        return RedirectResponse(f"{UPDATE}/{token}/sent", status_code=303)

    async def sent(self, request: Request, token: str) -> Response:
        """Say that the report has come in, and what happens next."""
        keep_private(request)
        async with self._database.transaction() as tx:
            pledge = await _pledge_of(tx, token)
        if pledge is None:
            return self._gone(request)
        return self._pages.render(request, "pledges/update_done.html", pledge=pledge, path=f"{UPDATE}/{token}")

    def _gone(self, request: Request) -> Response:
        return self._pages.render(request, "pledges/update_gone.html", 410, path=UPDATE)

    def _page(
        self,
        request: Request,
        pledge: Pledge,
        token: str,
        filled: dict[str, str],
        status: int = 200,
        *,
        faults: Sequence[Fault] = (),
        notice: str = "",
    ) -> Response:
        reader = reader_language(request)
        names = [f"evidence-{place}" for place in range(1, EVIDENCE_MAX + 1)]
        shown = [name for place, name in enumerate(names, start=1) if place <= EVIDENCE_SHOWN or filled.get(name)]
        return self._pages.render(
            request,
            "pledges/update.html",
            status,
            pledge=pledge,
            filled={name: filled.get(name, "") for name in (*_LINES, *names)},
            evidence=shown,
            faults=faults,
            notice_key=notice,
            path=f"{UPDATE}/{token}",
            states=[(state.value, wording.pledge_state_title(state.value, reader)) for state in PledgeState],
            languages=[(code, i18n.language_name(code, code)) for code in i18n.CONTENT_LANGUAGES],
        )


async def _pledge_of(tx: Transaction, token: str, *, lock: bool = False) -> Pledge | None:
    """Return the pledge on which the holder of a link may report, None where the link is none or leads nowhere any more."""
    pledge_id = await reports.pledge_of_link(tx, token)
    if pledge_id is None:
        return None
    pledge = await pledges.lock(tx, pledge_id) if lock else await pledges.find(tx, pledge_id)
    return pledge if pledge and pledge.facts.standing is Standing.PUBLISHED else None


def _filled(form: FormData) -> dict[str, str]:
    return {name: value.strip() for name, value in form.multi_items() if isinstance(value, str)}


def _read(filled: dict[str, str]) -> tuple[ReportForm | None, Sequence[Fault]]:
    places = [place for place in range(1, EVIDENCE_MAX + 1) if filled.get(f"evidence-{place}")]
    values = {name: filled.get(name) or None for name in _LINES}
    try:
        wanted = ReportForm.model_validate({**values, "evidence": [filled[f"evidence-{place}"] for place in places]})
    except ValidationError as error:
        return None, [_as_in_form(one, places) for one in faults_of(error)]
    if wanted.reported_on > clock.now().date():
        return None, [fault("reported_on", "day-not-come")]
    return wanted, ()


def _as_in_form(one: Fault, places: Sequence[int]) -> Fault:
    name, _, rest = one.field.partition(".")
    return replace(one, field=f"evidence-{places[int(rest)]}") if name == "evidence" and rest.isdigit() else one
