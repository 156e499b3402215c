"""How an approved issue leaves: its hour, how far it has come, and people's word on what is held or uncertain."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from starlette.exceptions import HTTPException

from services.newsletter.addresses import open_book
from services.newsletter.issues import scheduling
from services.newsletter.issues.rules import DatesError, IssueError
from services.newsletter.issues.tables import issues
from services.newsletter.sending.ledger import uncertain_rows
from services.newsletter.sending.progress import progress
from services.newsletter.sending.rules import SendState
from services.newsletter.sending.tables import sends, subscribers
from services.newsletter.web.issue_plan import read_moment, read_zone
from services.newsletter.web.issue_show import PATH, Desk, Writer, found, problem_with
from shared import clock
from shared.approval.rules import ApprovalError
from shared.approval.web import Refusal
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Transaction
from shared.events.codes import Role
from shared.vault import SealError, Vault
from shared.wall_clock import Planned
from shared.web.request_state import cause_of

SENDING = PATH + "{issue}/sending"
Watcher = Annotated[Person, Depends(require(Role.DRAFTER, Role.APPROVER, Role.OPERATOR))]
Stopper = Annotated[Person, Depends(require(Role.APPROVER, Role.OPERATOR))]
UNCERTAIN_SHOWN = 200


class Hour(BaseModel):
    """When an issue is to go, as a program says it."""

    model_config = ConfigDict(extra="forbid")

    at: str = Field(description="As the clock on the wall shows it, without an offset.", examples=["2026-12-01T09:00"])
    zone: str = Field(description="IANA name of the zone of that clock.", examples=["Europe/Zurich"])
    valid_hours: int = Field(default=48, ge=1, le=14 * 24, description="For so long after that hour it may leave.")


class Sending:
    """The doors of scheduling and sending."""

    def __init__(self, desk: Desk, vault: Vault) -> None:
        self._desk = desk
        self._vault = vault

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(PATH + "{issue}/schedule", self.schedule, methods=["POST"])
        router.add_api_route(PATH + "{issue}/unschedule", self.unschedule, methods=["POST"])
        router.add_api_route("/newsletter/api/v1/issues/{issue}/schedule", self.schedule_by_program, methods=["POST"])
        router.add_api_route(SENDING, self.show, methods=["GET"])
        router.add_api_route(SENDING + "/hold", self.hold, methods=["POST"])
        router.add_api_route(SENDING + "/resume", self.resume, methods=["POST"])
        router.add_api_route(SENDING + "/end", self.end, methods=["POST"])
        router.add_api_route(SENDING + "/settle/{subscriber}", self.settle, methods=["POST"])
        return router

    async def schedule(
        self,
        request: Request,
        issue: UUID,
        person: Writer,
        sends_at: Annotated[str, Form()] = "",
        zone: Annotated[str, Form()] = "",
        valid_hours: Annotated[str, Form()] = "",
    ) -> Response:
        """Give an approved issue its hour."""
        typed = {"sends_at": sends_at, "zone": zone, "valid_hours": valid_hours}
        try:
            await self._schedule(request, issue, person, read_moment(sends_at), read_zone(zone), _hours(valid_hours))
        except (IssueError, ApprovalError) as error:
            return await self._desk.refuse(request, person, issue, error, **typed)
        return RedirectResponse(f"{PATH}{issue}#plan", status_code=303)

    async def schedule_by_program(self, request: Request, issue: UUID, person: Writer, hour: Annotated[Hour, Body()]) -> dict[str, Any]:
        """Give an approved issue its hour; returns the instant, and what is odd about the time on the wall."""
        try:
            planned = await self._schedule(request, issue, person, read_moment(hour.at), read_zone(hour.zone), hour.valid_hours)
        except (IssueError, ApprovalError) as error:
            raise problem_with(error) from error
        odd = planned.oddity.value if planned.oddity else None
        return {"issue": str(issue), "planned": clock.rfc3339(planned.instant), "oddity": odd}

    async def _schedule(self, request: Request, issue: UUID, person: Person, at: datetime, zone: str, hours: int) -> Planned:
        desk = self._desk
        async with desk.database.transaction() as tx:
            return await scheduling.schedule(tx, desk.thing, issue, at, zone, hours, desk.public_url, by=person, cause=cause_of(request))

    async def unschedule(self, request: Request, issue: UUID, person: Writer) -> Response:
        """Take an issue out of the plan."""
        try:
            async with self._desk.database.transaction() as tx:
                await scheduling.unschedule(tx, self._desk.thing, issue, by=person, cause=cause_of(request))
        except (IssueError, ApprovalError) as error:
            return await self._desk.refuse(request, person, issue, error)
        return RedirectResponse(f"{PATH}{issue}#plan", status_code=303)

    async def show(self, request: Request, issue: UUID, person: Watcher) -> Response:
        """Show how far the sending of an issue has come."""
        return await self._show(request, issue, person)

    async def hold(self, request: Request, issue: UUID, person: Stopper, reason: Annotated[str, Form()] = "") -> Response:
        """Let nothing more of it start."""

        async def act(tx: Transaction) -> None:
            await scheduling.stop(tx, self._desk.thing, issue, reason, by=person, cause=cause_of(request))

        return await self._do(request, issue, person, act, reason)

    async def resume(self, request: Request, issue: UUID, person: Stopper, valid_hours: Annotated[str, Form()] = "") -> Response:
        """Let what is held go on, with a new end of its time."""

        async def act(tx: Transaction) -> None:
            await scheduling.go_on(tx, self._desk.thing, issue, _hours(valid_hours), by=person, cause=cause_of(request))

        return await self._do(request, issue, person, act)

    async def end(self, request: Request, issue: UUID, person: Stopper, reason: Annotated[str, Form()] = "") -> Response:
        """Leave out all who still wait."""

        async def act(tx: Transaction) -> None:
            await scheduling.end(tx, self._desk.thing, issue, reason, by=person, cause=cause_of(request))

        return await self._do(request, issue, person, act, reason)

    async def settle(
        self, request: Request, issue: UUID, subscriber: UUID, person: Stopper, outcome: Annotated[str, Form()] = ""
    ) -> Response:
        """Keep what a person found out of an uncertain copy."""
        if outcome not in {"arrived", "lost"}:
            raise HTTPException(422)
        arrived, address = outcome == "arrived", self._desk.public_url

        async def act(tx: Transaction) -> None:
            cause = cause_of(request)
            await scheduling.settle(tx, self._desk.thing, issue, subscriber, arrived=arrived, public_url=address, by=person, cause=cause)

        return await self._do(request, issue, person, act)

    async def _do(
        self, request: Request, issue: UUID, person: Person, act: Callable[[Transaction], Awaitable[None]], reason: str = ""
    ) -> Response:
        try:
            async with self._desk.database.transaction() as tx:
                await found(tx, issue)
                await act(tx)
                in_plan = (await tx.execute(select(sends.c.issue_id).where(sends.c.issue_id == issue))).first() is not None
        except (IssueError, ApprovalError) as error:
            return await self._show(request, issue, person, self._desk.refusal(request, error, reason))
        return RedirectResponse(f"{PATH}{issue}/sending" if in_plan else f"{PATH}{issue}#plan", status_code=303)

    async def _show(self, request: Request, issue: UUID, person: Person, refused: Refusal | None = None) -> Response:
        async with self._desk.database.transaction() as tx:
            row = await found(tx, issue)
            now = await progress(tx, issue)
            send = (await tx.execute(select(sends).where(sends.c.issue_id == issue))).one_or_none()
            uncertain = [] if send is None else await self._uncertain(tx, issue)
            title = (await tx.execute(select(issues.c.subject).where(issues.c.id == issue))).scalar_one()
        if now is None or send is None:
            raise HTTPException(404)
        return self._desk.pages.render(
            request,
            "newsletter/issue_sending.html",
            refused.status if refused else 200,
            path=PATH,
            issue=row,
            title=title,
            now=now,
            send=send,
            parts=("accepted", "refused", "excluded", "uncertain", "waiting"),
            uncertain=uncertain,
            shown=UNCERTAIN_SHOWN,
            refused=refused,
            may_stop=person.holds(Role.APPROVER, Role.OPERATOR),
            held=send.state == SendState.HELD.value,
            moving=send.state in {SendState.SCHEDULED.value, SendState.SENDING.value},
            at=clock.now(),
        )

    async def _uncertain(self, tx: Transaction, issue: UUID) -> list[dict[str, Any]]:
        rows = (await uncertain_rows(tx, issue))[:UNCERTAIN_SHOWN]
        if not rows:
            return []
        book = await open_book(tx, self._vault)
        asked = select(subscribers.c.id, subscribers.c.address).where(subscribers.c.id.in_([row.subscriber_id for row in rows]))
        sealed = {row.id: bytes(row.address) for row in await tx.execute(asked)}

        def masked(subscriber: UUID) -> str:
            try:
                return mask(book.open(sealed[subscriber])) if sealed.get(subscriber) else ""
            except SealError:
                return ""

        return [
            {"subscriber": row.subscriber_id, "address": masked(row.subscriber_id), "reason": row.reason, "at": row.ended_at}
            for row in rows
        ]


def mask(address: str) -> str:
    """Return an address by which those who know it recognise it, and nobody else learns it: a•••@example.org."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def _hours(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 0 < int(text) <= 14 * 24):
        raise DatesError
    return int(text)
