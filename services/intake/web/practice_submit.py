"""The public form of a practice: shown, filled in, kept; then its sender is led to the page on which to follow it."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.datastructures import FormData

from services.intake import domain
from services.intake.kinds.form import Filled, Posted, fields_of
from services.intake.store import submissions
from services.intake.store.submissions import RepeatError
from services.intake.web.confirm_mail import confirm_mail
from services.intake.web.form_show import FormShow
from services.intake.web.submission_keep import keep_untold
from services.intake.web.webhook_answer import TRACKING
from shared import clock, i18n
from shared.db import Database, Transaction
from shared.events.codes import Channel
from shared.events.kinds.parts import Submission
from shared.events.kinds.practice import PracticeSubmission
from shared.ids import new_id
from shared.mail.queue.put import Mails
from shared.vault import Vault
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.rate import TokenBuckets, asker_in
from shared.web.request_state import cause_of, reader_language

log = logging.getLogger(__name__)

PATH = "/intake/submit/practice"
# People fill a form in once or twice; who sends ten within the hour is asked to use the webhook door, or is no person.
SUBMISSIONS = 10
REFILL_SECONDS = 360.0
# Nobody may use the form to fill somebody else's mailbox, from however many network addresses.
MAILS = 5
MAIL_REFILL_SECONDS = 3600.0
TRAP = "website"
"""A field that nobody sees; programs that fill in every form they find fill it in."""
ONCE = "once"
"""Drawn with the empty form, so that the same form sent twice is kept once."""
MORE = "more"
_FIELDS_MAX = 400
_ONCE_CHARACTERS = 64


class PracticeForm:
    """The form; one for each process."""

    def __init__(self, database: Database, vault: Vault, pages: Pages, mails: Mails) -> None:
        self._database = database
        self._mails = mails
        self._vault = vault
        self._pages = pages
        self._buckets = TokenBuckets(tries=SUBMISSIONS, refill_seconds=REFILL_SECONDS)
        self._addressees = TokenBuckets(tries=MAILS, refill_seconds=MAIL_REFILL_SECONDS)

    def router(self) -> APIRouter:
        """Return the form's routes."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(PATH, self.show, methods=["GET"])
        router.add_api_route(PATH, self.submit, methods=["POST"])
        return router

    async def show(self, request: Request) -> Response:
        """Show the empty form."""
        return self._page(request, _filled({}, request), status=200)

    async def submit(self, request: Request) -> Response:
        """Keep what was filled in, or show it again with what is wrong."""
        async with request.form(max_files=0, max_fields=_FIELDS_MAX) as form:
            filled = _filled(_texts(form), request)
        if more := filled.one(MORE):
            return self._page(request, filled, status=200, more=more)
        if filled.one(TRAP):
            return self._page(request, filled, status=422, notice="submit.trapped")
        asker = asker_in(request)
        if wait_seconds := self._buckets.wait_seconds(asker):
            return self._page(request, filled, status=429, notice="submit.too-many", headers={"Retry-After": str(wait_seconds)})
        submission, faults = _read(filled)
        if submission is None:
            return self._page(request, filled, status=422, faults=faults)
        assert submission.contact is not None  # the form asks for it
        addressee = submission.contact.mail.lower()
        if wait_seconds := self._addressees.wait_seconds(addressee):
            return self._page(request, filled, status=429, notice="submit.too-many-mails", headers={"Retry-After": str(wait_seconds)})
        self._buckets.take(asker)
        self._addressees.take(addressee)
        return RedirectResponse(f"{TRACKING}{await self._keep(request, filled, submission)}", status_code=303)

    async def _keep(self, request: Request, filled: Filled, submission: Submission) -> str:
        new = domain.take_in(
            submission, receipt=UUID(cause_of(request).id), channel=Channel.FORM, received_at=clock.now(), seal=self._vault.seal
        )
        form_hash = _hash(filled.one(ONCE)[:_ONCE_CHARACTERS], submission)
        contact = submission.contact
        assert contact is not None  # the form asks for it
        confirm_token = domain.new_token()

        async def write(tx: Transaction, reference: str) -> None:
            confirm_hash = domain.token_hash(confirm_token)
            await submissions.keep_form(tx, new, form_hash=form_hash, reference=reference, confirm_hash=confirm_hash)
            mail = confirm_mail(new, reference, contact, token=confirm_token, language=reader_language(request), pages=self._pages)
            await self._mails.put(tx, mail)

        try:
            await keep_untold(self._database, new, write)
        except RepeatError:
            async with self._database.transaction() as tx:
                return await submissions.by_form(tx, form_hash) or _lost()
        return new.token

    def _page(
        self,
        request: Request,
        filled: Filled,
        *,
        status: int,
        faults: Sequence[Fault] = (),
        notice: str = "",
        more: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        show = FormShow(PracticeSubmission.kind_name, filled, reader_language(request), faults, more=more)
        return self._pages.render(
            request,
            "intake/submit.html",
            status,
            headers=headers,
            form=show.view(),
            faults=faults,
            notice_key=notice,
            once=filled.one(ONCE)[:_ONCE_CHARACTERS] or str(new_id()),
            more=more,
            names={"trap": TRAP, "once": ONCE, "more": MORE},
        )


def _texts(form: FormData) -> Posted:
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            found.setdefault(name, []).append(value)
    return found


def _filled(posted: Posted, request: Request) -> Filled:
    chosen = next((value for value in posted.get("language", ()) if value in i18n.CONTENT_LANGUAGES), None)
    return Filled(fields=fields_of(PracticeSubmission), posted=posted, language=chosen or reader_language(request))


def _read(filled: Filled) -> tuple[Submission | None, Sequence[Fault]]:
    try:
        submission = PracticeSubmission.model_validate(filled.values())
    except ValidationError as error:
        return None, filled.faults(error)
    faults = filled.faults(None)
    return (None, faults) if faults else (submission, ())


def _hash(once: str, submission: Submission) -> str:
    """Return what is the same when the same form is sent again, and another when it was changed or begun anew."""
    content: dict[str, Any] = submission.model_dump(mode="json")
    return hashlib.sha256(once.encode() + b"\0" + orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _lost() -> NoReturn:
    raise LookupError("a form that was kept a moment ago is not there")
