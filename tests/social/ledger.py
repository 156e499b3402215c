"""Posts put into the ledger, and what became of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from services.social.domain.content import Content
from services.social.domain.posts import ABOUT
from services.social.domain.schedule import plan
from services.social.store import deliveries as ledger
from services.social.store.tables import attempts, deliveries
from shared import clock
from shared.approval import rules as approval
from shared.approval import store
from shared.approval.content import fingerprint
from shared.db import Database, Transaction
from shared.ids import new_id
from shared.trace import Cause


async def put(
    database: Database,
    content: Content,
    *,
    approved: bool = True,
    approved_as: Content | None = None,
    due_in: timedelta = timedelta(0),
) -> UUID:
    """Return the id of a delivery that is due; `approved_as` is what people approved, where that is something else."""
    wish = (clock.now() + due_in).replace(tzinfo=None)
    post_id = new_id()
    async with database.transaction() as tx:
        if approved:
            await approve(tx, post_id, approved_as or content)
        return await ledger.schedule(
            tx,
            post_id=post_id,
            content=content,
            planned=plan(wish, "UTC"),
            cause=Cause.start(),
            approved_hash=content.sha256 if approved else None,
        )


async def approve(tx: Transaction, post_id: UUID, content: Content) -> None:
    """Approve a post that says this, as if two people had been at it."""
    held = await store.hold(tx, ABOUT, post_id)
    approved = fingerprint({content.name: content.as_variant()})
    await store.save(tx, held, replace(held.standing, state=approval.State.APPROVED, fingerprint=approved))


async def all_of(database: Database) -> Sequence[Row[Any]]:
    """Return every delivery, oldest first."""
    async with database.transaction() as tx:
        return (await tx.execute(select(deliveries).order_by(deliveries.c.id))).all()


async def tried(database: Database) -> Sequence[Row[Any]]:
    """Return every attempt, oldest first."""
    async with database.transaction() as tx:
        return (await tx.execute(select(attempts).order_by(attempts.c.started_at))).all()


async def open_attempts(database: Database) -> set[UUID]:
    """Return the attempts that have no end."""
    async with database.transaction() as tx:
        return {row.id for row in await tx.execute(select(attempts.c.id).where(attempts.c.ended_at.is_(None)))}


async def unsettled(database: Database) -> int:
    """Return how many deliveries are not at their end."""
    async with database.transaction() as tx:
        left = select(func.count()).select_from(deliveries).where(deliveries.c.state.in_(("scheduled", "sending", "unknown")))
        return int((await tx.execute(left)).scalar_one())
