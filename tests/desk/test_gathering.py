"""What the browser puts together from the services' own answers, looked at in Chromium."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import BrowserContext, Page

from shared.ids import new_id
from shared.trace import Cause
from tests.browser.chromium import browser_at, context_in
from tests.desk.wire import IDLE, PRACTICE, System, records_of, system, tell
from tests.people import cookies_of

pytestmark = pytest.mark.chromium


@pytest.fixture
async def wired(database_url: str) -> AsyncIterator[System]:
    async with system(database_url) as found:
        yield found


@asynccontextmanager
async def served(found: System) -> AsyncIterator[str]:
    """Serve the app on a free loopback port and give its address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(found.app, log_config=None, ws="none", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.fixture
async def context(wired: System, chromium_path: Path) -> AsyncIterator[BrowserContext]:
    """Give a browser that somebody is signed in to; relative addresses lead to the served app."""
    async with served(wired) as base, browser_at(chromium_path) as chromium:
        entered = await context_in(chromium, base_url=base)
        await entered.add_cookies([{"name": name, "value": value, "url": base} for name, value in cookies_of().items()])
        yield entered
        await entered.close()


async def opened(context: BrowserContext, path: str) -> tuple[Page, list[str]]:
    """Open a page; returns it once it has gathered everything, and what the browser complained of."""
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(path)
    await page.locator("[aria-busy=false]").wait_for()
    return page, complaints


async def titles(page: Page) -> list[str]:
    return await page.locator("#steps .step strong").all_inner_texts()


async def test_story_is_merged_across_services_in_time_order(wired: System, context: BrowserContext) -> None:
    door = Cause.start()
    event_id = await tell(wired.intake, PRACTICE, subject="practice-1", cause=door)
    for service in ("social", "newsletter"):  # not in the order in which the page asks
        await wired.consumers[service].take(await records_of(wired.intake))
    for asked in (str(event_id), door.id, door.trace_id):
        page, complaints = await opened(context, f"/desk/events/{asked}")
        assert await titles(page) == [
            "intake told practice.published.v1",
            "social took practice.published.v1",
            "social drafted a post",
            "newsletter took practice.published.v1",
            "newsletter put an item into its pool",
        ]
        times = [await time.get_attribute("datetime") or "" for time in await page.locator("#steps time").all()]
        assert times == sorted(times)
        assert complaints == []
    seen = [await link.get_attribute("href") or "" for link in await page.locator("#steps .step--fact a").all()]
    assert [address.partition("#")[0] for address in seen] == ["/social/drafts", "/newsletter/pool"]


async def test_services_that_do_not_know_the_event_tell_of_its_trace(wired: System, context: BrowserContext) -> None:
    door = Cause.start()
    await tell(wired.intake, PRACTICE, subject="practice-1", cause=door)
    await wired.consumers["newsletter"].take(await records_of(wired.intake))
    second = await tell(wired.intake, PRACTICE, subject="practice-2", cause=door)
    page, _ = await opened(context, f"/desk/events/{second}")
    assert "newsletter put an item into its pool" in await titles(page)
    assert (await titles(page)).count("intake told practice.published.v1") == 2


async def test_what_an_event_caused_leads_on_within_the_page(wired: System, context: BrowserContext) -> None:
    door = Cause.start()
    first = await tell(wired.intake, PRACTICE, subject="practice-1", cause=door)
    second = await tell(wired.intake, PRACTICE, subject="practice-2", cause=Cause(id=str(first), trace_id=door.trace_id))
    page, _ = await opened(context, f"/desk/events/{first}")
    told = page.locator(f"[id='event-{first}']")
    assert await told.locator("[data-slot=caused] a").get_attribute("href") == f"#event-{second}"
    assert await page.locator(f"[id='event-{second}'] [data-slot=cause]").get_attribute("href") == f"#event-{first}"
    assert await told.locator("[data-slot=cause]").get_attribute("href") == f"/desk/events/{door.id}"


async def test_a_service_that_is_away_leaves_the_others_whole(wired: System, context: BrowserContext) -> None:
    event_id = await tell(wired.intake, PRACTICE, subject="practice-1")
    await wired.carry()
    await context.route("**/newsletter/events/*", lambda route: route.abort())
    page, _ = await opened(context, f"/desk/events/{event_id}")
    assert "social drafted a post" in await titles(page)
    assert "did not answer" in await page.locator("#sources [data-service=newsletter]").inner_text()
    assert "did not" not in await page.locator("#sources [data-service=social]").inner_text()


async def test_nobody_knowing_anything_is_said(wired: System, context: BrowserContext) -> None:
    page, complaints = await opened(context, f"/desk/events/{new_id()}")
    assert await page.locator("#gathered").inner_text() == "No service that answered knows anything of this id."
    assert await page.locator("#sources .trouble").all_inner_texts() == [" knows nothing of it"] * 4
    assert complaints == []


async def test_what_events_say_never_becomes_markup(wired: System, context: BrowserContext) -> None:
    odd = PRACTICE.model_copy(update={"entity": "<img src=x onerror=alert(1)>"})
    event_id = await tell(wired.intake, odd, subject="<b>practice</b>")
    page, complaints = await opened(context, f"/desk/events/{event_id}")
    assert await page.locator("#steps b, #steps img").count() == 0
    assert "<b>practice</b>" in await page.locator("#steps [data-slot=subject]").all_inner_texts()
    assert "<img src=x onerror=alert(1)>" in (await page.locator("#steps pre").first.text_content() or "")
    assert complaints == []


async def test_operations_of_all_services_are_gathered(wired: System, context: BrowserContext) -> None:
    wired.figures["social"] = {**IDLE, "consumer": "stuck", "lag": 1234}
    page, complaints = await opened(context, "/desk/operations")
    cell = "tr[data-service={}] [data-figure={}]"
    assert await page.locator(cell.format("intake", "consumer")).inner_text() == "idle"
    assert await page.locator(cell.format("social", "lag")).inner_text() == "1,234"
    assert "social – Listening: stuck" in await page.locator("#troubles li").inner_text()
    assert complaints == []
    wired.figures["social"] = IDLE
    await page.locator("#again").focus()
    await page.keyboard.press("Enter")
    await page.locator(cell.format("social", "consumer")).get_by_text("idle").wait_for()
    await page.locator("#troubles").wait_for(state="hidden")  # only once every service has answered


async def test_operations_say_which_service_did_not_answer(wired: System, context: BrowserContext) -> None:
    await context.route("**/intake/operations.json", lambda route: route.abort())
    page, _ = await opened(context, "/desk/operations")
    assert "did not answer" in await page.locator("tr[data-service=intake] th").inner_text()
    assert await page.locator("tr[data-service=social] [data-figure=consumer]").inner_text() == "idle"


async def test_no_page_scrolls_sideways(wired: System, context: BrowserContext) -> None:
    event_id = await tell(wired.intake, PRACTICE, subject="practice-1")
    await wired.carry()
    page = await context.new_page()
    gathering = ("/desk/operations", f"/desk/events/{event_id}")
    for path in ("/desk/", "/desk/events", "/newsletter/pool", "/social/drafts", *gathering):
        for language in ("en", "ar"):
            await page.goto(f"{path}?lang={language}")
            if path in gathering:
                await page.locator("[aria-busy=false]").wait_for()
            for width in (360, 1280):
                await page.set_viewport_size({"width": width, "height": 800})
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, (path, language)
