"""What came by mail, note verbale or telephone, entered by a colleague: the same form, with how it came, when and from whom."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

from services.intake import domain
from services.intake.domain import CameBy, NewSubmission
from services.intake.kinds.catalogue import FORMS
from services.intake.letters.confirming import confirm_mail
from services.intake.publishing.arriving import Arrivals
from services.intake.store import files, submissions
from services.intake.store.reviews import ENQUIRIES
from services.intake.store.reviews import PATH as REVIEW
from services.intake.store.submissions import RepeatError
from services.intake.web.form_options import said, words_of
from services.intake.web.form_read import FILE_KINDS, MORE, ONCE, PICTURE_KINDS, TRAP, Sent, accepted_by, empty, read_form
from services.intake.web.form_show import FormShow, file_label
from services.intake.web.submission_keep import keep
from shared import clock
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Channel, Role
from shared.events.kinds import KINDS
from shared.events.kinds.parts import Submission
from shared.events.texts import Line
from shared.events.times import Day
from shared.ids import new_id
from shared.mail.queue.put import Mails
from shared.trace import Cause
from shared.vault import Vault
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.request_state import cause_of, reader_language

PATH = "/intake/enter/"
NO_CONTACT = "no_contact"
ASK = "ask_contact"
OURS = require(Role.MODERATOR, Role.DRAFTER)
Colleague = Annotated[Person, Depends(OURS)]


class Provenance(BaseModel):
    """How something reached the colleague who enters it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    came_by: CameBy
    came_on: Day
    came_from: Line

    @field_validator("came_on")
    @classmethod
    def _not_in_the_future(cls, day: date) -> date:
        if day > clock.now().date():
            raise PydanticCustomError("fault.not-yet", "fault.not-yet")
        return day


class Entering:
    """The forms for colleagues."""

    def __init__(self, database: Database, vault: Vault, pages: Pages, mails: Mails, arrivals: Arrivals) -> None:
        self._database = database
        self._vault = vault
        self._pages = pages
        self._mails = mails
        self._arrivals = arrivals

    def router(self) -> APIRouter:
        """Return the routes, for moderators and drafters; auditors may look at the empty forms."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(OURS)])
        router.add_api_route(PATH, self.listing, methods=["GET"])
        router.add_api_route(PATH + "{kind}", self.show, methods=["GET"])
        router.add_api_route(PATH + "{kind}", self.enter, methods=["POST"])
        return router

    async def listing(self, request: Request, kept: str = "") -> Response:
        """Show what can be entered."""
        return self._pages.render(request, "intake/enter_list.html", kinds=FORMS, path=PATH, kept=kept in FORMS)

    async def show(self, request: Request, kind: str) -> Response:
        """Show the empty form."""
        model = _model(kind)
        return self._page(request, model, empty(model, request), status=200)

    async def enter(self, request: Request, kind: str, colleague: Colleague) -> Response:
        """Keep what was entered, tell of it at once, and lead to its review."""
        model = _model(kind)
        sent = await read_form(request, model)
        if more := sent.filled.one(MORE):
            return self._page(request, model, sent, status=200, more=more)
        provenance, wrong = _provenance(sent)
        submission, faults = sent.read(model, faults=wrong, no_contact=bool(sent.filled.one(NO_CONTACT)))
        if submission is None or provenance is None:
            return self._page(request, model, sent, status=422, faults=faults or wrong)
        submission_id = await self._keep(request, sent, submission, provenance, colleague)
        # Whoever may not review sees that it was kept, on a page of theirs.
        if not colleague.holds(Role.MODERATOR):
            return RedirectResponse(f"{PATH}?kept={kind}", status_code=303)
        return RedirectResponse(f"{ENQUIRIES if kind == 'enquiry' else REVIEW}{submission_id}", status_code=303)

    async def _keep(self, request: Request, sent: Sent, submission: Submission, provenance: Provenance, colleague: Person) -> UUID:
        now = clock.now()
        new = domain.take_in(
            submission,
            receipt=UUID(cause_of(request).id),
            channel=Channel.STAFF,
            received_at=now,
            seal=self._vault.seal,
            files=sent.files,
            entered_by=colleague.id,
            entered_by_name=colleague.name,
            **provenance.model_dump(),
        )
        form_hash = sent.hash_of(submission, "entered", *map(str, provenance.model_dump().values()))
        asks = bool(sent.filled.one(ASK)) and submission.contact is not None
        confirm_token = domain.new_token() if asks else ""

        async def write(tx: Transaction, reference: str, told_as: UUID) -> None:
            if sent.document:
                await files.keep(tx, sent.document, now)
            confirm_hash = domain.token_hash(confirm_token) if asks else ""
            await submissions.keep_entered(tx, new, form_hash=form_hash, reference=reference, told_as=told_as, confirm_hash=confirm_hash)
            await self._arrivals.received(tx, new, reference, cause=Cause(id=str(told_as), trace_id=new.id.hex))
            await self._ask(tx, new, submission, reference, confirm_token)

        try:
            await keep(self._database, new, write)
        except RepeatError:
            async with self._database.transaction() as tx:
                return await submissions.id_by_form(tx, form_hash)
        return new.id

    async def _ask(self, tx: Transaction, new: NewSubmission, submission: Submission, reference: str, token: str) -> None:
        """Ask the person whether the mail address is theirs, where the colleague wishes it."""
        if token and submission.contact is not None:
            mail = confirm_mail(new, reference, submission.contact, token=token, language=submission.language, pages=self._pages)
            await self._mails.put(tx, mail)

    def _page(
        self,
        request: Request,
        model: type[Submission],
        sent: Sent,
        *,
        status: int,
        faults: Sequence[Fault] = (),
        more: str = "",
    ) -> Response:
        kind, reader = model.kind_name, reader_language(request)
        view = FormShow(kind, sent.filled, reader, faults, more=more, contact_needed=False).view()
        return self._pages.render(
            request,
            "intake/enter.html",
            status,
            kind=kind,
            path=PATH + kind,
            form=view,
            labels=view.labels | file_label(kind, reader) | {name: said(reader, f"staff.enter.{name}") for name in Provenance.model_fields},
            ways=[(way.value, words_of(kind, "came_by", way.value, reader)) for way in CameBy],
            entered={name: sent.filled.one(name) for name in (*Provenance.model_fields, NO_CONTACT, ASK)},
            takes_file=kind in FILE_KINDS,
            notice_key="",
            takes_picture=kind in PICTURE_KINDS,
            accept=accepted_by(kind),
            faults=faults,
            once=sent.once or str(new_id()),
            more=more,
            names={"trap": TRAP, "once": ONCE, "more": MORE},
        )


def _model(kind: str) -> type[Submission]:
    if kind not in FORMS:
        raise HTTPException(404)
    return KINDS[kind]


def _provenance(sent: Sent) -> tuple[Provenance | None, Sequence[Fault]]:
    given: Mapping[str, str] = {name: value for name in Provenance.model_fields if (value := sent.filled.one(name))}
    try:
        return Provenance.model_validate(given), ()
    except ValidationError as error:
        return None, faults_of(error)
