"""Desk's side of the kill switch: what was said, and which senders have confirmed it; as functions on a transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Integer, Row, Table, Text, select
from sqlalchemy.dialects.postgresql import insert

from shared import clock, outbox
from shared.actors import Actor
from shared.db import Transaction, metadata
from shared.events.codes import SenderState, Service
from shared.events.desk import SendingPaused, SendingResumed
from shared.events.every import SendingConfirmed
from shared.listening import Listener, Received, each
from shared.pauses.saying import PauseError, check_word, decision_of
from shared.pauses.scopes import ALL, concerns, covering, scopes_of
from shared.trace import Cause

TABLES = metadata()
SENDERS = (Service.NEWSLETTER, Service.SOCIAL)
SCOPES = (ALL, *(scope for sender in SENDERS for scope in scopes_of(sender)))
"""Everything that can be paused, widest first."""

switches = Table(
    "switches",
    TABLES,
    Column("scope", Text, primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", DateTime(timezone=True)),
    Column("by", Text, nullable=False),  # id of the person
    Column("since", DateTime(timezone=True), nullable=False),
    Column("revision", Integer, nullable=False),  # of the event told last
)
confirmations = Table(
    "confirmations",
    TABLES,
    Column("sender", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
)


class UnknownScopeError(PauseError):
    """There is no such scope; write `all`, `newsletter`, `social` or a network such as `social/x`."""

    slug = "pause-unknown-scope"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """A sender's word on a scope."""

    state: SenderState
    since: datetime
    waiting: int  # mails or posts
    told_at: datetime


@dataclass(frozen=True, kw_only=True)
class Switch:
    """What was said last about a scope, and what each sender that it concerns has answered."""

    scope: str
    paused: bool  # as said; one whose end has passed is over
    reason: str
    until: datetime | None
    by: str
    since: datetime
    answers: Mapping[Service, Confirmation | None]  # None while the sender has said nothing since

    @property
    def over(self) -> bool:
        """Whether this is a pause whose end has passed."""
        return self.paused and self.until is not None and self.until <= clock.now()

    @property
    def unanswered(self) -> tuple[Service, ...]:
        """The senders that have not confirmed: their own page has a button for when no event reaches them."""
        return tuple(sender for sender, answer in self.answers.items() if answer is None)


async def throw(tx: Transaction, scope: str, *, paused: bool, by: Actor, reason: str, until: datetime | None = None, cause: Cause) -> None:
    """Pause a scope, or let it go on, and tell senders and audit trail; saying the same again replaces reason and end.

    Raises UnknownScopeError, MayNotPauseError, ReasonNeededError, EndInThePastError.
    """
    if scope not in SCOPES:
        raise UnknownScopeError()
    reason = check_word(by, reason, until)
    values = {"paused": paused, "reason": reason, "until": until if paused else None, "by": by.id, "since": clock.now()}
    new = insert(switches).values(scope=scope, revision=1, **values)
    kept = await tx.execute(
        new.on_conflict_do_update(index_elements=["scope"], set_=values | {"revision": switches.c.revision + 1}).returning(
            switches.c.revision
        )
    )
    told = (
        SendingPaused(scope=scope, reason=reason, until=until, by=by.id) if paused else SendingResumed(scope=scope, reason=reason, by=by.id)
    )
    await outbox.put(tx, told, subject=scope, cause=cause, revision=kept.scalar_one())
    await outbox.put(tx, decision_of(by, "pause" if paused else "resume", reason), subject=scope, cause=cause)


async def overview(tx: Transaction) -> Sequence[Switch]:
    """Return every scope of which something was said, latest first, with the answers that came since."""
    answers = {(row.sender, row.scope): row for row in await tx.execute(select(confirmations))}
    rows = await tx.execute(select(switches).order_by(switches.c.since.desc(), switches.c.scope))
    return [_switch(row, answers) for row in rows]


async def paused_by_hand(tx: Transaction) -> Sequence[tuple[Service, str, Confirmation]]:
    """Return sender, scope and answer of what senders hold back without a word of desk on it, or on anything wider that is paused."""
    said = await overview(tx)
    spoken, in_force = {one.scope for one in said}, {one.scope for one in said if one.paused and not one.over}
    held = confirmations.c.state == SenderState.PAUSED.value
    rows = await tx.execute(select(confirmations).where(held).order_by(confirmations.c.since.desc(), confirmations.c.scope))
    return [
        (Service(row.sender), row.scope, _confirmation(row))
        for row in rows
        if row.scope not in spoken and in_force.isdisjoint(covering(row.scope))
    ]


def listener() -> Listener:
    """Return how desk takes `sending.confirmed.v1`: the latest word of each sender on each scope is kept."""

    async def keep(tx: Transaction, event: Received[SendingConfirmed]) -> None:
        told = event.data
        if told.sender is None:
            return  # from before senders named themselves
        values = {"state": told.state.value, "since": told.since, "waiting": told.waiting, "told_at": event.time}
        new = insert(confirmations).values(sender=told.sender.value, scope=told.scope, **values)
        await tx.execute(
            new.on_conflict_do_update(
                index_elements=["sender", "scope"], set_=values, where=confirmations.c.told_at <= new.excluded.told_at
            )
        )

    return each(SendingConfirmed, keep)


def _switch(row: Row[Any], answers: Mapping[tuple[str, str], Row[Any]]) -> Switch:
    found: dict[Service, Confirmation | None] = {}
    for sender in SENDERS:
        if not concerns(sender, row.scope):
            continue
        answer = answers.get((sender.value, row.scope))
        # One from before the switch was thrown answers an earlier word. All services read one clock of one machine or of NTP.
        fresh = answer is not None and answer.told_at >= row.since
        found[sender] = _confirmation(answer) if answer is not None and fresh else None
    return Switch(scope=row.scope, paused=row.paused, reason=row.reason, until=row.until, by=row.by, since=row.since, answers=found)


def _confirmation(row: Row[Any]) -> Confirmation:
    return Confirmation(state=SenderState(row.state), since=row.since, waiting=row.waiting, told_at=row.told_at)
