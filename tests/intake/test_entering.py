"""What came by mail, note verbale or telephone: entered by a colleague with how it came, told at once, and accepted by somebody else."""

from typing import Any

import httpx
import pytest

from services.intake.domain import DECIDED_HERE, TWO_PERSONS
from shared.events.codes import Role
from shared.events.kinds import KINDS
from shared.i18n import look_up
from tests.intake.form_filler import posted
from tests.intake.intake_app import Intake, client_of
from tests.intake.page import page
from tests.intake.test_decide_every_kind import open_task
from tests.intake.test_news import fill_in
from tests.intake.test_review import REVIEW
from tests.people import ALEX, somebody

HOW = {"came_by": "note-verbale", "came_on": "2026-05-04", "came_from": "Permanent Mission of Example State A, note 12/2026"}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


async def entered(staff: httpx.AsyncClient, kind: str, **changes: Any) -> dict[str, Any]:
    once = page(await staff.get(f"/intake/enter/{kind}")).one("input", name="once")["value"]
    return {name: value for name, value in {"once": once, **HOW, **posted(kind), **changes}.items() if value is not None}


@EVERY_KIND
async def test_what_a_colleague_enters_is_told_at_once_with_who_entered_it_and_mails_nobody(
    intake: Intake, staff: httpx.AsyncClient, kind: str
) -> None:
    form = await entered(staff, kind)
    first, again = [await staff.post(f"/intake/enter/{kind}", data=form) for _ in range(2)]
    assert first.status_code == 303, page(first, 422).text
    assert first.headers["location"] == again.headers["location"]
    [kept] = await intake.rows("SELECT * FROM submissions")
    assert (kept.channel, kept.state, kept.entered_by, kept.entered_by_name) == ("staff", "received", ALEX.id, ALEX.name)
    assert (kept.came_by, kept.came_on.isoformat(), kept.came_from) == tuple(HOW.values())
    [told] = await intake.told()
    assert (told.data["channel"], told.data["entered_by"], told.data["kind"]) == ("staff", ALEX.id, kind)
    assert (told.data["contact"] is not None) is (kind in {"pledge", "date"})
    assert await intake.mails() == []
    shown = page(await staff.get(f"{REVIEW}{kept.id}")).text
    assert all(words in shown for words in (HOW["came_from"], "Note verbale", ALEX.name))


@pytest.mark.parametrize("kind", sorted(DECIDED_HERE))
async def test_who_entered_it_does_not_accept_it(intake: Intake, staff: httpx.AsyncClient, kind: str) -> None:
    await staff.post(f"/intake/enter/{kind}", data=await entered(staff, kind))
    [kept] = await intake.rows("SELECT id FROM submissions")
    page(await staff.post(f"{REVIEW}{kept.id}/accept"), 403)
    async with client_of(intake.app, browser=True, staff=True, person=somebody(Role.MODERATOR, name="berit")) as other:
        assert (await other.post(f"{REVIEW}{kept.id}/accept")).status_code == 303


@pytest.mark.parametrize("kind", sorted(DECIDED_HERE - TWO_PERSONS))
async def test_who_entered_it_does_not_publish_other_words_afterwards_either(intake: Intake, staff: httpx.AsyncClient, kind: str) -> None:
    await staff.post(f"/intake/enter/{kind}", data=await entered(staff, kind))
    [kept] = await intake.rows("SELECT id FROM submissions")
    async with client_of(intake.app, browser=True, staff=True, person=somebody(Role.MODERATOR, name="berit")) as other:
        await other.post(f"{REVIEW}{kept.id}/accept")
        assert (await fill_in(staff, kept.id, entity="Words of my own")).status_code == 303
        assert len(await intake.told()) == 2, "nobody else has read it"
        task = await open_task(intake, f"publish-{kind}")
        assert task is not None
        assert task.not_by == ALEX.id
        page(await staff.post(f"{REVIEW}{kept.id}/publish"), 403)
        assert (await other.post(f"{REVIEW}{kept.id}/publish")).status_code == 303
        await fill_in(staff, kept.id, entity="Again my own")
        await fill_in(other, kept.id, entity="Words of another")
    assert [one.data["entity"] for one in (await intake.told())[2:]] == ["Words of my own", "Words of another"]
    assert await open_task(intake, f"publish-{kind}") is None
    page(await staff.post(f"{REVIEW}{kept.id}/publish"), 409)


@EVERY_KIND
async def test_nobody_to_write_to_may_be_known(intake: Intake, staff: httpx.AsyncClient, kind: str) -> None:
    nobody = {"contact.name": None, "contact.mail": None}
    refused = page(await staff.post(f"/intake/enter/{kind}", data=await entered(staff, kind, **nobody)), 422)
    assert refused.all("a", href="#contact.mail")
    form = await entered(staff, kind, **nobody, no_contact="yes", ask_contact="yes")
    assert (await staff.post(f"/intake/enter/{kind}", data=form)).status_code == 303
    [told] = await intake.told()
    assert told.data["contact"] is None
    assert await intake.mails() == []
    [kept] = await intake.rows("SELECT contact_sealed FROM submissions")
    assert kept.contact_sealed == b""


async def test_a_contact_who_is_asked_to_confirm_is_told_of_the_decision_and_another_is_not(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    for ask in (None, "yes"):
        await staff.post("/intake/enter/practice", data=await entered(staff, "practice", ask_contact=ask, entity=f"City {ask}"))
    asked = page(await reader.get(await intake.confirm_path()))
    assert look_up("en", "confirm.button")[0] in asked.text
    assert (await reader.post(await intake.confirm_path())).status_code == 303
    assert len([row for row in await intake.told() if row.type == "submission.received.v1"]) == 2
    for row in await intake.rows("SELECT id FROM submissions"):
        await staff.post(f"{REVIEW}{row.id}/decline", data={"reason": "No."})
    await intake.run("mails to senders")
    assert [mail["content"]["subject"][:14] for mail in await intake.mails()] == ["Please confirm", "Your submission"[:14]]
    assert [row.was_mailed for row in await intake.rows("SELECT was_mailed FROM notices ORDER BY was_mailed")] == [False, True]


async def test_how_it_came_is_needed_and_nothing_typed_is_lost(intake: Intake, staff: httpx.AsyncClient) -> None:
    form = await entered(staff, "practice", came_by="", came_on="2199-01-01", came_from="")
    found = page(await staff.post("/intake/enter/practice", data=form), 422)
    assert {one["href"] for one in found.all("a")} >= {"#came_by", "#came_on", "#came_from"}
    assert look_up("en", "fault.not-yet")[0] in found.text
    assert found.values()["contact.mail"] == "amina@example.org"
    assert (await intake.counts())["submissions"] == 0


async def test_a_drafter_may_enter_and_an_approver_may_not(intake: Intake) -> None:
    async with client_of(intake.app, browser=True, staff=True, person=somebody(Role.DRAFTER, name="dora")) as drafter:
        kept = await drafter.post("/intake/enter/enquiry", data=await entered(drafter, "enquiry"))
        assert look_up("en", "staff.enter.kept")[0] in page(await drafter.get(kept.headers["location"])).text
    async with client_of(intake.app, browser=True, staff=True, person=somebody(Role.APPROVER, name="ada")) as approver:
        assert (await approver.get("/intake/enter/enquiry")).status_code == 403
