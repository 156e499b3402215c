"""Mails to the staff after a restore: what was told before it may have been mailed before, and is held; what is told after it leaves."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from services.desk.domain import StoredPerson
from shared import clock
from shared.db import Database
from shared.mail.queue import holding
from shared.mail.queue.store import MailState, restores
from tests.desk.desk_app import Desk
from tests.desk.test_awaiting import POST, approver, closes, opens, social
from tests.desk.test_awaiting_mails import broken, mailed, passes, run, waits

__all__ = ["broken", "social"]


async def restored(desk: Desk) -> None:
    """Let desk's database be one that has just been put back."""
    async with desk.database.transaction() as tx:
        await holding.hold_all(tx, clock.now() - timedelta(hours=1))


async def test_a_mail_that_was_wanted_before_a_restore_is_held(desk: Desk, broken: tuple[StoredPerson, StoredPerson]) -> None:
    await restored(desk)
    assert await run(desk) == 1
    assert [mail.to for mail in await mailed(desk, MailState.HELD)] == [broken[0].mail]
    assert await mailed(desk) == []


async def test_a_task_of_before_a_restore_is_held_taken_back_with_it_and_a_later_one_is_mailed(desk: Desk, social: Database) -> None:
    ada = await approver(desk)
    await opens(social)
    await waits(desk, social)
    await restored(desk)
    assert await run(desk) == 1
    assert ([mail.to for mail in await mailed(desk, MailState.HELD)], await mailed(desk)) == ([ada.mail], [])
    await closes(social)
    await waits(desk, social)
    assert await mailed(desk, MailState.HELD) == [], "nobody can release what was done meanwhile"
    async with desk.database.transaction() as tx:
        await tx.execute(update(restores).values(restored_at=clock.now() - timedelta(minutes=5)))
    await opens(social, replace(POST, subject="another"))
    await waits(desk, social)
    await passes(desk, timedelta(minutes=2))  # in which a person gets one mail at most
    assert await run(desk) == 1
    assert [mail.to for mail in await mailed(desk)] == [ada.mail]
