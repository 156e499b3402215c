"""What a held issue asks of people: whether it goes on. Whoever held it, a person, the clock or a refusing server, it is found here."""

from uuid import UUID

from sqlalchemy import select

from services.newsletter.sending.rules import ABOUT, SendState
from services.newsletter.sending.tables import sends
from shared import tasks
from shared.approval.things import Thing
from shared.db import Database
from shared.events.codes import Role, TaskEnd
from shared.tasks import Task
from shared.trace import Cause

SETTLE = f"settle-{ABOUT}"
"""The task that asks whether a held issue goes on."""


async def ask_about_held(database: Database, thing: Thing) -> None:
    """Open the tasks that lack and close those whose matter is over; however often and wherever this runs, each is asked once."""
    async with database.transaction() as tx:
        asked = {UUID(task.subject) for task in await tasks.open_tasks(tx) if task.kind == SETTLE}
        held = set((await tx.execute(select(sends.c.issue_id).where(sends.c.state == SendState.HELD.value))).scalars())
    for issue_id in sorted(held - asked):
        async with database.transaction() as tx:
            read = await thing.read(tx, issue_id)
            if read is not None:
                address = f"{read.address}/sending"
                task = Task(kind=SETTLE, subject=str(issue_id), role=Role.APPROVER, title=read.title, address=address)
                await tasks.open_task(tx, task, cause=Cause.start(issue_id))
    for issue_id in sorted(asked - held):
        async with database.transaction() as tx:
            await tasks.close_task(tx, SETTLE, str(issue_id), end=TaskEnd.DONE, by=None, cause=Cause.start(issue_id))
