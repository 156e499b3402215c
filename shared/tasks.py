"""What awaits people: a service opens a task in the transaction that makes it necessary, and closes it in the one that does it.

Desk shows the tasks of all services on one page and mails those who can act; it knows of them only by what is told here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, Integer, Row, Table, Text, Uuid, select, update
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

from shared import clock, outbox
from shared.db import Database, Transaction, metadata
from shared.events.codes import Language, Role, TaskEnd
from shared.events.every import TaskClosed, TaskOpened
from shared.events.times import Due
from shared.ids import new_id
from shared.outbox import Telling
from shared.queues import queue
from shared.retention import CHUNK, Kept
from shared.trace import Cause

# What was decided stays in the audit trail; this is only what was asked.
CLOSED_DAYS = 90

TABLES = metadata()

tasks = Table(
    "tasks",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # id of what it is about
    Column("facts", JSONB, nullable=False),  # what desk was told last: the whole task.opened event
    Column("revision", Integer, nullable=False),  # of that event
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True), index=True),  # empty while it awaits somebody
    Column("end", Text),
    Column("closed_by", Text),  # id of the person; empty where nobody did
    Index("tasks_subject_idx", "subject"),
)
# Decides what is the same task; never a look before the insert, which two transactions at once would both pass.
Index("tasks_open_idx", tasks.c.kind, tasks.c.subject, unique=True, postgresql_where=tasks.c.closed_at.is_(None))

WAITING = queue("tasks", tasks, tasks.c.closed_at.is_(None), state="open", kind=tasks.c.kind, since=tasks.c.opened_at)
"""What awaits people, for the figures of a service that has the table."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something that awaits a person."""

    kind: str  # what is to be done, such as `approve-post`; its sentence is `staff.task.<kind>`
    subject: str  # id of what it is about; there is one open task of a kind about it
    role: Role  # that it needs
    title: Mapping[Language, str]  # of what it is about
    address: str  # absolute web address of the page on which it is done
    due: Due | None = None  # by when; None where nothing waits for it
    not_by: tuple[str, ...] = ()  # ids of people who may not do it, because the work is their own

    @property
    def opened(self) -> TaskOpened:
        """What desk is told of it."""
        not_by = sorted(set(self.not_by))
        return TaskOpened(
            kind=self.kind,
            role=self.role,
            title=self.title,
            address=self.address,
            due=self.due,
            not_by=not_by[0] if not_by else None,
            nor_by=tuple(not_by[1:]),
        )


def title_key(kind: str) -> str:
    """Return the key of the sentence that says what is to be done."""
    return f"staff.task.{kind}"


def _opening() -> Insert:
    row = insert(tasks)
    told = row.excluded
    # Locks the open row also where its facts are the same and nothing is returned: a look that follows finds it still open.
    return row.on_conflict_do_update(
        index_elements=["kind", "subject"],
        index_where=tasks.c.closed_at.is_(None),
        set_={"facts": told.facts, "revision": tasks.c.revision + 1},
        where=tasks.c.facts != told.facts,
    )


# Made once: to make it takes as long as to run it, and nearly everything that comes in opens a task.
_OPENING = _opening().returning(tasks.c.id, tasks.c.revision)


async def open_task(tx: Transaction, task: Task, *, cause: Cause) -> UUID:
    """Return the id of the one open task of this kind about this subject: a new one, or the one that was open.

    Desk is told of a new one, and again, with a higher revision, of one whose facts changed; of the same twice it is told once.
    """
    told = task.opened
    new = {"id": new_id(), "kind": task.kind, "subject": task.subject, "facts": told.model_dump(mode="json"), "revision": 1}
    kept = await tx.execute(_OPENING, {**new, "opened_at": clock.now()})
    if (row := kept.one_or_none()) is not None:
        await outbox.put(tx, told, subject=str(row.id), cause=cause, revision=row.revision)
        return UUID(str(row.id))
    same = select(tasks.c.id).where(tasks.c.kind == task.kind, tasks.c.subject == task.subject, tasks.c.closed_at.is_(None))
    return UUID(str((await tx.execute(same)).scalar_one()))


async def close_task(tx: Transaction, kind: str, subject: str, *, end: TaskEnd, by: str | None, cause: Cause) -> bool:
    """Close the open task of a kind about a subject, and say whether there was one; `by` is the id of the person, None where nobody did."""
    return await close_tasks(tx, (kind,), subject, end=end, by=by, cause=cause) > 0


async def close_tasks(tx: Transaction, kinds: Iterable[str], subject: str, *, end: TaskEnd, by: str | None, cause: Cause) -> int:
    """Close every open task of these kinds about a subject, and return how many there were; otherwise as `close_task`."""
    done = await tx.execute(
        update(tasks)
        .where(tasks.c.subject == subject, tasks.c.kind.in_(list(kinds)), tasks.c.closed_at.is_(None))
        .values({"closed_at": clock.now(), "end": end.value, "closed_by": by, "revision": tasks.c.revision + 1})
        .returning(tasks.c.id, tasks.c.kind, tasks.c.revision)
    )
    told = [
        Telling(data=TaskClosed(kind=row.kind, end=end, by=by), subject=str(row.id), cause=cause, revision=row.revision)
        for row in sorted(done, key=lambda row: str(row.kind))
    ]
    await outbox.put_all(tx, told)
    return len(told)


async def open_tasks(tx: Transaction, subject: str | None = None) -> Sequence[Row[Any]]:
    """Return the tasks that await somebody, oldest first: all, or those about one subject."""
    query = select(tasks).where(tasks.c.closed_at.is_(None)).order_by(tasks.c.opened_at, tasks.c.id)
    return (await tx.execute(query if subject is None else query.where(tasks.c.subject == subject))).all()


def kept(service: str) -> Kept:
    """Return a service's line in the table of what is kept; `tidy` keeps to it."""
    return Kept(what=f"tasks that are closed ({service})", days=CLOSED_DAYS, why="who did what was asked, and when, can be looked up")


async def tidy(database: Database) -> int:
    """Delete tasks that were closed long enough ago, and return how many went; a daily job of a service that opens tasks."""
    gone = 0
    while True:
        async with database.transaction() as tx:
            old = select(tasks.c.id).where(tasks.c.closed_at < clock.now() - timedelta(days=CLOSED_DAYS)).limit(CHUNK)
            done = await tx.execute(tasks.delete().where(tasks.c.id.in_(old)))
        gone += done.rowcount
        if done.rowcount < CHUNK:
            return gone
