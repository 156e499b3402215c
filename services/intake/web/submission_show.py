"""The page of one submission for the team: everything that is known of it, and what can be done with it."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from fastapi import Request, Response
from starlette.exceptions import HTTPException

from services.intake import domain
from services.intake.domain import (
    AlreadyDecidedError,
    ChangedMeanwhileError,
    IntakeError,
    OwnWorkError,
    ReviewedElsewhereError,
    StoredSubmission,
)
from services.intake.domain.talks import TalkError
from services.intake.publishing.by_kind import PUBLISHERS
from services.intake.store import followed, submissions, talks
from services.intake.store.reviews import PATH
from services.intake.web.webhook_answer import tracking_address
from shared import i18n
from shared.db import Database, Transaction
from shared.vault import SealError, Vault
from shared.web.describe import describe
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.request_state import person_of, reader_language

log = logging.getLogger(__name__)

_REFUSED: Mapping[type[IntakeError], tuple[int, str]] = {
    AlreadyDecidedError: (409, "staff.review.too-late"),
    ReviewedElsewhereError: (409, "staff.review.elsewhere"),
    OwnWorkError: (403, "staff.review.own-work"),
    ChangedMeanwhileError: (409, "staff.review.changed-since"),
}
REFUSALS = (AlreadyDecidedError, ReviewedElsewhereError, OwnWorkError, ChangedMeanwhileError, TalkError)
"""What a person may be told in place of what was asked for."""


class SubmissionPage:
    """Shows one submission, by itself or after something that could not be done with it."""

    def __init__(self, database: Database, vault: Vault, pages: Pages) -> None:
        self._database = database
        self._vault = vault
        self._pages = pages

    async def refused(self, request: Request, submission_id: UUID, error: IntakeError) -> Response:
        """Show it with the reason why nothing was done."""
        status, key = (409, error.key) if isinstance(error, TalkError) else _REFUSED[type(error)]
        return await self.show(request, submission_id, status, notice=key)

    async def show(
        self,
        request: Request,
        submission_id: UUID,
        status: int = 200,
        *,
        faults: Sequence[Fault] = (),
        filled: Mapping[str, str] | None = None,
        notice: str = "",
    ) -> Response:
        """Show everything that is known of one submission, and what can be done with it."""
        async with self._database.transaction() as tx:
            found = await submissions.find(tx, submission_id)
            receipt = await submissions.receipt_of(tx, submission_id)
            publisher = PUBLISHERS.get(found.kind) if found else None
            standing = await publisher.standing(tx, submission_id) if publisher else None
            talk = await talks.of_submission(tx, submission_id) if found and found.kind == "talk" else None
            things = await followed.of(tx, submission_id)
        if found is None:
            raise HTTPException(404)
        reader, person = reader_language(request), person_of(request)
        return self._pages.render(
            request,
            "intake/submission.html",
            status,
            submission=found,
            public=describe(found.kind, found.public, reader),
            internal=describe(found.kind, found.internal, reader),
            changed=_changes(found, standing, reader),
            talk=talk,
            followed=things,
            is_own=person is not None and person.id in found.hands,
            corrections_wait=person is not None and domain.corrections_need_another(found, by=person.id),
            is_decided_here=found.kind in domain.DECIDED_HERE,
            contact=self._contact(found),
            receipt=receipt,
            tracking=tracking_address(self._pages.public_url, found.token),
            reason_languages=i18n.CONTENT_LANGUAGES,
            faults=faults,
            filled={"reason": "", "because": "", "question": "", **(filled or {})},
            notice_key=notice,
            path=PATH,
        )

    def _contact(self, found: StoredSubmission) -> Mapping[str, Any] | None:
        if not found.contact_sealed:  # erased, because nobody confirmed it
            return None
        try:
            contact: dict[str, Any] = orjson.loads(self._vault.open(found.contact_sealed))
        except SealError:
            log.error("the contact of %s cannot be opened: %s", found.reference, SealError.__doc__)  # noqa: TRY400  # says all there is
            return None
        return contact


def _changes(found: StoredSubmission, standing: Mapping[str, Any] | None, reader: str) -> Sequence[Any]:
    """Return the fields that differ from what came in, as they are to be published or stand now."""
    words = found.draft or standing
    if words is None:
        return ()
    now = {name: value for name, value in words.items() if value not in (None, [], {}) and value != found.public.get(name)}
    return describe(found.kind, now, reader)


async def locked(tx: Transaction, submission_id: UUID) -> StoredSubmission:
    """Return a submission that nobody else can change until the transaction ends; raises HTTPException where there is none."""
    found = await submissions.lock(tx, submission_id)
    if found is None:
        raise HTTPException(404)
    return found


def id_in(text: str) -> UUID:
    """Return the id of a submission in an address; raises HTTPException for what is none."""
    try:
        return UUID(text)
    except ValueError:
        raise HTTPException(404) from None
