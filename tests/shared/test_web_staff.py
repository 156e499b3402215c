"""The door of the staff pages: one key, a cookie, and no way around."""

import logging
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.web.rate import TokenBuckets, asker_of
from shared.web.staff import GUESSES, StaffKey
from tests.shared.web_app import KEY, Page, browser, sample_app

PUBLIC = "https://tidings.example"


async def test_who_enters_the_key_lands_on_the_wanted_page() -> None:
    async with browser(sample_app()) as asker:
        refused = await asker.get("/desk/pool?state=new&lang=fr")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"]
        way = next(link["href"] for link in Page(refused.text).all("a") if link["href"].startswith("/desk/enter"))
        form = Page((await asker.get(way)).text)
        wanted = next(field["value"] for field in form.all("input") if field["name"] == "next")
        entered = await asker.post("/desk/enter", data={"key": KEY, "next": wanted})
        assert (entered.status_code, entered.headers["location"]) == (303, "/desk/pool?state=new&lang=fr")
        assert "inside" in (await asker.get(entered.headers["location"])).text


async def test_wanted_page_may_have_any_script_in_its_address() -> None:
    async with browser(sample_app()) as asker:
        entered = await asker.post("/desk/enter", data={"key": KEY, "next": "/practices/café"})
    assert entered.headers["location"] == "/practices/caf%C3%A9"


async def test_program_is_told_what_is_missing_and_where() -> None:
    async with browser(sample_app()) as asker:
        read = await asker.get("/desk/pool?x=é", headers={"Accept": "application/json"})
        sent = await asker.post("/desk/pool", data={"word": "a"}, headers={"Accept": "application/json"})
    assert (read.status_code, sent.status_code) == (401, 401)
    assert read.json()["type"] == "/problems/staff-key-needed"
    assert parse_qs(urlsplit(read.json()["enter"]).query)["next"] == ["/desk/pool?x=%C3%A9"]
    assert parse_qs(urlsplit(sent.json()["enter"]).query)["next"] == ["/desk/"]


@pytest.mark.parametrize(
    ("public_url", "name", "secure"), [(PUBLIC, "__Host-tidings-staff", True), ("http://127.0.0.1:8000", "tidings-staff", False)]
)
async def test_cookie_is_bound_and_does_not_hold_the_key(public_url: str, name: str, secure: bool) -> None:
    async with browser(sample_app(public_url), base_url=public_url) as asker:
        entered = await asker.post("/desk/enter", data={"key": KEY})
        left = await asker.post("/desk/leave")
    for cookie in (entered.headers["set-cookie"], left.headers["set-cookie"]):
        parts = [part.strip() for part in cookie.split(";")]
        assert parts[0].startswith(f"{name}=")
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(parts)
        assert ("Secure" in parts) is secure
        assert not any(part.startswith("Domain") for part in parts)
        assert KEY not in cookie
    assert "Max-Age=0" in left.headers["set-cookie"]


async def test_leaving_closes_the_door() -> None:
    async with browser(sample_app()) as asker:
        await asker.post("/desk/enter", data={"key": KEY})
        assert (await asker.get("/desk/pool")).status_code == 200
        await asker.post("/desk/leave")
        assert (await asker.get("/desk/pool")).status_code == 401


@pytest.mark.parametrize("cookie", ["", KEY, "é", '""', "0" * 64])
async def test_invented_cookie_opens_nothing(cookie: str) -> None:
    async with browser(sample_app()) as asker:
        answer = await asker.get("/desk/pool", headers=[(b"cookie", b"tidings-staff=" + cookie.encode())])
    assert answer.status_code == 401


async def test_followed_link_changes_nothing_until_the_button_is_pressed() -> None:
    async with browser(sample_app()) as asker:
        form = await asker.get("/desk/enter", params={"key": KEY, "next": "/desk/pool"})
        assert "set-cookie" not in form.headers
        fields = {field["name"]: field["value"] for field in Page(form.text).all("input")}
        assert fields == {"next": "/desk/pool", "key": KEY}
        assert (await asker.post("/desk/enter", data=fields)).headers["location"] == "/desk/pool"


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)", "/desk/enter?next=/x", "é"],
)
async def test_entering_leads_to_no_other_site(wanted: str) -> None:
    async with browser(sample_app()) as asker:
        form = Page((await asker.get("/desk/enter", params={"next": wanted})).text)
        entered = await asker.post("/desk/enter", data={"key": KEY, "next": wanted})
    assert next(field["value"] for field in form.all("input") if field["name"] == "next") == "/desk/"
    assert entered.headers["location"] == "/desk/"


@pytest.mark.parametrize("guess", ["", "wrong", KEY[:-1], KEY + "x", KEY.upper(), "clé 🗝", "<script>"])
async def test_wrong_key_is_refused_and_not_repeated(guess: str) -> None:
    async with browser(sample_app()) as asker:
        answer = await asker.post("/desk/enter", data={"key": guess})
    page = Page(answer.text)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert page.faults == []
    assert {field["name"]: field["value"] for field in page.all("input")} == {"next": "/desk/", "key": ""}


async def test_guessing_is_slowed_down_for_the_guesser_alone() -> None:
    app = sample_app()
    async with browser(app) as guesser, browser(app, client="198.51.100.9") as colleague:
        answers = [(await guesser.post("/desk/enter", data={"key": f"guess {number}"})).status_code for number in range(GUESSES + 1)]
        stopped = await guesser.post("/desk/enter", data={"key": KEY})
        entered = await colleague.post("/desk/enter", data={"key": KEY})
    assert answers == [403] * GUESSES + [429]
    assert stopped.status_code == 429
    assert int(stopped.headers["retry-after"]) > 0
    assert entered.status_code == 303


def test_tries_come_back_one_by_one() -> None:
    at = 0.0
    buckets = TokenBuckets(tries=2, refill_seconds=12, clock=lambda: at)
    buckets.take("a")
    buckets.take("a")
    assert (buckets.wait_seconds("a"), buckets.wait_seconds("b")) == (12, 0)
    at = 11.0
    assert buckets.wait_seconds("a") == 1
    at = 12.0
    assert buckets.wait_seconds("a") == 0
    buckets.take("a")
    assert buckets.wait_seconds("a") == 12
    at = 1000.0
    buckets.take("a")
    buckets.take("a")
    assert buckets.wait_seconds("a") == 12


def test_many_askers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.web.rate._ASKERS_MAX", 3)
    buckets = TokenBuckets(tries=1, refill_seconds=12, clock=lambda: 0.0)
    for asker in "abcd":
        buckets.take(asker)
    assert [buckets.wait_seconds(asker) for asker in "abcd"] == [0, 12, 12, 12]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2:3::4", "2001:db8:1:2::99", True),
        ("2001:db8:1:2::4", "2001:db8:1:3::4", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("testclient", "testclient", True),
    ],
)
def test_asker_is_an_address_or_one_customers_network(one: str, other: str, same: bool) -> None:
    assert (asker_of(one) == asker_of(other)) is same


async def test_key_stands_in_no_log_and_on_no_page(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    app = sample_app()
    async with browser(app) as asker:
        pages = [
            await asker.get("/desk/pool"),
            await asker.get("/desk/enter"),
            await asker.post("/desk/enter", data={"key": "wrong"}),
            await asker.get("/desk/enter", params={"key": KEY}),
            await asker.post("/desk/enter", data={"key": KEY}),
            await asker.get("/desk/pool"),
        ]
    shown = [page.text for index, page in enumerate(pages) if index != 3]  # the one that was brought the key gives it back, hidden
    assert KEY not in "".join(shown)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert ours
    assert KEY not in "".join(ours)
    assert KEY not in repr(app.state.staff_key)


async def test_another_site_cannot_enter_or_leave_for_somebody() -> None:
    async with browser(sample_app()) as asker:
        asker.headers["Origin"] = "https://evil.example"
        assert (await asker.post("/desk/enter", data={"key": KEY})).status_code == 403
        assert (await asker.post("/desk/leave")).status_code == 403


def test_short_key_is_refused_and_a_new_one_is_long() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        StaffKey(key="short", secure=True)
    one, other = StaffKey.new(secure=True), StaffKey.new(secure=True)
    assert len(one.key) >= 32
    assert one.key != other.key
    assert one.cookie_value != other.cookie_value
