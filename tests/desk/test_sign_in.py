"""Signing in: by a link, once, for a short time; then a token that is renewed while its session lasts."""

import asyncio
import logging
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.desk.domain import LINK_LASTS, SESSION_LASTS, SESSION_RESTS, TOKEN_LASTS
from services.desk.web import sign_in
from services.desk.web.sign_in import ASKER_TRIES, MAIL_TRIES, wanted_path
from shared import clock
from shared.auth.cookies import Cookies
from shared.auth.tokens import Kind
from shared.events.codes import Role
from shared.i18n import LANGUAGES
from tests.desk.desk_app import PUBLIC_URL, Desk, desk_of
from tests.people import SIGNER, VERIFIER
from tests.shared.web_app import Page

NAMES = Cookies.at(PUBLIC_URL)
OVER = "This link is over"


def path_of(address: str) -> str:
    return urlsplit(address).path


def age(client: httpx.AsyncClient, name: str) -> None:
    """Take a cookie away, as the browser does when its time is over."""
    client.cookies.delete(name)


async def test_a_person_signs_in_by_mail_and_lands_on_the_wanted_page(desk: Desk) -> None:
    person = await desk.add(Role.MODERATOR, Role.OPERATOR)
    async with desk.browser() as browser:
        refused = await browser.get("/desk/operations?x=1")
        way = next(link["href"] for link in Page(refused.text).all("a") if link["href"].startswith("/desk/sign-in"))
        form = {field["name"]: field["value"] for field in Page((await browser.get(way)).text).all("input")}
        assert form == {"next": "/desk/operations?x=1", "mail": ""}
        await browser.post("/desk/sign-in", data={**form, "mail": "ALEX@Example.org"})
        (mail,) = desk.mailed
        assert (mail.to, mail.name, mail.lasts) == ("alex@example.org", "Alex Example", LINK_LASTS)
        shown = await browser.get(path_of(mail.address))
        assert "Alex Example" in Page(shown.text).text
        (action,) = [one["action"] for one in Page(shown.text).all("form")]
        landed = await browser.post(action)
        assert (landed.status_code, landed.headers["location"]) == (303, "/desk/operations?x=1")
        assert (await browser.get("/desk/operations?x=1")).status_code == 200
    claims = VERIFIER.read(landed.cookies[NAMES.token], Kind.PERSON)
    assert (claims.person.id, claims.person.roles) == (person.id, frozenset({Role.MODERATOR, Role.OPERATOR}))
    assert claims.expires_at - claims.issued_at == TOKEN_LASTS


async def test_only_hashes_of_links_and_sessions_are_kept(desk: Desk) -> None:
    person = await desk.add()
    path = await desk.link(person)
    async with desk.browser() as browser:
        session = (await browser.post(path)).cookies[NAMES.session]
    kept = await desk.rows("SELECT sign_in_links::text || sessions::text AS row FROM sign_in_links, sessions")
    assert kept
    assert not any(secret in row.row for row in kept for secret in (path.rpartition("/")[2], session))


async def test_a_link_works_once(desk: Desk) -> None:
    path = await desk.link(await desk.add())
    async with desk.browser() as first, desk.browser() as second:
        assert (await first.post(path)).status_code == 303
        for answer in (await second.post(path), await second.get(path)):
            assert answer.status_code == 410
            assert OVER in Page(answer.text).text
            assert "set-cookie" not in answer.headers


async def test_of_many_uses_at_once_one_signs_in(desk: Desk) -> None:
    path = await desk.link(await desk.add())
    async with desk.browser() as browser:
        answers = await asyncio.gather(*(browser.post(path) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [303] + [410] * 7
    assert len(await desk.rows("SELECT 1 FROM sessions")) == 1


async def test_a_link_is_over_after_its_time(desk: Desk) -> None:
    path = await desk.link(await desk.add(), lasts=timedelta(seconds=-1))
    async with desk.browser() as browser:
        assert [(await browser.get(path)).status_code, (await browser.post(path)).status_code] == [410, 410]
    assert timedelta(minutes=15) == LINK_LASTS


async def test_looking_at_a_link_does_not_use_it_up(desk: Desk) -> None:
    path = await desk.link(await desk.add())
    async with desk.browser() as scanner:
        for answer in (await scanner.head(path), await scanner.get(path), await scanner.get(path), await scanner.options(path)):
            assert "set-cookie" not in answer.headers
    async with desk.browser() as browser:
        assert (await browser.post(path)).status_code == 303


async def test_a_disabled_person_signs_in_by_no_link(desk: Desk) -> None:
    person = await desk.add()
    path = await desk.link(person)
    await desk.rows("UPDATE people SET active = false RETURNING id")
    async with desk.browser() as browser:
        assert (await browser.post(path)).status_code == 410
        await browser.post("/desk/sign-in", data={"mail": person.mail})
    assert desk.mailed == []


@pytest.mark.parametrize("mail", ["nobody@example.org", "alex@example.org"])
async def test_the_answer_does_not_tell_who_works_here(desk: Desk, mail: str) -> None:
    await desk.add()
    async with desk.browser() as browser:
        known = await browser.post("/desk/sign-in", data={"mail": "alex@example.org"})
        asked = await browser.post("/desk/sign-in", data={"mail": mail})
    assert (asked.status_code, asked.text, set(asked.headers)) == (known.status_code, known.text, set(known.headers))
    assert mail not in asked.text


@pytest.mark.parametrize("mail", ["alex@example.org", "nobody@example.org"])
async def test_the_connection_is_busy_as_long_for_nobody_as_for_somebody(desk: Desk, mail: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "ALIKE_SECONDS", 2.0)
    await desk.add(Role.MODERATOR)
    async with desk.browser() as browser:
        began = time.monotonic()
        # This client returns when the work behind the answer is done, as a second request on the same connection would find.
        assert (await browser.post("/desk/sign-in", data={"mail": mail})).status_code == 200
        assert time.monotonic() - began >= 2.0


@pytest.mark.parametrize("mail", ["nobody@example.org", "alex@example.org"])
async def test_asking_for_one_address_again_and_again_is_slowed_down_whoever_asks(desk: Desk, mail: str) -> None:
    await desk.add()
    answers = []
    for number in range(MAIL_TRIES + 1):
        async with desk.browser(address=f"192.0.2.{number}") as browser:
            answers.append(await browser.post("/desk/sign-in", data={"mail": mail if number % 2 else mail.upper()}))
    assert [answer.status_code for answer in answers] == [200] * MAIL_TRIES + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert len(desk.mailed) == (MAIL_TRIES if mail.startswith("alex") else 0)


async def test_trying_many_addresses_is_slowed_down_for_the_one_who_tries(desk: Desk) -> None:
    async with desk.browser() as guesser, desk.browser(address="198.51.100.9") as colleague:
        answers = [(await guesser.post("/desk/sign-in", data={"mail": f"n{n}@example.org"})).status_code for n in range(ASKER_TRIES + 1)]
        assert answers == [200] * ASKER_TRIES + [429]
        assert (await colleague.post("/desk/sign-in", data={"mail": "new@example.org"})).status_code == 200


async def test_guessing_links_is_slowed_down(desk: Desk) -> None:
    async with desk.browser() as guesser:
        answers = [(await guesser.get(f"/desk/sign-in/guess-{number}")).status_code for number in range(30)]
    assert answers[0] == 410
    assert answers[-1] == 429


async def test_what_is_no_mail_address_is_told_so(desk: Desk) -> None:
    async with desk.browser() as browser:
        answer = await browser.post("/desk/sign-in", data={"mail": '"><script>'})
    page = Page(answer.text)
    assert (answer.status_code, page.faults) == (422, [])
    assert not page.all("script")


async def test_where_no_mail_can_be_sent_the_page_says_whom_to_ask_and_promises_nothing(database_url: str) -> None:
    async with desk_of(database_url, mails=False) as desk, desk.browser() as browser:
        await desk.add()
        for answer in (await browser.get("/desk/sign-in"), await browser.post("/desk/sign-in", data={"mail": "alex@example.org"})):
            assert "tidings person link" in answer.text
            assert not Page(answer.text).all("form")
        assert await desk.rows("SELECT 1 FROM sign_in_links") == []


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/x",
        "javascript:alert(1)",
        "/desk/session?next=/x",
        "/desk/sign-in/x",
        "é",
    ],
)
async def test_signing_in_leads_to_no_other_site_and_round_no_circle(desk: Desk, wanted: str) -> None:
    assert wanted_path(wanted) == "/desk/"
    path = await desk.link(await desk.add(), wanted=wanted)
    async with desk.browser() as browser:
        form = Page((await browser.get("/desk/sign-in", params={"next": wanted})).text)
        assert next(field["value"] for field in form.all("input") if field["name"] == "next") == "/desk/"
        landed = await browser.post(path)
        renewed = await browser.get("/desk/session", params={"next": wanted})
    assert (landed.headers["location"], renewed.headers["location"]) == ("/desk/", "/desk/")


async def test_another_site_can_sign_nobody_in_or_out(desk: Desk) -> None:
    person = await desk.add()
    path = await desk.link(person)
    elsewhere = {"Origin": "https://evil.example"}
    async with desk.browser(person) as browser:
        for address in (path, "/desk/sign-in", "/desk/sign-out", "/desk/me/sign-out-everywhere", "/desk/session"):
            assert (await browser.post(address, headers=elsewhere)).status_code == 403
        assert (await browser.get("/desk/")).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_browser_in_use_gets_its_next_token_and_goes_on(desk: Desk, method: str) -> None:
    person = await desk.add()
    async with desk.browser(person) as browser:
        age(browser, NAMES.token)
        browser.follow_redirects = True
        added = {"mail": "new@example.org", "name": "New", "roles": "auditor"}
        answer = await browser.request(method, "/desk/people/", data=added if method == "POST" else None)
        assert answer.status_code == 200
        assert answer.history[0].headers["location"].startswith("/desk/session?next=")
    # What was being sent came along: the form was filled in for longer than a token lasts.
    assert len(await desk.rows("SELECT 1 FROM people WHERE mail = 'new@example.org'")) == (method == "POST")


async def test_the_next_token_has_the_roles_of_today(desk: Desk) -> None:
    person = await desk.add(Role.AUDITOR)
    async with desk.browser(person) as browser:
        assert (await browser.get("/desk/operations")).status_code == 200
        await desk.rows("UPDATE people SET roles = '{drafter,admin}', tokens_valid_from = now() RETURNING id")
        browser.follow_redirects = True
        assert (await browser.get("/desk/operations")).status_code == 403
        assert (await browser.get("/desk/people/")).status_code == 200


@pytest.mark.parametrize(("column", "over"), [("used_at", SESSION_RESTS), ("began_at", SESSION_LASTS)])
async def test_a_session_ends_when_it_rests_too_long_and_at_the_latest_after_a_week(desk: Desk, column: str, over: timedelta) -> None:
    person = await desk.add()
    async with desk.browser(person) as browser:
        await desk.rows(f"UPDATE sessions SET {column} = :then RETURNING 1", then=clock.now() - over + timedelta(minutes=5))
        age(browser, NAMES.token)
        renewed = await browser.get("/desk/session?next=/desk/me")
        assert (renewed.status_code, renewed.headers["location"]) == (303, "/desk/me")
        await desk.rows(f"UPDATE sessions SET {column} = :then RETURNING 1", then=clock.now() - over - timedelta(minutes=5))
        ended = await browser.get("/desk/session?next=/desk/me")
    assert ended.status_code == 401
    (way,) = [link["href"] for link in Page(ended.text).all("a") if link["href"].startswith("/desk/sign-in")]
    assert parse_qs(urlsplit(way).query)["next"] == ["/desk/me"]
    assert ended.headers.get_list("set-cookie")
    assert all("Max-Age=0" in cookie for cookie in ended.headers.get_list("set-cookie"))


async def test_signing_out_ends_the_session_and_forgets_the_cookies(desk: Desk) -> None:
    person = await desk.add()
    async with desk.browser(person) as browser, desk.browser(person) as other:
        session = browser.cookies[NAMES.session]
        await browser.post("/desk/sign-out")
        assert (await browser.get("/desk/")).status_code == 401
        browser.cookies.set(NAMES.session, session, domain="127.0.0.1")
        assert (await browser.get("/desk/session")).status_code == 401
        assert (await other.get("/desk/")).status_code == 200


async def test_signing_out_everywhere_ends_every_browser_and_every_link(desk: Desk) -> None:
    person, colleague = await desk.add(), await desk.add(mail="noor@example.org")
    waiting = await desk.link(person)
    async with desk.browser(person) as one, desk.browser(person) as two, desk.browser(colleague) as third:
        token = SIGNER.sign(person.as_person, kind=Kind.API, valid_for=timedelta(days=1))
        assert (await one.post("/desk/me/sign-out-everywhere")).status_code == 303
        assert (await two.get("/desk/")).status_code == 303  # to ask for the next token
        two.follow_redirects = True
        assert (await two.get("/desk/")).status_code == 401
        assert (await two.post(waiting)).status_code == 410
        assert (await third.get("/desk/")).status_code == 200
    async with desk.browser() as program:
        assert (await program.get("/desk/", headers={"Authorization": f"Bearer {token}"})).status_code == 401
    async with desk.browser(person) as again:
        assert (await again.get("/desk/")).status_code == 200
    told = await desk.rows(
        "SELECT revision, body::jsonb AS body FROM outbox WHERE subject = :id AND type LIKE 'person%' ORDER BY seq", id=person.id
    )
    assert [row.revision for row in told] == [1, 2]
    assert told[0].body["tokens_valid_from"] < told[1].body["tokens_valid_from"]


@pytest.mark.parametrize(("public_url", "prefix"), [("https://tidings.example", "__Host-"), (PUBLIC_URL, "")])
async def test_cookies_are_bound_and_out_of_reach_of_scripts(database_url: str, public_url: str, prefix: str) -> None:
    async with desk_of(database_url, public_url=public_url) as desk:
        path = await desk.link(await desk.add())
        async with desk.browser() as browser:
            signed_in = await browser.post(path, headers={"Origin": public_url})
    cookies = signed_in.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {f"{prefix}tidings-token", f"{prefix}tidings-session"}
    for cookie in cookies:
        attributes = {part.strip() for part in cookie.split(";")}
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= attributes
        assert ("Secure" in attributes) is bool(prefix)
        assert not any(attribute.startswith("Domain") for attribute in attributes)


async def test_no_secret_stands_in_a_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    person = await desk.add()
    path = await desk.link(person)
    async with desk.browser() as browser:
        await browser.post("/desk/sign-in", data={"mail": person.mail})
        await browser.get(path)
        signed_in = await browser.post(path)
        await browser.get("/desk/")
        await browser.get("/desk/session?next=/desk/")
    said = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore")))
    assert "signed in" in said
    for secret in (path.rpartition("/")[2], desk.mailed[0].address, *signed_in.cookies.values(), person.mail):
        assert secret not in said
    assert path.rpartition("/")[2] not in repr(desk.mailed[0])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_pages_are_sound_in_every_language(desk: Desk, language: str) -> None:
    path = await desk.link(await desk.add())
    async with desk.browser() as browser:
        for answer in (
            await browser.get(f"/desk/sign-in?lang={language}"),
            await browser.get(f"{path}?lang={language}"),
            await browser.get(f"/desk/sign-in/nothing?lang={language}"),
            await browser.post(f"/desk/sign-in?lang={language}", data={"mail": "alex@example.org"}),
            await browser.get(f"/desk/?lang={language}"),
        ):
            page = Page(answer.text)
            assert page.faults == []
            assert page.all("html")[0]["lang"] == language
            assert len(page.all("h1")) == 1
            assert answer.headers["cache-control"] == "no-store"
            assert not [one for one in page.all("span") if one.get("lang") == "en"] or language == "en"
