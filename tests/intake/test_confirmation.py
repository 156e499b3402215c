"""The sender of a public form confirms the mail address; until then nobody reads what came, and after a week nobody can."""

import re

import httpx
import pytest

from services.intake.jobs import end_unconfirmed
from services.intake.web import form_submit, submission_confirm
from shared.i18n import direction, look_up
from tests.intake.intake_app import Intake, send
from tests.intake.page import page
from tests.intake.test_practice_form import FORM, filled

TITLE = "One desk for newcomers"


async def _sent(reader: httpx.AsyncClient, **changes: str) -> str:
    answer = await reader.post(FORM, data=await filled(reader, **changes))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def _let_pass(intake: Intake, days: float) -> None:
    await intake.rows(
        "UPDATE submissions SET received_at = received_at - make_interval(secs => :seconds) RETURNING id", seconds=days * 86400
    )


async def _state(intake: Intake) -> str:
    [row] = await intake.rows("SELECT state FROM submissions")
    return str(row.state)


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar"])
async def test_the_mail_is_in_the_language_of_the_form_and_holds_nothing_that_was_typed(
    intake: Intake, reader: httpx.AsyncClient, language: str
) -> None:
    answer = await reader.post(f"{FORM}?lang={language}", data=await filled(reader, title="Buy at https://spam.example"))
    assert answer.status_code == 303
    [mail] = await intake.mails()
    [kept] = await intake.rows("SELECT * FROM submissions")
    assert mail["to"] == {"address": "amina@example.org", "name": ""}
    content = mail["content"]
    assert content["language"] == language
    assert kept.reference in content["subject"]
    assert look_up(language, "confirm.mail.not-mine")[0] in content["text"]
    assert f'<html lang="{language}" dir="{direction(language)}">' in content["html"]
    for text in (content["subject"], content["text"], content["html"]):
        assert "spam" not in text
        assert "Amina" not in text


async def test_before_confirmation_the_review_does_not_list_it_and_nobody_can_accept_it(
    intake: Intake, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    tracking = await _sent(reader)
    followed = page(await reader.get(tracking))
    assert look_up("en", "track.state.unconfirmed")[0] in followed.text
    assert TITLE not in page(await staff.get("/intake/review/")).text
    assert TITLE in page(await staff.get("/intake/review/?state=unconfirmed")).text
    [kept] = await intake.rows("SELECT id FROM submissions")
    assert look_up("en", "staff.review.awaits-confirmation")[0] in page(await staff.get(f"/intake/review/{kept.id}")).text
    for verb, data in (("accept", {}), ("decline", {"reason": "No."})):
        assert (await staff.post(f"/intake/review/{kept.id}/{verb}", data=data)).status_code == 409
    assert await intake.told() == []


async def test_opening_the_link_confirms_nothing_and_its_button_does_once(
    intake: Intake, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    tracking = await _sent(reader)
    path = await intake.confirm_path()
    for _ in range(3):  # mail programs and scanners open links, some of them often
        opened = page(await reader.get(path))
        assert TITLE in opened.text
        assert opened.one("form", action=path)["method"] == "post"
    assert await _state(intake) == "unconfirmed"
    for _ in range(2):
        done = await reader.post(path)
        assert (done.status_code, done.headers["location"]) == (303, tracking)
    assert (await reader.get(path)).headers["location"] == tracking
    [kept] = await intake.rows("SELECT * FROM submissions")
    assert kept.state == "received"
    assert kept.contact_confirmed_at is not None
    [told] = await intake.told()
    assert (told.type, told.subject, told.cause, told.trace_id) == ("submission.received.v1", str(kept.id), str(kept.id), kept.id.hex)
    assert kept.event_id == told.id
    assert TITLE in page(await staff.get("/intake/review/")).text
    assert look_up("en", "track.state.received")[0] in page(await reader.get(tracking)).text


async def test_the_tracking_page_does_not_give_the_link_away(intake: Intake, reader: httpx.AsyncClient) -> None:
    tracking = await _sent(reader)
    token = (await intake.confirm_path()).rpartition("/")[2]
    assert token not in (await reader.get(tracking)).text
    assert token != tracking.rpartition("/")[2]
    [kept] = await intake.rows("SELECT * FROM submissions")
    assert token not in repr(tuple(kept))


async def test_a_wrong_token_and_a_post_from_another_site_confirm_nothing(intake: Intake, reader: httpx.AsyncClient) -> None:
    await _sent(reader)
    path = await intake.confirm_path()
    assert (await reader.post(path[:-1] + ("A" if path[-1] != "A" else "B"))).status_code == 404
    assert (await reader.post(path, headers={"origin": "https://elsewhere.example"})).status_code == 403
    assert await _state(intake) == "unconfirmed"


@pytest.mark.parametrize("job_has_run", [True, False], ids=["after the job", "before the job"])
async def test_after_seven_days_it_expires_and_its_contact_is_erased(
    intake: Intake, reader: httpx.AsyncClient, staff: httpx.AsyncClient, job_has_run: bool
) -> None:
    tracking = await _sent(reader)
    path = await intake.confirm_path()
    await _let_pass(intake, 6.9)
    await end_unconfirmed(intake.database)
    assert page(await reader.get(path)).one("form", action=path)
    await _let_pass(intake, 0.2)
    if job_has_run:
        assert await end_unconfirmed(intake.database) == 1
    assert look_up("en", "confirm.gone.title")[0] in page(await reader.get(path), 410).text
    assert (await reader.post(path)).status_code == 410
    assert await intake.told() == []
    if job_has_run:
        [kept] = await intake.rows("SELECT * FROM submissions")
        assert (kept.state, bytes(kept.contact_sealed)) == ("expired", b"")
        assert look_up("en", "track.state.expired")[0] in page(await reader.get(tracking)).text
        assert look_up("en", "staff.review.expired")[0] in page(await staff.get(f"/intake/review/{kept.id}")).text


async def test_what_expired_is_deleted_when_its_time_is_over(intake: Intake, reader: httpx.AsyncClient) -> None:
    tracking = await _sent(reader)
    await _let_pass(intake, 91)
    assert await end_unconfirmed(intake.database) == 2  # ended, then deleted
    assert (await reader.get(tracking)).status_code == 404


async def test_what_was_confirmed_never_expires(intake: Intake, reader: httpx.AsyncClient) -> None:
    await _sent(reader)
    assert (await reader.post(await intake.confirm_path())).status_code == 303
    await _let_pass(intake, 400)
    assert await end_unconfirmed(intake.database) == 0
    assert await _state(intake) == "received"


async def test_a_webhook_needs_no_confirmation(intake: Intake, program: httpx.AsyncClient) -> None:
    assert (await send(program, intake.sender)).status_code == 202
    assert await _state(intake) == "received"
    assert await intake.mails() == []


async def test_the_tracking_page_says_when_the_mail_server_refused_the_address(intake: Intake, reader: httpx.AsyncClient) -> None:
    tracking = await _sent(reader)
    assert look_up("en", "track.unconfirmed.no-mail")[0] in page(await reader.get(tracking)).text
    await intake.rows("UPDATE mails SET state = 'refused' RETURNING id")
    assert look_up("en", "track.unconfirmed.refused")[0] in page(await reader.get(tracking)).text


async def test_nobody_can_fill_somebody_elses_mailbox(intake: Intake, reader: httpx.AsyncClient) -> None:
    for _ in range(form_submit.MAILS):
        await _sent(reader)
    found = page(await reader.post(FORM, data=await filled(reader, contact__mail="AMINA@example.org")), 429)
    assert look_up("en", "submit.too-many-mails")[0] in found.text
    assert len(await intake.mails()) == form_submit.MAILS
    await _sent(reader, contact__mail="another@example.org")


async def test_the_page_of_the_mail_is_whole_in_every_language(intake: Intake, reader: httpx.AsyncClient) -> None:
    await _sent(reader)
    path = await intake.confirm_path()
    for language in ("en", "fr", "es", "ar"):
        found = page(await reader.get(f"{path}?lang={language}"))
        assert re.sub(r"\s+", " ", look_up(language, "confirm.what")[0]) in found.text
        assert found.one("html")["lang"] == language


async def test_guessing_the_addresses_of_confirmations_is_slowed_down(reader: httpx.AsyncClient) -> None:
    statuses = [(await reader.get(f"/intake/confirm/{number}")).status_code for number in range(submission_confirm.TRIES + 1)]
    assert statuses == [404] * submission_confirm.TRIES + [429]
