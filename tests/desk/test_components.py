"""The living page of components shows every macro that templates can call."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.web.pages import TEMPLATES
from tests.desk.wire import System, asker, system
from tests.shared.web_app import Page

MACROS = re.findall(r"\{% macro ([a-z]\w*)\(", (TEMPLATES / "components.html").read_text(encoding="utf-8"))


@pytest.fixture
async def wired(database_url: str) -> AsyncIterator[System]:
    async with system(database_url) as found:
        yield found


@pytest.fixture
async def browser(wired: System) -> AsyncIterator[httpx.AsyncClient]:
    async with asker(wired.app) as entered:
        yield entered


async def test_every_macro_is_shown_by_its_name(browser: httpx.AsyncClient) -> None:
    page = Page((await browser.get("/desk/components")).text)
    assert page.faults == []
    shown = {attributes["id"].removeprefix("shown-") for attributes in page.all("h3") if "id" in attributes}
    assert set(MACROS) - shown == set()
    assert len(MACROS) > 20


async def test_each_scheme_of_colours_can_be_seen_whatever_the_device_asks_for(browser: httpx.AsyncClient) -> None:
    async def night(scheme: str) -> list[str]:
        page = Page((await browser.get("/desk/components", params={"scheme": scheme})).text)
        return [link["media"] for link in page.all("link") if "dark.css" in link["href"]]

    assert await night("light") == []
    assert await night("dark") == ["screen"]
    assert await night("device") == await night("nonsense") == ["screen and (prefers-color-scheme: dark)"]
