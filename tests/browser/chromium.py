"""Chromium for tests: how it is started, and how patiently its pages are waited for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, async_playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A page takes a second; on a machine that carries whole systems of other tests it has taken half a minute.
PATIENCE_MS = 120_000


@asynccontextmanager
async def browser_at(path: Path) -> AsyncIterator[Browser]:
    """Give a browser; `path` is that of its program."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


async def context_in(browser: Browser, **how: Any) -> BrowserContext:
    """Return a new context, as Playwright's `how` has it, whose pages are waited for patiently."""
    context = await browser.new_context(**how)
    context.set_default_timeout(PATIENCE_MS)
    return context
