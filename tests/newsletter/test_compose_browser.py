"""Mails and the public pages of the bulletin in a browser: axe finds nothing, nothing is wider than a telephone, pictures are spoken."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page

from services.newsletter.compose.variants import preview
from shared.db import Database
from shared.events.codes import Language
from shared.migrations import migrate
from tests.browser.chromium import browser_at, context_in
from tests.newsletter.editions import EDITION, SITE
from tests.newsletter.web import asking, keep_all, lead, public_routers

pytestmark = pytest.mark.chromium

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """async (without) => {
  const wanted = axe.getRules().filter(({ ruleId, tags }) =>
    !without.includes(ruleId) && !tags.includes("experimental") && !tags.includes("wcag2aaa"));
  const { violations } = await axe.run(document, { runOnly: { type: "rule", values: wanted.map(({ ruleId }) => ruleId) } });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
}"""
GUISES: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 760), ("dark", 760), ("light", 360), ("dark", 360))
# A mail stands inside the page of a mail program, which has the landmarks; WCAG's third level and trials are no demand.
OF_PAGES = ("region", "landmark-one-main", "page-has-heading-one")


async def complaints(page: Page, *, without: Sequence[str] = ()) -> Sequence[str]:
    """Return what axe finds, by rule and element."""
    await page.evaluate(AXE)
    found: list[str] = await page.evaluate(RUN_AXE, list(without))
    return found


def heard(page: Page) -> Sequence[str]:
    """Return what the browser will have to complain of."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    return said


async def wide(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_mail_is_without_fault_in_every_guise(chromium_path: Path, language: Language) -> None:
    found = {}
    async with browser_at(chromium_path) as browser, asking(()) as client:
        for scheme, width in GUISES:
            context = await context_in(browser, color_scheme=scheme, viewport={"width": width, "height": 900})
            await lead(context, client)
            page = await context.new_page()
            await page.set_content(preview(EDITION, language).html)
            found[scheme, width] = (await complaints(page, without=OF_PAGES), await wide(page))
            paper = await page.locator(".sheet").evaluate("element => getComputedStyle(element).backgroundColor")
            assert (paper == "rgb(255, 255, 255)") is (scheme == "light")
            await context.close()
    assert found == {guise: ([], False) for guise in GUISES}


async def test_public_pages_are_without_fault_in_every_guise(chromium_path: Path, database_url: str) -> None:
    await migrate(database_url, ["newsletter"])
    database = Database(database_url, "newsletter")
    await keep_all(database, EDITION)
    addresses = [f"{SITE}{path}" for path in ("/newsletter/?lang={}", "/newsletter/archive/?lang={}", "/newsletter/archive/7?lang={}")]
    found = {}
    async with browser_at(chromium_path) as browser, asking(public_routers(database)) as client:
        for (scheme, width), language in zip(GUISES, ("en", "ar", "ar", "en"), strict=True):
            context = await context_in(browser, color_scheme=scheme, viewport={"width": width, "height": 900})
            await lead(context, client)
            page = await context.new_page()
            said = heard(page)
            for address in (*addresses, f"{SITE}/newsletter/archive/7?lang=zh&view=text"):
                await page.goto(address.format(language))
                found[address.format(language), scheme, width] = [*await complaints(page), *(["wide"] if await wide(page) else []), *said]
            await context.close()
    await database.close()
    assert {where: faults for where, faults in found.items() if faults} == {}
    assert len(found) > 12
