"""The rule that nobody approves their own work, as plain functions. No I/O.

**Whose work it is.** An item's *hands* are all who ever edited or submitted it, from its first edit on; they only grow. None of them
decides on it. Hands do not fall away with a new submission, because nobody can tell from bytes whose words are left in a text: a rule
that forgot would let two people launder each other's work by submitting it in turn. Who submits counts although they wrote
nothing: they stood up for every act. The machine is no hand: what it drafted has no author until a person submits it, and that
person is one. An edit that leaves every byte as it was is no edit.

**What is decided on.** Exactly what the person saw. They send back the fingerprint that came with the page; where the content has
another by now, nothing is decided and they are told which variants changed. Any change after submission or approval voids it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from shared.actors import Actor
from shared.approval.content import Change, Fingerprint
from shared.events.codes import Role
from shared.events.texts import Text


class State(StrEnum):
    """Where an item stands."""

    DRAFT = "draft"  # nobody has submitted what stands there now
    SUBMITTED = "submitted"  # awaits another person
    CHANGES_REQUESTED = "changes_requested"  # another person wants it otherwise; stays so until it is submitted again
    APPROVED = "approved"  # may leave, as it was approved
    REJECTED = "rejected"  # another person said no; only an edit by a person opens it again
    WITHDRAWN = "withdrawn"  # taken back by the team, or because its source no longer stands
    EXPIRED = "expired"  # its time passed before it left


class Action(StrEnum):
    """What a person may do to an item. The value is the `what` of `decision.made.v1`."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REQUEST_CHANGES = "request-changes"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    BREAK_GLASS = "break-glass"  # approves alone, their own work even; needs a reason, and all approvers are told


VOID = "void"  # what an edit does to a submission or approval
EXPIRE = "expire"
ACKNOWLEDGE = "acknowledge"  # another approver has seen that glass was broken

_OPEN = frozenset({State.DRAFT, State.CHANGES_REQUESTED, State.EXPIRED, State.WITHDRAWN})
_AWAITS = frozenset({State.SUBMITTED})

FROM: Mapping[Action, frozenset[State]] = {
    Action.SUBMIT: _OPEN,
    Action.APPROVE: _AWAITS,
    Action.REQUEST_CHANGES: _AWAITS,
    Action.REJECT: _AWAITS,
    Action.WITHDRAW: frozenset({State.DRAFT, State.SUBMITTED, State.CHANGES_REQUESTED, State.APPROVED, State.EXPIRED}),
    Action.BREAK_GLASS: frozenset({State.DRAFT, State.SUBMITTED, State.CHANGES_REQUESTED, State.EXPIRED}),
}
"""The states in which each action can be taken."""

TO: Mapping[Action, State] = {
    Action.SUBMIT: State.SUBMITTED,
    Action.APPROVE: State.APPROVED,
    Action.REQUEST_CHANGES: State.CHANGES_REQUESTED,
    Action.REJECT: State.REJECTED,
    Action.WITHDRAW: State.WITHDRAWN,
    Action.BREAK_GLASS: State.APPROVED,
}

ROLES: Mapping[Action, tuple[Role, ...]] = {
    Action.SUBMIT: (Role.DRAFTER,),
    Action.APPROVE: (Role.APPROVER,),
    Action.REQUEST_CHANGES: (Role.APPROVER,),
    Action.REJECT: (Role.APPROVER,),
    Action.WITHDRAW: (Role.DRAFTER, Role.APPROVER),  # to stop something is safe, so more may
    Action.BREAK_GLASS: (Role.APPROVER,),
}
"""Who may: one of these roles is enough. An admin manages people and approves nothing."""

BY_ANOTHER = frozenset({Action.APPROVE, Action.REQUEST_CHANGES, Action.REJECT})
"""Decisions that need a person who had no hand in it."""
WITH_REASON = frozenset({Action.REQUEST_CHANGES, Action.REJECT, Action.BREAK_GLASS})
FOR_LEAVING = frozenset({Action.SUBMIT, Action.APPROVE, Action.BREAK_GLASS})
"""What makes no sense once the time to leave has passed."""
EDITORS = (Role.DRAFTER,)
VOIDABLE = frozenset({State.SUBMITTED, State.APPROVED})
_CLOSED = frozenset({State.REJECTED, State.WITHDRAWN, State.EXPIRED})

_TEXT: TypeAdapter[str] = TypeAdapter(Text)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where an item stands, and what a decision on it depends on."""

    state: State = State.DRAFT
    fingerprint: Fingerprint | None = None  # of the content at the last edit, submission or decision; None before the first
    hands: frozenset[str] = frozenset()  # ids of all who edited or submitted it
    broke_glass: bool = False  # whether one person approved it alone; False in every other state
    expires_at: datetime | None = None  # when a submission or approval ends by itself; None where it does not
    steps: int = 0  # how many led here

    @property
    def approved(self) -> Fingerprint | None:
        """What may leave; None unless it is approved."""
        return self.fingerprint if self.state is State.APPROVED else None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was done to an item; kept for ever."""

    number: int  # counted from 1 within the item
    what: str  # an Action, or `void`, `expire`, `acknowledge`
    who: str | None  # id of the person; None for the machine
    state: State  # in which it left the item
    fingerprint: Fingerprint | None  # of the content that it was about
    reason: str | None
    at: datetime


class ApprovalError(Exception):
    """What was asked for breaks the rule of approvals, so nothing happened."""

    slug: ClassVar[str] = "approval"  # for programs, and the last part of the keys of its sentences
    status: ClassVar[int] = 409
    says: ClassVar[tuple[str, ...]] = ()  # names of the facts that fill its sentence

    def __init__(self, message: str | None = None, **facts: Any) -> None:
        super().__init__(message or self.__doc__)
        self.facts = facts  # for programs; nothing secret


class UnknownItemError(ApprovalError):
    """There is no such item; it may have been removed. Go back to the list."""

    slug = "approval-unknown"
    status = 404


class RoleNeededError(ApprovalError):
    """This takes a role that the person does not have; ask someone who has it, or an admin for the role."""

    slug = "approval-role-needed"
    status = 403

    def __init__(self, roles: tuple[Role, ...]) -> None:
        super().__init__(roles=[role.value for role in roles])
        self.roles = roles


class OwnWorkError(ApprovalError):
    """The person wrote, edited or submitted this themselves; another approver has to decide on it."""

    slug = "approval-own-work"
    status = 403


class ReasonNeededError(ApprovalError):
    """This needs a reason, in words that others will read; write it and send again."""

    slug = "approval-reason-needed"
    status = 422


class SeenNeededError(ApprovalError):
    """The fingerprint of what the person saw is missing; send the one that came with the item."""

    slug = "approval-seen-needed"
    status = 422


class NotSubmittedError(ApprovalError):
    """Nobody has submitted what stands there now, so there is nothing to decide on."""

    slug = "approval-not-submitted"


class ContentChangedError(ApprovalError):
    """The content changed while the person read it; nothing was decided. Read what changed, then decide on what stands there now."""

    slug = "approval-content-changed"

    def __init__(self, changes: tuple[Change, ...], now: Fingerprint) -> None:
        named = ", ".join(f"{change.variant} ({change.how})" for change in changes)
        super().__init__(f"{self.__doc__} Changed: {named}.", changes={change.variant: change.how.value for change in changes})
        self.changes = changes
        self.now = now


class AlreadyDecidedError(ApprovalError):
    """Somebody was quicker: the item no longer stands where this could be done."""

    slug = "approval-already-decided"

    def __init__(self, state: State, latest: Step) -> None:
        message = f"{self.__doc__} It is {state.value}: {latest.who or 'the machine'} did {latest.what} at {latest.at.isoformat()}."
        super().__init__(message, state=state.value, who=latest.who, what=latest.what, at=latest.at.isoformat())
        self.state = state
        self.latest = latest


class TooLateError(ApprovalError):
    """The time for this to leave has passed; give it a later one, then submit it again."""

    slug = "approval-too-late"


@dataclass(frozen=True, kw_only=True)
class Act:
    """What a person does to an item."""

    action: Action
    by: Actor
    seen: Fingerprint | None  # of what they read; None is enough to withdraw
    reason: str | None = None


def decide(standing: Standing, act: Act, *, now: Fingerprint, at: datetime, latest: Step | None) -> tuple[Standing, str | None]:
    """Return where `act` brings an item whose content has the fingerprint `now`, and the reason as it is kept.

    `at` is the moment of it, `latest` the last step taken, None before the first. Raises RoleNeededError, NotSubmittedError,
    AlreadyDecidedError, OwnWorkError, TooLateError, ReasonNeededError, SeenNeededError or ContentChangedError, in this order.
    """
    if refusal := refused(standing, act.action, act.by, latest):
        raise refusal
    if act.action in FOR_LEAVING and standing.expires_at is not None and standing.expires_at <= at:
        raise TooLateError()
    reason = _reason(act)
    _check_seen(standing, act, now)
    return (
        replace(
            standing,
            state=TO[act.action],
            # Who withdraws need not have read it: what was submitted stays what the withdrawal is about.
            fingerprint=standing.fingerprint if act.action is Action.WITHDRAW else now,
            hands=standing.hands | {act.by.id} if act.action is Action.SUBMIT else standing.hands,
            broke_glass=act.action is Action.BREAK_GLASS,
            steps=standing.steps + 1,
        ),
        reason,
    )


def refused(standing: Standing, action: Action, by: Actor, latest: Step | None = None) -> ApprovalError | None:
    """Return why a person cannot take an action, whatever the content; None where they can. Pages ask it before they offer one."""
    if not by.holds(*ROLES[action]):
        return RoleNeededError(ROLES[action])
    if standing.state not in FROM[action]:
        if standing.state is State.DRAFT or latest is None:
            return NotSubmittedError()
        return AlreadyDecidedError(standing.state, latest)
    if action in BY_ANOTHER and by.id in standing.hands:
        return OwnWorkError()
    return None


def _check_seen(standing: Standing, act: Act, now: Fingerprint) -> None:
    if act.action is Action.WITHDRAW:
        return
    if act.seen is None:
        raise SeenNeededError()
    if changes := act.seen.changes_to(now):
        raise ContentChangedError(changes, now)
    # Something changed the content without saying so. What was submitted is not what is there, whatever the person saw.
    submitted = standing.fingerprint if standing.state is State.SUBMITTED else None
    if submitted is not None and act.action in BY_ANOTHER and (changes := submitted.changes_to(now)):
        raise ContentChangedError(changes, now)


def edit(standing: Standing, *, by: Actor | None, now: Fingerprint, wrote: bool = False) -> tuple[Standing, bool]:
    """Return where an edit by a person, or by the machine (None), brings an item, and whether it voided a submission or approval.

    `wrote` says that words were written even where nothing that would go out is another: they may come in later, by somebody else, and
    must then not be approved by who wrote them. Raises RoleNeededError for a person who may not edit.
    """
    if by is not None and not by.holds(*EDITORS):
        raise RoleNeededError(EDITORS)
    if now == standing.fingerprint:
        return (replace(standing, hands=standing.hands | {by.id}) if wrote and by is not None else standing), False
    voided = standing.state in VOIDABLE
    state = standing.state
    # The machine corrects what it drafted; it does not bring back what people have ended.
    if voided or (by is not None and state in _CLOSED):
        state = State.DRAFT
    return (
        replace(
            standing,
            state=state,
            fingerprint=now,
            hands=standing.hands if by is None else standing.hands | {by.id},
            broke_glass=False,
            steps=standing.steps + 1 if voided else standing.steps,
        ),
        voided,
    )


def expire(standing: Standing, *, at: datetime) -> Standing | None:
    """Return where the passing of its time brings an item, or None where nothing ends at that moment."""
    if standing.state not in VOIDABLE or standing.expires_at is None or standing.expires_at > at:
        return None
    return replace(standing, state=State.EXPIRED, broke_glass=False, steps=standing.steps + 1)


def withdraw(standing: Standing) -> Standing | None:
    """Return where the end of its source brings an item, or None where it is over already."""
    if standing.state not in FROM[Action.WITHDRAW]:
        return None
    return replace(standing, state=State.WITHDRAWN, broke_glass=False, steps=standing.steps + 1)


def _reason(act: Act) -> str | None:
    try:
        return _TEXT.validate_python(act.reason or "")
    except ValidationError as error:
        if act.reason is not None and act.reason.strip():
            raise ReasonNeededError(f"This reason cannot be kept: {error.errors()[0]['msg']}") from error
    if act.action in WITH_REASON:
        raise ReasonNeededError()
    return None
