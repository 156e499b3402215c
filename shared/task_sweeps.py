"""Sweeps of a service that has tasks: who is to be asked is asked, and nobody about what is over."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select

from shared import sweeps, tasks
from shared.db import Transaction
from shared.events.codes import LANGUAGES, Role, TaskEnd
from shared.sweeps import Find, Stuck, Sweep, rows
from shared.tasks import Task
from shared.trace import Cause

LOOK_AT_DEAD = "look-at-dead-events"
"""The task that asks an operator what becomes of events that are tried no more."""


def listens(service: str, public_url: str) -> tuple[Sweep, ...]:
    """Return the sweeps of a service that listens, where an operator is asked about what is dead for as long as something is."""
    task = Task(
        kind=LOOK_AT_DEAD,
        subject=service,
        role=Role.OPERATOR,
        title=dict.fromkeys(LANGUAGES, service),
        address=f"{public_url}/{service}/operations",
    )

    async def ask(tx: Transaction, dead: Sequence[Stuck]) -> None:
        cause = Cause.start()
        if dead:
            await tasks.open_task(tx, task, cause=cause)
        else:
            await tasks.close_task(tx, task.kind, task.subject, end=TaskEnd.DONE, by=None, cause=cause)

    return sweeps.listens(ask)


def not_asked(kind: str, subject: ColumnElement[str], waits: ColumnElement[bool], since: ColumnElement[datetime]) -> Find:
    """Return a find of what `waits`, a condition on the table of `subject`, and of which no task of this kind asks anybody."""
    asked = select(tasks.tasks.c.id).where(tasks.tasks.c.closed_at.is_(None), tasks.tasks.c.kind == kind, tasks.tasks.c.subject == subject)
    return rows(select(subject.label("id"), since.label("since")).where(waits, ~asked.exists()).order_by(since), "no-task")


def left_open(kind: str, subject: ColumnElement[str], waits: ColumnElement[bool]) -> Find:
    """Return a find of open tasks of a kind whose subject does not wait any more."""
    asked = tasks.tasks.c
    still = select(subject).where(subject == asked.subject, waits)
    left = select(asked.subject.label("id"), asked.opened_at.label("since")).where(asked.closed_at.is_(None), asked.kind == kind)
    return rows(left.where(~still.exists()), "task-left")
