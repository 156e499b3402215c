"""A post leaves a system that runs as people run it, and stands on the sandbox that came with it."""

import asyncio
import json
import signal
from pathlib import Path

import httpx
import pytest

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
        assert system.end(signal.SIGKILL) == -signal.SIGKILL
    with running(var) as system:
        run = json.loads((var / "run.json").read_text())
        asyncio.run(_put(run["database"], "And regular"))
        until(lambda: posts_on(run["networks"]["x"]) == ["Safe and orderly", "And regular"])


async def _put(url: str, text: str) -> None:
    database = Database(url, "social")
    await put(database, words(text))
    await database.close()


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
