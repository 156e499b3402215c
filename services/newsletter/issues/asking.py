"""What a held issue asks of people: whether it goes on. Whoever held it, a person, the clock or a refusing server, it is found here.

Nothing that was held goes on by itself. Where the calendar had forbidden it and no longer does, people are asked anew, by a task of
another kind: whoever read the first one and could do nothing hears of it again.
"""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from services.newsletter.sending.rules import ABOUT, Hold, SendState, sources_in
from services.newsletter.sending.tables import sends
from shared import clock, tasks
from shared.approval.things import Thing
from shared.db import Database, Transaction
from shared.events.codes import Role, TaskEnd
from shared.pauses.quiet import forbidding
from shared.tasks import Task
from shared.trace import Cause

SETTLE = f"settle-{ABOUT}"
"""The task that asks whether a held issue goes on."""
RESUME = f"resume-{ABOUT}"
"""The task that says that nothing forbids any more what was held for the calendar's sake, and asks whether it goes on."""


async def ask_about_held(database: Database, thing: Thing) -> None:
    """Open the tasks that lack and close those whose matter is over; however often and wherever this runs, each is asked once."""
    async with database.transaction() as tx:
        asked = {(UUID(task.subject), task.kind) for task in await tasks.open_tasks(tx) if task.kind in {SETTLE, RESUME}}
        wanted = await _wanted(tx)
    for issue_id, kind in sorted(asked - set(wanted.items())):
        end = TaskEnd.WITHDRAWN if issue_id in wanted else TaskEnd.DONE
        async with database.transaction() as tx:
            await tasks.close_task(tx, kind, str(issue_id), end=end, by=None, cause=Cause.start(issue_id))
    for issue_id, kind in sorted(set(wanted.items()) - asked):
        async with database.transaction() as tx:
            read = await thing.read(tx, issue_id)
            if read is not None:
                task = Task(kind=kind, subject=str(issue_id), role=Role.APPROVER, title=read.title, address=f"{read.address}/sending")
                await tasks.open_task(tx, task, cause=Cause.start(issue_id))


async def _wanted(tx: Transaction) -> Mapping[UUID, str]:
    """Return the kind of task that each held issue needs now."""
    held = await tx.execute(select(sends.c.issue_id, sends.c.held_because, sends.c.variants).where(sends.c.state == SendState.HELD.value))
    found = {}
    for send in held.all():
        is_free = send.held_because == Hold.QUIET.value and await forbidding(tx, clock.now(), sources_in(send.variants)) is None
        found[send.issue_id] = RESUME if is_free else SETTLE
    return found
