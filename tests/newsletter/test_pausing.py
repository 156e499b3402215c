"""The kill switch in the newsletter as it runs: a pause row holds every copy back, and says how many."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from services.newsletter.posting import Posting
from services.newsletter.sending.pausing import SENDER
from services.newsletter.sending.rules import SendState
from services.newsletter.sending.tables import senders
from shared import clock
from shared.db import Database
from shared.mail.outgoing import outgoing
from shared.migrations import migrate
from shared.parts import Parts
from shared.pauses import store
from shared.pauses.store import Origin, Waiting
from shared.settings import Settings
from shared.testing.sink import sink
from shared.trace import Cause
from shared.vault import Vault, new_key
from tests.newsletter.sending import QUICK, send_now, standing_of, subscribe
from tests.people import VERIFIER


async def seen(database: Database) -> Any:
    """Return when the only sender last said that it lives."""
    async with database.transaction() as tx:
        return (await tx.execute(select(senders.c.seen_at))).scalar_one_or_none()


async def what_waits(database: Database) -> Waiting:
    async with database.transaction() as tx:
        return await SENDER.waiting(tx, "newsletter")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("scope", ["all", "newsletter"])
async def test_while_a_pause_stands_no_copy_leaves_and_its_end_lets_all_go(database_url: str, var: Path, scope: str) -> None:
    await migrate(database_url, ["newsletter"])
    database, vault = Database(database_url, "newsletter"), Vault([new_key()])
    await subscribe(database, vault, [f"{number}@example.net" for number in range(3)])
    issue = await send_now(database)
    cause = Cause.start()
    async with database.transaction() as tx:
        await store.hold(tx)
        assert await store.set_pause(tx, scope, Origin.HERE, reason="Mourning.", until=None, told_at=clock.now(), by=None, cause=cause)
    waits = await what_waits(database)
    assert (waits.count, [item.id for item in waits.items]) == (3, [str(issue)])
    async with sink(var / "taken", seconds=0.0) as taken:
        settings = Settings(smtp=f"smtp://127.0.0.1:{taken.port}", mail_from="Network <news@example.org>", _env_file=None)
        parts = Parts(settings=settings, vault=vault, public_url="http://127.0.0.1:8000", outgoing=outgoing(settings), verifier=VERIFIER)
        running = asyncio.create_task(Posting(parts, QUICK).run(database))
        try:
            async with asyncio.timeout(120):
                while (first := await seen(database)) is None:
                    await asyncio.sleep(0.02)
                while await seen(database) == first:  # it has looked for work many times by then
                    await asyncio.sleep(0.02)
                assert (taken.count, (await standing_of(database, issue)).planned) == (0, 3)
                async with database.transaction() as tx:
                    await store.hold(tx)
                    await store.end_pause(tx, scope, Origin.HERE, reason="Over.", told_at=clock.now(), waited=waits, by=None, cause=cause)
                while (await standing_of(database, issue)).state is not SendState.SENT:
                    await asyncio.sleep(0.02)
            assert taken.count == 3
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert (await what_waits(database)).count == 0
    await database.close()
