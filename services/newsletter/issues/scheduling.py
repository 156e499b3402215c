"""When an approved issue leaves, and people's word on one that is leaving."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from services.newsletter.issues import holding, matter, quiet, telling
from services.newsletter.issues.rules import DatesError, IssueError, ReasonError
from services.newsletter.issues.tables import issues
from services.newsletter.sending import issues as sending
from services.newsletter.sending.rules import ABOUT, AudienceState, Hold, sources_in
from services.newsletter.sending.tables import audience, sends
from shared import clock, tasks
from shared.actors import Actor
from shared.approval import store
from shared.approval.deciding import Decided
from shared.approval.rules import State
from shared.approval.sending import NotApprovedError
from shared.approval.things import Thing
from shared.db import Transaction
from shared.events.codes import Role, TaskEnd
from shared.tasks import Task
from shared.trace import Cause
from shared.wall_clock import Planned, plan

# Who takes this minute, and needs some seconds to press the button, means now.
LATE = timedelta(minutes=2)


class PastError(IssueError):
    """This hour is over; choose one to come."""

    slug = "past"
    status = 422


class NotHeldError(IssueError):
    """The sending of this issue does not stand where this could be done; look at where it stands now."""

    slug = "not-held"


class RestoredError(IssueError):
    """This issue comes out of a backup and may have left since; on its page of sending, let it go on or end it first."""

    slug = "restored"


class EndedError(IssueError):
    """This issue came out of a backup and was ended, for it may have left; withdraw it and have it approved anew."""

    slug = "ended"


class NotUncertainError(IssueError):
    """What became of this copy is no longer uncertain; somebody has settled it, or its sender has."""

    slug = "not-uncertain"
    status = 409


async def follow_decision(tx: Transaction, thing: Thing, issue_id: UUID, decided: Decided, public_url: str, *, cause: Cause) -> None:
    """Do what a decision entails: refuse to let go what is not whole, tell of an approval and ask for its hour, stop what lost it."""
    issue = await holding.find(tx, issue_id)
    await matter.check_whole(tx, issue, decided.step, public_url)
    await tasks.close_task(tx, holding.FINISH, str(issue_id), end=TaskEnd.DONE, by=decided.step.who, cause=cause)
    if decided.standing.state is State.APPROVED:
        await telling.tell_approved(tx, issue_id, public_url, cause=cause)
        # It goes on where somebody says so, and needs no other hour.
        if await holding.has_begun(tx, issue_id) or await holding.may_have_left(tx, issue_id):
            return
        await ask_for_the_hour(tx, thing, issue_id, cause=cause)
    else:
        await holding.stop(tx, issue_id, by=decided.step.who, cause=cause)


async def schedule(
    tx: Transaction, thing: Thing, issue_id: UUID, local: datetime, zone: str, valid_hours: int, public_url: str, *, by: Actor, cause: Cause
) -> Planned:
    """Let an approved issue go at an hour of a zone's clock, and return the instant with what is odd about it.

    What is sent is what was approved, as it is kept with the approval. Raises NotApprovedError, PastError, DatesError, QuietError,
    UnderWayError, RestoredError, EndedError, UnknownIssueError, and ValueError for a zone that is none.
    """
    issue = await holding.hold(tx, issue_id)
    await _check_not_restored(tx, issue_id)
    standing = await store.find(tx, ABOUT, issue_id)
    if standing.approved is None:
        raise NotApprovedError(standing.state)
    planned = plan(local, zone)
    if planned.instant < clock.now() - LATE:
        raise PastError
    if not 0 < valid_hours <= 14 * 24:
        raise DatesError
    variants = await store.contents(tx, standing.approved)
    await quiet.check(tx, max(planned.instant, clock.now()), sources_in(variants))
    values = {"sends_at": planned.local, "zone": zone, "valid_hours": valid_hours, "revision": issue.revision + 1, "changed_by": by.id}
    await tx.execute(update(issues).where(issues.c.id == issue_id).values(values))
    await sending.schedule(
        tx,
        issue_id,
        variants=variants,
        approved_hash=standing.approved.whole,
        fallback=issue.fallback,
        starts_at=planned.instant,
        expires_at=planned.instant + timedelta(hours=valid_hours),
    )
    await tasks.close_task(tx, holding.SCHEDULE, str(issue_id), end=TaskEnd.DONE, by=by.id, cause=cause)
    await telling.tell_approved(tx, issue_id, public_url, planned=planned.instant, cause=cause)
    await _decided(tx, thing, issue_id, "schedule", by=by, cause=cause, hash_=standing.approved.whole)
    return planned


async def unschedule(tx: Transaction, thing: Thing, issue_id: UUID, *, by: Actor, cause: Cause) -> None:
    """Take an issue out of the plan; it stays approved, and people are asked for another hour.

    Raises NotHeldError where it was in none, UnderWayError once it leaves, RestoredError and EndedError where it may have left.
    """
    await holding.hold(tx, issue_id)
    await _check_not_restored(tx, issue_id)
    if not await sending.unschedule(tx, issue_id):
        raise NotHeldError
    if (await store.find(tx, ABOUT, issue_id)).approved is not None:
        await ask_for_the_hour(tx, thing, issue_id, cause=cause)
    await _decided(tx, thing, issue_id, "unschedule", by=by, cause=cause)


async def stop(tx: Transaction, thing: Thing, issue_id: UUID, reason: str, *, by: Actor, cause: Cause) -> None:
    """Hold an issue that is leaving or to leave: nothing more starts. Raises ReasonError, NotHeldError."""
    await holding.find(tx, issue_id)
    _check_reason(reason)
    if not await sending.hold(tx, issue_id, Hold.PERSON):
        raise NotHeldError
    await _decided(tx, thing, issue_id, "hold", by=by, cause=cause, reason=reason)


async def go_on(tx: Transaction, thing: Thing, issue_id: UUID, valid_hours: int, *, by: Actor, cause: Cause) -> None:
    """Let a held issue go on for so many hours, from now or, where it has not begun, from its hour.

    Raises NotHeldError, QuietError where something in it may not be spoken of yet, and the ApprovalErrors where it is not approved so.
    """
    await quiet.check_sources(tx, issue_id)
    await holding.find(tx, issue_id)
    if not 0 < valid_hours <= 14 * 24:
        raise DatesError
    starts_at = (await tx.execute(select(sends.c.starts_at).where(sends.c.issue_id == issue_id))).scalar_one_or_none() or clock.now()
    if not await sending.resume(tx, issue_id, expires_at=max(clock.now(), starts_at) + timedelta(hours=valid_hours)):
        raise NotHeldError
    await _decided(tx, thing, issue_id, "resume", by=by, cause=cause)


async def end(tx: Transaction, thing: Thing, issue_id: UUID, reason: str, *, by: Actor, cause: Cause) -> int:
    """End a held issue for all who still wait, and return how many that are; raises ReasonError, NotHeldError."""
    await holding.find(tx, issue_id)
    _check_reason(reason)
    standing = await store.find(tx, ABOUT, issue_id, share=True)
    held = await tx.execute(select(sends.c.approved_hash).where(sends.c.issue_id == issue_id, sends.c.state == "held").with_for_update())
    if (row := held.first()) is None:
        raise NotHeldError
    left_out = await sending.leave_out_the_rest(tx, issue_id)
    # What was written and approved since is another issue by its words: that has not left.
    if await holding.was_ended(tx, issue_id) and not (standing.approved and standing.approved.whole == row.approved_hash):
        await sending.unschedule(tx, issue_id)
        if standing.approved is not None:
            await ask_for_the_hour(tx, thing, issue_id, cause=cause)
    await _decided(tx, thing, issue_id, "end", by=by, cause=cause, reason=reason)
    return left_out


async def settle(
    tx: Transaction, thing: Thing, issue_id: UUID, subscriber_id: UUID, *, arrived: bool, public_url: str, by: Actor, cause: Cause
) -> None:
    """Keep what a person found out of one uncertain copy: that it arrived, or did not; it is not sent again. Raises NotUncertainError."""
    await holding.find(tx, issue_id)
    here = (audience.c.issue_id == issue_id) & (audience.c.subscriber_id == subscriber_id)
    state = AudienceState.ACCEPTED if arrived else AudienceState.REFUSED
    done = await tx.execute(
        update(audience)
        .where(here, audience.c.state == AudienceState.UNCERTAIN.value)
        .values(state=state.value, reason="settled", ended_at=clock.now())
    )
    if done.rowcount != 1:
        raise NotUncertainError
    await telling.tell_sent(tx, issue_id, public_url)
    await _decided(tx, thing, issue_id, "settle", by=by, cause=cause)


async def ask_for_the_hour(tx: Transaction, thing: Thing, issue_id: UUID, *, cause: Cause) -> None:
    """Ask drafters when an approved issue is to leave."""
    read = await thing.read(tx, issue_id)
    assert read is not None
    task = Task(kind=holding.SCHEDULE, subject=str(issue_id), role=Role.DRAFTER, title=read.title, address=read.address, due=read.due)
    await tasks.open_task(tx, task, cause=cause)


async def _decided(
    tx: Transaction, thing: Thing, issue_id: UUID, what: str, *, by: Actor, cause: Cause, reason: str = "", hash_: str | None = None
) -> None:
    read = await thing.read(tx, issue_id)
    assert read is not None
    await telling.tell_decision(tx, issue_id, read, what=what, by=by, cause=cause, reason=reason, hash_=hash_)


async def _check_not_restored(tx: Transaction, issue_id: UUID) -> None:
    # Another hour would send it to everybody, and whoever gives one is not who looks whether it has left.
    if await holding.may_have_left(tx, issue_id):
        raise RestoredError
    if await holding.was_ended(tx, issue_id):
        raise EndedError


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > 10_000:
        raise ReasonError
