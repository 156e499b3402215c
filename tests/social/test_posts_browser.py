"""The page of a post in Chromium: it counts as one types, as X counts; and it fits a telephone, in Arabic too."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page

from services.social.networks.x.counting import weighted_length
from tests.browser.chromium import browser_at, context_in
from tests.desk.test_gathering import served
from tests.desk.wire import System, system
from tests.people import cookies_of
from tests.social.post_pages import ANA, PATH, Pages, begun, png

pytestmark = pytest.mark.chromium

TYPED = (
    "Safe migration",
    "安全移民 https://example.org/" + "a" * 90,
    "👨‍👩‍👧‍👦 🫱🏻‍🫲🏿 🐦‍🔥 🇨🇶",
    "e\u0301" * 3 + " une ligne\net une autre",
    "الهجرة الآمنة",
    "a" * 281,
)
WIDTHS = (360, 1280)


@pytest.fixture
async def wired(database_url: str) -> AsyncIterator[System]:
    async with system(database_url) as found:
        yield found


@pytest.fixture
async def post(wired: System) -> Pages:
    made = await begun(wired)
    await made.send(ANA, "/variants", {"language": "ar"})
    await made.write("كلمات عن الهجرة\nhttps://example.org/", name="x/ar")
    form = {"x-en-text": "Words", "seen": await made.hash_of("x/en"), "x-en-alternative-new": "A square."}
    await made.send(ANA, "/variants/x/en", form, {"x-en-picture": ("a.png", png(size=(640, 400)), "image/png")})
    return made


@pytest.fixture
async def context(wired: System, chromium_path: Path) -> AsyncIterator[BrowserContext]:
    async with served(wired) as base, browser_at(chromium_path) as chromium:
        entered = await context_in(chromium, base_url=base)
        await entered.add_cookies([{"name": name, "value": value, "url": base} for name, value in cookies_of(ANA).items()])
        yield entered
        await entered.close()


async def opened(context: BrowserContext, path: str) -> tuple[Page, list[str]]:
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(path)
    return page, complaints


async def test_it_counts_and_shows_what_is_typed_as_x_does(context: BrowserContext, post: Pages) -> None:
    page, complaints = await opened(context, post.address)
    field, count = page.locator("#x-en-text"), page.locator("#x-en-count")
    for text in TYPED:
        length = weighted_length(text)
        await field.fill(text)
        await page.wait_for_function("words => document.getElementById('x-en-count').textContent.startsWith(words)", arg=f"{length} of 280")
        assert ("post-count--over" in (await count.get_attribute("class") or "")) is (length > 280)
        assert await page.locator("[data-preview-of=x-en-text]").text_content() == text
    assert complaints == []


async def test_it_is_saved_by_keyboard_alone(context: BrowserContext, post: Pages) -> None:
    page, _ = await opened(context, post.address)
    await page.locator("#x-en-text").focus()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("By keyboard")
    save = page.locator("form[aria-labelledby=x-en] .buttons button")
    for _ in range(10):
        await page.keyboard.press("Tab")
        if await save.evaluate("element => element === document.activeElement"):
            break
    await page.keyboard.press("Enter")
    await page.get_by_text("The text is saved.").wait_for()
    assert await page.locator("#x-en-text").input_value() == "By keyboard"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["en", "ar"])
async def test_no_page_is_wider_than_the_screen(context: BrowserContext, post: Pages, width: int, language: str) -> None:
    for path in (post.address, PATH):
        page, complaints = await opened(context, f"{path}?lang={language}")
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        loaded = await page.evaluate("[...document.images].every(one => { one.loading = 'eager'; return true; })")
        assert loaded
        assert complaints == []
