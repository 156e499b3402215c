"""A person's word on an item: the one function through which every page and every program decides."""

from dataclasses import dataclass, replace
from uuid import UUID

from shared import clock, tasks
from shared.actors import Actor
from shared.approval import rules, store, telling
from shared.approval.content import fingerprint
from shared.approval.rules import ACKNOWLEDGE, Act, OwnWorkError, RoleNeededError, Standing, Step, UnknownItemError
from shared.approval.things import Thing
from shared.db import Transaction
from shared.events.codes import Role
from shared.trace import Cause


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What became of an item."""

    standing: Standing
    step: Step


async def decide(tx: Transaction, thing: Thing, item: UUID, act: Act, *, cause: Cause) -> Decided:
    """Return where a person's act brings an item; history, audit trail and tasks are written with it.

    Waits for whoever is at the same item, then looks at it afresh: of many at once one is first, and each of the others gets
    AlreadyDecidedError, which says who did what, and when. Raises the ApprovalErrors of `rules.decide`, UnknownItemError, and
    ContentError for content that has no canonical form; nothing of `tx` may then be committed.
    """
    held = await store.hold(tx, thing.about, item)
    matter = await thing.read(tx, item)
    if matter is None:
        raise UnknownItemError()
    # The end of its time may have been moved since, which is no edit.
    standing = replace(held.standing, expires_at=matter.expires_at)
    after, reason = rules.decide(standing, act, now=fingerprint(matter.content), at=clock.now(), latest=held.latest)
    step = await store.take(tx, held, after, what=act.action.value, who=act.by.id, reason=reason)
    await telling.tell(tx, thing, held, after, matter, step, cause=cause)
    return Decided(standing=after, step=step)


async def acknowledge(tx: Transaction, thing: Thing, item: UUID, *, by: Actor, cause: Cause) -> bool:
    """Keep that another approver has looked at what one person approved alone; say whether that was still open.

    Raises RoleNeededError, OwnWorkError for who broke the glass, UnknownItemError.
    """
    held = await store.hold(tx, thing.about, item)
    matter = await thing.read(tx, item)
    if matter is None:
        raise UnknownItemError()
    if not by.holds(Role.APPROVER):
        raise RoleNeededError((Role.APPROVER,))
    broken = [step for step in await store.history(tx, thing.about, item) if step.what == rules.Action.BREAK_GLASS]
    if not any(task.kind == thing.asks_to_look for task in await tasks.open_tasks(tx, str(item))):
        return False
    if broken[-1].who == by.id:
        raise OwnWorkError()
    # About what was approved alone, whatever stands there now.
    after = replace(held.standing, steps=held.standing.steps + 1)
    step = await store.take(tx, held, after, what=ACKNOWLEDGE, who=by.id, seen=broken[-1].fingerprint)
    await telling.tell_of_look(tx, thing, held, matter, step, cause=cause)
    return True
