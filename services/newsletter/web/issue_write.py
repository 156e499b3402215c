"""Writing an issue: languages, subject, preheader and blocks, each language beside the others."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy import Row
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from services.newsletter.compose import blocks
from services.newsletter.compose.blocks import Lines
from services.newsletter.issues import editing
from services.newsletter.issues.editing import ChangedMeanwhileError, Texts
from services.newsletter.issues.rules import IssueError, UnknownIssueError
from services.newsletter.web.issue_show import ADDED_KINDS, PATH, Desk, Writer, found, read_form, refusal_of
from shared.approval.rules import ApprovalError
from shared.approval.web import Refusal
from shared.auth.tokens import Person
from shared.events.codes import LANGUAGES, Role
from shared.web.forms import Fault, faults_of
from shared.web.request_state import cause_of

ISSUE = PATH + "{issue}"
BLOCK = ISSUE + "/blocks/{block}"
OTHER_FIELDS = {"button": ("address",)}
"""The fields of each kind that people write and that are the same in every language."""


class _Above(BaseModel):
    """What stands above the blocks, by language."""

    subject: Lines
    preheader: Lines


class Writing:
    """The pages on which an issue is written."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(ISSUE + "/texts", self.texts, methods=["GET"])
        router.add_api_route(ISSUE + "/texts", self.write_texts, methods=["POST"])
        router.add_api_route(ISSUE + "/blocks/new", self.new_block, methods=["GET"])
        router.add_api_route(ISSUE + "/blocks", self.add_block, methods=["POST"])
        router.add_api_route(BLOCK, self.block, methods=["GET"])
        router.add_api_route(BLOCK, self.write_block, methods=["POST"])
        router.add_api_route(BLOCK + "/move", self.move, methods=["POST"])
        router.add_api_route(BLOCK + "/drop", self.drop, methods=["POST"])
        router.add_api_route(BLOCK + "/restore", self.restore, methods=["POST"])
        return router

    async def texts(self, request: Request, issue: UUID, person: Writer) -> Response:
        """Show the form of what stands above the blocks."""
        async with self._desk.database.transaction() as tx:
            row = await found(tx, issue)
        return self._show_texts(request, person, row, _texts_of(row), row.revision)

    async def write_texts(self, request: Request, issue: UUID, person: Writer) -> Response:
        """Keep it."""
        form = await read_form(request)
        typed: dict[str, Any] = {
            "languages": tuple(language for language in LANGUAGES if language in form.getlist("languages")),
            "fallback": str(form.get("fallback", "")),
            **{name: _by_language(form, name) for name in ("subject", "preheader")},
        }
        revision = _revision(form)
        async with self._desk.database.transaction() as tx:
            row = await found(tx, issue)
        try:
            above = _Above.model_validate(typed)
            texts = Texts(languages=typed["languages"], fallback=typed["fallback"], subject=above.subject, preheader=above.preheader)
            async with self._desk.database.transaction() as tx:
                await editing.set_texts(tx, self._desk.thing, issue, texts, revision, by=person, cause=cause_of(request))
        except ValidationError as error:
            return self._show_texts(request, person, row, typed, revision, 422, faults=faults_of(error))
        except ChangedMeanwhileError as error:
            now = _texts_of(error.now)
            return self._show_texts(
                request, person, error.now, typed, error.now.revision, 409, refused=refusal_of(error), meanwhile=_differing(now, typed)
            )
        except (IssueError, ApprovalError) as error:
            refused = refusal_of(error)
            return self._show_texts(request, person, row, typed, revision, refused.status, refused=refused)
        return RedirectResponse(f"{PATH}{issue}#texts", status_code=303)

    async def new_block(self, request: Request, issue: UUID, person: Writer, kind: str = "") -> Response:
        """Show the empty form of a new block."""
        if kind not in ADDED_KINDS:
            raise HTTPException(404)
        async with self._desk.database.transaction() as tx:
            row = await found(tx, issue)
        return self._show_block(request, person, row, {"kind": kind}, 0)

    async def add_block(self, request: Request, issue: UUID, person: Writer) -> Response:
        """Put a new block at the end."""
        form = await read_form(request)
        kind = str(form.get("kind", ""))
        if kind not in ADDED_KINDS:
            raise HTTPException(404)
        content = _content_from(form, {"kind": kind})
        async with self._desk.database.transaction() as tx:
            row = await found(tx, issue)
        try:
            async with self._desk.database.transaction() as tx:
                made = await editing.add_block(tx, self._desk.thing, issue, content, by=person, cause=cause_of(request))
        except ValidationError as error:
            return self._show_block(request, person, row, content, 0, 422, faults=faults_of(error))
        except (IssueError, ApprovalError) as error:
            refused = refusal_of(error)
            return self._show_block(request, person, row, content, 0, refused.status, refused=refused)
        return RedirectResponse(f"{PATH}{issue}#block-{made}", status_code=303)

    async def block(self, request: Request, issue: UUID, block: UUID, person: Writer) -> Response:
        """Show the form of one block, a column for each language."""
        row, here = await self._found(issue, block)
        return self._show_block(request, person, row, here.content, here.revision, here=here)

    async def write_block(self, request: Request, issue: UUID, block: UUID, person: Writer) -> Response:
        """Keep it."""
        form = await read_form(request)
        row, here = await self._found(issue, block)
        revision, content = _revision(form), _content_from(form, here.content)
        try:
            written = blocks.parse(content)
            async with self._desk.database.transaction() as tx:
                await editing.write_block(tx, self._desk.thing, issue, written, revision, by=person, cause=cause_of(request))
        except ValidationError as error:
            return self._show_block(request, person, row, content, revision, 422, here=here, faults=faults_of(error))
        except ChangedMeanwhileError as error:
            return self._show_block(
                request,
                person,
                row,
                content,
                error.now.revision,
                409,
                here=error.now,
                refused=refusal_of(error),
                meanwhile=_differing(error.now.content, content),
            )
        except (IssueError, ApprovalError) as error:
            refused = refusal_of(error)
            return self._show_block(request, person, row, content, revision, refused.status, here=here, refused=refused)
        return RedirectResponse(f"{PATH}{issue}#block-{block}", status_code=303)

    async def move(self, request: Request, issue: UUID, block: UUID, person: Writer, direction: Annotated[str, Form()] = "") -> Response:
        """Exchange a block with its neighbour."""
        up, cause = direction == "up", cause_of(request)
        try:
            async with self._desk.database.transaction() as tx:
                await editing.move_block(tx, self._desk.thing, issue, block, up=up, by=person, cause=cause)
        except (IssueError, ApprovalError) as error:
            return await self._desk.refuse(request, person, issue, error)
        return RedirectResponse(f"{PATH}{issue}#block-{block}", status_code=303)

    async def drop(self, request: Request, issue: UUID, block: UUID, person: Writer, reason: Annotated[str, Form()] = "") -> Response:
        """Take a block out, with the reason."""
        try:
            async with self._desk.database.transaction() as tx:
                await editing.drop_block(tx, self._desk.thing, issue, block, reason, by=person, cause=cause_of(request))
        except (IssueError, ApprovalError) as error:
            return await self._desk.refuse(request, person, issue, error)
        return RedirectResponse(f"{PATH}{issue}#dropped", status_code=303)

    async def restore(self, request: Request, issue: UUID, block: UUID, person: Writer) -> Response:
        """Put a dropped block back."""
        try:
            async with self._desk.database.transaction() as tx:
                await editing.restore_block(tx, self._desk.thing, issue, block, by=person, cause=cause_of(request))
        except (IssueError, ApprovalError) as error:
            return await self._desk.refuse(request, person, issue, error)
        return RedirectResponse(f"{PATH}{issue}#block-{block}", status_code=303)

    async def _found(self, issue: UUID, block: UUID) -> tuple[Row[Any], Row[Any]]:
        async with self._desk.database.transaction() as tx:
            row = await found(tx, issue)
            try:
                return row, await editing.find_block(tx, issue, block)
            except UnknownIssueError as error:
                raise HTTPException(404) from error

    def _show_texts(
        self,
        request: Request,
        person: Person,
        issue: Row[Any],
        typed: Mapping[str, Any],
        revision: int,
        status: int = 200,
        *,
        faults: Sequence[Fault] = (),
        refused: Refusal | None = None,
        meanwhile: Sequence[tuple[str, str, str]] = (),
    ) -> Response:
        return self._desk.pages.render(
            request,
            "newsletter/issue_texts.html",
            status,
            path=PATH,
            issue=issue,
            typed=typed,
            revision=revision,
            faults=faults,
            refused=refused,
            meanwhile=meanwhile,
            all_languages=LANGUAGES,
            may_edit=person.holds(Role.DRAFTER),
        )

    def _show_block(
        self,
        request: Request,
        person: Person,
        issue: Row[Any],
        content: Mapping[str, Any],
        revision: int,
        status: int = 200,
        *,
        here: Row[Any] | None = None,
        faults: Sequence[Fault] = (),
        refused: Refusal | None = None,
        meanwhile: Sequence[tuple[str, str, str]] = (),
    ) -> Response:
        kind = content["kind"]
        return self._desk.pages.render(
            request,
            "newsletter/issue_block.html",
            status,
            path=PATH,
            issue=issue,
            here=here,
            kind=kind,
            content=content,
            text_fields=blocks.TEXT_FIELDS[kind],
            optional=[name for of, name in blocks.OPTIONAL_FIELDS if of == kind],
            other_fields=OTHER_FIELDS.get(kind, ()),
            revision=revision,
            faults=faults,
            refused=refused,
            meanwhile=meanwhile,
            may_edit=person.holds(Role.DRAFTER),
        )


def _by_language(form: FormData, name: str) -> Mapping[str, str]:
    return {language: str(form[f"{name}.{language}"]) for language in LANGUAGES if f"{name}.{language}" in form}


def _content_from(form: FormData, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block's content with what the form has; languages that it does not show keep their texts."""
    content = dict(before)
    for name in blocks.TEXT_FIELDS[str(before["kind"])]:
        content[name] = {**before.get(name, {}), **_by_language(form, name)}
    for name in OTHER_FIELDS.get(str(before["kind"]), ()):
        content[name] = str(form.get(name, "")).strip()
    return content


def _texts_of(row: Row[Any]) -> Mapping[str, Any]:
    return {"languages": tuple(row.languages), "fallback": row.fallback, "subject": row.subject, "preheader": row.preheader}


def _differing(now: Mapping[str, Any], typed: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    """Return field, language and what stands there now, of each text that is another than the one typed."""
    found_: list[tuple[str, str, str]] = []
    for name, texts in now.items():
        if isinstance(texts, Mapping) and isinstance(typed.get(name), Mapping):
            other = typed[name]
            found_ += [
                (name, language, str(texts.get(language, "")))
                for language in LANGUAGES
                if str(texts.get(language, "")) != str(other.get(language, "")).replace("\r\n", "\n").strip()
            ]
    return found_


def _revision(form: FormData) -> int:
    text = str(form.get("revision", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
