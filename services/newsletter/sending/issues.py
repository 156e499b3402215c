"""The sending of an issue as a whole: scheduled, begun, held, resumed, ended, and counted. Functions on a transaction."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, not_, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.newsletter.sending.rules import ABOUT, AudienceState, Exclusion, Hold, SendState, Standing, content_hash, sources_in
from services.newsletter.sending.tables import audience, sends
from shared import clock
from shared.approval import sending as approved
from shared.approval import store as approvals
from shared.approval.content import ContentError
from shared.approval.rules import ApprovalError
from shared.db import Transaction, is_away
from shared.pauses.quiet import forbidding
from shared.pauses.store import share

log = logging.getLogger(__name__)

RESTORED = (sends.c.state == SendState.HELD.value) & (sends.c.held_because == Hold.RESTORED.value)
"""What came out of a backup, and of which nobody has said yet whether it has left."""

ENDED = (sends.c.state == SendState.CANCELLED.value) & (sends.c.held_because == Hold.RESTORED.value)
"""What came out of a backup and was ended, for it may have left: the approval that it has is used up."""

Moved = Callable[[Transaction, UUID], Awaitable[None]]
"""What follows, in the same transaction, when the sending of an issue has begun or is over."""


async def nothing_follows(tx: Transaction, issue_id: UUID) -> None:
    """Do nothing more."""
    del tx, issue_id


async def schedule(
    tx: Transaction,
    issue_id: UUID,
    *,
    variants: Mapping[str, Any],
    approved_hash: str,
    fallback: str,
    starts_at: datetime,
    expires_at: datetime,
) -> None:
    """Keep what was approved, to be sent at `starts_at`, in place of an earlier plan that has not begun.

    Raises ValueError when `variants` are not what was approved, or the sending has begun.
    """
    if content_hash(variants) != approved_hash:
        raise ValueError("These variants are not what was approved; let them be approved as they are now.")
    if fallback not in variants:
        raise ValueError(f"There is no variant in {fallback}, which is to serve those whose own language has none.")
    values = {
        "issue_id": issue_id,
        "variants": variants,
        "approved_hash": approved_hash,
        "fallback": fallback,
        "starts_at": clock.check_aware(starts_at),
        "expires_at": clock.check_aware(expires_at),
        "state": SendState.SCHEDULED.value,
        "held_because": "",
        "waits_until": None,
    }
    new = insert(sends).values(values)
    kept = new.on_conflict_do_update(index_elements=["issue_id"], set_=values, where=sends.c.frozen_at.is_(None))
    if (await tx.execute(kept.returning(sends.c.issue_id))).first() is None:
        raise ValueError("This issue is being sent or was sent; it cannot be scheduled again.")


async def unschedule(tx: Transaction, issue_id: UUID) -> bool:
    """Let nothing more leave of an issue that is no longer approved: a plan goes, a sending that has begun is held.

    Returns whether there was either. Hold the row of its approval before this. What a restore holds stays: that it may have left is
    kept nowhere else. What was ended so goes: it needs another approval, which is then about what is there.
    """
    planned = await tx.execute(delete(sends).where(sends.c.issue_id == issue_id, sends.c.frozen_at.is_(None), not_(RESTORED)))
    return planned.rowcount == 1 or await hold(tx, issue_id, Hold.APPROVAL)


async def begin_due(tx: Transaction, moved: Moved = nothing_follows) -> Sequence[UUID]:
    """Freeze the audience of every send whose hour has come, and return their issues; one whose time is over is held instead.

    Whether exactly this is approved is asked here, and nobody can void the approval until `tx` has ended.
    """
    # Before any row: until `tx` ends no day becomes one on which nothing is sent.
    await share(tx)
    due = select(sends.c.issue_id).where(sends.c.state == SendState.SCHEDULED.value, sends.c.starts_at <= text("now()"))
    due = due.where(or_(sends.c.waits_until.is_(None), sends.c.waits_until <= text("now()")))
    begun = []
    for issue_id in (await tx.execute(due.order_by(sends.c.starts_at, sends.c.issue_id))).scalars().all():
        # The approval is held before the plan, as by everybody who edits; the other way round two would wait for each other.
        await approvals.find(tx, ABOUT, issue_id, share=True)
        here = select(sends).where(sends.c.issue_id == issue_id, sends.c.state == SendState.SCHEDULED.value)
        send = (await tx.execute(here.with_for_update(skip_locked=True))).first()
        if send is None:
            continue
        because = await _why_not(tx, send)
        if because is not None:
            await hold(tx, issue_id, because)
            continue
        if await _waits(tx, send):
            continue
        if await _begin(tx, send, moved):
            begun.append(issue_id)
    return begun


async def _begin(tx: Transaction, send: Row[Any], moved: Moved) -> bool:
    """Freeze the audience of one send, with what follows; one that fails is held for a person, and holds up no other."""
    try:
        async with tx.begin_nested():
            await freeze(tx, send.issue_id, list(send.variants), send.fallback)
            await moved(tx, send.issue_id)
    except Exception as error:
        if is_away(error):
            raise
        log.exception("issue %s could not begin and is held", send.issue_id)
        await hold(tx, send.issue_id, Hold.FAILED)
        return False
    return True


async def _waits(tx: Transaction, send: Row[Any]) -> bool:
    """Say whether an issue may not go now because of what the calendar forbids; it waits, or is held where its last hour comes before."""
    quiet = await forbidding(tx, clock.now(), sources_in(send.variants))
    if quiet is None:
        return False
    if quiet.ends is None or quiet.ends >= send.expires_at:
        await hold(tx, send.issue_id, Hold.QUIET)
    else:
        await tx.execute(update(sends).where(sends.c.issue_id == send.issue_id).values(waits_until=quiet.ends))
    return True


async def _why_not(tx: Transaction, send: Row[Any]) -> Hold | None:
    try:
        seen = await approved.check(tx, ABOUT, send.issue_id, send.variants)
    except ContentError:
        return Hold.CONTENT
    except approved.OtherThanApprovedError:
        return Hold.CONTENT
    except ApprovalError:
        return Hold.APPROVAL
    if seen.whole != send.approved_hash:
        return Hold.CONTENT
    return Hold.EXPIRED if send.expires_at <= clock.now() else None


_FREEZE = text("""
    INSERT INTO audience (issue_id, subscriber_id, language, domain, state, reason, next_at)
    SELECT CAST(:issue AS uuid), id, CASE WHEN language = ANY(CAST(:languages AS text[])) THEN language ELSE :fallback END, domain,
           CASE WHEN left_out = '' THEN 'planned' ELSE 'excluded' END, left_out, now()
    FROM (
        SELECT *, CASE
            WHEN suppressed_because = 'erased' THEN 'erased'
            WHEN state <> 'confirmed' THEN state
            WHEN paused_until > now() THEN 'paused'
            ELSE '' END AS left_out
        FROM subscribers) AS everybody
    ON CONFLICT DO NOTHING
""")


async def freeze(tx: Transaction, issue_id: UUID, languages: Collection[str], fallback: str) -> int:
    """Fix who is to get an issue, and who is not for which reason; returns how many that are together."""
    made = await tx.execute(_FREEZE, {"issue": issue_id, "languages": list(languages), "fallback": fallback})
    values = {"state": SendState.SENDING.value, "audience": made.rowcount, "frozen_at": text("now()")}
    await tx.execute(update(sends).where(sends.c.issue_id == issue_id).values(values))
    return made.rowcount


async def hold(tx: Transaction, issue_id: UUID, because: Hold) -> bool:
    """Let nothing of an issue leave until a person has looked; returns whether it was on its way or scheduled."""
    done = await tx.execute(
        update(sends)
        .where(sends.c.issue_id == issue_id, sends.c.state.in_([SendState.SCHEDULED.value, SendState.SENDING.value]))
        .values(state=SendState.HELD.value, held_because=because.value)
    )
    return done.rowcount == 1


async def hold_restored(tx: Transaction, issue_ids: Collection[UUID]) -> None:
    """Hold issues that come out of a backup, whatever they stood at: what held one before says nothing of whether it has left since."""
    values = {"state": SendState.HELD.value, "held_because": Hold.RESTORED.value}
    await tx.execute(update(sends).where(sends.c.issue_id.in_(issue_ids)).values(values))


async def resume(tx: Transaction, issue_id: UUID, *, expires_at: datetime) -> bool:
    """Let a held issue go on, until `expires_at`; returns whether it was held.

    Raises the ApprovalErrors of `shared.approval.sending.check`: what is not approved as it is does not go on.
    """
    await approvals.find(tx, ABOUT, issue_id, share=True)
    held = select(sends).where(sends.c.issue_id == issue_id, sends.c.state == SendState.HELD.value)
    send = (await tx.execute(held.with_for_update())).first()
    if send is None:
        return False
    await approved.check(tx, ABOUT, issue_id, send.variants)
    done = await tx.execute(
        text("""
            UPDATE sends SET state = CASE WHEN frozen_at IS NULL THEN 'scheduled' ELSE 'sending' END, held_because = '', expires_at = :at
            WHERE issue_id = :issue AND state = 'held'
        """),
        {"issue": issue_id, "at": clock.check_aware(expires_at)},
    )
    return done.rowcount == 1


async def leave_out_the_rest(tx: Transaction, issue_id: UUID) -> int:
    """End a held issue: who still waits is left out because it was ended; returns how many that are, and 0 where it is not held."""
    held = await tx.execute(select(sends).where(sends.c.issue_id == issue_id, sends.c.state == SendState.HELD.value).with_for_update())
    if held.first() is None:
        return 0
    # What a sender has claimed too: nothing of it has left, and whoever wakes up with it finds that it may not start.
    waits = audience.c.state.in_([AudienceState.PLANNED.value, AudienceState.CLAIMED.value, AudienceState.DEFERRED.value])
    left = {"state": AudienceState.EXCLUDED.value, "reason": Exclusion.ENDED.value, "ended_at": text("now()")}
    done = await tx.execute(update(audience).where(audience.c.issue_id == issue_id, waits).values(left))
    # What is leaving ends by itself; then the issue counts as sent. Its time is over, so that nothing of it is tried again.
    begun = update(sends).where(sends.c.issue_id == issue_id, sends.c.frozen_at.is_not(None))
    await tx.execute(begun.values(state=SendState.SENDING.value, expires_at=text("now()")))
    await tx.execute(update(sends).where(sends.c.issue_id == issue_id, sends.c.frozen_at.is_(None)).values(state=SendState.CANCELLED.value))
    return done.rowcount


async def approved_variants(tx: Transaction, issue_id: UUID, approved_hash: str) -> Mapping[str, Any]:
    """Return the variants of an issue by language, if they are what `approved_hash` stands for; otherwise holds the issue, and nothing."""
    send = (await tx.execute(select(sends).where(sends.c.issue_id == issue_id))).one()
    if content_hash(send.variants) == send.approved_hash == approved_hash:
        return dict(send.variants)
    if send.approved_hash == approved_hash:
        await hold(tx, issue_id, Hold.CONTENT)
    return {}


async def end_what_is_over(tx: Transaction, moved: Moved = nothing_follows) -> Sequence[UUID]:
    """Hold sends whose last hour has passed, close those for whom nobody waits any more, and return the issues of the latter."""
    await tx.execute(
        text(
            "UPDATE sends SET state = 'held', held_because = 'expired' WHERE state = 'sending' AND expires_at <= now() AND EXISTS (SELECT"
            " FROM audience a WHERE a.issue_id = sends.issue_id AND a.state IN ('planned', 'deferred'))"
        )
    )
    over = text("""
        SELECT issue_id FROM sends WHERE state = 'sending' AND NOT EXISTS (
            SELECT FROM audience a WHERE a.issue_id = sends.issue_id AND a.state IN ('planned', 'claimed', 'started', 'deferred'))
        ORDER BY issue_id FOR UPDATE SKIP LOCKED
    """)
    return [issue_id for issue_id in (await tx.execute(over)).scalars().all() if await _end(tx, issue_id, moved)]


async def _end(tx: Transaction, issue_id: UUID, moved: Moved) -> bool:
    """Close one send, with what follows; one that fails is tried again when this is next looked at, and holds up no other."""
    try:
        async with tx.begin_nested():
            closed = {"state": SendState.SENT.value, "finished_at": text("now()")}
            await tx.execute(update(sends).where(sends.c.issue_id == issue_id).values(closed))
            await moved(tx, issue_id)
    except Exception as error:
        if is_away(error):
            raise
        log.exception("issue %s is over and could not be closed", issue_id)
        return False
    return True


_STANDING = text("""
    SELECT s.issue_id, s.state, s.held_because, s.audience, s.frozen_at, s.finished_at,
        count(*) FILTER (WHERE a.state = 'accepted') AS accepted, count(*) FILTER (WHERE a.state = 'refused') AS refused,
        count(*) FILTER (WHERE a.state = 'excluded') AS excluded, count(*) FILTER (WHERE a.state = 'uncertain') AS uncertain,
        count(*) FILTER (WHERE a.state = 'planned') AS planned, count(*) FILTER (WHERE a.state IN ('claimed', 'started')) AS in_hand,
        count(*) FILTER (WHERE a.state = 'deferred') AS deferred,
        min(a.next_at) FILTER (WHERE a.state IN ('planned', 'deferred')) AS next_at
    FROM sends s LEFT JOIN audience a USING (issue_id) WHERE s.issue_id = :issue GROUP BY s.issue_id
""")


async def standing(tx: Transaction, issue_id: UUID) -> Standing | None:
    """Return how far an issue has come, counted by one query; None for one that is not to be sent."""
    row = (await tx.execute(_STANDING, {"issue": issue_id})).mappings().first()
    return None if row is None else Standing(**{**row, "state": SendState(row["state"])})
