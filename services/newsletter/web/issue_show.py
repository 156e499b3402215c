"""Issues as the team sees them: the list, and one with all that is in it and all that can be done with it."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import func, select
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from services.newsletter.compose.edition import missing
from services.newsletter.domain.items import ItemState
from services.newsletter.issues import holding, matter, opening
from services.newsletter.issues.quiet import QuietError
from services.newsletter.issues.rules import IssueError, UnknownIssueError
from services.newsletter.issues.scheduling import follow_decision
from services.newsletter.issues.tables import issues
from services.newsletter.sending.issues import standing as sending_standing
from services.newsletter.sending.rules import ABOUT
from services.newsletter.sending.tables import sends
from services.newsletter.store import pool_items
from shared import clock
from shared.approval import store as approvals
from shared.approval.deciding import Decided
from shared.approval.rules import ApprovalError, UnknownItemError
from shared.approval.things import Thing
from shared.approval.view import VariantChange, problem_of, sentence_of
from shared.approval.web import Refusal, decisions_of, look_at
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.pauses.quiet import to_come
from shared.trace import Cause
from shared.wall_clock import plan
from shared.web.pages import Pages
from shared.web.problem import Problem
from shared.web.request_state import reader_language

PATH = opening.PAGE
Writer = Annotated[Person, Depends(require(Role.DRAFTER, Role.APPROVER))]
ADDED_KINDS = ("heading", "text", "button", "divider")
"""The kinds of block that people add; items come from the pool."""
_READ = ("/subject", "/preheader", "/text")
_SHOWN = 60


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the pages of issues need."""

    database: Database
    pages: Pages
    thing: Thing

    @property
    def public_url(self) -> str:
        """Where this site is reached."""
        return self.pages.public_url

    async def show(
        self, request: Request, person: Person, item: UUID, refusal: Refusal | None = None, *, typed: Mapping[str, Any] | None = None
    ) -> Response:
        """Return the page of an issue, with what was refused and what was typed then."""
        async with self.database.transaction() as tx:
            context = await self._context(tx, person, item)
        context |= {"refused": refusal, "typed": typed or {}}
        return self.pages.render(request, "newsletter/issue_show.html", refusal.status if refusal else 200, **context)

    async def refuse(self, request: Request, person: Person, issue_id: UUID, error: IssueError | ApprovalError, **typed: Any) -> Response:
        """Return the page of an issue with the reason why nothing happened; raises a Problem for one that is not there."""
        if isinstance(error, UnknownIssueError | UnknownItemError):
            raise HTTPException(404) from error
        return await self.show(request, person, issue_id, self.refusal(request, error, str(typed.get("reason", ""))), typed=typed)

    def refusal(self, request: Request, error: IssueError | ApprovalError, reason: str = "") -> Refusal:
        """Return what a page says of why nothing happened, a day of the calendar by its name and hours."""
        refusal = refusal_of(error, reason)
        if isinstance(error, QuietError):
            words = error.quiet.words(reader_language(request), self.pages.zone)
            refusal = replace(refusal, key=error.quiet.key, params=words)
        return refusal

    async def _context(self, tx: Transaction, person: Person, issue_id: UUID) -> dict[str, Any]:
        issue = await found(tx, issue_id)
        looked = await look_at(tx, self.thing, issue_id, person)
        assert looked is not None
        edition, _ = await matter.edition_of(tx, issue, self.public_url)
        rows = await matter.all_blocks(tx, issue_id)
        kept = [row for row in rows if row.dropped_at is None]
        waits = select(func.count()).select_from(pool_items)
        waits = waits.where(pool_items.c.issue_id.is_(None), pool_items.c.state == ItemState.POOLED.value)
        send = (await tx.execute(select(sends).where(sends.c.issue_id == issue_id))).one_or_none()
        items = {row.id: row for row in await tx.execute(select(pool_items).where(pool_items.c.issue_id == issue_id))}
        return {
            "path": PATH,
            "issue": issue,
            "view": looked.view,
            "changes": [_to_be_read(change) for change in looked.changes],
            "lacks": missing(edition),
            "kept": kept,
            "titles": {str(row.id): title_of(row.content) for row in kept},
            "dropped": [row for row in rows if row.dropped_at is not None],
            "items": items,
            "waits": (await tx.execute(waits)).scalar_one(),
            "planned": plan(issue.sends_at, issue.zone),
            "send": send,
            "restored": await holding.may_have_left(tx, issue_id),
            "ended": await holding.was_ended(tx, issue_id),
            "frozen": send is not None and send.frozen_at is not None,
            "may_edit": person.holds(Role.DRAFTER) and not (send is not None and send.frozen_at is not None),
            "may_schedule": person.holds(Role.DRAFTER, Role.APPROVER),
            "added_kinds": ADDED_KINDS,
            "quiet_times": await to_come(tx, clock.now()),
        }


async def found(tx: Transaction, issue_id: UUID) -> Any:
    """Return an issue; answers 404 where there is none."""
    try:
        return await holding.find(tx, issue_id)
    except UnknownIssueError as error:
        raise HTTPException(404) from error


def refusal_of(error: IssueError | ApprovalError, reason: str = "") -> Refusal:
    """Return what a page says of why nothing happened."""
    if isinstance(error, ApprovalError):
        key, params = sentence_of(error, {})
        return Refusal(status=error.status, key=key, params=params, reason=reason)
    return Refusal(status=error.status, key=f"staff.issues.refusal.{error.slug}", params={}, reason=reason)


def problem_with(error: IssueError | ApprovalError) -> Problem:
    """Return the answer to a program."""
    if isinstance(error, ApprovalError):
        return problem_of(error, {})
    return Problem(error.status, f"issue-{error.slug}", "staff.issues.refused", f"staff.issues.refusal.{error.slug}")


def title_of(content: Mapping[str, Any]) -> Mapping[str, str]:
    """Return by what a block is recognised in a list: its first text, by language; empty where it has none."""
    for name in ("title", "label", "alternative", "text"):
        if texts := content.get(name):
            return {language: text.strip().partition("\n")[0][:_SHOWN] for language, text in texts.items()}
    return {}


def router(desk: Desk) -> APIRouter:
    """Return the list of issues, the page of one, and the doors of decisions."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def listing(request: Request, person: Writer) -> Response:
        """List issues, newest first, each with where it stands."""
        del person
        async with desk.database.transaction() as tx:
            rows = (await tx.execute(select(issues).order_by(issues.c.serial.desc()).limit(_SHOWN))).all()
            standings = await approvals.standings(tx, ABOUT, [row.id for row in rows])
            leaving = {row.id: await sending_standing(tx, row.id) for row in rows}
            rule = await opening.rule_of(tx)
        return desk.pages.render(
            request, "newsletter/issues.html", path=PATH, issues=rows, standings=standings, leaving=leaving, rule=rule, plan=plan
        )

    @router.get(PATH + "{issue}")
    async def show(request: Request, issue: UUID, person: Writer) -> Response:
        """Show an issue with all that is in it."""
        return await desk.show(request, person, issue)

    return router


def decisions(desk: Desk) -> APIRouter:
    """Return the doors by which people and programs decide on an issue."""

    async def after(tx: Transaction, item: UUID, decided: Decided, *, cause: Cause) -> None:
        await follow_decision(tx, desk.thing, item, decided, desk.public_url, cause=cause)

    return decisions_of(desk.thing, desk.database, service="newsletter", things="issues", show=desk.show, after=after)


def _to_be_read(change: VariantChange) -> VariantChange:
    """Return a change without what no person reads, and of long texts the lines that differ."""
    fields: list[tuple[str, Any, Any]] = []
    for place, before, after in change.fields:
        if place not in _READ:
            continue
        fields.append((place, *_differing_lines(before, after)) if place == "/text" else (place, before, after))
    return replace(change, fields=fields)


def _differing_lines(before: object, after: object) -> tuple[str, str]:
    lines = difflib.ndiff(str(before).splitlines(), str(after).splitlines())
    found: Sequence[str] = [line for line in lines if line[:2] in ("- ", "+ ") and line[2:].strip()]
    return tuple("\n".join(line[2:] for line in found if line[0] == sign) for sign in "-+")  # type: ignore[return-value]


async def read_form(request: Request) -> FormData:
    """Return what a form without files holds; one with a file is refused by 400."""
    async with request.form(max_files=0) as form:
        return form
