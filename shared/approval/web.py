"""The door that all things share which need two persons: a decision by the form of a page or by a program, and why it was refused.

Who decides is who the request's token says. A service gives the page of its item and what follows from a decision.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from shared import clock, tasks
from shared.actors import Actor
from shared.approval import deciding, people, store
from shared.approval.content import ContentError
from shared.approval.deciding import Decided
from shared.approval.rules import Action, ApprovalError, Standing, State, Step, UnknownItemError
from shared.approval.things import Matter, Thing
from shared.approval.view import VariantChange, View, act_from_form, changes_between, problem_of, sentence_of, view_of
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.trace import Cause
from shared.web.request_state import cause_of

DECIDERS = (Role.DRAFTER, Role.APPROVER)
Decider = Annotated[Person, Depends(require(*DECIDERS))]


class NothingToApproveError(ApprovalError):
    """What stands there cannot be approved as it is, since it has no content in any language; write it first."""

    slug = "approval-nothing"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a person's act came to nothing, for the notice of the page; `reason` is what they wrote, to be shown again."""

    status: int
    key: str
    params: Mapping[str, Any]
    reason: str = ""


class After(Protocol):
    """What follows from a decision in its transaction: to schedule, to tell, to cancel. An ApprovalError refuses the decision."""

    def __call__(self, tx: Transaction, item: UUID, decided: Decided, *, cause: Cause) -> Awaitable[None]: ...


class Show(Protocol):
    """Gives the page of an item to a person, with the notice of `refusal` and its status."""

    def __call__(self, request: Request, person: Person, item: UUID, refusal: Refusal) -> Awaitable[Response]: ...


@dataclass(frozen=True, kw_only=True)
class Looked:
    """An item as its page shows it to one person."""

    matter: Matter
    view: View
    changes: Sequence[VariantChange]  # since it was last submitted or approved


class Wanted(BaseModel):
    """A decision as a program sends it."""

    model_config = ConfigDict(extra="forbid")

    action: str = Field(description=f"What to do: {', '.join(Action)}.", examples=["approve"])
    seen: str = Field(default="", description="The `seen` that came with the item: it says what was read. Withdrawing needs none.")
    reason: str = Field(default="", description="In words that others will read.", max_length=10_000)


async def no_more(tx: Transaction, item: UUID, decided: Decided, *, cause: Cause) -> None:
    """Follow no decision with anything."""
    del tx, item, decided, cause


async def look_at(tx: Transaction, thing: Thing, item: UUID, by: Actor) -> Looked | None:
    """Return an item as its page shows it to a person, or None where there is none; raises ContentError."""
    matter = await thing.read(tx, item)
    if matter is None:
        return None
    standing = replace(await store.find(tx, thing.about, item), expires_at=matter.expires_at)
    steps = await store.history(tx, thing.about, item)
    view = view_of(standing, steps, matter.content, by, await people.names_in(tx, steps, *standing.hands))
    asked = await tasks.open_tasks(tx, str(item))
    broke = next((step.who for step in reversed(steps) if step.what == Action.BREAK_GLASS), None)
    may_look = by.holds(Role.APPROVER) and by.id != broke and any(task.kind == thing.asks_to_look for task in asked)
    return Looked(matter=matter, view=replace(view, may_look=may_look), changes=await _changes(tx, steps, matter))


async def _changes(tx: Transaction, steps: Sequence[Step], matter: Matter) -> Sequence[VariantChange]:
    """Return what is not as it was when it was last submitted or approved: what an approver has read then, and need not read again."""
    for step in reversed(steps):
        if step.state in {State.SUBMITTED, State.APPROVED} and step.fingerprint is not None:
            before = await store.contents(tx, step.fingerprint)
            return changes_between(before, matter.content) if before else ()
    return ()


@dataclass(frozen=True, kw_only=True)
class _Door:
    """A thing and what its service does about it."""

    thing: Thing
    database: Database
    show: Show
    after: After

    async def decide(self, person: Person, item: UUID, wanted: Wanted, cause: Cause) -> Decided:
        """Return what became of the item; raises ApprovalErrors, and nothing has happened then."""
        act = act_from_form(person, action=wanted.action, seen=wanted.seen, reason=wanted.reason)
        try:
            async with self.database.transaction() as tx:
                decided = await deciding.decide(tx, self.thing, item, act, cause=cause)
                await self.after(tx, item, decided, cause=cause)
                return decided
        except ContentError as error:
            raise NothingToApproveError(str(error)) from error

    async def refuse(self, request: Request, person: Person, item: UUID, error: ApprovalError, reason: str = "") -> Response:
        """Return the page of the item with the reason why not."""
        if isinstance(error, UnknownItemError):
            raise problem_of(error, {}) from error
        key, params = sentence_of(error, await self.names(item))
        return await self.show(request, person, item, Refusal(status=error.status, key=key, params=params, reason=reason))

    async def names(self, item: UUID) -> Mapping[str, str]:
        """Return the names of all who did something to the item."""
        async with self.database.transaction() as tx:
            return await people.names_in(tx, await store.history(tx, self.thing.about, item))


def decisions_of(thing: Thing, database: Database, *, service: str, things: str, show: Show, after: After = no_more) -> APIRouter:
    """Return the addresses by which people and programs decide on a thing.

    `/{service}/{things}/{item}/decisions` takes the form of the macro `decide`, `/{service}/{things}/{item}/acknowledge` the button of
    `look`; both lead back to `/{service}/{things}/{item}`. `/{service}/api/v1/{things}/{item}/decisions` is the same for programs.
    """
    router = APIRouter()
    door = _Door(thing=thing, database=database, show=show, after=after)
    _add_pages(router, door, f"/{service}/{things}/{{item}}")
    _add_programs(router, door, f"/{service}/api/v1/{things}/{{item}}/decisions", things)
    return router


def _add_pages(router: APIRouter, door: _Door, page: str) -> None:
    @router.post(page + "/decisions", include_in_schema=False)
    async def decide(
        request: Request,
        person: Decider,
        item: UUID,
        action: Annotated[str, Form()] = "",
        seen: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
    ) -> Response:
        """Carry out what a person has pressed."""
        try:
            await door.decide(person, item, Wanted.model_construct(action=action, seen=seen, reason=reason), cause_of(request))
        except ApprovalError as error:
            return await door.refuse(request, person, item, error, reason)
        return RedirectResponse(page.format(item=item), status_code=303)

    @router.post(page + "/acknowledge", include_in_schema=False)
    async def acknowledge(request: Request, person: Decider, item: UUID) -> Response:
        """Keep that another approver has looked at what one approved alone; a second press changes nothing."""
        try:
            async with door.database.transaction() as tx:
                await deciding.acknowledge(tx, door.thing, item, by=person, cause=cause_of(request))
        except ApprovalError as error:
            return await door.refuse(request, person, item, error)
        return RedirectResponse(page.format(item=item), status_code=303)


def _add_programs(router: APIRouter, door: _Door, address: str, things: str) -> None:
    @router.get(address, summary="Where an item stands, what you may do, and every step that led there", tags=[things])
    async def read(person: Decider, item: UUID) -> dict[str, Any]:
        """Return it with the `seen` that a decision sends back."""
        async with door.database.transaction() as tx:
            looked = await look_at(tx, door.thing, item, person)
        if looked is None:
            raise problem_of(UnknownItemError(), {})
        return {
            **_standing(item, looked.view.standing),
            "seen": looked.view.seen,
            "offered": [action.value for action in looked.view.offered],
            "steps": [_step(step) for step in looked.view.history],
        }

    @router.post(address, summary="Decide on an item", tags=[things])
    async def decide(request: Request, person: Decider, item: UUID, wanted: Annotated[Wanted, Body()]) -> dict[str, Any]:
        """Return where the decision has brought the item; a refusal names its rule by the last part of `type`."""
        try:
            decided = await door.decide(person, item, wanted, cause_of(request))
        except ApprovalError as error:
            raise problem_of(error, await door.names(item)) from error
        return {**_standing(item, decided.standing), "step": _step(decided.step)}


def _standing(item: UUID, standing: Standing) -> dict[str, Any]:
    return {"item": str(item), "state": standing.state.value, "broke_glass": standing.broke_glass}


def _step(step: Step) -> dict[str, Any]:
    return {
        "number": step.number,
        "what": step.what,
        "who": step.who,
        "state": step.state.value,
        "hash": step.fingerprint.whole if step.fingerprint else None,
        "reason": step.reason,
        "at": clock.rfc3339(step.at),
    }
