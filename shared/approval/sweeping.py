"""What a crash or a bug may leave between where items stand and what is asked of people: found, and brought in line."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, and_, case, cast, literal, null, select

from shared.approval import telling
from shared.approval.rules import VOID, State
from shared.approval.store import EXPIRING, MAY_ASK, approval_steps, approvals
from shared.approval.things import Thing
from shared.db import Transaction
from shared.sweeps import LATE, MOST, Promise, Stuck, Sweep, before, rows
from shared.tasks import tasks
from shared.trace import Cause


def asked(thing: Thing) -> Sweep:
    """Return the sweep over the tasks of a kind of thing: one that lacks is opened, one that nothing demands is closed."""
    approve, change, submit, renew = thing.asks
    last = and_(
        approval_steps.c.about == approvals.c.about,
        approval_steps.c.item == approvals.c.item,
        approval_steps.c.number == approvals.c.steps,
    )
    # As telling has it.
    wanted = case(
        (approvals.c.state == State.SUBMITTED.value, literal(approve)),
        (approvals.c.state == State.CHANGES_REQUESTED.value, literal(change)),
        (approvals.c.state == State.EXPIRED.value, literal(renew)),
        (and_(approvals.c.state == State.DRAFT.value, approval_steps.c.what == VOID), literal(submit)),
        else_=null(),
    )
    standing = (
        select(cast(approvals.c.item, Text).label("subject"), wanted.label("wanted"), approval_steps.c.at.label("since"))
        .select_from(approvals.join(approval_steps, last))
        .where(approvals.c.about == thing.about, MAY_ASK)
        .subquery()
    )
    open_ = (
        select(tasks.c.subject, tasks.c.kind, tasks.c.opened_at).where(tasks.c.closed_at.is_(None), tasks.c.kind.in_(thing.asks)).subquery()
    )
    lacks = (
        select(standing.c.subject.label("id"), standing.c.since)
        .join_from(standing, open_, (open_.c.subject == standing.c.subject) & (open_.c.kind == standing.c.wanted), isouter=True)
        .where(standing.c.wanted.is_not(None), open_.c.subject.is_(None))
    )
    left = (
        select(open_.c.subject.label("id"), open_.c.opened_at.label("since"))
        .join_from(open_, standing, open_.c.subject == standing.c.subject, isouter=True)
        .where(standing.c.wanted.is_distinct_from(open_.c.kind))
    )

    async def find(tx: Transaction) -> Sequence[Stuck]:
        found = [Stuck(id=row.id, why="no-task", since=row.since) for row in await tx.execute(lacks.limit(MOST))]
        return [*found, *(Stuck(id=row.id, why="task-left", since=row.since) for row in await tx.execute(left.limit(MOST)))]

    async def mend(tx: Transaction, one: Stuck) -> bool:
        await telling.ask_again(tx, thing, UUID(one.id), cause=Cause.start(UUID(one.id)))
        return True

    return Sweep(promise=Promise.ASKED, find=find, mend=mend)


def expired(about: str) -> Sweep:
    """Return the sweep over what is submitted or approved although its time is over, for a service whose job ends that.

    It does not leave any more; but nobody is told, and people may still be asked about it.
    """
    over = select(approvals.c.item.label("id"), approvals.c.expires_at.label("since")).where(
        approvals.c.about == about, EXPIRING, approvals.c.expires_at < before(LATE)
    )
    return Sweep(promise=Promise.APPROVED, find=rows(over.order_by(approvals.c.expires_at), "not-expired"))
