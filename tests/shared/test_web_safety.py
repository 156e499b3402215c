"""What every request passes: headers, origin, size, trace, access line."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.trace import trace_id_of, trace_id_var
from shared.web.addresses import local_path, on_loopback, origin_of
from shared.web.safety import CONTENT_SECURITY_POLICY, bears_token
from tests.people import cookies_of, people_of
from tests.shared.web_app import browser, sample_app

HERE = "http://127.0.0.1:8000"


async def test_every_answer_carries_the_safe_headers() -> None:
    async with browser(sample_app("https://tidings.example")) as asker:
        answers = [await asker.get(path) for path in ("/practices/x", "/nowhere", "/fails/badly", "/static/tidings.css", "/desk/pool")]
        answers.append(await asker.post("/changed", headers={"Origin": "https://evil.example"}))
    for answer in answers:
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert answer.headers["strict-transport-security"].startswith("max-age=")


async def test_plain_http_does_not_promise_https() -> None:
    async with browser(sample_app(HERE)) as asker:
        assert "strict-transport-security" not in (await asker.get("/practices/x")).headers


def test_policy_allows_nothing_inline_nothing_foreign_and_no_frame() -> None:
    policy = dict(part.strip().split(" ", 1) for part in CONTENT_SECURITY_POLICY.split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {sources for name, sources in policy.items() if name not in {"default-src", "frame-ancestors", "base-uri"}} == {"'self'"}


async def test_staff_pages_are_kept_by_nobody_and_public_pages_may_be(database_url: str) -> None:
    async with people_of(database_url) as people, browser(sample_app(people=people)) as asker:
        refused = await asker.get("/desk/pool")
        asker.cookies.update(dict(cookies_of()))
        let_in = await asker.get("/desk/pool")
        public = await asker.get("/practices/x")
    assert (refused.status_code, let_in.status_code) == (401, 200)
    assert refused.headers["cache-control"] == let_in.headers["cache-control"] == "no-store"
    assert let_in.headers["x-robots-tag"] == "noindex"
    assert "cache-control" not in public.headers


@pytest.mark.parametrize(
    ("shape", "public_url", "headers", "allowed"),
    [
        ("our origin", HERE, {"Origin": HERE}, True),
        ("our origin at another name of this machine", HERE, {"Origin": "http://localhost:8000", "Host": "localhost:8000"}, True),
        ("another port of this machine", HERE, {"Origin": "http://localhost:9000", "Host": "localhost:8000"}, False),
        ("a foreign name that leads here", HERE, {"Origin": "http://evil.example:8000", "Host": "evil.example:8000"}, False),
        ("our origin behind https", "https://tidings.example", {"Origin": "https://tidings.example"}, True),
        ("the same host without https", "https://tidings.example", {"Origin": "http://tidings.example"}, False),
        ("this machine, where the site is public", "https://tidings.example", {"Origin": HERE, "Host": "127.0.0.1:8000"}, False),
        ("a name that begins like ours", "https://tidings.example", {"Origin": "https://tidings.example.evil.example"}, False),
        ("a subdomain", "https://tidings.example", {"Origin": "https://a.tidings.example"}, False),
        ("another site", HERE, {"Origin": "https://evil.example"}, False),
        ("a sandboxed frame", HERE, {"Origin": "null"}, False),
        ("an empty origin", HERE, {"Origin": ""}, False),
        ("two in one", HERE, {"Origin": f"{HERE}, https://evil.example"}, False),
        ("another site with our referrer", HERE, {"Origin": "https://evil.example", "Referer": f"{HERE}/x"}, False),
        ("no origin, same site by the browser's word", HERE, {"Sec-Fetch-Site": "same-origin"}, True),
        ("no origin, same registered domain only", HERE, {"Sec-Fetch-Site": "same-site"}, False),
        ("no origin, another site by the browser's word", HERE, {"Sec-Fetch-Site": "cross-site", "Referer": f"{HERE}/x"}, False),
        ("no origin, our referrer", HERE, {"Referer": f"{HERE}/desk/pool?x=1"}, True),
        ("no origin, another's referrer", HERE, {"Referer": f"https://evil.example/{HERE}"}, False),
        ("a broken referrer", HERE, {"Referer": "http://[::1"}, False),
        ("nothing at all", HERE, {}, False),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_origin(method: str, shape: str, public_url: str, headers: dict[str, str], allowed: bool) -> None:
    transport = httpx.ASGITransport(app=sample_app(public_url))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as asker:
        answer = await asker.request(method, "/changed", headers=headers)
    assert answer.status_code == (200 if allowed else 403), shape
    if not allowed:
        assert answer.json()["type"] == "/problems/origin-refused"
        assert public_url in answer.json()["detail"]


async def test_two_origin_headers_are_refused() -> None:
    async with browser(sample_app()) as asker:
        answer = await asker.post("/changed", headers=[("Origin", HERE), ("Origin", HERE)])
    assert answer.status_code == 403


async def test_what_programs_send_and_what_only_reads_needs_no_origin() -> None:
    transport = httpx.ASGITransport(app=sample_app())
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as program:
        assert (await program.post("/webhooks/p1", json={"title": "a"})).status_code == 200
        assert (await program.get("/receipt")).status_code == 200


@pytest.mark.parametrize(
    ("value", "expected"), [("Bearer abc", True), ("bearer abc", True), ("Basic abc", False), ("Bearer", False), ("", False)]
)
def test_bearer_calls_are_told_by_their_header(value: str, expected: bool) -> None:
    assert bears_token({"type": "http", "headers": [(b"authorization", value.encode())]}) is expected


@pytest.mark.parametrize("told", [True, False], ids=["with its length", "in chunks"])
@pytest.mark.parametrize(("path", "limit"), [("/changed", 1000), ("/small", 10)])
async def test_body_above_its_address_limit_is_refused(told: bool, path: str, limit: int) -> None:
    async def chunks(size: int) -> AsyncIterator[bytes]:
        for start in range(0, size, 7):
            yield b"word=123456789"[start : start + 7] if path == "/small" else b"x" * min(7, size - start)

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with browser(sample_app()) as asker:
        asker.headers["Accept"] = "application/json"
        body = b"word=123456789"[: limit + 1] if path == "/small" else b"x" * (limit + 1)
        above = await asker.post(path, content=body if told else chunks(limit + 1), headers=form)
        within = await asker.post(path, content=b"word=12345" if path == "/small" else b"x" * limit, headers=form)
    assert above.status_code == 413
    assert above.json()["limit_bytes"] == limit
    assert within.status_code == 200


async def test_body_that_is_told_to_be_too_large_is_not_even_read() -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    async with browser(sample_app()) as asker:
        answer = await asker.post("/changed", content=unread(), headers={"Content-Length": "1001"})
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["²", "-1", "1e9", "", "9" * 5000])
async def test_odd_content_length_is_no_fault_of_ours(length: str) -> None:
    async with browser(sample_app()) as asker:
        answer = await asker.post("/changed", content=b"x", headers=[(b"Content-Length", length.encode("latin-1"))])
    assert answer.status_code < 500


async def test_trace_of_a_request_is_its_receipt_and_stands_on_the_answer() -> None:
    async with browser(sample_app()) as asker:
        answer = await asker.get("/receipt", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
        again = await asker.get("/receipt")
    receipt = answer.json()
    assert receipt["id"].replace("-", "") == receipt["trace_id"] == answer.headers["x-trace-id"]
    assert trace_id_of(answer.headers["traceresponse"]) == receipt["trace_id"]
    assert again.headers["x-trace-id"] != answer.headers["x-trace-id"]


async def test_lines_written_during_a_request_carry_its_trace() -> None:
    seen: list[str] = []
    app = sample_app()

    @app.get("/traced")
    async def traced() -> None:
        seen.append(trace_id_var.get())

    async with browser(app) as asker:
        answer = await asker.get("/traced")
    assert seen == [answer.headers["x-trace-id"]]
    assert trace_id_var.get() == ""


async def test_access_line_names_the_route_and_nothing_that_was_asked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with browser(sample_app()) as asker:
        await asker.get("/practices/maria@example.org?mail=maria@example.org")
        await asker.get("/secret-token-in-a-path?key=abc")
        await asker.head("/practices/maria@example.org")
        await asker.get("/fails/badly")
        await asker.get("/static/tidings.css")
    lines = [(record.levelname, record.getMessage().rsplit(" ", 2)[0]) for record in caplog.records if record.name == "tidings.access"]
    assert lines == [
        ("INFO", "GET /practices/{word} 200"),
        ("INFO", "GET (no such page) 404"),
        ("INFO", "HEAD /practices/{word} 200"),
        ("INFO", "GET /fails/{how} 500"),
        ("DEBUG", "GET /static/{name} 200"),
    ]
    ours = "".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert "maria" not in ours
    assert "secret-token" not in ours


async def test_head_is_answered_as_get_without_the_body() -> None:
    async with browser(sample_app()) as asker:
        got, asked = await asker.get("/practices/x"), await asker.head("/practices/x")
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Tidings.example:443/x?y", "https://tidings.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://user@tidings.example/", "https://tidings.example"),
        ("ftp://tidings.example", None),
        ("https://tidings.example:99999", None),
        ("null", None),
        ("", None),
    ],
)
def test_origin_of_an_address(address: str, origin: str | None) -> None:
    assert origin_of(address) == origin


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://localhost:8000", True),
        ("http://desk.localhost", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8000", True),
        ("http://localhost.evil.example", False),
        ("http://10.0.0.1", False),
        ("http://[::1", False),
    ],
)
def test_loopback(address: str, expected: bool) -> None:
    assert on_loopback(address) is expected


@pytest.mark.parametrize("path", ["/", "/desk/pool", "/desk/pool?x=1&y=%2F", "/practices/café"])
def test_path_on_this_site_is_kept(path: str) -> None:
    assert local_path(path, otherwise="/desk/") == path


@pytest.mark.parametrize(
    "path",
    ["", "desk", "//evil.example", "/\\evil.example", "\\/evil.example", "/\t/evil.example", "/\n/evil.example", "https://evil.example",
     "javascript:alert(1)", " /desk/", "/desk/\x00", "/" + "x" * 3000],
)  # fmt: skip
def test_path_that_may_lead_elsewhere_is_not(path: str) -> None:
    assert local_path(path, otherwise="/desk/") == "/desk/"
