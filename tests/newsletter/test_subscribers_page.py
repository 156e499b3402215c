"""Subscribers as the team sees them: counted, found one at a time, kept out and erased, and every decision on record."""

import csv
import io
import re

import httpx
import pytest
from sqlalchemy import text

from services.newsletter.web.subscribers_manage import PATH
from shared.events.codes import Role
from shared.events.every import DecisionMade
from shared.i18n import LANGUAGES, look_up
from tests.intake.page import page
from tests.newsletter.sending import send_now
from tests.newsletter.subscribing_app import READER, Newsletter, client_of, confirmed, subscribe
from tests.people import somebody

UUID = r"[0-9a-f-]{36}"


async def found(staff: httpx.AsyncClient, address: str = READER) -> str:
    """Look an address up, and return the path of its page."""
    answer = await staff.post(f"{PATH}find", data={"address": address})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_counts_are_shown_by_state_and_language_and_no_address(
    newsletter: Newsletter, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    await confirmed(newsletter, reader, language="fr")
    await confirmed(newsletter, reader, "second@example.net", language="fr")
    await subscribe(reader, "third@example.net", language="zh")
    shown = page(await staff.get(PATH))
    assert f"{look_up('en', 'staff.subscribers.state.confirmed')[0]}0200002" in shown.text.replace(" ", "").replace(
        look_up("en", "staff.subscribers.state.confirmed")[0].replace(" ", ""), look_up("en", "staff.subscribers.state.confirmed")[0]
    )
    assert "example.net" not in shown.text


async def test_one_is_found_by_the_exact_address_alone_and_the_path_does_not_name_it(
    newsletter: Newsletter, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    await confirmed(newsletter, reader)
    path = await found(staff, "READER@example.net")
    assert re.fullmatch(f"{PATH}{UUID}", path)
    shown = page(await staff.get(path)).text
    assert READER not in shown
    assert "r…@example.net" in shown
    for unknown in ("reader@example.org", "read@example.net"):
        answer = await staff.post(f"{PATH}find", data={"address": unknown})
        assert look_up("en", "staff.subscribers.unknown")[0] in page(answer, 404).text
    assert page(await staff.post(f"{PATH}find", data={"address": "%"}), 422).values()["address"] == "%"
    for wrong in ("x", "00000000-0000-0000-0000-000000000000"):
        assert (await staff.get(f"{PATH}{wrong}")).status_code == 404


async def test_an_auditor_looks_one_up_and_changes_nothing(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    await confirmed(newsletter, reader)
    async with client_of(newsletter.app, person=somebody(Role.AUDITOR)) as auditor:
        path = await found(auditor)
        assert page(await auditor.get(path)).all("form", action=f"{path}/erase") == []
        for act in ("suppress", "lift", "erase"):
            assert (await auditor.post(f"{path}/{act}", data={"because": "request", "reason": "x"})).status_code == 403
        assert (await auditor.post(f"{PATH}suppress", data={"address": READER, "because": "request", "reason": "x"})).status_code == 403
    assert await newsletter.acts() == ["asked", "confirmed"]


async def test_suppressing_lifting_and_erasing_are_on_record_with_who_and_why(
    newsletter: Newsletter, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    await confirmed(newsletter, reader)
    path = await found(staff)
    wrong = page(await staff.post(f"{path}/suppress", data={"because": "erased", "reason": " "}), 422)
    assert wrong.all("select", id="because")[0]["aria-invalid"] == "true"
    done = await staff.post(f"{path}/suppress", data={"because": "complaint", "reason": "Reported on 3 March."})
    assert look_up("en", "staff.subscribers.done.suppressed")[0] in page(await staff.get(done.headers["location"])).text
    mails = len(await newsletter.mails())
    await subscribe(reader)
    assert len(await newsletter.mails()) == mails  # not even a mail that asks
    assert (await staff.post(f"{path}/lift", data={"reason": "Asked for it from this address."})).status_code == 303
    assert (await newsletter.subscriber()).state == "unsubscribed"
    await subscribe(reader)
    assert len(await newsletter.mails()) == mails + 1
    await staff.post(f"{path}/erase", data={"reason": "Asked for it by letter."})
    row = await newsletter.subscriber()
    assert (row.state, row.suppressed_because, bytes(row.address)) == ("suppressed", "erased", b"")
    assert (await reader.post(await newsletter.link())).status_code == 410  # what was asked for before is void
    receipts = await newsletter.rows("SELECT act, source, note, \"by\" FROM receipts WHERE source = 'staff' ORDER BY at, id")
    assert [(one.act, one.note) for one in receipts] == [
        ("suppressed", "complaint: Reported on 3 March."),
        ("lifted", "Asked for it from this address."),
        ("erased", "Asked for it by letter."),
    ]
    assert all(one.by for one in receipts)
    told = [DecisionMade.model_validate_json(one.body) for one in await newsletter.rows("SELECT body FROM outbox ORDER BY seq")]
    assert [one.what for one in told] == ["suppress", "lift-suppression", "erase"]
    assert "example.net" not in repr(told)


async def test_a_complaint_outlives_the_erasure(newsletter: Newsletter, reader: httpx.AsyncClient, staff: httpx.AsyncClient) -> None:
    await confirmed(newsletter, reader)
    path = await found(staff)
    await staff.post(f"{path}/suppress", data={"because": "complaint", "reason": "x"})
    await staff.post(f"{path}/erase", data={"reason": "x"})
    row = await newsletter.subscriber()
    assert (row.suppressed_because, bytes(row.address)) == ("complaint", b"")


async def test_an_address_that_nobody_knows_is_kept_out_by_its_hash(
    newsletter: Newsletter, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    data = {"address": "never@example.net", "because": "request", "reason": "Wrote to us."}
    assert (await staff.post(f"{PATH}suppress", data={**data, "reason": ""})).status_code == 422
    assert (await staff.post(f"{PATH}suppress", data=data)).status_code == 303
    row = await newsletter.subscriber("never@example.net")
    assert (row.state, row.suppressed_because, bytes(row.address)) == ("suppressed", "request", b"")
    await subscribe(reader, "never@example.net")
    assert await newsletter.mails() == []


async def test_the_record_of_one_comes_as_a_table_without_formulas(
    newsletter: Newsletter, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    await confirmed(newsletter, reader)
    path = await found(staff)
    await staff.post(f"{path}/erase", data={"reason": '=HYPERLINK("https://evil.example")'})
    answer = await staff.get(f"{path}/receipts.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["act"] for row in rows] == ["asked", "confirmed", "erased"]
    assert rows[0]["words"] == look_up("en", "subscribe.consent")[0]
    assert rows[2]["note"].startswith("'=HYPERLINK")
    assert "example.net" not in answer.text


OPEN = """INSERT INTO issues
    (id, month, number, serial, closes_on, sends_at, zone, remind_days, valid_hours, languages, fallback, subject, preheader, revision)
    VALUES (:id, '2026-06-01', '2026-06', 1, '2026-06-20', '2026-07-01 09:00', 'UTC', 3, 48, '{en,fr}', 'en', '{}', '{}', 1)"""


async def test_an_issue_is_named_by_the_number_that_people_know(
    newsletter: Newsletter, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    await confirmed(newsletter, reader)
    issue = await send_now(newsletter.database)
    async with newsletter.database.transaction() as tx:
        await tx.execute(text(OPEN), {"id": issue})
    shown = page(await staff.get(await found(staff))).text
    assert "2026-06 ·" in shown
    assert str(issue) not in shown


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_pages_are_whole_in_every_language(
    newsletter: Newsletter, reader: httpx.AsyncClient, staff: httpx.AsyncClient, language: str
) -> None:
    await confirmed(newsletter, reader)
    await send_now(newsletter.database)
    path = await found(staff)
    for address in (PATH, path):
        shown = page(await staff.get(address, params={"lang": language}))
        ids = [attributes["id"] for _, attributes in shown.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
    assert look_up(language, "staff.why.planned")[0].partition("{")[0].strip() in shown.text
