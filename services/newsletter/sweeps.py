"""What is stuck in the newsletter: issues that are not cut, begun or ended, or of which nobody is asked; plans without approval; copies."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Text, and_, cast, func, or_, select

from services.newsletter.issues import cutting, scheduling
from services.newsletter.issues.holding import FINISH, SCHEDULE
from services.newsletter.issues.matter import thing_of
from services.newsletter.issues.tables import issues as issue_rows
from services.newsletter.issues.telling import moved
from services.newsletter.sending import issues, ledger
from services.newsletter.sending.pausing import SENDER, may_send
from services.newsletter.sending.rules import ABOUT, AudienceState, Hold, SendState
from services.newsletter.sending.tables import audience, senders, sends, slow_ways
from services.newsletter.subscribing.rules import WishState
from services.newsletter.subscribing.tables import wishes
from shared import clock, tasks
from shared.approval import store as approvals
from shared.approval import sweeping
from shared.approval.rules import State
from shared.db import Transaction
from shared.events.codes import TaskEnd
from shared.mail.queue import store as mails
from shared.pauses import ending
from shared.sweeps import LATE, MOST, TELLS, VERY_LATE, Mend, Promise, Stuck, Sweep, before, rows
from shared.task_sweeps import left_open, listens, not_asked
from shared.trace import Cause

# Senders see each other die within seconds.
DEAD = LATE

_of_issue = audience.c.issue_id == sends.c.issue_id
_sending = sends.c.state == SendState.SENDING.value
_in = audience.c.state.in_
_IN_HAND = (AudienceState.CLAIMED.value, AudienceState.STARTED.value)
_DUE = (AudienceState.PLANNED.value, AudienceState.DEFERRED.value)

_NOT_BEGUN = rows(
    select(sends.c.issue_id.label("id"), sends.c.starts_at.label("since")).where(
        sends.c.state == SendState.SCHEDULED.value,
        sends.c.starts_at < before(LATE),
        or_(sends.c.waits_until.is_(None), sends.c.waits_until < before(LATE)),
    ),
    "not-begun",
)
_NOT_ENDED = rows(
    select(sends.c.issue_id.label("id"), sends.c.frozen_at.label("since")).where(
        _sending,
        sends.c.frozen_at < before(LATE),
        ~select(audience.c.issue_id).where(_of_issue, _in([*_DUE, *_IN_HAND])).exists(),
        # A sender closes it within seconds of the last copy.
        ~select(audience.c.issue_id).where(_of_issue, audience.c.ended_at > before(LATE)).exists(),
    ),
    "not-ended",
)
# Senders take over from each other within seconds; where none lives, nobody does.
_IN_DEAD_HANDS = (
    select(audience.c.issue_id.label("id"), func.min(senders.c.seen_at).label("since"))
    .join(senders, senders.c.id == audience.c.sender)
    .where(_in(_IN_HAND), senders.c.seen_at < before(DEAD))
    .group_by(audience.c.issue_id)
)
_DEAD_HANDS = rows(_IN_DEAD_HANDS, "dead-hands")
_MISSING = (
    select(sends.c.issue_id.label("id"), sends.c.frozen_at.label("since"))
    .where(or_(sends.c.finished_at.is_(None), sends.c.finished_at > before(288 * LATE)), sends.c.frozen_at.is_not(None))
    .where(sends.c.audience != select(func.count()).select_from(audience).where(_of_issue).scalar_subquery())
)
_NOT_ANSWERED = rows(
    select(wishes.c.id, wishes.c.asked_at.label("since"))
    .where(wishes.c.state == WishState.ASKED.value, wishes.c.asked_at < before(VERY_LATE), wishes.c.until > func.now())
    .order_by(wishes.c.asked_at),
    "not-written",
)

_standing = approvals.approvals.c
_here = (_standing.about == ABOUT) & (_standing.item == issue_rows.c.id)
_is_cut = issue_rows.c.cut_at.is_not(None)
# Before the first decision on it; afterwards where its approval stands says what is asked.
_is_written = _is_cut & ~select(_standing.item).where(_here, _standing.steps > 0).exists()
_has_no_hour = (
    _is_cut
    & select(_standing.item).where(_here, _standing.state == State.APPROVED.value).exists()
    & ~select(sends.c.issue_id).where(sends.c.issue_id == issue_rows.c.id).exists()
)


async def _void(tx: Transaction) -> Sequence[Stuck]:
    """Return plans that are not what is approved; the sender would hold them at their hour, when nobody is left to ask."""
    query = select(sends.c.issue_id, sends.c.approved_hash, sends.c.created_at).where(sends.c.state == SendState.SCHEDULED.value)
    found = []
    for row in (await tx.execute(query.limit(MOST))).all():
        approved = (await approvals.find(tx, ABOUT, row.issue_id)).approved
        if approved is None or approved.whole != row.approved_hash:
            found.append(Stuck(id=str(row.issue_id), why="void", since=row.created_at))
    return found


async def _hold(tx: Transaction, one: Stuck) -> bool:
    """Hold one plan; a task then asks people."""
    issue = UUID(one.id)
    standing = await approvals.find(tx, ABOUT, issue, share=True)
    query = select(sends.c.approved_hash).where(sends.c.issue_id == issue, sends.c.state == SendState.SCHEDULED.value)
    planned = (await tx.execute(query.with_for_update())).scalar_one_or_none()
    if planned is None or (standing.approved is not None and standing.approved.whole == planned):
        return False
    return await issues.hold(tx, issue, Hold.APPROVAL)


async def _copies_wait(tx: Transaction) -> Sequence[Stuck]:
    """Return issues of which copies are due and not taken, but for those that wait on purpose."""
    if not await may_send(tx):
        return ()
    rests = select(slow_ways.c.way).where(slow_ways.c.way.in_([audience.c.domain, ledger.EVERYTHING]), slow_ways.c.until > func.now())
    query = (
        select(audience.c.issue_id, func.min(audience.c.next_at).label("since"))
        .join(sends, and_(_of_issue, _sending, sends.c.expires_at > func.now()))
        .where(_in(_DUE), audience.c.next_at < before(VERY_LATE), ~rests.exists())
        .group_by(audience.c.issue_id)
    )
    # While copies leave, the last of many wait their turn.
    leaves = select(audience.c.issue_id).where(audience.c.ended_at > before(LATE), audience.c.issue_id == sends.c.issue_id)
    found = await tx.execute(query.where(~leaves.correlate(sends).exists()))
    return [Stuck(id=str(row.issue_id), why="copies-wait", since=row.since) for row in found]


async def _take_over(tx: Transaction, one: Stuck) -> bool:
    await ledger.take_over(tx, DEAD.total_seconds())  # of every issue at once
    # Of a database that has just been started nobody is taken to be dead: they could not be seen.
    return (await tx.execute(_IN_DEAD_HANDS.where(audience.c.issue_id == UUID(one.id)))).first() is None


async def _held(tx: Transaction, one: Stuck) -> Row[Any]:
    """Return an issue, of which nobody else decides anything until `tx` ends."""
    await approvals.hold(tx, ABOUT, UUID(one.id))
    return (await tx.execute(select(issue_rows).where(issue_rows.c.id == UUID(one.id)).with_for_update())).one()


async def _is(tx: Transaction, one: Stuck, condition: ColumnElement[bool]) -> bool:
    return (await tx.execute(select(issue_rows.c.id).where(issue_rows.c.id == UUID(one.id), condition))).first() is not None


def _ask_no_more(kind: str, condition: ColumnElement[bool]) -> Mend:
    """Return what closes a task of this kind about an issue of which the condition does not hold, or that is none."""

    async def close(tx: Transaction, one: Stuck) -> bool:
        issue = await tx.execute(select(issue_rows.c.id).where(issue_rows.c.id == UUID(one.id)))
        if issue.first() is not None:
            await _held(tx, one)
            if await _is(tx, one, condition):
                return False
        return await tasks.close_task(tx, kind, one.id, end=TaskEnd.WITHDRAWN, by=None, cause=Cause.start(UUID(one.id)))

    return close


def sweeps_of(public_url: str, zone: str) -> Sequence[Sweep]:
    """Return the sweeps of the newsletter; `zone` decides when a closing day is over."""
    follow, thing, issue_id = moved(public_url), thing_of(public_url), cast(issue_rows.c.id, Text)

    async def end(tx: Transaction, one: Stuck) -> bool:
        return UUID(one.id) in await issues.end_what_is_over(tx, follow)

    async def not_cut(tx: Transaction) -> Sequence[Stuck]:
        found = []
        for one in await cutting.due(tx, clock.now() - LATE, zone):
            closes_on = (await tx.execute(select(issue_rows.c.closes_on).where(issue_rows.c.id == one))).scalar_one()
            over = datetime.combine(closes_on + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
            found.append(Stuck(id=str(one), why="not-cut", since=over))
        return found

    async def ask_to_finish(tx: Transaction, one: Stuck) -> bool:
        issue = await _held(tx, one)
        if not await _is(tx, one, _is_written):
            return False  # submitted meanwhile
        await cutting.ask_to_finish(tx, thing, issue, cause=Cause.start(issue.id))
        return True

    async def ask_for_the_hour(tx: Transaction, one: Stuck) -> bool:
        issue = await _held(tx, one)
        if not await _is(tx, one, _has_no_hour):
            return False
        await scheduling.ask_for_the_hour(tx, thing, issue.id, cause=Cause.start(issue.id))
        return True

    return (
        TELLS,
        *listens("newsletter", public_url),
        sweeping.asked(thing),
        Sweep(promise=Promise.ASKED, find=not_asked(FINISH, issue_id, _is_written, issue_rows.c.cut_at), mend=ask_to_finish),
        Sweep(promise=Promise.ASKED, find=left_open(FINISH, issue_id, _is_written), mend=_ask_no_more(FINISH, _is_written)),
        Sweep(promise=Promise.ASKED, find=not_asked(SCHEDULE, issue_id, _has_no_hour, issue_rows.c.updated_at), mend=ask_for_the_hour),
        Sweep(promise=Promise.ASKED, find=left_open(SCHEDULE, issue_id, _has_no_hour), mend=_ask_no_more(SCHEDULE, _has_no_hour)),
        Sweep(promise=Promise.APPROVED, find=_void, mend=_hold),
        Sweep(promise=Promise.SENT, find=not_cut),
        Sweep(promise=Promise.SENT, find=_NOT_BEGUN),
        Sweep(promise=Promise.SENT, find=_DEAD_HANDS, mend=_take_over),
        Sweep(promise=Promise.SENT, find=_NOT_ENDED, mend=end),
        Sweep(promise=Promise.SENT, find=_copies_wait),
        Sweep(promise=Promise.SENT, find=rows(_MISSING, "copies-missing")),
        ending.over(SENDER, Promise.SENT),
        Sweep(promise=Promise.MAILED, find=_NOT_ANSWERED),
        *mails.SWEEPS,
    )
