"""What follows from a step, in its transaction: history, audit trail, the task that awaits somebody, the mails about broken glass."""

from uuid import UUID

from shared import outbox, tasks
from shared.approval import store
from shared.approval.rules import EXPIRE, VOID, Action, Standing, State, Step
from shared.approval.store import Held
from shared.approval.things import Matter, Thing
from shared.db import Transaction
from shared.events.codes import Role, TaskEnd
from shared.events.every import DecisionMade, MailWanted
from shared.outbox import Telling
from shared.tasks import Task
from shared.trace import Cause

GLASS_BROKEN_MAIL = "glass-broken"
"""The mail to every approver; its facts are `title`, `about` and `who`, the id of the person."""

_ENDS = {
    Action.WITHDRAW.value: TaskEnd.WITHDRAWN,
    VOID: TaskEnd.WITHDRAWN,
    EXPIRE: TaskEnd.EXPIRED,
}


async def tell(tx: Transaction, thing: Thing, held: Held, after: Standing, matter: Matter, step: Step, *, cause: Cause) -> None:
    """Put what follows from a step that was taken into the outbox, keep what may leave, and bring the open tasks in line."""
    if after.state in {State.SUBMITTED, State.APPROVED}:
        await store.keep_contents(tx, matter.content)
    if step.who is not None:
        await outbox.put(tx, _decision(thing, matter, step, step.who), subject=str(held.item), cause=cause)
    await _ask(tx, thing, held.item, after, matter, step, cause)
    if step.what == Action.BREAK_GLASS and step.who is not None:
        await _tell_of_broken_glass(tx, thing, held.item, matter, step.who, cause)


async def tell_of_look(tx: Transaction, thing: Thing, held: Held, matter: Matter, step: Step, *, cause: Cause) -> None:
    """Tell that another approver has looked at what one approved alone, and close the task that asked for it."""
    if step.who is not None:
        await outbox.put(tx, _decision(thing, matter, step, step.who), subject=str(held.item), cause=cause)
    await tasks.close_task(tx, thing.asks_to_look, str(held.item), end=TaskEnd.DONE, by=step.who, cause=cause)


def _decision(thing: Thing, matter: Matter, step: Step, who: str) -> DecisionMade:
    return DecisionMade(
        who=who,
        what=step.what,
        about=thing.about,
        title=matter.title,
        content_hash=step.fingerprint.whole if step.fingerprint else None,
        broke_glass=step.what == Action.BREAK_GLASS,
        reason=step.reason,
        address=matter.address,
    )


async def _ask(tx: Transaction, thing: Thing, item: UUID, after: Standing, matter: Matter, step: Step, cause: Cause) -> None:
    """Open the one task that where an item stands now demands, and close the one that it demanded before."""
    approve, change, submit, renew = thing.asks
    wanted = {
        State.SUBMITTED: approve,
        State.CHANGES_REQUESTED: change,
        State.EXPIRED: renew,
        # An edit that forgets to submit again would leave a planned item lying without anybody knowing.
        State.DRAFT: submit if step.what == VOID else None,
    }.get(after.state)
    others = [kind for kind in thing.asks if kind != wanted]
    await tasks.close_tasks(tx, others, str(item), end=end_of(step), by=step.who, cause=cause)
    if wanted is not None:
        asks_another = wanted == approve
        task = Task(
            kind=wanted,
            subject=str(item),
            role=Role.APPROVER if asks_another else Role.DRAFTER,
            title=matter.title,
            address=matter.address,
            due=matter.due,
            not_by=tuple(sorted(after.hands)) if asks_another else (),
        )
        await tasks.open_task(tx, task, cause=cause)


async def ask_again(tx: Transaction, thing: Thing, item: UUID, *, cause: Cause) -> None:
    """Bring the open tasks of an item in line with where it stands, however they came to be otherwise."""
    held = await store.hold(tx, thing.about, item)
    matter = await thing.read(tx, item)
    if matter is None or held.latest is None:  # there is nothing to ask about
        await tasks.close_tasks(tx, thing.asks, str(item), end=TaskEnd.WITHDRAWN, by=None, cause=cause)
    else:
        await _ask(tx, thing, item, held.standing, matter, held.latest, cause)


def end_of(step: Step) -> TaskEnd:
    """Return how a step ends the task that asked for another."""
    return _ENDS.get(step.what, TaskEnd.DONE)


async def _tell_of_broken_glass(tx: Transaction, thing: Thing, item: UUID, matter: Matter, who: str, cause: Cause) -> None:
    task = Task(kind=thing.asks_to_look, subject=str(item), role=Role.APPROVER, title=matter.title, address=matter.address, not_by=(who,))
    await tasks.open_task(tx, task, cause=cause)
    facts = {"title": matter.title, "about": thing.about, "who": who}
    mails = [
        MailWanted(person=person, template=GLASS_BROKEN_MAIL, facts=facts, address=matter.address)
        for person in sorted(set(await thing.approvers(tx)))
        if person != who
    ]
    await outbox.put_all(tx, [Telling(data=mail, subject=mail.person, cause=cause) for mail in mails])
