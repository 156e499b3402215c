"""A reader's own page: GET shows and never acts, POST acts; the mail program's button needs neither cookie nor origin."""

import asyncio
from typing import Any

import httpx
import pytest

from services.newsletter.sending.rules import AudienceState, SendState
from services.newsletter.web.preferences_show import is_one_click
from shared.i18n import LANGUAGES, direction, look_up
from tests.intake.page import page
from tests.newsletter.sending import rows_of, send_now, sender_on, standing_of
from tests.newsletter.subscribing_app import FORM, READER, Newsletter, client_of, confirmed, subscribe
from tests.shared.mail_server import scripted

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


# ---- one click (RFC 8058) ----


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({"data": ONE_CLICK}, id="urlencoded"),
        pytest.param({"files": {"List-Unsubscribe": (None, "One-Click")}}, id="multipart"),
        pytest.param({"content": b"List-Unsubscribe=One-Click"}, id="no encoding named"),
        pytest.param({"data": ONE_CLICK, "headers": {"origin": "https://mail.example"}}, id="with a foreign origin"),
        pytest.param({"data": ONE_CLICK, "headers": {"origin": "null", "sec-fetch-site": "cross-site"}}, id="with an opaque origin"),
    ],
)
async def test_one_click_unsubscribes_without_cookie_or_origin(
    newsletter: Newsletter, reader: httpx.AsyncClient, program: httpx.AsyncClient, sent: dict[str, Any]
) -> None:
    place = await confirmed(newsletter, reader)
    for _ in range(2):  # providers send it again when they are in doubt
        answer = await program.post(place, **sent)
        assert (answer.status_code, answer.text, answer.cookies) == (200, "Unsubscribed.\n", httpx.Cookies())
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["cache-control"] == "no-store"
    assert (await newsletter.subscriber()).state == "unsubscribed"
    assert await newsletter.acts() == ["asked", "confirmed", "left"]
    [receipt] = await newsletter.rows("SELECT * FROM receipts WHERE act = 'left'")
    assert receipt.source == "one-click"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"data": {"List-Unsubscribe": "no"}}, id="another word"),
        pytest.param({"data": {"act": "leave"}}, id="another field"),
        pytest.param({"content": b"\xff\x00", "headers": {"content-type": "multipart/form-data"}}, id="broken multipart"),
        pytest.param({"json": ONE_CLICK}, id="JSON"),
    ],
)
async def test_what_is_no_one_click_changes_nothing(
    newsletter: Newsletter, reader: httpx.AsyncClient, program: httpx.AsyncClient, sent: dict[str, Any]
) -> None:
    place = await confirmed(newsletter, reader)
    assert (await program.post(place, **sent)).status_code == 400
    assert (await newsletter.subscriber()).state == "confirmed"


def test_only_the_address_of_one_click_needs_no_origin() -> None:
    for path, method, wanted in (
        ("/newsletter/u/abc", "POST", True),
        ("/newsletter/u/abc", "GET", False),
        ("/newsletter/u/abc/erase", "POST", False),
        ("/newsletter/u", "POST", False),
        ("/newsletter/subscribe", "POST", False),
        ("/newsletter/subscribers/abc/erase", "POST", False),
    ):
        assert is_one_click({"path": path, "method": method}) is wanted, (path, method)


# ---- looking ----


async def test_looking_never_acts_whoever_looks_and_however_often(
    newsletter: Newsletter, reader: httpx.AsyncClient, program: httpx.AsyncClient
) -> None:
    place = await confirmed(newsletter, reader)
    before = await newsletter.rows("SELECT * FROM subscribers")
    receipts, mails = await newsletter.acts(), len(await newsletter.mails())
    for browser in (reader, program):
        for query in ("", "?done=left", "?done=erased", "?List-Unsubscribe=One-Click", "?lang=ar"):
            assert (await browser.get(place + query)).status_code == 200
            assert (await browser.head(place + query)).status_code == 200
        for act in ("leave", "language", "pause", "resume", "again", "erase"):
            assert (await browser.get(f"{place}/{act}")).status_code == 405
    assert await newsletter.rows("SELECT * FROM subscribers") == before
    assert (await newsletter.acts(), len(await newsletter.mails())) == (receipts, mails)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_is_whole_in_every_state_and_language(newsletter: Newsletter, reader: httpx.AsyncClient, language: str) -> None:
    place = await confirmed(newsletter, reader)
    states = {
        "confirmed": "state = 'confirmed', suppressed_because = ''",
        "paused": "state = 'confirmed', paused_until = now() + interval '1 day'",
        "unsubscribed": "state = 'unsubscribed', paused_until = NULL",
        "unconfirmed": "state = 'unconfirmed'",
        "complaint": "state = 'suppressed', suppressed_because = 'complaint'",
        "request": "state = 'suppressed', suppressed_because = 'request'",
        "dead": "state = 'suppressed', suppressed_because = 'dead'",
        "erased": "state = 'suppressed', suppressed_because = 'erased', address = ''",
    }
    for state, values in states.items():
        await newsletter.rows(f"UPDATE subscribers SET {values} RETURNING id")
        found = page(await reader.get(place, params={"lang": language}))
        assert (found.one("html")["lang"], found.one("html")["dir"]) == (language, direction(language))
        assert look_up(language, f"preferences.state.{state}")[0].partition("{")[0].strip() in found.text, state
        assert READER not in found.text
        assert ("r…@example.net" in found.text) is (state != "erased")


async def test_the_page_speaks_the_language_of_the_bulletin_until_the_reader_says_otherwise(
    newsletter: Newsletter, reader: httpx.AsyncClient
) -> None:
    place = await confirmed(newsletter, reader, language="ar")
    async with client_of(newsletter.app) as elsewhere:
        assert page(await elsewhere.get(place, headers={"accept-language": "fr"})).one("html")["lang"] == "ar"
        assert page(await elsewhere.get(place, params={"lang": "es"})).one("html")["lang"] == "es"
        await elsewhere.post(f"{place}/language", data={"language": "zh"}, params={"lang": "es"})
        assert page(await elsewhere.get(place)).one("html")["lang"] == "es"
    [receipt] = await newsletter.rows("SELECT * FROM receipts WHERE act = 'changed'")
    assert (receipt.language, receipt.words_language, receipt.words) == ("zh", "es", look_up("es", "preferences.language.what")[0])


@pytest.mark.parametrize("token", ["x", "a" * 52, "%00", "é", "a" * 3000, "%F0%9F%92%A9", "A=B", "ß"])
async def test_a_made_up_link_gets_a_way_to_a_whole_one(reader: httpx.AsyncClient, program: httpx.AsyncClient, token: str) -> None:
    found = page(await reader.get(f"/newsletter/u/{token}"), 404)
    assert found.one("form", action="/newsletter/u?lang=en")
    for act in ("leave", "language", "pause", "resume", "again", "erase"):
        assert (await reader.post(f"/newsletter/u/{token}/{act}", data={"language": "fr", "months": "1"})).status_code == 404
    assert (await program.post(f"/newsletter/u/{token}", data=ONE_CLICK)).status_code == 404


# ---- acting ----


async def test_another_site_cannot_press_the_buttons(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    place = await confirmed(newsletter, reader)
    for act in ("leave", "language", "pause", "resume", "again", "erase"):
        answer = await reader.post(f"{place}/{act}", data={"language": "fr"}, headers={"origin": "https://elsewhere.example"})
        assert answer.status_code == 403
    assert await newsletter.acts() == ["asked", "confirmed"]


async def test_each_button_does_what_it_says_and_says_what_it_did(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    place = await confirmed(newsletter, reader)
    for act, data, done, column, value in (
        ("language", {"language": "fr"}, "language", "language", "fr"),
        ("pause", {"months": "3"}, "paused", "state", "confirmed"),
        ("resume", {}, "resumed", "paused_until", None),
        ("leave", {}, "left", "state", "unsubscribed"),
    ):
        answer = await reader.post(f"{place}/{act}?lang=en", data=data)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{place}?done={done}")
        assert look_up("en", f"preferences.done.{done}")[0] in page(await reader.get(answer.headers["location"])).text
        assert getattr(await newsletter.subscriber(), column) == value
    assert await newsletter.acts() == ["asked", "confirmed", "changed", "paused", "resumed", "left"]
    history = page(await reader.get(place)).text
    for act in ("asked", "confirmed", "changed", "paused", "resumed", "left"):
        assert look_up("en", f"preferences.act.{act}")[0] in history


@pytest.mark.parametrize("data", [{"language": "xx"}, {"language": ""}, {}])
async def test_a_language_that_is_not_offered_changes_nothing(
    newsletter: Newsletter, reader: httpx.AsyncClient, data: dict[str, str]
) -> None:
    place = await confirmed(newsletter, reader)
    assert (await reader.post(f"{place}/language", data=data)).status_code == 303
    assert (await newsletter.subscriber()).language == "en"


async def test_subscribing_again_needs_the_mailbox_too(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    place = await confirmed(newsletter, reader)
    await reader.post(f"{place}/leave")
    answer = await reader.post(f"{place}/again")
    assert answer.headers["location"] == f"{place}?done=again-mailed"
    assert (await newsletter.subscriber()).state == "unsubscribed"
    assert (await reader.post(await newsletter.link())).status_code == 303
    assert (await newsletter.subscriber()).state == "confirmed"
    assert await newsletter.acts() == ["asked", "confirmed", "left", "asked", "confirmed"]


async def test_erasing_needs_the_mailbox_and_keeps_the_hash_and_the_receipts(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    place = await confirmed(newsletter, reader)
    answer = await reader.post(f"{place}/erase")
    assert answer.headers["location"] == f"{place}?done=erase-mailed"
    assert (await newsletter.subscriber()).state == "confirmed"  # who was forwarded a copy has this page too
    path = await newsletter.link()
    assert look_up("en", "subscribe.confirm.erase.what")[0] in page(await reader.get(path)).text
    done = await reader.post(path)
    assert done.headers["location"] == f"{place}?done=erased"
    row = await newsletter.subscriber()
    assert (row.state, row.suppressed_because, bytes(row.address), row.domain) == ("suppressed", "erased", b"", "")
    assert await newsletter.acts() == ["asked", "confirmed", "erased"]
    assert all(bytes(wish.address) == b"" for wish in await newsletter.rows("SELECT address FROM wishes"))
    shown = page(await reader.get(place))
    assert shown.all("a", href=FORM)
    assert look_up("en", "preferences.act.erased")[0] in shown.text
    assert (await reader.post(f"{place}/again")).headers["location"] == FORM
    # Their own renewed wish brings them back, with the history that they had.
    await subscribe(reader)
    await reader.post(await newsletter.link())
    assert (await newsletter.subscriber()).id == row.id
    assert await newsletter.acts() == ["asked", "confirmed", "erased", "asked", "confirmed"]


# ---- an issue under way ----


@pytest.mark.parametrize("way", ["one click", "leave", "pause", "erase"])
async def test_who_goes_between_freeze_and_claim_gets_nothing(
    newsletter: Newsletter, reader: httpx.AsyncClient, program: httpx.AsyncClient, way: str
) -> None:
    place = await confirmed(newsletter, reader)
    await confirmed(newsletter, reader, "stays@example.net")
    issue = await send_now(newsletter.database)
    if way == "one click":
        assert (await program.post(place, data=ONE_CLICK)).status_code == 200
    else:
        assert (await reader.post(f"{place}/{way}", data={"months": "1"})).status_code == 303
    if way == "erase":
        assert (await reader.post(await newsletter.link())).status_code == 303
    gone = (await newsletter.subscriber()).id
    async with scripted() as server:
        sender = await sender_on(newsletter.database, newsletter.vault, server.address)
        running = asyncio.create_task(sender.run())
        try:
            async with asyncio.timeout(60):
                while (await standing_of(newsletter.database, issue)).state is not SendState.SENT:
                    await asyncio.sleep(0.02)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert [line for line in server.heard if line.startswith("RCPT")] == ["RCPT TO:<stays@example.net>"]
    reason = {"one click": "left", "leave": "left", "pause": "paused", "erase": "erased"}[way]
    rows = {row.subscriber_id: (row.state, row.reason) for row in await rows_of(newsletter.database, issue)}
    assert rows[gone] == (AudienceState.EXCLUDED.value, reason)


async def test_the_audience_names_why_each_is_left_out(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    paused, erased = await confirmed(newsletter, reader), await confirmed(newsletter, reader, "gone@example.net")
    await subscribe(reader, "waits@example.net")
    await reader.post(f"{paused}/pause", data={"months": "1"})
    await reader.post(f"{erased}/erase")
    await reader.post(await newsletter.link())
    issue = await send_now(newsletter.database)
    reasons = {row.subscriber_id: row.reason for row in await rows_of(newsletter.database, issue)}
    for address, reason in ((READER, "paused"), ("gone@example.net", "erased"), ("waits@example.net", "unconfirmed")):
        assert reasons[(await newsletter.subscriber(address)).id] == reason
    await newsletter.rows("UPDATE subscribers SET paused_until = now() WHERE paused_until IS NOT NULL RETURNING id")
    later = await send_now(newsletter.database)
    assert {row.subscriber_id: row.state for row in await rows_of(newsletter.database, later)}[
        (await newsletter.subscriber()).id
    ] == AudienceState.PLANNED.value
