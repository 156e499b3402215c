"""Mails to senders after a restore: a decision of before it may have been mailed before, and is held."""

from datetime import timedelta

import httpx

from shared import clock
from shared.mail.queue import holding
from tests.intake.intake_app import Intake
from tests.intake.test_review import submitted
from tests.intake.test_tracking import MAILS, decide


async def test_the_mail_about_a_decision_of_before_a_restore_is_held_and_one_of_after_it_leaves(
    intake: Intake, staff: httpx.AsyncClient
) -> None:
    submission = await submitted(intake)
    await decide(intake, staff, "practice", submission, "declined", "No.")
    async with intake.database.transaction() as tx:
        await holding.hold_all(tx, clock.now() - timedelta(hours=1))
    assert await intake.run(MAILS) == 1
    assert [row.state for row in await intake.rows("SELECT state FROM mails")] == ["held"]
    later = await submitted(intake, event_id="msg_2", language="fr")
    await decide(intake, staff, "practice", later, "declined", "Non.")
    assert await intake.run(MAILS) == 1
    assert [row.state for row in await intake.rows("SELECT state FROM mails ORDER BY created_at")] == ["held", "waiting"]
