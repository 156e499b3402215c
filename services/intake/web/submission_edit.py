"""The words of a submission, or of what it became, changed by a colleague: in the same form, by the same model as at the door."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from services.intake import domain
from services.intake.domain import StoredSubmission, SubmissionState
from services.intake.kinds.form import Filled, FormField, Posted, fields_of
from services.intake.kinds.form_refill import posted_of
from services.intake.publishing.by_kind import PUBLISHERS
from services.intake.publishing.deciding import note
from services.intake.store import reviews, submissions
from services.intake.store.reviews import PATH
from services.intake.web.form_show import FormShow
from services.intake.web.submission_decide import Moderator, Words, back_to
from services.intake.web.submission_show import REFUSALS, SubmissionPage, id_in, locked
from shared import clock
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.base import Public
from shared.events.codes import Role, TaskEnd
from shared.events.kinds import KINDS
from shared.events.kinds.parts import UNKNOWN_CONTACT
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.request_state import person_of, reader_language

_FIELDS_MAX = 400
MORE, SEEN = "more", "seen"
_NOT_HERE = frozenset({"language", "when"})
"""Public fields that stay: the language of who wrote, and the time of a Talk, which is moved with words of its own."""


class Editing:
    """The form in which words are changed, and the corrections that wait for another person."""

    def __init__(self, database: Database, page: SubmissionPage, pages: Pages) -> None:
        self._database = database
        self._page = page
        self._pages = pages

    def router(self) -> APIRouter:
        """Return the routes, for moderators; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        router.add_api_route(PATH + "{submission}/edit", self.show, methods=["GET"])
        router.add_api_route(PATH + "{submission}/edit", self.edit, methods=["POST"])
        router.add_api_route(PATH + "{submission}/publish", self.publish, methods=["POST"])
        router.add_api_route(PATH + "{submission}/drop", self.drop, methods=["POST"])
        return router

    async def show(self, request: Request, submission: str) -> Response:
        """Show the words as they are now, to be changed."""
        try:
            async with self._database.transaction() as tx:
                found = await locked(tx, id_in(submission))
                domain.check_may_edit(found)
                words = await _words(tx, found)
        except REFUSALS as error:
            return await self._page.refused(request, id_in(submission), error)
        filled = Filled(fields=_fields(found.kind), posted=posted_of(_fields(found.kind), words, found.language), language=found.language)
        return self._form(request, found, filled, seen=_hash(words))

    async def edit(self, request: Request, submission: str, moderator: Moderator) -> Response:
        """Keep what was changed: published at once, or left to whoever may publish it."""
        async with request.form(max_files=0, max_fields=_FIELDS_MAX) as form:
            posted = _posted(form)
        try:
            async with self._database.transaction() as tx:
                found = await locked(tx, id_in(submission))
                domain.check_may_edit(found)
                words = await _words(tx, found)
                filled = Filled(fields=_fields(found.kind), posted=posted, language=found.language)
                if more := filled.one(MORE):
                    return self._form(request, found, filled, seen=filled.one(SEEN), more=more)
                if filled.one(SEEN) != _hash(words):
                    return self._form(request, found, filled, 409, seen=_hash(words), notice="staff.review.changed-meanwhile")
                changed, faults = _read(found, words, filled)
                if changed is None:
                    return self._form(request, found, filled, 422, seen=_hash(words), faults=faults)
                if changed != words:
                    await self._keep(tx, found, changed, moderator)
        except REFUSALS as error:
            return await self._page.refused(request, id_in(submission), error)
        return back_to(submission)

    async def publish(self, request: Request, submission: str, moderator: Moderator, seen: Words = "") -> Response:
        """Publish a correction that somebody else wrote, as the moderator has read it."""
        try:
            async with self._database.transaction() as tx:
                found = await locked(tx, id_in(submission))
                domain.check_may_publish_draft(found, by=moderator.id)
                domain.check_was_read(found, seen)
                await self._correct(tx, found, found.words, moderator)
                await submissions.drop_draft(tx, found.id)
                cause = domain.submission_cause(found)
                await reviews.close_correction(tx, found, by=moderator.id, end=TaskEnd.DONE, cause=cause)
        except REFUSALS as error:
            return await self._page.refused(request, id_in(submission), error)
        return back_to(submission)

    async def drop(self, request: Request, submission: str, moderator: Moderator) -> Response:
        """Forget a correction that is not to be published."""
        try:
            async with self._database.transaction() as tx:
                found = await locked(tx, id_in(submission))
                domain.check_has_correction(found)
                await note(tx, found, "discard", by=moderator, public_url=self._pages.public_url)
                await submissions.drop_draft(tx, found.id)
                cause = domain.submission_cause(found)
                await reviews.close_correction(tx, found, by=moderator.id, end=TaskEnd.WITHDRAWN, cause=cause)
        except REFUSALS as error:
            return await self._page.refused(request, id_in(submission), error)
        return back_to(submission)

    async def _keep(self, tx: Transaction, found: StoredSubmission, changed: Mapping[str, Any], moderator: Person) -> None:
        waits = found.is_open or domain.corrections_need_another(found, by=moderator.id)
        await submissions.edit(tx, found.id, changed if waits else None, clock.now(), by=moderator)
        cause = domain.submission_cause(found)
        if not waits:
            await self._correct(tx, found, changed, moderator)
            # Whoever entered it may have left one to be published: this one was written on top of it.
            await reviews.close_correction(tx, found, by=moderator.id, end=TaskEnd.DONE, cause=cause)
            return
        await note(tx, found, "change", by=moderator, public_url=self._pages.public_url, fields=changed)
        edited = await locked(tx, found.id)
        if found.state is SubmissionState.RECEIVED:
            await reviews.open_review(tx, edited, public_url=self._pages.public_url, cause=cause)
        elif not found.is_open:
            await reviews.open_correction(tx, edited, public_url=self._pages.public_url, cause=cause)

    async def _correct(self, tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], moderator: Person) -> None:
        await PUBLISHERS[found.kind].correct(tx, found, fields, at=clock.now(), public_url=self._pages.public_url)
        await note(tx, found, "correct", by=moderator, public_url=self._pages.public_url, fields=fields)

    def _form(
        self,
        request: Request,
        found: StoredSubmission,
        filled: Filled,
        status: int = 200,
        *,
        seen: str,
        faults: Sequence[Fault] = (),
        more: str = "",
        notice: str = "",
    ) -> Response:
        show, person = FormShow(found.kind, filled, reader_language(request), faults, more=more), person_of(request)
        return self._pages.render(
            request,
            "intake/submission_edit.html",
            status,
            submission=found,
            form=show.view(),
            faults=faults,
            notice_key=notice,
            more=more,
            seen=seen,
            waits=person is not None and domain.corrections_need_another(found, by=person.id),
            names={"more": MORE, "seen": SEEN},
            back_path=f"{PATH}{found.id}",
        )


async def _words(tx: Transaction, found: StoredSubmission) -> Mapping[str, Any]:
    """Return the public fields as they are now: changed and not yet published, else as they stand, else as they came in."""
    return found.draft or await PUBLISHERS[found.kind].standing(tx, found.id) or found.public


def _fields(kind: str) -> Sequence[FormField]:
    return [field for field in fields_of(KINDS[kind]) if field.audience is Public and field.name not in _NOT_HERE]


def _posted(form: FormData) -> Posted:
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            found.setdefault(name, []).append(value)
    return found


def _read(found: StoredSubmission, words: Mapping[str, Any], filled: Filled) -> tuple[Mapping[str, Any] | None, Sequence[Fault]]:
    """Return the public fields as they were changed, or what is wrong with them."""
    kept = {name: words[name] for name in _NOT_HERE if name in words}
    try:
        # Whom to write to is nothing that is corrected here.
        whole = KINDS[found.kind].model_validate(
            {**found.internal, "contact": None, **kept, **filled.values(), "language": found.language}, context=UNKNOWN_CONTACT
        )
    except ValidationError as error:
        return None, filled.faults(error)
    faults = filled.faults(None)
    return (None, faults) if faults else (whole.split().public, ())


def _hash(words: Mapping[str, Any]) -> str:
    """Return what tells whether somebody else has changed the words meanwhile."""
    return hashlib.sha256(orjson.dumps(words, option=orjson.OPT_SORT_KEYS)).hexdigest()
