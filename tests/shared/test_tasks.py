"""What awaits people: one open task of a kind about one thing, told once, told again when it changes, closed once."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from shared import clock, tasks
from shared.db import Database
from shared.events.codes import Role, TaskEnd
from shared.events.every import TaskClosed, TaskOpened
from shared.events.times import Days, TimeWithZone
from shared.migrations import backbone
from shared.migrations import tasks as tables
from shared.tasks import Task
from shared.trace import Cause
from tests.shared.approval_items import make_tables, told

TASK = Task(kind="approve-post", subject="post-1", role=Role.APPROVER, title={"en": "A post"}, address="https://tidings.example.org/p/1")
CAUSE = Cause.start()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = Database(database_url, "trial", pool_size=20)
    await make_tables(made, backbone.create_1, tables.create_1)
    yield made
    await made.close()


async def opens(database: Database, task: Task = TASK) -> UUID:
    async with database.transaction() as tx:
        return await tasks.open_task(tx, task, cause=CAUSE)


async def closes(database: Database, kind: str = TASK.kind, *, by: str | None = "bo", end: TaskEnd = TaskEnd.DONE) -> bool:
    async with database.transaction() as tx:
        return await tasks.close_task(tx, kind, TASK.subject, end=end, by=by, cause=CAUSE)


async def test_task_is_told_with_what_desk_needs(database: Database) -> None:
    due = TimeWithZone(precision="time", starts=datetime(2026, 6, 29, 15, tzinfo=UTC), zone="Europe/Zurich")
    task_id = await opens(database, replace(TASK, due=due, not_by=("chen", "ana", "bo", "ana")))
    (row,) = await told(database)
    event = TaskOpened.model_validate_json(row.body)
    assert (row.type, row.subject, row.revision, row.cause) == ("task.opened.v1", str(task_id), 1, CAUSE.id)
    assert (event.kind, event.role, event.title, event.address, event.due) == (TASK.kind, TASK.role, TASK.title, TASK.address, due)
    assert (event.not_by, event.nor_by) == ("ana", ("bo", "chen"))


async def test_opening_twice_is_one(database: Database) -> None:
    assert await opens(database) == await opens(database)
    assert len(await told(database)) == 1
    ids = await asyncio.gather(*(opens(database, replace(TASK, subject="post-2")) for _ in range(20)))
    assert len(set(ids)) == 1
    assert len(await told(database)) == 2


async def test_change_is_told_again_as_the_same_task(database: Database) -> None:
    task_id = await opens(database)
    due = Days.model_validate({"precision": "day", "first": "2026-06-16", "last": "2026-06-16"})
    assert await opens(database, replace(TASK, title={"en": "A better post"}, due=due)) == task_id
    first, second = await told(database)
    assert (first.subject, second.subject, second.revision) == (str(task_id), str(task_id), 2)
    assert json.loads(second.body)["title"] == {"en": "A better post"}


async def test_task_is_closed_once_whoever_closes_it(database: Database) -> None:
    task_id = await opens(database)
    assert sorted(await asyncio.gather(*(closes(database) for _ in range(10)))) == [False] * 9 + [True]
    _, row = await told(database)
    assert (row.type, row.subject, row.revision) == ("task.closed.v1", str(task_id), 2)
    assert TaskClosed.model_validate_json(row.body) == TaskClosed(kind=TASK.kind, end=TaskEnd.DONE, by="bo")
    async with database.transaction() as tx:
        assert await tasks.open_tasks(tx) == []


async def test_after_it_is_closed_the_next_one_is_another(database: Database) -> None:
    task_id = await opens(database)
    await closes(database, end=TaskEnd.EXPIRED, by=None)
    assert await opens(database) != task_id


async def test_what_is_rolled_back_was_never_told(database: Database) -> None:
    async with database.transaction() as tx:
        await tasks.open_task(tx, TASK, cause=CAUSE)
        await tx.rollback()
    assert await told(database) == []
    assert not await closes(database)


async def test_kinds_and_subjects_are_kept_apart(database: Database) -> None:
    for kind in ("approve-post", "change-post", "look-at-post"):
        await opens(database, replace(TASK, kind=kind))
    await opens(database, replace(TASK, subject="post-2"))
    async with database.transaction() as tx:
        closed = await tasks.close_tasks(tx, ("approve-post", "change-post"), "post-1", end=TaskEnd.WITHDRAWN, by=None, cause=CAUSE)
        left = [(task.kind, task.subject) for task in await tasks.open_tasks(tx)]
        assert [task.kind for task in await tasks.open_tasks(tx, "post-1")] == ["look-at-post"]
    assert closed == 2
    assert left == [("look-at-post", "post-1"), ("approve-post", "post-2")]


async def test_closed_tasks_are_forgotten_and_open_ones_never(database: Database) -> None:
    await opens(database)
    await opens(database, replace(TASK, subject="post-2"))
    await closes(database)
    assert await tasks.tidy(database) == 0
    async with database.transaction() as tx:
        long_ago = clock.now() - timedelta(days=tasks.kept("trial").days or 0)
        await tx.execute(update(tasks.tasks).values(opened_at=long_ago))
        await tx.execute(update(tasks.tasks).where(tasks.tasks.c.closed_at.is_not(None)).values(closed_at=long_ago))
    assert await tasks.tidy(database) == 1
    async with database.transaction() as tx:
        assert [task.subject for task in await tasks.open_tasks(tx)] == ["post-2"]
