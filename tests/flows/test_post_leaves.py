"""A post leaves a system that runs as people run it, and stands on the sandbox that came with it."""

import asyncio
import json
import signal
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from services.demo.sandbox.server import is_wanted
from shared.db import Database
from shared.settings import Settings
from tests.flows.running import running, until
from tests.social.ledger import put
from tests.social.x_sandbox import words


def posts_on(place: str) -> list[str]:
    return [post["text"] for post in httpx.get(f"{place}/control/timeline").json()["posts"]]


def test_a_post_that_is_due_stands_on_the_sandbox_once_though_the_system_is_killed(var: Path) -> None:
    with running(var) as system:
        run = json.loads((var / "run.json").read_text())
        place = run["networks"]["x"]
        assert place in system.said
        asyncio.run(_put(run["database"], "Safe and orderly"))
        until(lambda: posts_on(place) == ["Safe and orderly"])
        assert "Safe and orderly" in httpx.get(f"{place}/").text
        address = until(lambda: asyncio.run(_address(run["database"])))
        assert address.startswith(f"{system.address}/demo/posts/x/")
        there = httpx.get(address, follow_redirects=True)
        assert str(there.url).startswith(f"{place}/#post-")
        assert f'id="{there.url.fragment}"' in there.text
        assert httpx.get(address.replace("/x/", "/y/")).status_code == 404
        assert system.end(signal.SIGKILL) == -signal.SIGKILL
    with running(var) as system:
        run = json.loads((var / "run.json").read_text())
        asyncio.run(_put(run["database"], "And regular"))
        until(lambda: posts_on(run["networks"]["x"]) == ["Safe and orderly", "And regular"])


async def _put(url: str, said: str) -> None:
    database = Database(url, "social")
    await put(database, words(said))
    await database.close()


async def _address(url: str) -> str:
    database = Database(url, "social")
    async with database.transaction() as tx:
        found = (await tx.execute(text("SELECT body FROM outbox WHERE type = 'post.published.v1'"))).scalar_one_or_none()
    await database.close()
    return str(json.loads(found)["places"][0]["address"]) if found else ""


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (Settings(), True),
        (Settings(public_url="http://localhost:8000"), True),
        (Settings(public_url="https://tidings.example.org"), False),
        (Settings(host="0.0.0.0"), False),
        (Settings(networks="live"), False),
        (Settings(x_api_url="http://127.0.0.1:9"), False),
    ],
    ids=["as it is", "on localhost", "public", "open to others", "live", "a sandbox elsewhere"],
)
def test_a_sandbox_comes_along_where_posts_are_rehearsed_on_ones_own_machine(settings: Settings, wanted: bool) -> None:
    assert is_wanted(settings) is wanted
