"""An enquiry goes to the mailbox that an admin has confirmed for its initiative, once; until then a moderator answers or closes it."""

import httpx
import pytest

from services.intake.web.initiative_confirm import PATH
from shared.events.codes import Initiative, Role
from shared.i18n import look_up
from shared.reference.initiatives import initiatives, unconfirmed_contacts
from tests.intake.intake_app import Intake, client_of, example, send
from tests.intake.page import page
from tests.intake.test_review import submitted
from tests.people import ALEX, somebody

MAILBOX = "pledging@example.org"


async def confirm(staff: httpx.AsyncClient, code: str = "pledging", address: str = MAILBOX) -> httpx.Response:
    return await staff.post(f"{PATH}{code}/confirm", data={f"address-{code}": address})


async def test_an_enquiry_goes_to_its_confirmed_mailbox_once_and_an_answer_reaches_who_asked(
    intake: Intake, staff: httpx.AsyncClient, program: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    assert (await confirm(staff)).status_code == 303
    for _ in range(2):
        assert (await send(program, intake.sender, example("enquiry"))).status_code == 202
    [mail] = await intake.mails()
    assert mail["to"]["address"] == MAILBOX
    assert mail["reply_to"] == {"name": "Mei Example", "address": "mei@example.org"}
    assert "Our city pledged in 2022" in mail["content"]["text"]
    [kept] = await intake.rows("SELECT state, token FROM submissions")
    assert kept.state == "accepted"
    assert await intake.rows("SELECT 1 FROM tasks") == []
    assert look_up("en", "track.enquiry.accepted")[0] in page(await reader.get(f"/intake/track/{kept.token}")).text


async def test_the_form_asks_about_the_initiative_from_whose_page_one_comes(intake: Intake, reader: httpx.AsyncClient) -> None:
    for asked, chosen in (("champion-countries", ["champion-countries"]), ("nonsense", []), ("%00", []), ('"><script>', [])):
        answer = await reader.get("/intake/submit/enquiry", params={"initiative": asked})
        options = page(answer).all("option", selected="")
        assert [one["value"] for one in options if one["value"] in set(Initiative)] == chosen
        assert "<script>" not in answer.text


async def test_only_what_its_sender_has_confirmed_is_passed_on(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    from tests.intake.test_forms import filled  # its fixtures are those of this folder

    await confirm(staff)
    await reader.post("/intake/submit/enquiry", data=await filled(reader, "enquiry"))
    assert [mail["to"]["address"] for mail in await intake.mails()] == ["mei@example.org"]
    path = await intake.confirm_path()
    for _ in range(2):
        await reader.post(path)
    assert [mail["to"]["address"] for mail in await intake.mails()] == ["mei@example.org", MAILBOX]


async def test_without_a_mailbox_a_moderator_answers_and_the_answer_is_mailed(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    submission = await submitted(intake, "enquiry")
    [task] = await intake.rows("SELECT kind, facts FROM tasks WHERE closed_at IS NULL")
    assert task.kind == "review-enquiry"
    assert task.facts["address"].endswith(f"/intake/enquiries/{submission}")
    found = page(await staff.get(f"/intake/enquiries/{submission}"))
    assert all(words in found.text for words in ("Our city pledged in 2022", "mei@example.org", "Mei Example"))
    page(await staff.post(f"/intake/enquiries/{submission}/answer", data={"answer": " "}), 422)
    assert (await staff.post(f"/intake/enquiries/{submission}/answer", data={"answer": "By the form."})).status_code == 303
    late = page(await staff.post(f"/intake/enquiries/{submission}/close", data={"reason": "Too late to close."}), 409)
    assert late.text
    await intake.run("mails to senders")
    [mail] = await intake.mails()
    assert (mail["to"]["address"], "By the form." in mail["content"]["text"]) == ("mei@example.org", True)
    assert await intake.rows("SELECT 1 FROM tasks WHERE closed_at IS NULL") == []
    assert [decision.what for decision in await intake.decisions()] == ["accept"]
    [kept] = await intake.rows("SELECT token FROM submissions")
    assert "By the form." in page(await reader.get(f"/intake/track/{kept.token}")).text


async def test_an_enquiry_whose_mail_no_mailbox_took_awaits_a_moderator(intake: Intake, staff: httpx.AsyncClient) -> None:
    await confirm(staff)
    submission = await submitted(intake, "enquiry")
    async with intake.database.transaction() as tx:
        from sqlalchemy import text

        await tx.execute(text("UPDATE mails SET state = 'refused' WHERE purpose = 'enquiry'"))
    assert await intake.run("enquiries that no mailbox took") == 1
    assert await intake.run("enquiries that no mailbox took") == 0
    [kept] = await intake.rows("SELECT state FROM submissions")
    assert kept.state == "received"
    [task] = await intake.rows("SELECT subject FROM tasks WHERE closed_at IS NULL")
    assert task.subject == str(submission)


async def test_an_admin_sees_every_initiative_and_no_contact_of_a_person(intake: Intake, staff: httpx.AsyncClient) -> None:
    found = page(await staff.get(PATH))
    assert len(found.all("article", **{"class": "card"})) == len(initiatives()) == len(Initiative) == 27
    offered = {one["value"] for one in found.all("input", type="email")}
    assert offered == {one.contact or "" for one in initiatives()}
    assert not offered & {one.address for one in unconfirmed_contacts() if one.address}
    assert await intake.mails() == []


async def test_confirming_and_removing_a_mailbox_is_kept_in_the_audit_trail_without_its_address(
    intake: Intake, staff: httpx.AsyncClient
) -> None:
    page(await confirm(staff, address="nonsense"), 422)
    await confirm(staff)
    assert MAILBOX in page(await staff.get(PATH)).text
    await staff.post(f"{PATH}pledging/remove")
    await staff.post(f"{PATH}pledging/remove")
    decisions = await intake.decisions()
    assert [(one.who, one.what, one.about) for one in decisions] == [(ALEX.id, "confirm", "initiative"), (ALEX.id, "remove", "initiative")]
    assert MAILBOX not in str(decisions)
    await submitted(intake, "enquiry")
    assert await intake.mails() == []


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.DRAFTER])
async def test_only_an_admin_confirms_mailboxes(intake: Intake, role: Role) -> None:
    async with client_of(intake.app, browser=True, staff=True, person=somebody(role, name="berit")) as colleague:
        assert (await confirm(colleague)).status_code == 403
    assert await intake.rows("SELECT 1 FROM mailboxes") == []
