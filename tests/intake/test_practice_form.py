"""The public form of a practice: what people fill in becomes the same submission as a webhook's, once, and nothing typed is lost."""

import re
from typing import Any

import httpx
import pytest

from services.intake.kinds.form import Widget, fields_of
from services.intake.web import form_submit
from shared.events.kinds.practice import PracticeSubmission
from shared.i18n import look_up
from tests.intake.intake_app import PUBLIC_URL, Intake
from tests.intake.page import Page, page

FORM = "/intake/submit/practice"
FILLED: dict[str, Any] = {
    "language": "en",
    "title": "One desk for newcomers",
    "summary": "Everything under one roof.\r\nOn one day.",
    "title.ar": "مكتب واحد للوافدين",
    "summary.ar": "كل شيء تحت سقف واحد.",
    "entity": "Example City",
    "entity_type": "local-authority",
    "countries": ["PT", "", "MA"],
    "objectives": ["15", "16"],
    "principles": ["human-rights"],
    "links.0.address": "https://example.org/desk",
    "links.0.label": "Its own page",
    "links.2.address": "https://example.org/report",
    "remarks": "Cleared on 2 June.",
    "contact.name": "Amina Example",
    "contact.mail": "amina@example.org",
}


async def filled(reader: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    """A form as a browser sends it: what the page put there, and what somebody filled in."""
    hidden = page(await reader.get(FORM)).one("input", name="once")
    return {"once": hidden["value"], **FILLED, **{name.replace("__", "."): value for name, value in changes.items()}}


def test_the_form_has_every_field_of_the_model_with_words_of_its_own() -> None:
    fields = fields_of(PracticeSubmission)
    assert {field.name for field in fields} == set(PracticeSubmission.model_fields)
    for field in fields:
        assert look_up("en", f"kind.practice.{field.name}")
        assert look_up("en", f"kind.practice.{field.name}-hint")
        assert all(look_up("en", f"kind.part.{part.name.rpartition('.')[2]}") for part in field.parts)


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar"])
async def test_the_empty_form_is_whole_in_every_language_and_works_without_scripts(reader: httpx.AsyncClient, language: str) -> None:
    found = page(await reader.get(f"{FORM}?lang={language}"))
    named = {one["name"] for tag in ("input", "select", "textarea") for one in found.all(tag) if "name" in one}
    for field in fields_of(PracticeSubmission):
        if field.widget is Widget.GROUP:
            assert {part.name for part in field.parts} <= named
        elif field.widget is Widget.ROWS:
            assert {f"{field.name}.0.{part.name}" for part in field.parts} <= named
        else:
            assert field.name in named
    assert found.one("form", action=FORM)["method"] == "post"
    assert len([one for one in found.all("input", name="objectives") if one["type"] == "checkbox"]) == 23
    labelled = {one["for"] for one in found.all("label") if "for" in one}
    ids = {one["id"] for tag in ("input", "select", "textarea") for one in found.all(tag) if "id" in one}
    assert ids <= labelled


async def test_a_filled_form_is_kept_and_told_once_confirmed_and_leads_to_its_tracking_page(
    intake: Intake, reader: httpx.AsyncClient
) -> None:
    answer = await reader.post(FORM, data=await filled(reader))
    assert answer.status_code == 303, answer.text
    [kept] = await intake.rows("SELECT * FROM submissions")
    assert answer.headers["location"] == f"/intake/track/{kept.token}"
    assert (kept.channel, kept.partner_id, kept.state, kept.contact_confirmed_at) == ("form", None, "unconfirmed", None)
    assert kept.public["title"] == {"en": "One desk for newcomers", "ar": "مكتب واحد للوافدين"}
    assert kept.public["summary"]["en"] == "Everything under one roof.\nOn one day."
    assert (kept.public["countries"], kept.public["objectives"]) == (["MA", "PT"], [15, 16])
    assert [link["address"] for link in kept.public["links"]] == ["https://example.org/desk", "https://example.org/report"]
    assert kept.internal == {"remarks": "Cleared on 2 June."}
    assert await intake.told() == []
    assert (await reader.post(await intake.confirm_path())).headers["location"] == f"/intake/track/{kept.token}"
    [told] = await intake.told()
    assert (told.type, told.subject, told.trace_id) == ("submission.received.v1", str(kept.id), kept.id.hex)
    assert (told.data["channel"], told.data["partner"], told.data["contact"]) == ("form", None, None)
    assert "amina@example.org" not in str(told.data)


async def test_the_same_form_sent_twice_is_kept_once_and_a_changed_one_again(intake: Intake, reader: httpx.AsyncClient) -> None:
    form = await filled(reader)
    first, again = await reader.post(FORM, data=form), await reader.post(FORM, data=form)
    assert first.headers["location"] == again.headers["location"]
    changed = await reader.post(FORM, data={**form, "entity": "Another City"})
    assert changed.headers["location"] != first.headers["location"]
    fresh = await reader.post(FORM, data=await filled(reader))
    assert len({first.headers["location"], changed.headers["location"], fresh.headers["location"]}) == 3
    assert await intake.counts() == {"receipts": 0, "submissions": 3, "outbox": 0}
    assert len(await intake.mails()) == 3


async def test_what_is_wrong_is_listed_with_links_to_the_fields_and_nothing_typed_is_lost(
    intake: Intake, reader: httpx.AsyncClient
) -> None:
    form = await filled(reader, title="", entity_type="", contact__mail="nonsense", links__0__address="nowhere", summary__ar="")
    found = page(await reader.post(FORM, data=form), 422)
    alert = found.one("section", role="alert")
    assert alert
    links = {one["href"] for one in found.all("a") if one.get("href", "").startswith("#")}
    assert {"#title", "#entity_type", "#contact.mail", "#links.0.address"} <= links
    ids = {attributes["id"] for _, attributes in found.elements if "id" in attributes}
    assert {link.removeprefix("#") for link in links} <= ids
    values = found.values()
    assert (values["contact.name"], values["contact.mail"], values["links.0.address"]) == ("Amina Example", "nonsense", "nowhere")
    assert values["title.ar"] == "مكتب واحد للوافدين"
    assert "Everything under one roof." in found.text
    assert {one["value"] for one in found.all("option", selected="")} >= {"PT", "MA", "en"}
    assert {one["value"] for one in found.all("input", name="objectives") if "checked" in one} == {"15", "16"}
    assert await intake.counts() == {"receipts": 0, "submissions": 0, "outbox": 0}


async def test_rules_of_the_kind_are_told_in_the_readers_words(reader: httpx.AsyncClient) -> None:
    form = await filled(reader, objectives=[], principles=[])
    found = page(await reader.post(f"{FORM}?lang=fr", data=form), 422)
    assert look_up("fr", "fault.outside-the-compact")[0] in found.text


async def test_a_text_written_twice_in_the_same_language_is_not_dropped_silently(reader: httpx.AsyncClient) -> None:
    form = await filled(reader, title__en="Another title")
    found = page(await reader.post(FORM, data=form), 422)
    assert look_up("en", "fault.written-twice")[0] in found.text
    values = found.values()
    assert (values["title"], values["title.en"]) == ("One desk for newcomers", "Another title")


async def test_whoever_changes_the_language_may_write_in_the_fields_of_that_language(intake: Intake, reader: httpx.AsyncClient) -> None:
    form = await filled(reader, language="ar", title="", summary="")
    assert (await reader.post(FORM, data=form)).status_code == 303
    [kept] = await intake.rows("SELECT language, public FROM submissions")
    assert (kept.language, kept.public["title"]) == ("ar", {"ar": "مكتب واحد للوافدين"})


async def test_another_row_can_be_asked_for_without_a_script(intake: Intake, reader: httpx.AsyncClient) -> None:
    form = await filled(reader)
    found = page(await reader.post(FORM, data={**form, "more": "countries"}))
    assert len(found.all("select", name="countries")) == 4
    assert found.values()["title"] == "One desk for newcomers"
    assert found.values()["once"] == form["once"]
    assert "links.2.address" in found.values()
    assert (await intake.counts())["submissions"] == 0


async def test_a_program_that_fills_in_everything_is_stopped_and_a_person_can_go_on(intake: Intake, reader: httpx.AsyncClient) -> None:
    found = page(await reader.post(FORM, data=await filled(reader, website="https://spam.example")), 422)
    assert (await intake.counts())["submissions"] == 0
    again = {**FILLED, "once": found.values()["once"], "website": found.values()["website"]}
    assert (await reader.post(FORM, data=again)).status_code == 303


async def test_many_submissions_from_one_address_are_slowed_down_without_losing_what_was_typed(
    intake: Intake, reader: httpx.AsyncClient
) -> None:
    for number in range(form_submit.SUBMISSIONS):
        form = await filled(reader, contact__mail=f"reader{number}@example.org")
        assert (await reader.post(FORM, data=form)).status_code == 303
    answer = await reader.post(FORM, data=await filled(reader))
    found = page(answer, 429)
    assert int(answer.headers["retry-after"]) > 0
    assert found.values()["title"] == "One desk for newcomers"
    assert (await intake.counts())["submissions"] == form_submit.SUBMISSIONS


async def test_a_form_from_another_site_is_refused(intake: Intake, reader: httpx.AsyncClient) -> None:
    answer = await reader.post(FORM, data=await filled(reader), headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert (await intake.counts())["submissions"] == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"%ff=%fe&title=%00", b"title=" + b"x" * 500_000, b"&".join(b"a%d=1" % number for number in range(5_000)), b"objectives=" * 300],
    ids=["nothing", "no text", "a long title", "five thousand fields", "a heap of one field"],
)
async def test_no_form_makes_the_page_fail(reader: httpx.AsyncClient, body: bytes) -> None:
    answer = await reader.post(FORM, content=body, headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code in {400, 413, 422}


async def test_files_and_broken_multipart_forms_are_refused(reader: httpx.AsyncClient) -> None:
    assert (await reader.post(FORM, data={"title": "x"}, files={"title": ("a.txt", b"x")})).status_code == 400
    broken = await reader.post(FORM, content=b"--x\r\nnonsense", headers={"content-type": "multipart/form-data; boundary=x"})
    assert broken.status_code in {400, 422}


async def test_markup_in_every_field_is_shown_as_text(reader: httpx.AsyncClient) -> None:
    nasty = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    form = {name: ([nasty] if isinstance(value, list) else nasty) for name, value in (await filled(reader)).items()}
    answer = await reader.post(FORM, data={**form, "more": nasty, "language": "en"})
    Page(answer.text)
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert re.search(r"&lt;script&gt;|&#34;&gt;", answer.text)


async def test_the_whole_way_from_the_form_to_the_public_page(intake: Intake, reader: httpx.AsyncClient, staff: httpx.AsyncClient) -> None:
    tracking = (await reader.post(FORM, data=await filled(reader))).headers["location"]
    [kept] = await intake.rows("SELECT id, reference FROM submissions")
    assert kept.reference in page(await reader.get(tracking)).text
    assert (await staff.post(f"/intake/review/{kept.id}/accept")).status_code == 409
    assert (await reader.post(await intake.confirm_path())).status_code == 303
    assert (await staff.post(f"/intake/review/{kept.id}/accept")).status_code == 303
    followed = page(await reader.get(tracking))
    [public] = [one["href"] for one in followed.all("a") if "/practices/one-desk" in one.get("href", "")]
    shown = page(await reader.get(public.removeprefix(PUBLIC_URL)))
    assert "One desk for newcomers" in shown.text
    assert "Everything under one roof." in shown.text
    assert "Cleared on 2 June." not in shown.text
    assert "amina" not in shown.text.lower()
