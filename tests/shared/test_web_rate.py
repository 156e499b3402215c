"""How often one asker may try."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI

from shared.i18n import LANGUAGES, translate
from shared.web.pages import Pages
from shared.web.rate import Limit, TokenBuckets, asker_of
from shared.web.wiring import install
from tests.people import VERIFIER
from tests.shared.web_app import BROWSER

HERE = "http://127.0.0.1:8000"


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


@asynccontextmanager
async def limited(at: list[float], *, trusted_proxies: str = "127.0.0.1") -> AsyncIterator[Callable[..., Awaitable[httpx.Response]]]:
    """Ask an app whose public form bears two tries, as the server that runs it in service hands its requests over."""
    app = FastAPI(openapi_url=None)
    install(app, pages=Pages(public_url=HERE), verifier=VERIFIER)

    @app.post("/form", dependencies=[Depends(Limit(tries=2, refill_seconds=12, clock=lambda: at[0]))])
    async def form() -> dict[str, bool]:
        return {"taken": True}

    config = uvicorn.Config(app, proxy_headers=True, forwarded_allow_ips=trusted_proxies, lifespan="off", log_config=None)
    config.load()

    async def knock(host: str, forwarded: str = "", **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=config.loaded_app, client=(host, 40_000))
        named = {**BROWSER, "Origin": HERE, **headers} | ({"X-Forwarded-For": forwarded} if forwarded else {})
        async with httpx.AsyncClient(transport=transport, base_url=HERE, headers=named) as asker:
            return await asker.post("/form")

    yield knock


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_public_form_says_in_the_readers_words_when_to_try_again(language: str) -> None:
    at = [0.0]
    async with limited(at) as knock:
        answers = [await knock("192.0.2.7", **{"Accept-Language": language}) for _ in range(3)]
        other = await knock("192.0.2.8")
        program = await knock("192.0.2.7", Accept="application/json")
        at[0] = 12.0
        later = await knock("192.0.2.7")
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "12"
    assert translate(language, "problem.too-many-requests.detail", n=12) in answers[2].text
    assert answers[2].headers["cache-control"] == "no-store"
    assert program.json()["type"] == "/problems/too-many-requests"
    assert (other.status_code, later.status_code) == (200, 200)


@pytest.mark.parametrize(
    ("what", "trusted", "knocks", "last"),
    [
        ("one customer's network", "127.0.0.1", [("2001:db8::1", ""), ("2001:db8::2", ""), ("2001:db8::3:4", "")], 429),
        ("two customers", "127.0.0.1", [("2001:db8:0:1::1", ""), ("2001:db8:0:1::1", ""), ("2001:db8:0:2::1", "")], 200),
        ("a stranger who names others", "127.0.0.1", [("192.0.2.7", f"10.0.0.{number}") for number in range(3)], 429),
        ("many behind our gateway", "172.20.0.0/16", [("172.20.0.2", f"198.51.100.{number}") for number in range(3)], 200),
        ("one behind our gateway", "172.20.0.0/16", [("172.20.0.2", "198.51.100.1")] * 3, 429),
        ("one behind our gateway who names others", "172.20.0.0/16", [("172.20.0.2", f"10.0.0.{n}, 198.51.100.1") for n in range(3)], 429),
        ("one behind two gateways", "172.20.0.0/16", [("172.20.0.2", f"198.51.100.1, 172.20.0.{n}") for n in range(3)], 429),
    ],
)
async def test_who_asks_is_whom_the_last_trusted_proxy_saw(what: str, trusted: str, knocks: list[tuple[str, str]], last: int) -> None:
    async with limited([0.0], trusted_proxies=trusted) as knock:
        answers = [await knock(host, forwarded) for host, forwarded in knocks]
    assert [answer.status_code for answer in answers] == [200, 200, last], what
