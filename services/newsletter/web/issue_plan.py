"""When issues close and go: the standing rule, the days of one issue, and the cut by hand."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from services.newsletter.issues import cutting, editing, opening
from services.newsletter.issues.editing import ChangedMeanwhileError
from services.newsletter.issues.rules import Dates, DatesError, IssueError, Rule
from services.newsletter.issues.tables import issue_rule
from services.newsletter.web.issue_show import PATH, Desk, Writer, read_form, refusal_of
from shared.approval.rules import ApprovalError
from shared.approval.web import Refusal
from shared.auth.tokens import Person
from shared.events.codes import LANGUAGES, Role
from shared.events.times import YEARS, is_zone
from shared.web.request_state import cause_of

RULE = PATH + "rule"


def router(desk: Desk) -> APIRouter:
    """Return the page of the rule, and what changes the days of an issue."""
    router = APIRouter(include_in_schema=False)

    async def show_rule(
        request: Request, person: Person, refused: Refusal | None = None, typed: Mapping[str, Any] | None = None
    ) -> Response:
        async with desk.database.transaction() as tx:
            row = (await tx.execute(select(issue_rule))).one()
            rule = await opening.rule_of(tx)
        return desk.pages.render(
            request,
            "newsletter/issue_rule.html",
            refused.status if refused else 200,
            address=RULE,
            rule=typed or {**vars_of(rule), "revision": row.revision},
            languages=LANGUAGES,
            refused=refused,
            zone=desk.pages.zone,
            may_edit=person.holds(Role.DRAFTER),
        )

    @router.get(RULE)
    async def rule(request: Request, person: Writer) -> Response:
        """Show when issues close and go as long as nobody says otherwise."""
        return await show_rule(request, person)

    @router.post(RULE)
    async def set_rule(request: Request, person: Writer) -> Response:
        """Change it for issues that open from now on."""
        form = await read_form(request)
        typed: dict[str, Any] = {name: str(form.get(name, "")) for name in (*_NUMBERS, "sends_at", "revision")}
        typed["languages"] = tuple(str(one) for one in form.getlist("languages"))
        try:
            wanted, seen = _rule_from(typed), _number(typed["revision"])
            async with desk.database.transaction() as tx:
                await editing.set_rule(tx, wanted, seen, by=person)
        except ChangedMeanwhileError as error:
            return await show_rule(request, person, refusal_of(error), {**typed, "revision": error.now.revision})
        except (IssueError, ApprovalError) as error:
            return await show_rule(request, person, refusal_of(error), typed)
        return RedirectResponse(RULE, status_code=303)

    @router.post(PATH + "{issue}/days")
    async def set_days(
        request: Request,
        issue: UUID,
        person: Writer,
        closes_on: Annotated[str, Form()] = "",
        sends_at: Annotated[str, Form()] = "",
        zone: Annotated[str, Form()] = "",
        valid_hours: Annotated[str, Form()] = "",
        remind_days: Annotated[str, Form()] = "",
        revision: Annotated[str, Form()] = "",
    ) -> Response:
        """Change when one issue closes and goes."""
        typed = {"closes_on": closes_on, "sends_at": sends_at, "zone": zone, "valid_hours": valid_hours, "remind_days": remind_days}
        try:
            dates = Dates(closes_on=_day(closes_on), sends_at=read_moment(sends_at))
            wanted = editing.Plan(
                dates=dates, zone=read_zone(zone), remind_days=_number(remind_days, 14), valid_hours=_number(valid_hours, 14 * 24)
            )
            async with desk.database.transaction() as tx:
                await editing.set_plan(tx, desk.thing, issue, wanted, _number(revision), by=person, cause=cause_of(request))
        except (IssueError, ApprovalError) as error:
            return await desk.refuse(request, person, issue, error, **typed)
        return RedirectResponse(f"{PATH}{issue}", status_code=303)

    @router.post(PATH + "{issue}/cut")
    async def cut(request: Request, issue: UUID, person: Writer) -> Response:
        """Give all that waits to this issue, now."""
        try:
            async with desk.database.transaction() as tx:
                await cutting.cut(tx, desk.thing, issue, by=person, cause=cause_of(request))
        except (IssueError, ApprovalError) as error:
            return await desk.refuse(request, person, issue, error)
        return RedirectResponse(f"{PATH}{issue}", status_code=303)

    return router


_NUMBERS = ("closes_day", "sends_day", "months_later", "remind_days", "valid_hours")


def vars_of(rule: Rule) -> Mapping[str, Any]:
    """Return a rule as its form shows it."""
    shown: dict[str, Any] = {name: str(getattr(rule, name)) for name in _NUMBERS}
    return shown | {"sends_at": f"{rule.sends_at:%H:%M}", "languages": rule.languages}


def read_moment(text: str) -> datetime:
    """Return a time on the wall as a form sends it; raises DatesError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise DatesError from error
    if found.tzinfo is not None or found.year not in YEARS:
        raise DatesError
    return found.replace(second=0, microsecond=0)


def read_zone(text: str) -> str:
    """Return the name of a time zone; raises DatesError."""
    if not is_zone(text.strip()):
        raise DatesError
    return text.strip()


def _rule_from(typed: Mapping[str, Any]) -> Rule:
    try:
        at = time.fromisoformat(typed["sends_at"])
    except ValueError as error:
        raise DatesError from error
    numbers = {name: _number(typed[name], 14 * 24) for name in _NUMBERS}
    return Rule(**numbers, sends_at=at.replace(tzinfo=None), languages=typed["languages"])


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DatesError from error


def _number(text: str, most: int = 2**31 - 1) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= most):
        raise DatesError
    return int(text)
