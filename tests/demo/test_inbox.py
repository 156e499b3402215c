"""The demo inbox: takes every mail over SMTP, shows each as it is, and can be reached from this machine alone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.message import EmailMessage

import httpx
import pytest
from aiosmtplib import SMTP, SMTPRecipientRefused
from fastapi import FastAPI

from services.demo.inbox import app as inbox_app
from services.demo.inbox.kept import Inbox
from services.demo.inbox.server import InboxServer, demo_inbox, inbox_wanted, is_rehearsal
from services.demo.inbox.web import MAIL_POLICY
from shared import clock
from shared import settings as settings_
from shared.i18n import LANGUAGES, look_up
from shared.mail.address import Mailbox
from shared.mail.letter import Link, letter
from shared.mail.message import Content, prepare
from shared.parts import Parts
from shared.settings import Settings, SettingsError
from shared.web.wiring import install
from tests.intake.intake_app import client_of, parts_of
from tests.intake.page import page
from tests.people import VERIFIER
from tests.shared.mail_keys import signer

WORDS = {"en": "Confirm it", "fr": "Confirmez-le", "es": "Confírmelo", "ar": "أكّد طلبك", "zh": "请确认"}
LINK = "https://example.org/confirm/token?a=1&b=2"


def _content(language: str = "fr") -> Content:
    return letter(language, f"{WORDS[language]} – 1", [WORDS[language], Link(words=WORDS[language], address=LINK)])


def _raw(content: Content) -> bytes:
    prepared = prepare(content, sender=Mailbox(address="desk@example.org", name="Réseau"), domain="example.org")
    return prepared.fill(to="amina@example.net", date=datetime(2026, 11, 22, 9, tzinfo=UTC), signer=signer())


async def _send(at: InboxServer, raw: bytes, *recipients: str) -> str:
    async with SMTP(hostname=at.server.host, port=at.server.port, start_tls=False) as client:
        _, answer = await client.sendmail("desk@example.org", list(recipients) or ["amina@example.net"], raw)
    return answer


@pytest.fixture
async def server() -> AsyncIterator[InboxServer]:
    """A running inbox."""
    async with demo_inbox() as running:
        yield running


def _app(inbox: Inbox) -> FastAPI:
    parts: Parts = parts_of("postgresql://nobody@127.0.0.1:1/nothing", "x" * 43 + "=")
    app = FastAPI(openapi_url=None)
    service = inbox_app.build(parts, inbox)
    install(app, pages=parts.pages("demo", inbox_app.TEMPLATES), verifier=VERIFIER)
    for router in service.routers:
        app.include_router(router)
    return app


@pytest.fixture
async def reader(server: InboxServer) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on this machine."""
    async with client_of(_app(server.inbox), browser=True) as client:
        yield client


@pytest.mark.parametrize("language", list(WORDS))
async def test_a_mail_is_shown_as_html_text_headers_and_source(server: InboxServer, reader: httpx.AsyncClient, language: str) -> None:
    content = _content(language)
    raw = _raw(content)
    assert await _send(server, raw) == "2.0.0 Ok: queued as demo-1"
    listed = page(await reader.get("/demo/"))
    assert content.subject in listed.text
    assert listed.one("a", href="/demo/mails/1")
    shown = page(await reader.get("/demo/mails/1"))
    frame = shown.one("iframe")
    assert frame["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"
    assert shown.one("a", href=LINK)
    framed = await reader.get(frame["src"])
    assert content.html is not None
    assert framed.text == content.html.replace("<head>", '<head><base target="_blank">')
    as_text = page(await reader.get("/demo/mails/1?view=text"))
    assert WORDS[language] in as_text.text
    assert as_text.one("div", **{"class": "mail-text"})["lang"] == language
    headers = page(await reader.get("/demo/mails/1?view=headers"))
    for name in ("DKIM-Signature", "From", "Auto-Submitted", "Message-ID"):
        assert name in headers.text
    assert "Réseau <desk@example.org>" in headers.text
    source = page(await reader.get("/demo/mails/1?view=source"))
    assert " ".join(raw.decode().split()) in source.text


async def test_nothing_in_a_mail_can_run_load_or_reach_the_page_around_it(server: InboxServer, reader: httpx.AsyncClient) -> None:
    html = '<p onclick="alert(1)">x</p><script>alert(1)</script><img src="https://tracker.example/pixel.png">'
    await _send(server, _raw(Content(language="en", subject="<script>alert(1)</script>", text="<b>x</b>", html=html)))
    framed = await reader.get("/demo/mails/1/html")
    assert framed.headers["content-security-policy"] == MAIL_POLICY
    directives = dict(part.strip().partition(" ")[::2] for part in MAIL_POLICY.split(";"))
    assert directives["default-src"] == "'none'"
    assert "script-src" not in directives
    assert directives["img-src"] == "data:"
    assert "allow-scripts" not in directives["sandbox"]
    assert "allow-same-origin" not in directives["sandbox"]
    assert framed.headers["cache-control"] == "no-store"
    for view in ("html", "text", "headers", "source"):
        shown = await reader.get(f"/demo/mails/1?view={view}")
        page(shown)  # no script, no inline handler
        assert "frame-src 'self'" in shown.headers["content-security-policy"]
        assert "<script>alert" not in shown.text
        assert "<b>x</b>" not in shown.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_speak_the_readers_language(server: InboxServer, reader: httpx.AsyncClient, language: str) -> None:
    empty = page(await reader.get(f"/demo/?lang={language}"))
    assert look_up(language, "demo.inbox.empty")[0] in empty.text
    await _send(server, _raw(_content()))
    shown = page(await reader.get(f"/demo/mails/1?lang={language}"))
    assert look_up(language, "demo.mail.view.source")[0] in shown.text
    assert shown.one("html")["lang"] == language


async def test_one_recipients_mails_and_the_same_for_programs(server: InboxServer, reader: httpx.AsyncClient) -> None:
    await _send(server, _raw(_content("en")), "Amina@example.net")
    await _send(server, _raw(_content("fr")), "other@example.net")
    listed = page(await reader.get("/demo/?to=amina@example.net"))
    assert (len(listed.all("a", href="/demo/mails/1")), len(listed.all("a", href="/demo/mails/2"))) == (1, 0)
    [mail] = (await reader.get("/demo/mails.json?to=amina@example.net")).json()["mails"]
    assert (mail["number"], mail["language"], mail["links"]) == (1, "en", [LINK])
    assert len((await reader.get("/demo/mails.json")).json()["mails"]) == 2


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "10.0.0.7:8000", ""])
async def test_a_page_of_another_name_that_leads_here_sees_nothing(server: InboxServer, reader: httpx.AsyncClient, host: str) -> None:
    await _send(server, _raw(_content()))
    for path in ("/demo/", "/demo/mails.json", "/demo/mails/1", "/demo/mails/1/html"):
        assert (await reader.get(path)).status_code == 200
        assert (await reader.get(path, headers={"host": host})).status_code == 404


@pytest.mark.parametrize("number", ["2", "0", "-1", "x", "99999999999999999999", "1%00"])
async def test_a_mail_that_is_not_there_is_not_found(server: InboxServer, reader: httpx.AsyncClient, number: str) -> None:
    await _send(server, _raw(Content(language="en", subject="s", text="no html")))
    assert (await reader.get(f"/demo/mails/{number}")).status_code == 404
    assert (await reader.get(f"/demo/mails/{number}/html")).status_code == 404
    assert (await reader.get("/demo/mails/1/html")).status_code == 404
    assert page(await reader.get("/demo/mails/1?view=nonsense")).all("iframe") == []


async def test_refusals_and_deferrals_can_be_rehearsed(server: InboxServer) -> None:
    for name, code in (("refused", 550), ("later", 451)):
        async with SMTP(hostname=server.server.host, port=server.server.port, start_tls=False) as client:
            await client.mail("desk@example.org")
            with pytest.raises(SMTPRecipientRefused) as refused:
                await client.rcpt(f"{name}@example.org")
            assert refused.value.code == code
    assert server.inbox.newest_first() == []


def test_only_the_last_mails_are_kept() -> None:
    inbox = Inbox(mails=3, octets=100)
    for size in (10, 10, 10, 10):
        inbox.add(received_at=clock.now(), sender="", recipient="a@example.net", raw=b"x" * size)
    assert [mail.number for mail in inbox.newest_first()] == [4, 3, 2]
    inbox.add(received_at=clock.now(), sender="", recipient="a@example.net", raw=b"x" * 85)
    assert [mail.number for mail in inbox.newest_first()] == [5, 4]
    inbox.add(received_at=clock.now(), sender="", recipient="a@example.net", raw=b"x" * 500)
    assert [mail.number for mail in inbox.newest_first()] == [6]
    assert inbox.find(5) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"Subject: =?nonsense?q?x?=\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe",
        b"Content-Type: multipart/alternative\r\n\r\nno boundary",
        b"Content-Language: <b>\r\nSubject: \xff\xfe\r\nno colon here\r\n\r\nx",
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
    ],
    ids=["nothing", "no headers", "odd charsets", "no boundary", "odd headers", "odd base64"],
)
async def test_an_odd_mail_is_shown_all_the_same(reader: httpx.AsyncClient, server: InboxServer, raw: bytes) -> None:
    server.inbox.add(received_at=clock.now(), sender="", recipient="amina@example.net", raw=raw)
    for path in ("/demo/", "/demo/mails/1", "/demo/mails/1?view=text", "/demo/mails/1?view=headers", "/demo/mails/1?view=source"):
        page(await reader.get(path))
    assert (await reader.get("/demo/mails.json")).status_code == 200


async def test_a_mail_of_another_program_is_read_as_well(server: InboxServer, reader: httpx.AsyncClient) -> None:
    other = EmailMessage()
    other["Subject"] = "Grüße"
    other.set_content("Hallo https://example.org/x\n")
    other.add_alternative('<a href="https://example.org/y">y</a>', subtype="html")
    await _send(server, other.as_bytes())
    [mail] = (await reader.get("/demo/mails.json")).json()["mails"]
    assert (mail["subject"], mail["links"]) == ("Grüße", ["https://example.org/x", "https://example.org/y"])


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TIDINGS_{name.upper()}", raising=False)


@pytest.mark.usefixtures("_bare")
@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, True),
        ({"smtp": "demo"}, True),
        ({"public_url": "http://localhost:9000"}, True),
        ({"smtp": "smtp://mail.example.org"}, False),
        ({"public_url": "https://tidings.example.org"}, False),
        ({"host": "0.0.0.0"}, False),
        ({"host": "0.0.0.0", "public_url": "http://localhost:8000"}, False),
        ({"host": "0.0.0.0", "public_url": "http://localhost:8000", "demo": True}, True),
        ({"host": "::1", "public_url": "http://localhost:8000"}, True),
    ],
)
def test_it_runs_only_where_it_is_reached_on_this_machine(given: dict[str, object], wanted: bool) -> None:
    assert inbox_wanted(settings_.read(_env_file=None, **given)) is wanted


@pytest.mark.usefixtures("_bare")
@pytest.mark.parametrize(
    ("given", "rehearsal"),
    [
        ({}, True),
        ({"smtp": "smtp://demo:2525", "host": "0.0.0.0", "public_url": "http://localhost:8080", "demo": True}, True),
        ({"smtp": "smtp://demo:2525", "host": "0.0.0.0", "public_url": "http://localhost:8080"}, False),
        ({"smtp": "smtp://mail.example.org", "public_url": "https://tidings.example.org", "demo": True}, False),
    ],
)
def test_rehearsal_is_known_from_beside_the_inbox_too(given: dict[str, object], rehearsal: bool) -> None:
    assert is_rehearsal(settings_.read(_env_file=None, **given)) is rehearsal


@pytest.mark.usefixtures("_bare")
@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"public_url": "https://tidings.example.org"}, "reached at https://tidings.example.org"),
        ({"public_url": "https://tidings.example.org", "demo": True}, "reached at https://tidings.example.org"),
        ({"host": "0.0.0.0", "public_url": "http://localhost:8000"}, "TIDINGS_DEMO=1"),
    ],
)
def test_asked_for_where_others_could_see_it_it_stops_the_start(given: dict[str, object], fault: str) -> None:
    with pytest.raises(SettingsError, match=r"TIDINGS_SMTP is wrong: .*For example: TIDINGS_SMTP=smtp://") as refused:
        inbox_wanted(settings_.read(_env_file=None, smtp="demo", **given))
    assert fault in str(refused.value)
