"""An issue after a restore: held, said so in words, and at its hour once an approver lets it go on."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from services.newsletter.issues import holding
from services.newsletter.restoring import hold_everything
from services.newsletter.sending import issues as sending
from services.newsletter.sending.rules import AudienceState, Hold, SendState
from services.newsletter.sending.tables import audience, sends
from shared import clock, tasks
from shared.approval.rules import Action
from shared.i18n import translate
from tests.newsletter.issue_app import Newsletter, newsletter
from tests.newsletter.issue_items import APPROVER, WRITER, approved, does
from tests.newsletter.sending import send_now, standing_of, subscribe

ISSUES = "/newsletter/issues/"


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Newsletter]:
    async with newsletter(database_url) as found:
        yield found


async def test_a_held_issue_says_why_and_keeps_its_hour_when_it_is_let_go_on(service: Newsletter) -> None:
    issue = await approved(service.database)
    at = clock.now().replace(second=0, microsecond=0) + timedelta(days=5)
    async with service.browser(WRITER) as writer:
        plan = {"sends_at": f"{at:%Y-%m-%dT%H:%M}", "zone": "UTC", "valid_hours": "48"}
        assert (await writer.post(f"{ISSUES}{issue}/schedule", data=plan)).status_code == 303
    async with service.database.transaction() as tx:
        (held,) = await hold_everything(tx, clock.now())
    assert (held.kind, held.address) == ("issue", f"{ISSUES}{issue}/sending")
    standing = await standing_of(service.database, issue)
    assert (standing.state, standing.held_because) == (SendState.HELD, Hold.RESTORED)
    async with service.browser(APPROVER) as approver:
        assert translate("en", "staff.issues.held.restored") in (await approver.get(held.address)).text
        assert (await approver.post(f"{held.address}/resume", data={"valid_hours": "24"})).status_code == 303
    async with service.database.transaction() as tx:
        send = (await tx.execute(select(sends))).one()
    assert (send.state, send.starts_at, send.expires_at) == (SendState.SCHEDULED, at, at + timedelta(hours=24))


async def test_an_issue_that_was_held_already_may_have_left_since_where_anybody_waits_for_it(service: Newsletter) -> None:
    database = service.database
    await subscribe(database, service.parts.vault, ["reader@example.org"])
    refused, over = await send_now(database), await send_now(database)
    async with database.transaction() as tx:
        assert await sending.hold(tx, refused, Hold.REFUSALS)
        assert await sending.hold(tx, over, Hold.PERSON)
        ended = update(audience).where(audience.c.issue_id == over).values(state=AudienceState.ACCEPTED.value)
        await tx.execute(ended)
    async with database.transaction() as tx:
        (held,) = await hold_everything(tx, clock.now())
    assert (held.address, held.why.partition(",")[0]) == (f"{ISSUES}{refused}/sending", "was held (refusals)")
    assert (await standing_of(database, refused)).held_because == Hold.RESTORED
    assert (await standing_of(database, over)).held_because == Hold.PERSON, "whoever it was for has it: nothing of it leaves again"


async def test_a_held_issue_gets_no_other_hour_by_another_approval_until_somebody_has_ended_it(service: Newsletter) -> None:
    issue = await approved(service.database)
    async with service.browser(WRITER) as writer, service.browser(APPROVER) as approver:
        plan = await _held_by_a_restore(service, writer, issue)
        for person, action in ((APPROVER, Action.WITHDRAW), (WRITER, Action.SUBMIT), (APPROVER, Action.APPROVE)):
            await does(service.database, issue, action, person)
        for what in ("schedule", "unschedule"):
            refused = await writer.post(f"{ISSUES}{issue}/{what}", data=plan)
            assert refused.status_code == 409
            assert translate("en", "staff.issues.refusal.restored") in refused.text
        assert f'action="{ISSUES}{issue}/schedule"' not in (await writer.get(f"{ISSUES}{issue}")).text
        assert (await standing_of(service.database, issue)).held_because == Hold.RESTORED
        assert (await approver.post(f"{ISSUES}{issue}/sending/end", data={"reason": "It has left."})).status_code == 303
        # The words that may have left get no other hour by the approval that they have.
        for what in ("schedule", "unschedule"):
            refused = await writer.post(f"{ISSUES}{issue}/{what}", data=plan)
            assert refused.status_code == 409
            assert translate("en", "staff.issues.refusal.ended") in refused.text
        page = (await writer.get(f"{ISSUES}{issue}")).text
        assert translate("en", "staff.issues.refusal.ended") in page
        assert not any(f'action="{ISSUES}{issue}/{what}"' in page for what in ("schedule", "unschedule"))
        assert translate("en", "staff.issues.held.restored") not in (await writer.get(f"{ISSUES}{issue}/sending")).text
        for person, action in ((APPROVER, Action.WITHDRAW), (WRITER, Action.SUBMIT), (APPROVER, Action.APPROVE)):
            await does(service.database, issue, action, person)
        assert (await writer.post(f"{ISSUES}{issue}/schedule", data=plan)).status_code == 303
    assert (await standing_of(service.database, issue)).state == SendState.SCHEDULED


async def test_an_issue_that_was_written_anew_gets_its_hour_once_what_may_have_left_is_ended(service: Newsletter) -> None:
    issue = await approved(service.database)
    async with service.browser(WRITER) as writer, service.browser(APPROVER) as approver:
        plan = await _held_by_a_restore(service, writer, issue)
        async with service.database.transaction() as tx:
            await tx.execute(update(sends).values(approved_hash="of other words"))
        ended = await approver.post(f"{ISSUES}{issue}/sending/end", data={"reason": "It is another now."})
        assert (ended.status_code, ended.headers["location"]) == (303, f"{ISSUES}{issue}#plan")
        async with service.database.transaction() as tx:
            asked = select(tasks.tasks.c.subject).where(tasks.tasks.c.kind == holding.SCHEDULE, tasks.tasks.c.closed_at.is_(None))
            assert (await tx.execute(asked)).scalars().all() == [str(issue)]
        assert (await writer.post(f"{ISSUES}{issue}/schedule", data=plan)).status_code == 303


async def _held_by_a_restore(service: Newsletter, writer: httpx.AsyncClient, issue: UUID) -> dict[str, str]:
    """Give an issue an hour and let a restore hold it; returns the form of that hour."""
    at = clock.now().replace(second=0, microsecond=0) + timedelta(days=5)
    plan = {"sends_at": f"{at:%Y-%m-%dT%H:%M}", "zone": "UTC", "valid_hours": "48"}
    assert (await writer.post(f"{ISSUES}{issue}/schedule", data=plan)).status_code == 303
    async with service.database.transaction() as tx:
        await hold_everything(tx, clock.now())
    return plan
