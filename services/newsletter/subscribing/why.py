"""Why somebody did or did not get an issue: found in subscribers, audience, attempts, pauses and receipts, said in plain sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from services.newsletter.sending.rules import AudienceState, SendState, SubscriberState
from services.newsletter.sending.tables import attempts, audience, sends, slow_ways, subscribers
from services.newsletter.subscribing.rules import Standing
from services.newsletter.subscribing.subscribers import history, standing
from shared import clock, i18n
from shared.db import Transaction
from shared.events.codes import Service
from shared.pauses import store as pauses
from shared.pauses.store import Pause


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of one subscriber and one issue."""

    subscriber: Row[Any] | None
    standing: Standing | None
    receipts: Sequence[Row[Any]]  # latest first
    send: Row[Any] | None  # None for an issue that is not to be sent
    row: Row[Any] | None  # of the audience
    attempts: Sequence[Row[Any]]  # oldest first
    pause: Pause | None  # in force now
    slow: Row[Any] | None  # the way of their domain, or of everything, that rests now


@dataclass(frozen=True, kw_only=True)
class Said:
    """One sentence: a key of the catalogue and what fills it. Moments are filled in by whoever knows the zone."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


async def facts(tx: Transaction, subscriber_id: UUID | None, issue_id: UUID) -> Facts:
    """Return what is known; None stands for an address that is no subscriber's."""
    found = None
    if subscriber_id is not None:
        found = (await tx.execute(select(subscribers).where(subscribers.c.id == subscriber_id))).one_or_none()
    send = (await tx.execute(select(sends).where(sends.c.issue_id == issue_id))).one_or_none()
    row, tried, slow = None, [], None
    if subscriber_id is not None:
        mine = (audience.c.issue_id == issue_id) & (audience.c.subscriber_id == subscriber_id)
        row = (await tx.execute(select(audience).where(mine))).one_or_none()
        theirs = (attempts.c.issue_id == issue_id) & (attempts.c.subscriber_id == subscriber_id)
        tried = list((await tx.execute(select(attempts).where(theirs).order_by(attempts.c.epoch, attempts.c.at))).all())
    if row is not None:
        resting = slow_ways.c.way.in_([row.domain, "*"]) & (slow_ways.c.until > clock.now())
        slow = (await tx.execute(select(slow_ways).where(resting).order_by(slow_ways.c.until.desc()).limit(1))).one_or_none()
    return Facts(
        subscriber=found,
        standing=standing(found),
        receipts=await history(tx, found.id) if found is not None else [],
        send=send,
        row=row,
        attempts=tried,
        pause=await pauses.find(tx, Service.NEWSLETTER.value),
        slow=slow,
    )


def explain(known: Facts) -> Sequence[Said]:
    """Return the answer first, then what it follows from, in the order of events."""
    if known.subscriber is None and known.row is None:
        return [Said(key="staff.why.nobody")]
    said = [_answer(known)]
    if known.row is not None and known.row.state in _WAITING:
        said += _what_holds(known)
    said += [_attempt(each) for each in known.attempts]
    if known.standing is not None:
        said.append(_stands(known.standing))
    return said


_WAITING = {AudienceState.PLANNED.value, AudienceState.CLAIMED.value, AudienceState.STARTED.value, AudienceState.DEFERRED.value}


def _answer(known: Facts) -> Said:
    send, row = known.send, known.row
    if send is None:
        return Said(key="staff.why.no-send")
    if row is None:
        if send.frozen_at is None:
            return Said(key=f"staff.why.send.{send.state}", params={"moment": send.starts_at})
        return Said(key="staff.why.not-in-audience", params={"moment": send.frozen_at})
    moment = {"moment": row.ended_at or (send.frozen_at if row.state == AudienceState.EXCLUDED.value else row.next_at)}
    match AudienceState(row.state):
        case AudienceState.EXCLUDED:
            key = f"staff.why.excluded.{row.reason}"
        case AudienceState.REFUSED:
            key = f"staff.why.refused.{row.reason}"
        case AudienceState.UNCERTAIN:
            key = f"staff.why.uncertain.{row.reason}"
        case state:
            key = f"staff.why.{state.value}"
    return Said(key=key, params=moment)


def _what_holds(known: Facts) -> list[Said]:
    """Return why a copy that waits has not gone yet, as far as it is known."""
    said = []
    assert known.send is not None
    if known.send.state == SendState.HELD.value:
        said.append(Said(key=f"staff.why.held.{known.send.held_because}"))
    if known.pause is not None:
        said.append(Said(key="staff.why.pause", params={"moment": known.pause.since, "reason": known.pause.reason}))
    if known.slow is not None:
        said.append(Said(key="staff.why.slow", params={"moment": known.slow.until, "reply": known.slow.because}))
    return said


def _attempt(row: Row[Any]) -> Said:
    params = {"moment": row.at, "phase": row.phase, "reply": f"{row.code or ''} {row.reply}".strip(), "queue": row.queue_id or "–"}
    return Said(key=f"staff.why.attempt.{row.outcome}", params=params)


def _stands(now: Standing) -> Said:
    if now.is_paused(clock.now()):
        return Said(key="staff.why.now.paused", params={"moment": now.paused_until})
    if now.state is SubscriberState.SUPPRESSED:
        return Said(key=f"staff.why.now.{now.because.value if now.because else 'request'}")
    return Said(key=f"staff.why.now.{now.state.value}")


async def issues_of(tx: Transaction, subscriber_id: UUID, limit: int) -> Sequence[UUID]:
    """Return the issues whose audience somebody was in, latest first."""
    asked = select(sends.c.issue_id).join(audience, audience.c.issue_id == sends.c.issue_id)
    asked = asked.where(audience.c.subscriber_id == subscriber_id).order_by(sends.c.starts_at.desc()).limit(limit)
    return (await tx.execute(asked)).scalars().all()


def in_words(language: str, zone: str, said: Said) -> str:
    """Return a sentence, its moments as people read them."""
    params: dict[str, Any] = {
        name: i18n.moment(value, language, zone) if isinstance(value, datetime) else value for name, value in said.params.items()
    }
    return i18n.translate(language, said.key, **params)
