"""What nobody should send, sent to every parameter of every address: none of it breaks anything, acts in a page, or leads away.

The addresses are found in the application, the fields in its forms: what is added later is attacked without a word here.
"""

import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, cycle
from urllib.parse import quote, urlencode, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from sqlalchemy import text
from starlette.types import ASGIApp, Receive, Scope, Send

from services.intake.domain import token_hash
from services.owners import OWNERS
from services.social.domain.content import Content
from shared.auth.cookies import Cookies
from shared.consumer import Consumer
from shared.events.codes import Network
from shared.events.registry import TOPICS_OF
from shared.ids import new_id
from shared.migrations import migrate
from shared.service import Running
from tests.intake.test_practice_form import FILLED
from tests.people import cookies_of
from tests.sample_events import every_sample, record
from tests.shared.web_app import BROWSER, Page
from tests.social.ledger import put
from tests.test_roles import FOR_EVERYBODY, PUBLIC_URL, application_on

# Thousands of requests: minutes where the machine is busy.
pytestmark = pytest.mark.timeout(1800)

ACTS = "<script>alert(1)</script>"
FORM = "application/x-www-form-urlencoded"

# As bytes of a form's field or an address: percent-encoding gives what no text could hold.
VALUES: Mapping[str, bytes] = {
    "nothing": b"",
    "a space": b" ",
    "NUL": b"a\x00b",
    "other controls": b"\x01\x08\x1b\x7f\xc2\x85",
    "no UTF-8": b"\xff\xfe\xfa",
    "a half character": b"\xed\xa0\x80",
    "a character too long": b"\xf0\x82\x82\xac",
    "the last character": "\U0010ffff\ufffe".encode(),
    "a line break and a header": b"x\r\nSet-Cookie: stolen=1\r\n\r\n<script>alert(1)</script>",
    "markup": f"\"'>{ACTS}</title></textarea>".encode(),
    "a template": b"{{ 7*191 }}{% for x in y %}${7*191}#{7*191}",
    "a format": b"%s%n{0}{n}{x!r:>99999999}%(x)s",
    "SQL": b"'; DROP TABLE outbox; --",
    "a pattern": b"%_\\%(((((a*)*)*)*$",
    "a huge number": b"9" * 400,
    "above 64 bits": b"9223372036854775808",
    "above 32 bits": b"2147483648",
    "below nought": b"-1",
    "the least": b"-9223372036854775809",
    "a fraction": b"1e309",
    "no number": b"NaN",
    "other digits": "١٢٣²½".encode(),
    "digits with a line": b"1_000",
    "a day that is none": b"2026-02-30",
    "a day before all days": b"0000-00-00",
    "a day after all days": b"99999-12-31T25:61",
    "the last moment": b"9999-12-31T23:59",
    "the first moment": b"0001-01-01T00:00",
    "no time of the clock": b"2026-03-29T02:30",
    "a path": b"../../../../etc/passwd",
    "another site": b"//evil.example/x",
    "another site with a scheme": b"https://evil.example/x",
    "another site with backslashes": b"/\\evil.example/x",
    "another site behind a tab": b"/\t/evil.example",
    "what runs": b"javascript:alert(1)",
    "an id of nobody": b"00000000-0000-0000-0000-000000000000",
    "an id in braces": b"{00000000-0000-0000-0000-000000000000}",
    "turned round": "\u202e\u2066evil\u2069".encode(),
    "many marks on one letter": ("a" + "\u0301" * 2_000).encode(),
    "a word without end": b"a" * 100_000,
    "many lines": b"\n" * 20_000,
    "JSON": b'{"a":[1,{"b":null}]}',
    "a list": b"[1,2]",
    "true": b"true",
    "an address of mail with a line break": b"a@example.org\r\nBcc: b@example.org",
    "an address of mail with a group": b"a:b@example.org;,c@example.org",
    "an address of mail without end": b"a" * 300 + b"@" + b"b" * 300 + b".org",
}
FEW = ("NUL", "no UTF-8", "a half character", "a huge number", "markup", "a line break and a header", "another site", "an id of nobody")
"""For what is tried one by one in many places."""
SHORT = 8
"""Forms of fewer fields have each tried with every value, the others being well filled in."""


class FromEverywhere:
    """Gives each request another address of the network, so that no limit on tries hides what stands behind it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = next(self._numbers)
        await self._app({**scope, "client": (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 40_000)}, receive, send)


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form as a page shows it."""

    action: str
    fields: Mapping[str, str]


class Attacked:
    """The application with somebody of every role signed in, who follows every link and can send what no browser would."""

    def __init__(self, app: FastAPI, running: Sequence[Running], browser: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
        self.app = app
        self.databases = {one.service.name: one.service.database for one in running if one.service.database is not None}
        self.consumers = {
            one.service.name: Consumer(one.service.name, self.databases[one.service.name], one.service.listeners, TOPICS_OF)
            for one in running
        }
        self.browser = browser
        self._log = caplog
        self.cookies = "; ".join(f"{name}={value}" for name, value in cookies_of().items())
        self.broken: list[str] = []
        self.sent = 0

    async def ask(
        self, method: str, address: str, what: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> httpx.Response:
        """Send and look at the answer: no fault of ours, nothing that acts, no other site, safe headers."""
        self._log.clear()
        self.browser.cookies.clear()
        self.sent += 1
        answer = await self.browser.request(
            method,
            httpx.URL(PUBLIC_URL, raw_path=address.encode()),
            headers=[(name.encode(), value.encode("latin-1")) for name, value in {"Cookie": self.cookies, **(headers or {})}.items()],
            content=body,
        )
        place = f"{method} {address[:150]} [{what}]"
        if answer.status_code >= 500:
            thrown = [record.exc_info[1] for record in self._log.records if record.exc_info and record.levelno >= logging.ERROR]
            self.broken.append(f"{place}: {answer.status_code} {[f'{type(one).__name__}: {one}'[:200] for one in thrown]}")
        if "set-cookie" in answer.headers and "stolen" in answer.headers["set-cookie"]:
            self.broken.append(f"{place}: a header of the sender's making")
        if ACTS in answer.text and answer.headers["content-type"].startswith("text/html"):
            self.broken.append(f"{place}: markup of the sender's making")
        location = answer.headers.get("location", "/")
        if not location.startswith("/") or location.startswith("//") or re.search(r"[\\\s]", location):
            self.broken.append(f"{place}: leads to {location[:100]}")
        for name in ("content-security-policy", "x-content-type-options", "referrer-policy", "x-trace-id"):
            if name not in answer.headers:
                self.broken.append(f"{place}: no {name}")
        return answer

    async def send(self, address: str, fields: Sequence[tuple[str, bytes]], what: str) -> httpx.Response:
        """Send a form whose values may be any bytes."""
        return await self.ask("POST", address, what, {"Content-Type": FORM}, urlencode(fields).encode())


@pytest.fixture
async def attacked(database_url: str, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Attacked]:
    """The application of every service with its tables and something in them."""
    await migrate(database_url, OWNERS)
    app, running = application_on(database_url)
    transport = httpx.ASGITransport(app=FromEverywhere(app))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers={**BROWSER, "Origin": PUBLIC_URL}) as browser:
        yield Attacked(app, running, browser, caplog)
    for one in running:
        assert one.service.database is not None
        await one.service.database.close()


def declared(dependant: Dependant, kind: str) -> list[str]:
    found = [field.alias for field in getattr(dependant, kind)]
    return found + [name for inner in dependant.dependencies for name in declared(inner, kind)]


def routes(app: FastAPI) -> Iterator[tuple[str, str, Dependant | None]]:
    for route in iter_route_contexts(app.routes):
        for method in sorted(route.methods or ()):
            yield method, str(route.path), getattr(route, "dependant", None)


PLAUSIBLE = {
    "email": "jo@example.org",
    "url": "https://example.org/x",
    "number": "1",
    "date": "2031-02-03",
    "datetime-local": "2031-02-03T09:00",
}
TRAP = "website"
"""The field that people do not see and leave empty."""


class Once:
    """What was attacked before: what several services share is tried at length in one of them, and shortly in the rest.

    What anybody reaches is tried with every value; what takes a person of the team with the few and a third of the others, in turn, so that
    none of them is left out of the whole.
    """

    def __init__(self) -> None:
        self._seen: set[object] = set()
        self._thirds = cycle(range(3))

    def values(self, what: object, path: str) -> Mapping[str, bytes]:
        """The values to try on an address."""
        few = {name: VALUES[name] for name in FEW}
        if what in self._seen:
            return few
        self._seen.add(what)
        if FOR_EVERYBODY.fullmatch(path):
            return VALUES
        return few | dict([*VALUES.items()][next(self._thirds) :: 3])


def forms_of(markup: str) -> list[Form]:
    """The forms of a page that change something, filled in as somebody would who wants them to be taken."""
    found: list[Form] = []
    fields: dict[str, str] = {}
    within, choosing = False, ""
    for tag, attributes in Page(markup).elements:
        name, value = attributes.get("name", ""), attributes.get("value", "")
        if tag == "form":
            fields, within = {}, attributes.get("method", "").lower() == "post"
            if within:
                found.append(Form(action=attributes.get("action", ""), fields=fields))
        elif not within:
            continue
        elif tag == "option":
            if choosing and not fields[choosing]:
                fields[choosing] = value
        elif name and tag in {"input", "textarea", "select"}:
            choosing = name if tag == "select" else ""
            given = value or ("" if tag == "select" or name == TRAP else PLAUSIBLE.get(attributes.get("type", ""), "Some words"))
            fields.setdefault(name, given)
    return found


def _code_of(dependant: Dependant | None) -> str:
    call = dependant.call if dependant is not None else None
    return f"{getattr(call, '__module__', '')}.{getattr(call, '__qualname__', '')}"


async def crawl(attacked: Attacked) -> tuple[dict[str, str], dict[str, Form]]:
    """Every page that can be reached, by the path of its route, and every form, by the path that it is sent to."""
    patterns = {path: re.compile(re.sub(r"\{(\w+)\}", "[^/]+", path)) for method, path, _ in routes(attacked.app) if method == "GET"}
    wanted = [path for path in patterns if "{" not in path]
    pages: dict[str, str] = {}
    forms: dict[str, Form] = {}
    seen: set[str] = set()
    while wanted:
        address = quote(wanted.pop(), safe="/?&=%:,.+-_~")
        path = urlsplit(address).path
        route = next((route for route, pattern in patterns.items() if pattern.fullmatch(path)), None)
        if route is None or path in seen or (route in pages and len(seen) > 300):
            continue
        seen.add(path)
        answer = await attacked.ask("GET", address, "as it is")
        if answer.status_code != 200 or not answer.headers["content-type"].startswith("text/html"):
            continue
        pages.setdefault(route, address)
        for form in forms_of(answer.text):
            forms.setdefault(
                re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}", form.action or path), Form(action=form.action or path, fields=form.fields)
            )
        links = [attributes.get("href", "") for tag, attributes in Page(answer.text).elements if tag == "a"]
        wanted += [link.partition("#")[0] for link in links if link.startswith("/") and urlsplit(link).path not in seen]
    return pages, forms


async def something_in_every_table(attacked: Attacked) -> None:
    """What the pages need to show their forms: brought in by the doors that people and services use."""
    person = [("name", b"Jo Example"), ("mail", b"jo@example.org"), ("roles", b"moderator"), ("languages", b"en")]
    assert (await attacked.send("/desk/people/", person, "seed")).status_code == 303
    partner = await attacked.send("/intake/partners/", [("name", b"A partner"), ("contact", b"p@example.org")], "seed")
    assert partner.status_code in {200, 201, 303}, partner.text
    for number in range(2):
        practice = [
            (name, value.encode())
            for name, given in (FILLED | {"title": f"Desk {number}"}).items()
            for value in ([given] if isinstance(given, str) else given)
        ]
        assert (await attacked.send("/intake/submit/practice", practice, "seed")).status_code == 303
    async with attacked.databases["intake"].transaction() as tx:
        # The one is confirmed and awaits its review; of the other, the page that confirms is open.
        kept = (await tx.execute(text("SELECT id FROM submissions ORDER BY received_at"))).scalars().all()
        for number, submission in enumerate(kept):
            known = {"hash": token_hash(f"known{number}"), "id": submission}
            await tx.execute(text("UPDATE submissions SET confirm_hash = :hash WHERE id = :id"), known)
    assert (await attacked.ask("POST", "/intake/confirm/known0", "seed", {"Content-Type": FORM})).status_code == 303
    for service, consumer in attacked.consumers.items():
        await consumer.take([one for one in every_sample() if b"sending.paused.v1" not in dict(one.headers).values()])
        await consumer.take([record(event_type, {"broken": True}) for event_type in consumer.listeners])
        assert service in OWNERS
    await put(attacked.databases["social"], Content(network=Network.X, language="en", text="Words", pictures=()), approved=False)


async def test_nothing_sent_to_any_address_breaks_it(attacked: Attacked) -> None:
    await something_in_every_table(attacked)
    pages, forms = await crawl(attacked)
    assert len(pages) > 25
    assert len(forms) > 8
    once = Once()
    for method, path, dependant in routes(attacked.app):
        if path in {"/readyz", "/metrics", "/healthz"}:
            continue
        places = re.findall(r"\{(\w+)(?::\w+)?\}", path)
        good = urlsplit(pages[path]).path if path in pages else re.sub(r"\{\w+(:\w+)?\}", str(new_id()), path)
        queries = [*(declared(dependant, "query_params") if dependant else []), "lang", "unknown"]
        most = min(2_000, 10_000 // len(queries))  # bytes of each: all of them, percent-encoded, are still an address that a client sends
        for what, value in once.values((method, _code_of(dependant), path if dependant is None else ""), path).items():
            # In the path: each place by itself, so that what stands behind a good one is reached too.
            for place in places:
                bad = re.sub(rf"\{{{place}(:\w+)?\}}", quote(value[:2_000], safe="") or "%20", path)
                await attacked.ask(method, re.sub(r"\{\w+(:\w+)?\}", str(new_id()), bad), f"{place}: {what}", {"Content-Type": FORM})
            if method == "GET":
                await attacked.ask("GET", f"{good}?{'&'.join(f'{name}={quote(value[:most])}' for name in queries)}", f"query: {what}")
            if method == "GET" and what in FEW:
                await attacked.ask(
                    "GET", f"{good}?{'&'.join(f'{name}=1&{name}={quote(value[:most])}' for name in queries)}", f"twice: {what}"
                )
    assert attacked.broken == []


async def test_nothing_in_any_form_breaks_it(attacked: Attacked) -> None:
    await something_in_every_table(attacked)
    _, forms = await crawl(attacked)
    declared_fields = {
        path: (_code_of(dependant), declared(dependant, "body_params"))
        for method, path, dependant in routes(attacked.app)
        if method == "POST" and dependant
    }
    shown = {path: [*form.fields] for path, form in forms.items()}
    assert sum(len(fields) for fields in shown.values()) > 40
    once = Once()
    for form in forms.values():
        filled = {name: value.encode() for name, value in form.fields.items()}
        if not filled:
            await attacked.send(form.action, [("unknown", VALUES["markup"])], "a button")
            continue
        for what, value in once.values((tuple(filled), form.action.rpartition("/")[2]), form.action).items():
            await attacked.send(form.action, [(name, value) for name in filled], f"all: {what}")
            for name in filled if what in FEW or len(filled) < SHORT else ():
                await attacked.send(form.action, [*((filled | {name: value}).items())], f"{name}: {what}")
    for path, (code, fields) in declared_fields.items():
        address = re.sub(r"\{\w+(:\w+)?\}", str(new_id()), path)
        for what, value in (once.values(code, path) if fields else {}).items():
            await attacked.send(address, [(name, value) for name in fields for _ in range(2)], f"fields, twice: {what}")
    assert attacked.broken == []


BODIES: Mapping[str, tuple[str, bytes]] = {
    "ten thousand fields": (FORM, "&".join(f"f{number}=1" for number in range(10_000)).encode()),
    "ten thousand of one field": (FORM, b"&".join([b"name=a"] * 10_000)),
    "no fields": (FORM, b"&&&===&&&%%%"),
    "broken percent signs": (FORM, b"name=%&mail=%z1&reason=%u0041"),
    "bytes": (FORM, bytes(range(256))),
    "another alphabet": (f"{FORM}; charset=utf-7", b"name=+ADw-script+AD4-"),
    "an alphabet that is none": (f"{FORM}; charset=nonsense", b"name=a"),
    "parts without a boundary": ("multipart/form-data", b"--x\r\n\r\n"),
    "parts with an odd boundary": ('multipart/form-data; boundary="\xff"', b"--\xff\r\n\r\n"),
    "half a part": ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nhalf'),
    "a part without a name": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n"),
    "a part in another alphabet": (
        "multipart/form-data; boundary=x; charset=nonsense",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff\r\n--x--\r\n',
    ),
    "a file where a text belongs": (
        "multipart/form-data; boundary=x",
        (
            b'--x\r\nContent-Disposition: form-data; name="name"; filename="a"\r\n\r\na\r\n--x\r\n'
            b'Content-Disposition: form-data; name="reason"; filename="a"\r\n\r\na\r\n--x--\r\n'
        ),
    ),
    "a thousand files": (
        "multipart/form-data; boundary=x",
        b"".join(b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\na\r\n' for _ in range(2_000)) + b"--x--\r\n",
    ),
    "half a JSON": ("application/json", b'{"a":'),
    "a deep JSON": ("application/json", b"[" * 100_000 + b"]" * 100_000),
    "a JSON of halves": ("application/json", rb'{"name":"\ud800","mail":"\u0000","reason":"\udfff"}'),
    "a JSON of huge numbers": ("application/json", b'{"name":1e400,"mail":' + b"9" * 5_000 + b"}"),
    "compressed": ("application/json", b"\x1f\x8b\x08\x00\x00"),
    "a type that is none": ("\x7f/;;;=", b"a"),
    "no type": ("", b"name=a"),
}


async def test_no_body_breaks_any_address(attacked: Attacked) -> None:
    for method, path, _ in routes(attacked.app):
        address = re.sub(r"\{\w+(:\w+)?\}", str(new_id()), path)
        if method != "GET":
            for what, (content_type, body) in BODIES.items():
                await attacked.ask(method, address, what, {"Content-Type": content_type}, body)
    assert attacked.broken == []


HEADERS: Mapping[str, Mapping[str, str]] = {
    "languages": {"Accept-Language": "x" * 5_000 + ";q=nan," + "*;q=1e999," * 500},
    "languages of none": {"Accept-Language": ";;;,,,=q;q=q,en;q=-1,en-\xff"},
    "types": {"Accept": "text/html;q=nan, */*;q=inf, application/json;q=-1"},
    "a bearer": {"Authorization": "Bearer a.b.c"},
    "a bearer of bytes": {"Authorization": "Bearer \xff\xfe"},
    "an empty bearer": {"Authorization": "Bearer "},
    "a token for nothing": {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."},
    "another host": {"Host": "evil.example"},
    "no host": {"Host": ""},
    "forwarded": {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"},
    "a tag": {"If-None-Match": "\xff" * 1_000},
    "a trace": {"traceparent": "00-" + "z" * 32 + "-1-1"},
    "a broken cookie": {"Cookie": "a=\xff; =; ;;; tidings-lang=\x01"},
    "a language of cookies": {"Cookie": "tidings_lang=<script>"},
    "a long length": {"Content-Length": "9" * 30},
}


async def test_no_header_breaks_any_address(attacked: Attacked) -> None:
    token = Cookies.at(PUBLIC_URL).token
    more = {
        f"{name} that is none": {"Cookie": f"{name}={value}"}
        for name in (token, Cookies.at(PUBLIC_URL).session)
        for value in ("", "x" * 3_000, "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "%00")
    }
    for method, path, _ in routes(attacked.app):
        address = re.sub(r"\{\w+(:\w+)?\}", str(new_id()), path)
        if path in {"/readyz", "/metrics"}:
            continue
        for what, headers in {**HEADERS, **more}.items():
            answer = await attacked.ask(method, address, what, headers)
            assert "evil.example" not in answer.text
    assert attacked.broken == []


async def test_odd_methods_are_answered(attacked: Attacked) -> None:
    for path in {path for _, path, _ in routes(attacked.app)} - {"/readyz", "/metrics"}:
        address = re.sub(r"\{\w+(:\w+)?\}", str(new_id()), path)
        for method in ("HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "PROPFIND"):
            answer = await attacked.ask(method, address, method)
            assert method != "HEAD" or answer.content == b""
    assert attacked.broken == []
