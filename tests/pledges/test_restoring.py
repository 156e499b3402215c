"""Reminders after a restore: an owner who was to be asked before it may have been, and the mail is held."""

from datetime import timedelta
from typing import Any

from services.pledges.reminding import remind
from shared import clock
from shared.mail.queue import holding
from tests.pledges.pledges_app import Register, letters_of


async def test_an_owner_who_was_to_be_asked_before_a_restore_is_held_and_one_who_came_after_it_is_asked(register: Register) -> None:
    today = clock.now().date()
    old: dict[str, Any] = {"published_on": today - timedelta(days=500), "due": today + timedelta(days=500)}
    await register.publish(**old)
    async with register.database.transaction() as tx:
        await holding.hold_all(tx, clock.now() - timedelta(hours=1))
    assert await remind(register.database, letters_of(register)) == 1
    assert [row.state for row in await register.rows("SELECT state FROM mails")] == ["held"]
    await register.publish(**old)  # of a list that was taken in later, with days long past
    assert await remind(register.database, letters_of(register)) == 1
    assert [row.state for row in await register.rows("SELECT state FROM mails ORDER BY created_at")] == ["held", "waiting"]
