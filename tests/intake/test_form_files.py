"""The file of a pledge and the concept note of a Talk: judged by their bytes, kept once by their hash, and shown to nobody too early."""

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.intake.handlers import note_decision, note_withdrawal
from services.intake.web import form_submit
from shared.files.documents import MEDIA_TYPES, DocumentRefusedError, judge
from shared.i18n import look_up
from tests.intake.intake_app import Intake
from tests.intake.page import page
from tests.intake.test_decisions import decided
from tests.intake.test_forms import filled
from tests.intake.test_tracking import withdrawn

PDF = b"%PDF-1.7\n%rest of it\n"


def package(names: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return written.getvalue()


def broken(packing: int) -> bytes:
    """An archive whose one entry is whole by its directory, and no stream of its packing."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", packing) as archive:
        archive.writestr("mimetype", MEDIA_TYPES["odt"] * 20)
    begins = 30 + len("mimetype") + (9 if packing == zipfile.ZIP_LZMA else 0)  # behind the name, and what LZMA says of itself
    data = bytearray(written.getvalue())
    data[begins : begins + 8] = b"\xff" * 8
    return bytes(data)


def compound(stream: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + stream.encode("utf-16-le") + b"\0\0" + b"\0" * 100


DOCUMENTS = {
    "txt": "Plan für 2027\r\n".encode(),
    "rtf": b"{\\rtf1\\ansi words}",
    "pdf": PDF,
    "doc": compound("WordDocument"),
    "ppt": compound("PowerPoint Document"),
    "xls": compound("Workbook"),
    "docx": package({"[Content_Types].xml": b"", "word/document.xml": b""}),
    "pptx": package({"[Content_Types].xml": b"", "ppt/presentation.xml": b""}),
    "xlsx": package({"[Content_Types].xml": b"", "xl/workbook.xml": b""}),
    **{ending: package({"mimetype": MEDIA_TYPES[ending].encode()}) for ending in ("odt", "odp", "ods")},
}
MANY = dict.fromkeys(map(str, range(10_000)), b"")
REFUSED = {
    "a program": (b"MZ\x90\x00", "plan.pdf", "not-taken"),
    "a page": (b"<html><script>alert(1)</script>\x00", "plan.txt", "not-taken"),
    "a pdf that calls itself a text": (PDF, "plan.txt", "other-name"),
    "a name without an end": (PDF, "plan", "other-name"),
    "two ends": (PDF, "plan.pdf.exe", "other-name"),
    "programs inside": (
        package({"[Content_Types].xml": b"", "word/document.xml": b"", "word/vbaProject.bin": b""}),
        "plan.docx",
        "macros",
    ),
    "another archive": (package({"x.exe": b""}), "plan.docx", "not-taken"),
    "programs behind ten thousand pages": (
        package(
            {"[Content_Types].xml": b"", "word/document.xml": b"", **dict.fromkeys(map(str, range(10_000)), b""), "vbaProject.bin": b""}
        ),
        "plan.docx",
        "not-taken",
    ),
    "an archive that does not unpack": (broken(zipfile.ZIP_DEFLATED), "plan.odt", "not-taken"),
    "an archive that does not unpack, packed otherwise": (broken(zipfile.ZIP_LZMA), "plan.odt", "not-taken"),
    "half an archive": (b"PK\x03\x04 and no more", "plan.docx", "not-taken"),
    "nothing": (b"", "plan.txt", "empty"),
    "too much": (b"x" * (25 * 1024 * 1024 + 1), "plan.txt", "too-large"),
}


def test_every_kind_of_document_has_an_example_here() -> None:
    assert set(DOCUMENTS) == set(MEDIA_TYPES)


@pytest.mark.parametrize("ending", DOCUMENTS)
def test_a_document_is_what_its_bytes_say(ending: str) -> None:
    found = judge(DOCUMENTS[ending], f"C:\\plans\\Plan.{ending.upper()}")
    assert (found.media_type, found.name) == (MEDIA_TYPES[ending], f"Plan.{ending.upper()}")


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_none_is_refused_with_a_reason(why: str) -> None:
    data, name, code = REFUSED[why]
    with pytest.raises(DocumentRefusedError) as refused:
        judge(data, name)
    assert refused.value.refusal == code


async def send_form(reader: httpx.AsyncClient, kind: str, name: str, data: bytes, **changes: Any) -> httpx.Response:
    form = await filled(reader, kind, **changes)
    return await reader.post(f"/intake/submit/{kind}", data=form, files={"file": (name, data, "text/html")})


@pytest.mark.parametrize("kind", ["pledge", "talk", "promotion", "contribution"])
async def test_a_file_is_kept_by_its_hash_told_by_it_and_handed_out_as_a_download_once_it_may_be(
    intake: Intake, reader: httpx.AsyncClient, staff: httpx.AsyncClient, kind: str
) -> None:
    answer = await send_form(reader, kind, "../Plan <b>.pdf", PDF)
    assert answer.status_code == 303, page(answer, 422).text
    sha256 = hashlib.sha256(PDF).hexdigest()
    [kept] = await intake.rows("SELECT files FROM submissions")
    assert kept.files == [{"sha256": sha256, "name": "Plan _b_.pdf", "media_type": "application/pdf", "size": len(PDF)}]
    await reader.post(await intake.confirm_path())
    [told] = await intake.told()
    assert told.data["files"] == [{**kept.files[0], "service": "intake", "alternative": None}]
    assert (await reader.get(f"/intake/files/{sha256}")).status_code == 404
    assert (await reader.get(f"/intake/review/files/{sha256}")).status_code == 401
    given = await staff.get(f"/intake/review/files/{sha256}")
    assert (given.status_code, given.content) == (200, PDF)
    assert given.headers["content-disposition"].startswith("attachment;")
    assert given.headers["x-content-type-options"] == "nosniff"
    assert given.headers["content-type"] == "application/octet-stream"
    assert f"/intake/review/files/{sha256}" in (await staff.get(f"/intake/review/{told.subject}")).text
    if kind == "pledge":
        async with intake.database.transaction() as tx:
            await note_decision(tx, decided(told.subject, verdict="accepted", language="en", address="https://tidings.example.org/p"))
        shown = await reader.get(f"/intake/files/{sha256}")
        assert (shown.status_code, shown.headers["content-disposition"][:11]) == (200, "attachment;")


async def test_a_file_is_public_as_long_as_one_pledge_stands_that_it_came_with(intake: Intake, reader: httpx.AsyncClient) -> None:
    address = f"/intake/files/{hashlib.sha256(PDF).hexdigest()}"
    for number, title in enumerate(("One", "Two"), start=1):
        assert (await send_form(reader, "pledge", "plan.pdf", PDF, title=title)).status_code == 303
        await reader.post(await intake.confirm_path())
        told = (await intake.told())[-1]
        async with intake.database.transaction() as tx:
            accepted = decided(
                told.subject, verdict="accepted", language="en", address=f"https://example.org/{number}", became=f"p{number}"
            )
            await note_decision(tx, accepted)
    for number, status in ((1, 200), (2, 404)):
        assert (await reader.get(address)).status_code == 200
        async with intake.database.transaction() as tx:
            await note_withdrawal(tx, withdrawn(f"p{number}"))
        assert (await reader.get(address)).status_code == status, number


async def test_a_file_that_is_not_taken_is_told_at_its_field_and_nothing_is_kept(intake: Intake, reader: httpx.AsyncClient) -> None:
    found = page(await send_form(reader, "pledge", "plan.pdf", b"MZ\x90\x00"), 422)
    assert found.all("a", href="#file")
    assert look_up("en", "document.not-taken")[0].split("{")[0] in found.text
    assert look_up("en", "submit.file-again")[0] in found.text
    assert await intake.rows("SELECT 1 FROM files") == []
    assert (await intake.counts())["submissions"] == 0


async def test_files_of_what_nobody_confirmed_go_with_it(intake: Intake, reader: httpx.AsyncClient) -> None:
    await send_form(reader, "pledge", "plan.pdf", PDF)
    async with intake.database.transaction() as tx:
        from sqlalchemy import text

        await tx.execute(text("UPDATE files SET kept_at = kept_at - interval '2 days'"))
    assert await intake.run("files of nothing") == 0
    async with intake.database.transaction() as tx:
        await tx.execute(text("DELETE FROM submissions"))
    assert await intake.run("files of nothing") == 1


async def test_a_practice_brings_no_file(intake: Intake, reader: httpx.AsyncClient) -> None:
    answer = await send_form(reader, "practice", "plan.pdf", PDF)
    assert answer.status_code in {303, 400}
    assert await intake.rows("SELECT 1 FROM files") == []


async def test_posts_that_are_refused_count_and_who_has_none_left_is_answered_before_a_byte_is_read(
    intake: Intake, reader: httpx.AsyncClient
) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for part in (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n', b"%PDF-1.7\n", b"\r\n--x--\r\n"):
            read += len(part)
            yield part

    async def post(kind: str) -> httpx.Response:
        return await reader.post(f"/intake/submit/{kind}", content=body(), headers={"Content-Type": "multipart/form-data; boundary=x"})

    answers = [(await post("pledge")).status_code for _ in range(form_submit.POSTS)]
    assert answers == [422] * form_submit.POSTS, "each was read and refused, for it says nothing but a file"
    assert read > 0
    read = 0
    for kind in ("pledge", "talk", "practice"):
        answer = await post(kind)
        assert (answer.status_code, read) == (429, 0), kind
        assert int(answer.headers["retry-after"]) > 0
    assert page(await reader.get("/intake/submit/pledge")), "who looks at the form is not asked to wait"
    assert await intake.rows("SELECT 1 FROM files") == []
    assert await intake.mails() == []
