"""The demo inbox in a browser: a mail in its frame, and the link in it that leads to the confirmation."""

import asyncio
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page

from shared.i18n import look_up
from tests.browser.chromium import browser_at, context_in
from tests.flows.running import running, until
from tests.flows.test_confirmation import send_form

pytestmark = pytest.mark.chromium

WIDTHS = (360, 1440)


async def _opened(page: Page, path: str) -> list[str]:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(path)
    return complaints


async def _look(address: str, chromium_path: Path) -> None:
    async with browser_at(chromium_path) as chromium:
        for width in WIDTHS:
            context = await context_in(chromium, base_url=address, viewport={"width": width, "height": 800})
            for path in ("/demo/?lang=ar", "/demo/mails/1?lang=fr", "/demo/mails/1?view=source", "/demo/mails/1?view=headers"):
                page = await context.new_page()
                assert await _opened(page, path) == []
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
            await context.close()
        context = await context_in(chromium, base_url=address, color_scheme="dark")
        page = await context.new_page()
        assert await _opened(page, "/demo/mails/1?lang=fr") == []
        link = page.frame_locator("iframe").get_by_role("link").first
        ink = await page.frame_locator("iframe").locator("p").first.evaluate("element => getComputedStyle(element).color")
        assert ink == "rgb(255, 255, 255)", "in the dark a mail is written in white, on the dark of the page"
        async with context.expect_page() as opening:
            await link.focus()
            await page.keyboard.press("Enter")
        confirming = await opening.value
        await confirming.get_by_role("button", name=look_up("fr", "confirm.button")[0]).press("Enter")
        await confirming.get_by_text(look_up("fr", "track.state.received")[0]).wait_for()


def test_a_mail_in_its_frame_leads_by_keyboard_to_the_confirmation_and_no_page_is_wider_than_the_screen(
    var: Path, chromium_path: Path
) -> None:
    with running(var) as system, httpx.Client(base_url=system.address, headers={"origin": system.address}, follow_redirects=True) as public:
        assert send_form(public, "amina@example.org").status_code == 200
        until(lambda: public.get("/demo/mails.json").json()["mails"])
        asyncio.run(_look(system.address, chromium_path))
