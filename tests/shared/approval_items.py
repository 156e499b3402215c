"""A service with one table of posts, as small as one that asks for approval can be."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, DateTime, Row, Table, Uuid, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from shared import actors
from shared.approval import deciding, editing
from shared.approval.content import Fingerprint, fingerprint
from shared.approval.deciding import Decided
from shared.approval.rules import Act, Action, Standing
from shared.approval.things import Matter, Thing
from shared.db import Database, Transaction, metadata
from shared.events.codes import Role
from shared.ids import new_id
from shared.migrations import approval, backbone, tasks
from shared.outbox import outbox
from shared.trace import Cause
from tests.shared.actors import Actor

BOTH = frozenset({Role.DRAFTER, Role.APPROVER})
ANA, BO, CHEN = (Actor(id=name, roles=BOTH) for name in ("ana", "bo", "chen"))
APPROVERS = ("ana", "bo", "chen")
CAUSE = Cause.start()

posts = Table(
    "posts",
    metadata(),
    Column("id", Uuid, primary_key=True),
    Column("texts", JSONB, nullable=False),
    Column("expires_at", DateTime(timezone=True)),
)


async def read_post(tx: Transaction, item: UUID) -> Matter | None:
    row = (await tx.execute(select(posts).where(posts.c.id == item))).one_or_none()
    if row is None:
        return None
    content = {variant: {"text": words} for variant, words in row.texts.items()}
    return Matter(content=content, title={"en": "A post"}, address=f"https://tidings.example.org/posts/{item}", expires_at=row.expires_at)


async def approvers(tx: Transaction) -> Sequence[str]:
    return APPROVERS


POST = Thing(about="post", read=read_post, approvers=approvers)


def _in_operations(connection: Connection, made: Sequence[Callable[[], None]]) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        for make in made:
            make()


async def make_tables(database: Database, *made: Callable[[], None]) -> None:
    """Make a schema with the tables that these functions of the migrations make."""
    async with database.transaction() as tx:
        await tx.execute(text(f"CREATE SCHEMA {database.service}"))
        await tx.run_sync(_in_operations, made)


@asynccontextmanager
async def service(url: str, *, pool_size: int = 10) -> AsyncIterator[Database]:
    """Give the database of the service."""
    database = Database(url, "trial", pool_size=pool_size)
    await make_tables(database, backbone.create_1, approval.create_1, approval.create_2, tasks.create_1)
    async with database.transaction() as tx:
        await tx.run_sync(posts.create)
    yield database
    await database.close()


async def draft(database: Database, texts: Mapping[str, str] | None = None, *, by: actors.Actor | None = ANA) -> UUID:
    """Return a new post, written by somebody."""
    item = new_id()
    async with database.transaction() as tx:
        await tx.execute(insert(posts).values(id=item, texts=dict(texts or {"x/en": "Words", "x/fr": "Mots"})))
        await editing.edited(tx, POST, item, by=by, cause=CAUSE)
    return item


async def write(
    database: Database, item: UUID, texts: Mapping[str, str], *, by: actors.Actor | None = ANA, expires_at: datetime | None = None
) -> Standing:
    """Edit a post."""
    async with database.transaction() as tx:
        await tx.execute(update(posts).where(posts.c.id == item).values(texts=dict(texts), expires_at=expires_at))
        return await editing.edited(tx, POST, item, by=by, cause=CAUSE)


async def shown(database: Database, item: UUID) -> Fingerprint:
    """Return the fingerprint of what a page would show."""
    async with database.transaction() as tx:
        matter = await read_post(tx, item)
    assert matter is not None
    return fingerprint(matter.content)


async def does(
    database: Database, item: UUID, action: Action, by: actors.Actor, *, seen: Fingerprint | None = None, reason: str | None = "Because."
) -> Decided:
    """Have a person act on what stands there now, or on what they saw."""
    seen = seen or await shown(database, item)
    async with database.transaction() as tx:
        return await deciding.decide(tx, POST, item, Act(action=action, by=by, seen=seen, reason=reason), cause=CAUSE)


async def told(database: Database, event_type: str | None = None) -> Sequence[Row[Any]]:
    """Return what was put into the outbox."""
    async with database.transaction() as tx:
        query = select(outbox).order_by(outbox.c.seq)
        return (await tx.execute(query.where(outbox.c.type == event_type) if event_type else query)).all()


async def waits_for_lock(database: Database, count: int = 1) -> None:
    """Return once so many sessions wait for a lock."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
    async with asyncio.timeout(60):
        while True:
            async with database.transaction() as tx:
                if (await tx.execute(waiting)).scalar_one() >= count:
                    return
            await asyncio.sleep(0.01)
