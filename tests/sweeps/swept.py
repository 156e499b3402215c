"""What the tests of sweeps share: a sweep of a service as its job makes it, rows put by hand, and what is asked of people."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from shared import tasks
from shared.events.codes import Language, Role
from shared.events.every import TaskOpened
from shared.events.kinds import KINDS
from shared.ids import new_id
from shared.sweeps import Promise, Sweep, Sweeper, found_by
from shared.tasks import Task
from shared.trace import Cause
from tests.watched import Watched

TITLE: Mapping[Language, str] = {"en": "A matter"}

ZONE = "Europe/Zurich"
"""In which days begin and end unless somebody sets another."""


def sweeps_of(system: Watched, service: str) -> Sequence[Sweep]:
    return system.of(service).service.sweeps


async def sweep(system: Watched, service: str) -> list[tuple[Promise, str, str]]:
    """Let the job of a service run once, and return what is left: promise, why and id; what Prometheus hears is the same."""
    database = system.database(service)
    count = await Sweeper(sweeps_of(system, service)).run(database)
    async with database.transaction() as tx:
        left = [(promise, one.why, one.id) for promise, one in await found_by(tx, sweeps_of(system, service))]
    assert len(left) == count
    said = await system.scrape()
    for promise in {one.promise for one in sweeps_of(system, service)}:
        stuck = len([one for one in left if one[0] is promise])
        assert said[f'tidings_stuck{{promise="{promise}",service="{service}"}}'] == stuck
    return left


async def run(system: Watched, service: str, sql: str, **values: object) -> Sequence[Row[Any]]:
    async with system.database(service).transaction() as tx:
        done = await tx.execute(text(sql), values)
        return done.all() if done.returns_rows else ()


async def open_tasks(system: Watched, service: str) -> dict[tuple[str, str], TaskOpened]:
    async with system.database(service).transaction() as tx:
        return {(row.kind, row.subject): TaskOpened.model_validate(row.facts) for row in await tasks.open_tasks(tx)}


async def work(system: Watched, service: str, job: str) -> None:
    """Let one job of a service run, as its clock would."""
    [found] = [one for one in system.of(service).service.jobs if one.name == job]
    await found.run(system.database(service))


async def ask(system: Watched, service: str, kind: str, subject: str) -> None:
    task = Task(kind=kind, subject=subject, role=Role.MODERATOR, title=TITLE, address="https://tidings.example.org/1")
    async with system.database(service).transaction() as tx:
        await tasks.open_task(tx, task, cause=Cause.start())


async def put_submission(system: Watched, kind: str, state: str = "received", **columns: object) -> UUID:
    """Put a submission as the door would have, and nothing that follows from it."""
    submission = new_id()
    example = KINDS[kind].example
    await run(
        system,
        "intake",
        """
        INSERT INTO submissions (id, kind, channel, language, reference, public, internal, contact_sealed, state, decision_revision,
            token, received_at, event_id, decided_at, draft)
        VALUES (:id, :kind, 'form', 'en', :reference, CAST(:public AS jsonb), '{}', '', :state, 0, :reference,
            now() - interval '1 hour', :event, :decided, CAST(:draft AS jsonb))
        """,
        id=submission,
        reference=str(submission),
        kind=kind,
        state=state,
        public=json.dumps({"title": example.get("title") or {"en": "What"}}),
        event=columns.get("event", new_id()),
        decided=columns.get("decided"),
        draft=columns.get("draft"),
    )
    return submission
