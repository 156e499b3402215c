"""Signing up: nothing comes before the owner has confirmed, nobody learns whose address is known, and every wish is on record."""

import hashlib
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from services.newsletter.jobs import forget_wishes
from services.newsletter.sending.rules import SubscriberState
from services.newsletter.subscribing import consent, wishes
from services.newsletter.subscribing.rules import (
    CONFIRM_FOR,
    MAILS_A_DAY,
    MAILS_A_DAY_WHERE_UNWELCOME,
    Because,
    Mail,
    Purpose,
    Standing,
    mail_for,
    masked,
    pause_until,
)
from services.newsletter.web import subscribe_form
from shared import clock
from shared.i18n import LANGUAGES, direction, look_up
from shared.mail.queue import holding
from shared.sheets import as_cell
from tests.intake.page import page
from tests.newsletter.subscribing_app import FORM, READER, Newsletter, client_of, confirmed, running_again, subscribe

KNOWN = {
    "nobody": "unknown@example.net",
    "unconfirmed": "unconfirmed@example.net",
    "confirmed": "confirmed@example.net",
    "unsubscribed": "left@example.net",
    "erased": "erased@example.net",
    "complaint": "complaint@example.net",
    "request": "request@example.net",
    "dead": "dead@example.net",
}


async def everybody(newsletter: Newsletter) -> None:
    """Keep an address of every standing."""
    book = await newsletter.book()
    for standing, address in KNOWN.items():
        if standing == "nobody":
            continue
        because = standing if standing in {one.value for one in Because} else ""
        sealed = b"" if standing in {"erased", "unconfirmed"} else book.seal(address)
        await newsletter.rows(
            "INSERT INTO subscribers (id, address, address_hash, domain, language, state, suppressed_because)"
            " VALUES (gen_random_uuid(), :sealed, :hash, 'example.net', 'en', :state, :because) RETURNING id",
            sealed=sealed,
            hash=book.hash(address),
            state="suppressed" if because else standing,
            because=because,
        )


# ---- double opt-in ----


async def test_nobody_is_subscribed_before_the_button_of_the_mail_is_pressed(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    answer = await subscribe(reader, "Reader@Example.NET", language="ru")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{FORM}/sent")
    row = await newsletter.subscriber()
    assert (row.state, bytes(row.address), row.domain) == ("unconfirmed", b"", "")
    [mail] = await newsletter.mails()
    assert mail["to"]["address"] == "Reader@example.net"
    path = await newsletter.link()
    for _ in range(3):  # mail programs and scanners open links, some of them often
        shown = page(await reader.get(path))
        assert shown.one("form", method="post")["action"].startswith(path)
    assert (await newsletter.subscriber()).state == "unconfirmed"
    done = await reader.post(path)
    assert (done.status_code, done.headers["location"]) == (303, f"{await newsletter.place(row.id)}?done=confirmed")
    row = await newsletter.subscriber()
    assert (row.state, row.language, row.domain) == ("confirmed", "ru", "example.net")
    assert (await newsletter.book()).open(bytes(row.address)) == "Reader@example.net"
    assert look_up("en", "preferences.done.confirmed")[0] in page(await reader.get(done.headers["location"])).text
    assert await newsletter.acts() == ["asked", "confirmed"]


async def test_a_link_works_once_and_leads_on_when_pressed_again(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    place = await confirmed(newsletter, reader)
    path = await newsletter.link()
    for answer in (await reader.post(path), await reader.get(path)):
        assert (answer.status_code, answer.headers["location"]) == (303, place)
    assert await newsletter.acts() == ["asked", "confirmed"]
    await reader.post(f"{place}/leave")
    await reader.post(path)
    assert (await newsletter.subscriber()).state == "unsubscribed"


async def test_of_a_link_only_the_hash_is_kept(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    await subscribe(reader)
    token = (await newsletter.link()).rpartition("/")[2]
    [wish] = await newsletter.rows("SELECT * FROM wishes")
    assert token not in repr(tuple(wish))
    assert bytes(wish.token_hash) == hashlib.sha256(token.encode()).digest()
    assert READER not in repr(tuple(wish))


@pytest.mark.parametrize("token", ["x", "%00", "é", "a" * 3000, "%F0%9F%92%A9"])
async def test_a_made_up_link_gets_a_page_that_helps(reader: httpx.AsyncClient, token: str) -> None:
    found = page(await reader.get(f"/newsletter/confirm/{token}"), 404)
    assert found.all("a", href=FORM)
    assert (await reader.post(f"/newsletter/confirm/{token}")).status_code == 404


async def test_after_seven_days_the_link_is_over_and_nothing_of_the_address_stays(
    newsletter: Newsletter, reader: httpx.AsyncClient
) -> None:
    await subscribe(reader)
    path = await newsletter.link()
    await newsletter.rows(
        "UPDATE wishes SET until = until - CAST(:by AS interval), asked_at = asked_at - CAST(:by AS interval) RETURNING id",
        by=CONFIRM_FOR - timedelta(hours=1),
    )
    await forget_wishes(newsletter.database)
    page(await reader.get(path))
    await newsletter.rows("UPDATE wishes SET until = until - CAST(:by AS interval) RETURNING id", by=timedelta(hours=2))
    assert (await reader.post(path)).status_code == 410
    assert (await forget_wishes(newsletter.database)) == 2  # the wish, and the subscriber who never was one
    assert page(await reader.get(path), 410).all("a", href=FORM)
    assert await newsletter.rows("SELECT id FROM subscribers") == []
    [wish] = await newsletter.rows("SELECT * FROM wishes")
    assert (wish.state, bytes(wish.address)) == ("expired", b"")
    await newsletter.rows("UPDATE wishes SET asked_at = asked_at - CAST(:by AS interval) RETURNING id", by=timedelta(days=90))
    await forget_wishes(newsletter.database)
    assert await newsletter.rows("SELECT id FROM wishes") == []


async def test_leaving_ends_every_older_link(newsletter: Newsletter, reader: httpx.AsyncClient, program: httpx.AsyncClient) -> None:
    place = await confirmed(newsletter, reader)
    await reader.post(f"{place}/leave")
    await subscribe(reader)
    older = await newsletter.link()
    assert (await program.post(place, data={"List-Unsubscribe": "One-Click"})).status_code == 200
    assert (await reader.post(older)).status_code == 410
    assert (await newsletter.subscriber()).state == "unsubscribed"


# ---- nobody learns whose address is known ----


async def test_the_answer_is_the_same_and_as_much_work_whoever_the_address_belongs_to(newsletter: Newsletter) -> None:
    await everybody(newsletter)
    async with client_of(newsletter.app) as first:  # the process looks its keys up once
        await subscribe(first, "first@example.net")
    seen: dict[str, list[object]] = {}
    for number, (standing, address) in enumerate(KNOWN.items()):
        statements: list[str] = []
        async with client_of(newsletter.app, host=f"192.0.2.{number}") as reader:
            # What the door itself does ends where the answer begins; the rest is the work of a background task.
            answer = await _counted(newsletter, reader, address, statements)
            after = await reader.get(answer.headers["location"])
        kept = {name: value for name, value in answer.headers.items() if name not in {"traceresponse", "x-trace-id"}}
        seen[standing] = [answer.status_code, kept, answer.text, after.status_code, after.text.replace(address, "-"), statements]
    for standing, found in seen.items():
        assert found == seen["nobody"], standing


async def _counted(newsletter: Newsletter, reader: httpx.AsyncClient, address: str, statements: list[str]) -> httpx.Response:
    """Send the form and note what the door asks of the database before it answers."""
    answered = False

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        if not answered:
            statements.append(statement)

    async def app(scope: object, receive: object, send: object) -> None:
        async def telling(message: dict[str, object]) -> None:
            nonlocal answered
            answered = answered or message["type"] == "http.response.body"
            await send(message)  # type: ignore[operator]

        await newsletter.app(scope, receive, telling)  # type: ignore[arg-type]

    event.listen(newsletter.database.engine.sync_engine, "before_cursor_execute", note)
    try:
        transport = httpx.ASGITransport(app=app, client=("198.51.100.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=str(reader.base_url), headers=reader.headers) as same:
            return await same.post(FORM, data={"address": address, "language": "en", "version": consent.VERSION})
    finally:
        event.remove(newsletter.database.engine.sync_engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("standing", "wanted"),
    [
        ("nobody", "confirm"),
        ("unconfirmed", "confirm"),
        ("confirmed", "known"),
        ("unsubscribed", "confirm"),
        ("erased", "confirm"),
        ("dead", "confirm"),
        ("complaint", None),
        ("request", None),
    ],
)
async def test_each_gets_the_mail_that_fits(newsletter: Newsletter, reader: httpx.AsyncClient, standing: str, wanted: str | None) -> None:
    await everybody(newsletter)
    await subscribe(reader, KNOWN[standing], language="fr")
    rows = await newsletter.rows("SELECT purpose FROM mails")
    assert [row.purpose for row in rows] == ([f"subscribe-{wanted}"] if wanted else [])
    if wanted == "known":
        assert look_up("en", "preferences.state.confirmed")[0] in page(await reader.get(await newsletter.link())).text
    if wanted == "confirm":
        before = (await newsletter.subscriber(KNOWN[standing])).state
        assert before in {standing, "suppressed", "unconfirmed"}
        assert (await reader.post(await newsletter.link())).status_code == 303
        row = await newsletter.subscriber(KNOWN[standing])
        assert (row.state, row.suppressed_because, row.language) == ("confirmed", "", "fr")
        assert (await newsletter.book()).open(bytes(row.address)) == KNOWN[standing]


@pytest.mark.parametrize("standing", list(KNOWN))
async def test_asking_for_the_link_to_preferences_mails_only_those_who_are_known(
    newsletter: Newsletter, reader: httpx.AsyncClient, standing: str
) -> None:
    await everybody(newsletter)
    answer = await reader.post("/newsletter/u", data={"address": KNOWN[standing]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/newsletter/u?done=asked")
    rows = await newsletter.rows("SELECT purpose FROM mails")
    assert [row.purpose for row in rows] == (["subscribe-link"] if standing in {"confirmed", "unsubscribed"} else [])
    if rows:
        assert await newsletter.link() == await newsletter.place((await newsletter.subscriber(KNOWN[standing])).id)


def test_nobody_can_fill_somebody_elses_mailbox_however_many_networks_they_have() -> None:
    standings: list[Standing | None] = [
        None,
        *(Standing(state=state) for state in SubscriberState if state is not SubscriberState.SUPPRESSED),
        *(Standing(state=SubscriberState.SUPPRESSED, because=because) for because in Because),
    ]
    for standing in standings:
        for purpose in Purpose:
            assert mail_for(purpose, standing, MAILS_A_DAY) is Mail.NONE
    erased = Standing(state=SubscriberState.SUPPRESSED, because=Because.ERASED)
    assert mail_for(Purpose.SUBSCRIBE, erased, 0) is Mail.CONFIRM
    assert mail_for(Purpose.SUBSCRIBE, erased, MAILS_A_DAY_WHERE_UNWELCOME) is Mail.NONE


async def test_mails_to_one_address_are_counted_for_good(newsletter: Newsletter) -> None:
    for number in range(MAILS_A_DAY + 2):
        # As from another process, which has counted nothing yet.
        async with running_again(newsletter) as app, client_of(app, host=f"192.0.2.{number}") as reader:
            await subscribe(reader)
    assert len(await newsletter.mails()) == MAILS_A_DAY


async def test_one_network_and_one_address_must_wait(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    for _ in range(subscribe_form.ADDRESS_TRIES):
        assert (await subscribe(reader)).status_code == 303
    refused = await subscribe(reader)
    assert (refused.status_code, int(refused.headers["retry-after"]) > 60) == (429, True)
    found = page(refused, 429)
    assert found.values()["address"] == READER
    for number in range(subscribe_form.ASKER_TRIES - subscribe_form.ADDRESS_TRIES):
        assert (await subscribe(reader, f"{number}@example.net")).status_code == 303
    assert (await subscribe(reader, "another@example.net")).status_code == 429
    async with client_of(newsletter.app, host="198.51.100.9") as other:
        assert (await subscribe(other, "another@example.net")).status_code == 303


# ---- the form ----


@pytest.mark.parametrize(
    "address", ["", "name", "a@b@c", "a b@example.org", "name@localhost.", "<script>@example.org", "x" * 300 + "@example.org"]
)
async def test_what_is_no_address_comes_back_with_what_was_written(newsletter: Newsletter, reader: httpx.AsyncClient, address: str) -> None:
    found = page(await subscribe(reader, address, language="zh"), 422)
    assert look_up("en", "fault.mail-address")[0] in found.text
    assert found.values()["address"] == address
    assert [one["value"] for one in found.all("option") if "selected" in one] == ["zh"]
    assert await newsletter.rows("SELECT id FROM wishes") == []


async def test_words_that_changed_meanwhile_are_shown_again_and_nothing_is_kept(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    answer = await reader.post(FORM, data={"address": READER, "language": "en", "version": "2020-01"})
    assert look_up("en", "subscribe.words-changed")[0] in page(answer, 409).text
    assert await newsletter.rows("SELECT id FROM wishes") == []


async def test_another_site_cannot_send_the_form(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    data = {"address": READER, "language": "en", "version": consent.VERSION}
    assert (await reader.post(FORM, data=data, headers={"origin": "https://elsewhere.example"})).status_code == 403
    assert await newsletter.rows("SELECT id FROM wishes") == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_and_mail_speak_the_language_of_the_form(newsletter: Newsletter, reader: httpx.AsyncClient, language: str) -> None:
    form = page(await reader.get(FORM, params={"lang": language}))
    assert (form.one("html")["lang"], form.one("html")["dir"]) == (language, direction(language))
    assert look_up(language, "subscribe.consent")[0] in form.text
    assert len(form.all("option")) == 6
    answer = await subscribe(reader, page=language)
    assert look_up(language, "subscribe.sent.what")[0] in page(await reader.get(answer.headers["location"])).text
    [mail] = await newsletter.mails()
    assert mail["content"]["language"] == language
    assert f'<html lang="{language}" dir="{direction(language)}">' in mail["content"]["html"]
    async with client_of(newsletter.app) as elsewhere:  # another device, on which no language was chosen
        shown = page(await elsewhere.get(await newsletter.link()))
        assert shown.one("html")["lang"] == language
        assert look_up(language, "subscribe.consent")[0] in shown.text
    page(await reader.get("/newsletter/u"))


# ---- receipts ----


async def test_a_receipt_names_the_words_as_they_were_shown_and_nobodys_address(newsletter: Newsletter, reader: httpx.AsyncClient) -> None:
    await subscribe(reader, language="zh", page="ar")
    await reader.post(await newsletter.link())
    asked, confirmed_ = await newsletter.rows("SELECT * FROM receipts ORDER BY at, id")
    for receipt, source in ((asked, "form"), (confirmed_, "link")):
        assert (receipt.source, receipt.language, receipt.version) == (source, "zh", consent.VERSION)
        assert (receipt.words, receipt.words_language) == (look_up("ar", "subscribe.consent")[0], "ar")
        assert len(bytes(receipt.client)) == 16
        assert "reader" not in repr(tuple(receipt))
        assert "192.0.2" not in repr(tuple(receipt))
    assert bytes(asked.client) == bytes(confirmed_.client)
    assert clock.now() - asked.at < timedelta(minutes=5)


@pytest.mark.parametrize("statement", ["UPDATE receipts SET words = ''", "DELETE FROM receipts"])
async def test_receipts_are_never_changed(newsletter: Newsletter, reader: httpx.AsyncClient, statement: str) -> None:
    await confirmed(newsletter, reader)
    with pytest.raises(DBAPIError, match="never changed"):
        async with newsletter.database.transaction() as tx:
            await tx.execute(text(statement))


def test_words_of_consent_do_not_change_without_their_version() -> None:
    digest = hashlib.sha256("\n".join(look_up(language, consent.KEY)[0] for language in LANGUAGES).encode()).hexdigest()
    assert (consent.VERSION, digest[:16]) == ("2026-11", DIGEST)


DIGEST = "a20e3c87566017b2"
"""Of the words in every language. Where a word changes, change the version first, then this."""


# ---- rules ----


@pytest.mark.parametrize(("address", "shown"), [("reader@example.net", "r…@example.net"), ("r@x.org", "r…@x.org"), ("", "")])
def test_an_address_is_shown_so_that_only_its_owner_knows_it(address: str, shown: str) -> None:
    assert masked(address) == shown


@pytest.mark.parametrize("text_", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_formula(text_: str) -> None:
    assert as_cell(text_) == f"'{text_}"
    assert as_cell(f"a{text_}") == f"a{text_}"


def test_a_pause_has_a_length_that_is_offered() -> None:
    assert pause_until(3, clock.now()) - clock.now() > timedelta(days=89)
    with pytest.raises(ValueError, match="not offered"):
        pause_until(2, clock.now())


async def test_a_wish_of_before_a_restore_is_answered_by_a_mail_that_is_held_and_one_of_after_it_at_once(
    newsletter: Newsletter, reader: httpx.AsyncClient
) -> None:
    wish = wishes.Wish(purpose=Purpose.SUBSCRIBE, address=READER, language="en", page_language="en")
    book = await newsletter.book()
    async with newsletter.database.transaction() as tx:
        await wishes.keep(tx, book, wish)
        await holding.hold_all(tx, clock.now() - timedelta(hours=1))
    await subscribe(reader, "other@example.net")  # which answers all that waits
    assert [row.state for row in await newsletter.rows("SELECT state FROM mails ORDER BY created_at")] == ["held", "waiting"]
    assert [mail["to"]["address"] for mail in await newsletter.mails()] == ["other@example.net"]
