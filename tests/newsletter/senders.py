"""Senders at work on a scripted server, and when something of an issue holds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.newsletter.sending.rules import AudienceState, SendState
from services.newsletter.sending.sender import Sender
from services.newsletter.sending.tables import audience
from shared.db import Database
from shared.mail.smtp import Patience
from shared.vault import Vault, new_key
from tests.newsletter.sending import sender_on, standing_of
from tests.shared.mail_server import ScriptedServer

KEY = new_key()


VAULT = Vault([KEY])


PATIENCE = Patience(dot=1.0)


@asynccontextmanager
async def at_work(sender: Sender) -> AsyncIterator[Sender]:
    """Run a sender until the block ends."""
    running = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled(), running.exception()


@asynccontextmanager
async def sending(database: Database, server: ScriptedServer, *, connections: int = 1, **changes: Any) -> AsyncIterator[Sender]:
    """Run a sender on a scripted server until the block ends."""
    sender = await sender_on(database, VAULT, replace(server.address, connections=connections), patience=PATIENCE)
    for name, value in changes.items():
        assert hasattr(sender, f"_{name}")
        setattr(sender, f"_{name}", value)
    async with at_work(sender):
        yield sender


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    """Return once something holds."""
    async with asyncio.timeout(60):
        while not await holds():
            await asyncio.sleep(0.02)


async def until_over(database: Database, issue: UUID) -> None:
    """Return once nobody waits."""

    async def over() -> bool:
        return (await standing_of(database, issue)).state is SendState.SENT

    await until(over)


async def state_is(database: Database, subscriber: UUID, state: AudienceState) -> bool:
    async with database.transaction() as tx:
        found = await tx.execute(select(audience.c.state).where(audience.c.subscriber_id == subscriber))
        return bool(found.scalar_one() == state.value)


async def reason_is(database: Database, subscriber: UUID, reason: str) -> bool:
    async with database.transaction() as tx:
        found = await tx.execute(select(audience.c.reason).where(audience.c.subscriber_id == subscriber))
        return bool(found.scalar_one() == reason)
