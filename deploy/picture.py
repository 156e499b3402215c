"""`make picture`: walks the main job through a fresh system and takes the picture of the README from it."""

import asyncio
from pathlib import Path

from playwright.async_api import async_playwright

from services.demo.walk.route import walk_all
from services.demo.walk.system import found_at, fresh
from services.demo.walk.walk import begun
from shared.testing.requirements import chromium

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGES = {"front-page": "/?lang=en"}


def main() -> None:
    """Write the pictures; ends with an error where the walk does not hold."""
    with fresh() as system:
        walk_all(begun(found_at(system.address), print))
        asyncio.run(_take(system.address))


async def _take(address: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = await browser.new_page(base_url=address, viewport={"width": 1120, "height": 760})
        for name, place in PAGES.items():
            await page.goto(place)
            await page.screenshot(path=PICTURES / f"{name}.png")
        await browser.close()


if __name__ == "__main__":
    main()
