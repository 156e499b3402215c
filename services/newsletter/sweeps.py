"""What is stuck in the newsletter: plans without their approval, issues that do not begin or end, copies in dead hands."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from services.newsletter.issues.matter import thing_of
from services.newsletter.issues.telling import moved
from services.newsletter.sending import issues, ledger
from services.newsletter.sending.pausing import may_send
from services.newsletter.sending.rules import ABOUT, AudienceState, Hold, SendState
from services.newsletter.sending.tables import audience, senders, sends, slow_ways
from services.newsletter.subscribing.rules import WishState
from services.newsletter.subscribing.tables import wishes
from shared.approval import store as approvals
from shared.approval import sweeping
from shared.db import Transaction
from shared.mail.queue import store as mails
from shared.sweeps import LATE, MOST, TELLS, VERY_LATE, Promise, Stuck, Sweep, before, rows
from shared.task_sweeps import listens

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
_DEAD_HANDS = rows(
    select(audience.c.issue_id.label("id"), func.min(senders.c.seen_at).label("since"))
    .join(senders, senders.c.id == audience.c.sender)
    .where(_in(_IN_HAND), senders.c.seen_at < before(DEAD))
    .group_by(audience.c.issue_id),
    "dead-hands",
)
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
    del one  # of every issue at once
    await ledger.take_over(tx, DEAD.total_seconds())
    return True


def sweeps_of(public_url: str) -> Sequence[Sweep]:
    """Return the sweeps of the newsletter."""
    follow = moved(public_url)

    async def end(tx: Transaction, one: Stuck) -> bool:
        return UUID(one.id) in await issues.end_what_is_over(tx, follow)

    return (
        TELLS,
        *listens("newsletter", public_url),
        sweeping.asked(thing_of(public_url)),
        Sweep(promise=Promise.APPROVED, find=_void, mend=_hold),
        Sweep(promise=Promise.SENT, find=_NOT_BEGUN),
        Sweep(promise=Promise.SENT, find=_DEAD_HANDS, mend=_take_over),
        Sweep(promise=Promise.SENT, find=_NOT_ENDED, mend=end),
        Sweep(promise=Promise.SENT, find=_copies_wait),
        Sweep(promise=Promise.SENT, find=rows(_MISSING, "copies-missing")),
        Sweep(promise=Promise.MAILED, find=_NOT_ANSWERED),
        *mails.SWEEPS,
    )
