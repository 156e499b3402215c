"""The poster of a request for promotion and the picture of a contribution: drawn again, and public once something public shows them."""

import io
import os
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from PIL import Image

from services.intake.handlers import note_issue, note_post
from shared import i18n
from shared.events.newsletter import IssueSent
from shared.events.social import PostPublished
from shared.i18n import look_up
from tests.intake.intake_app import Intake
from tests.intake.page import page
from tests.intake.test_entering import entered
from tests.intake.test_form_files import DOCUMENTS, PDF, send_form
from tests.intake.test_review import REVIEW, submitted
from tests.intake.test_tracking import heard, said_of, track_of
from tests.shared.test_files import SECRET, moving, opened, telling

KINDS = pytest.mark.parametrize("kind", ["promotion", "contribution"])
TELLS = {"promotion": "promotion.requested.v1", "contribution": "contribution.accepted.v1"}


async def follow(intake: Intake, kind: str, source_id: str) -> None:
    """Tell intake that what it handed on was printed, or posted."""
    source = [{"kind": kind, "id": source_id}]
    async with intake.database.transaction() as tx:
        if kind == "contribution":
            await note_issue(tx, heard(said_of(IssueSent, sources=source), "issue-1"))
        else:
            await note_post(tx, heard(said_of(PostPublished, source=source[0]), "post-1"))


@KINDS
async def test_a_picture_is_drawn_again_told_by_its_hash_and_public_only_while_something_public_shows_it(
    intake: Intake, reader: httpx.AsyncClient, staff: httpx.AsyncClient, kind: str
) -> None:
    answer = await send_form(reader, kind, "Poster <b>.JPEG", telling("JPEG"))
    assert answer.status_code == 303, page(answer, 422).text
    await reader.post(await intake.confirm_path())
    [kept] = await intake.rows("SELECT id, files FROM submissions")
    [file] = kept.files
    assert (file["name"], file["media_type"]) == ("Poster _b_.jpg", "image/jpeg")
    public, team, track = f"/intake/files/{file['sha256']}", f"/intake/review/files/{file['sha256']}", await track_of(intake, kept.id)
    assert team in (await staff.get(f"{REVIEW}{kept.id}")).text
    given = await staff.get(team)
    assert (given.status_code, given.headers["content-disposition"][:11]) == (200, "attachment;")
    assert SECRET not in given.content
    assert not opened(given.content).getexif()
    assert (await reader.get(team)).status_code == 401

    async def is_public() -> bool:
        linked = bool(page(await reader.get(track)).all("a", href=public))
        status = (await reader.get(public)).status_code
        assert linked is (status == 200), "the sender's page has a link where it leads somewhere, and no other"
        return linked

    assert not await is_public()
    assert (await staff.post(f"{REVIEW}{kept.id}/accept")).status_code == 303
    assert not await is_public(), "nothing shows it yet"
    [told] = [row for row in await intake.told() if row.type == TELLS[kind]]
    assert told.data["files"] == [{**file, "service": "intake", "alternative": None}]
    await follow(intake, kind, "another")
    assert not await is_public()
    await follow(intake, kind, told.subject)
    assert await is_public()
    assert (await staff.post(f"{REVIEW}{kept.id}/withdraw", data={"because": "The rights were not theirs."})).status_code == 303
    assert not await is_public()


@KINDS
async def test_what_an_issue_prints_of_one_kind_shows_no_file_of_another(
    intake: Intake, reader: httpx.AsyncClient, staff: httpx.AsyncClient, kind: str
) -> None:
    await send_form(reader, kind, "poster.png", telling("PNG"))
    await reader.post(await intake.confirm_path())
    [kept] = await intake.rows("SELECT id, files FROM submissions")
    await staff.post(f"{REVIEW}{kept.id}/accept")
    other = await submitted(intake, "practice")
    await staff.post(f"{REVIEW}{other}/accept")
    [practice] = await intake.rows("SELECT id FROM practices")
    await follow(intake, kind, str(practice.id))
    assert (await reader.get(f"/intake/files/{kept.files[0]['sha256']}")).status_code == 404


@KINDS
async def test_large_pictures_and_documents_are_taken_too(intake: Intake, reader: httpx.AsyncClient, kind: str) -> None:
    noise = io.BytesIO()
    Image.frombytes("RGB", (900, 700), os.urandom(900 * 700 * 3)).save(noise, "PNG")
    assert len(noise.getvalue()) > 1024 * 1024, "more than a form without a file may have"
    for name, data in (("poster.png", noise.getvalue()), ("poster.pdf", PDF), ("poster.odp", DOCUMENTS["odp"])):
        answer = await send_form(reader, kind, name, data, contact__mail=f"{name}@example.org")
        assert answer.status_code == 303, page(answer, 422).text
    assert {row.media_type for row in await intake.rows("SELECT media_type FROM files")} == {
        "image/png",
        "application/pdf",
        "application/vnd.oasis.opendocument.presentation",
    }


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a program": (lambda: b"MZ\x90\x00", "document.not-taken"),
    "a picture that moves": (lambda: moving("GIF"), "picture.animated"),
    "half a picture": (lambda: telling("JPEG")[:200], "picture.broken"),
    "too much": (lambda: b"\xff\xd8\xff" + b"x" * (25 * 1024 * 1024), "picture.too-large"),
}


@KINDS
@pytest.mark.parametrize("why", REFUSED)
async def test_a_file_that_is_none_is_told_at_its_field_and_nothing_is_kept(
    intake: Intake, reader: httpx.AsyncClient, kind: str, why: str
) -> None:
    make, key = REFUSED[why]
    found = page(await send_form(reader, kind, "poster.jpg", make()), 422)
    assert found.all("a", href="#file")
    assert look_up("en", key)[0].split("{")[0] in found.text
    if key == "document.not-taken":
        assert "jpg, jpeg, png, webp, gif, txt" in found.text
    assert await intake.rows("SELECT 1 FROM files") == []
    assert (await intake.counts())["submissions"] == 0


@pytest.mark.parametrize("kind", ["pledge", "talk"])
async def test_other_kinds_take_documents_alone(reader: httpx.AsyncClient, kind: str) -> None:
    found = page(await send_form(reader, kind, "poster.jpg", telling("JPEG")), 422)
    assert found.all("a", href="#file")
    assert ".jpg" not in found.one("input", id="file")["accept"]


@KINDS
@pytest.mark.parametrize("language", i18n.LANGUAGES)
async def test_both_forms_ask_for_it_in_every_language(
    reader: httpx.AsyncClient, staff: httpx.AsyncClient, kind: str, language: str
) -> None:
    asks: dict[str, Callable[[], Awaitable[Any]]] = {
        "submit": lambda: reader.get(f"/intake/submit/{kind}?lang={language}"),
        "enter": lambda: staff.get(f"/intake/enter/{kind}?lang={language}"),
    }
    for form, ask in asks.items():
        found = page(await ask())
        assert look_up(language, f"submit.file.{kind}")[0] in found.text, form
        assert {".jpg", ".png", ".pdf"} <= set(found.one("input", id="file")["accept"].split(",")), form
        assert found.one("form", enctype="multipart/form-data")


@KINDS
async def test_a_colleague_enters_it_with_its_picture(intake: Intake, staff: httpx.AsyncClient, kind: str) -> None:
    answer = await staff.post(f"/intake/enter/{kind}", data=await entered(staff, kind), files={"file": ("p.webp", telling("WEBP"))})
    assert answer.status_code == 303, page(answer, 422).text
    [told] = await intake.told()
    assert [(file["name"], file["media_type"]) for file in told.data["files"]] == [("p.jpg", "image/jpeg")]
