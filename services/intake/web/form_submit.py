"""The public form of each kind: shown, filled in, kept; then its sender is led to the page on which to follow it."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NoReturn
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.intake import domain
from services.intake.kinds.catalogue import FORMS
from services.intake.letters.confirming import confirm_mail
from services.intake.store import files, submissions
from services.intake.store.submissions import TRACKING, RepeatError
from services.intake.web.form_read import FILE_KINDS, MORE, ONCE, PICTURE_KINDS, TRAP, Sent, accepted_by, empty, read_form
from services.intake.web.form_show import FormShow, file_label
from services.intake.web.submission_keep import keep_untold
from shared import clock
from shared.db import Database, Transaction
from shared.events.codes import Channel
from shared.events.kinds import KINDS
from shared.events.kinds.parts import Submission
from shared.ids import new_id
from shared.mail.queue.put import Mails
from shared.vault import Vault
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.rate import Limit, TokenBuckets, asker_in
from shared.web.request_state import cause_of, reader_language

log = logging.getLogger(__name__)

PATH = "/intake/submit/"
# People fill a form in once or twice; who sends ten within the hour is asked to use the webhook door, or is no person.
SUBMISSIONS = 10
REFILL_SECONDS = 360.0
# A form is sent again for each further row and each mistake. What it brings is read, and a picture drawn, before anything is known of it:
# so each post counts, also one that is refused, and who has none left is answered before a byte of theirs is read.
POSTS = 40
POST_REFILL_SECONDS = 60.0
# Nobody may use the form to fill somebody else's mailbox, from however many network addresses.
MAILS = 5
MAIL_REFILL_SECONDS = 3600.0


class PublicForms:
    """The forms; one for each process, so that one asker has so many tries at all of them."""

    def __init__(self, database: Database, vault: Vault, pages: Pages, mails: Mails) -> None:
        self._database = database
        self._mails = mails
        self._vault = vault
        self._pages = pages
        self._posts = Limit(tries=POSTS, refill_seconds=POST_REFILL_SECONDS)
        self._buckets = TokenBuckets(tries=SUBMISSIONS, refill_seconds=REFILL_SECONDS)
        self._addressees = TokenBuckets(tries=MAILS, refill_seconds=MAIL_REFILL_SECONDS)

    def router(self) -> APIRouter:
        """Return the forms' routes."""
        router = APIRouter(include_in_schema=False)
        limited = [Depends(self._posts)]
        router.add_api_route(PATH, self.listing, methods=["GET"])
        for kind in FORMS:
            show, submit = self._routes_of(KINDS[kind])
            router.add_api_route(PATH + kind, show, methods=["GET"])
            router.add_api_route(PATH + kind, submit, methods=["POST"], dependencies=limited)
        return router

    async def listing(self, request: Request) -> Response:
        """Show what can be submitted."""
        return self._pages.render(request, "intake/submit_list.html", kinds=FORMS, path=PATH)

    def _routes_of(
        self, model: type[Submission]
    ) -> tuple[Callable[[Request], Awaitable[Response]], Callable[[Request], Awaitable[Response]]]:
        async def show(request: Request) -> Response:
            """Show the empty form."""
            return self._page(request, model, empty(model, request), status=200)

        async def submit(request: Request) -> Response:
            """Keep what was filled in, or show it again with what is wrong."""
            return await self._submit(request, model)

        return show, submit

    async def _submit(self, request: Request, model: type[Submission]) -> Response:
        sent = await read_form(request, model)
        if more := sent.filled.one(MORE):
            return self._page(request, model, sent, status=200, more=more)
        if sent.filled.one(TRAP):
            return self._page(request, model, sent, status=422, notice="submit.trapped")
        asker = asker_in(request)
        if wait_seconds := self._buckets.wait_seconds(asker):
            return self._page(request, model, sent, status=429, notice="submit.too-many", headers={"Retry-After": str(wait_seconds)})
        submission, faults = sent.read(model)
        if submission is None:
            return self._page(request, model, sent, status=422, faults=faults)
        assert submission.contact is not None  # the form asks for it
        addressee = submission.contact.mail.lower()
        if wait_seconds := self._addressees.wait_seconds(addressee):
            headers = {"Retry-After": str(wait_seconds)}
            return self._page(request, model, sent, status=429, notice="submit.too-many-mails", headers=headers)
        self._buckets.take(asker)
        self._addressees.take(addressee)
        return RedirectResponse(f"{TRACKING}{await self._keep(request, sent, submission)}", status_code=303)

    async def _keep(self, request: Request, sent: Sent, submission: Submission) -> str:
        now = clock.now()
        new = domain.take_in(
            submission,
            receipt=UUID(cause_of(request).id),
            channel=Channel.FORM,
            received_at=now,
            seal=self._vault.seal,
            files=sent.files,
        )
        form_hash = sent.hash_of(submission)
        contact = submission.contact
        assert contact is not None  # the form asks for it
        confirm_token = domain.new_token()

        async def write(tx: Transaction, reference: str) -> None:
            confirm_hash = domain.token_hash(confirm_token)
            if sent.document:
                await files.keep(tx, sent.document, now)
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
        model: type[Submission],
        sent: Sent,
        *,
        status: int,
        faults: Sequence[Fault] = (),
        notice: str = "",
        more: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        kind, reader = model.kind_name, reader_language(request)
        view = FormShow(kind, sent.filled, reader, faults, more=more).view()
        return self._pages.render(
            request,
            "intake/submit.html",
            status,
            headers=headers,
            kind=kind,
            path=PATH + kind,
            form=view,
            labels=view.labels | file_label(kind, reader),
            takes_file=kind in FILE_KINDS,
            takes_picture=kind in PICTURE_KINDS,
            accept=accepted_by(kind),
            faults=faults,
            notice_key=notice,
            once=sent.once or str(new_id()),
            more=more,
            names={"trap": TRAP, "once": ONCE, "more": MORE},
        )


def _lost() -> NoReturn:
    raise LookupError("a form that was kept a moment ago is not there")
