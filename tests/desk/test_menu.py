"""The menu of the team in Chromium: one line on a wide screen, one word on a narrow one, by keyboard, without JavaScript."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from shared.events.codes import Role
from shared.web.navigation import STAFF, for_roles
from tests.browser.chromium import browser_at, context_in
from tests.desk.test_gathering import served
from tests.desk.wire import System, system
from tests.people import EVERY_ROLE, cookies_of, somebody

pytestmark = pytest.mark.chromium

PAGE = "/desk/audit"
LINKS = "nav.menu a"


@pytest.fixture
async def wired(database_url: str) -> AsyncIterator[System]:
    async with system(database_url) as found:
        yield found


@pytest.fixture
async def chromium(chromium_path: Path) -> AsyncIterator[Browser]:
    async with browser_at(chromium_path) as browser:
        yield browser


def addresses(*group: str) -> set[str]:
    return {section.address for section in for_roles(STAFF, EVERY_ROLE) if section.group in group}


async def test_every_section_is_reached_by_keyboard_on_wide_and_narrow_screens(wired: System, chromium: Browser) -> None:
    assert EVERY_ROLE | {Role.AUDITOR} <= set(Role)
    async with served(wired) as base:
        for width, steps in ((1280, ("nav.menu .menu-more > summary",)), (360, (".menu-all > summary", ".menu-more > summary"))):
            context = await context_in(chromium, base_url=base, viewport={"width": width, "height": 800}, java_script_enabled=False)
            cookies = cookies_of(somebody())
            await context.add_cookies([{"name": name, "value": value, "url": base} for name, value in cookies.items()])
            page = await context.new_page()
            await page.goto(PAGE)
            seen = {str(await link.get_attribute("href")) for link in await page.locator(LINKS).all() if await link.is_visible()}
            assert seen & addresses("work", "manage") == (addresses("work") if width > 1000 else set())
            head = await page.locator("nav.menu").bounding_box()
            assert head is not None
            assert head["height"] < 60, "more than one line"
            for summary in steps:
                await page.locator(summary).focus()
                await page.keyboard.press("Enter")
            seen = {str(await link.get_attribute("href")) for link in await page.locator(LINKS).all() if await link.is_visible()}
            assert seen == addresses("work", "manage") | {"/desk/me"}
            current = page.locator("nav.menu a[aria-current]")
            assert await current.get_attribute("href") == PAGE
            await current.focus()
            await page.keyboard.press("Tab")
            assert await page.evaluate("document.activeElement.getAttribute('href')") == "/desk/sending"
            await context.close()
