"""From the mail that asks to what stands in public: found, read and approved by keyboard alone, and by touch on a narrow screen."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect
from playwright.async_api import TimeoutError as BrowserTimeout

from services.intake.kinds.catalogue import body_of
from shared import clock
from shared.events.kinds.practice import PracticeSubmission
from shared.i18n import look_up
from tests.browser.chromium import browser_at, context_in
from tests.flows.running import Running, running, until

pytestmark = pytest.mark.chromium

# Stops on the way to one element; a page where it takes more cannot be used by keyboard.
MOST_STOPS = 120
LOOK_MILLISECONDS = 60_000
TITLE = "Help desk in nine languages"


def words(language: str, key: str) -> str:
    return look_up(language, key)[0]


def mails_to(address: str, system: Running) -> list[Mapping[str, Any]]:
    found = httpx.get(f"{system.address}/demo/mails.json", params={"to": address}).json()["mails"]
    return [mail for mail in found if mail["to"] == address]


def send_practice(system: Running) -> None:
    practice = {**PracticeSubmission.example, "title": {"en": TITLE}, "summary": {"en": "Newcomers ask, and are answered."}}
    answer = system.send(body_of(PracticeSubmission, practice), "msg_two-persons")
    assert answer.status_code == 202, answer.text


class Hands:
    """How somebody uses a page: presses what they have found; subclasses know with what."""

    def __init__(self, context: BrowserContext, page: Page, language: str) -> None:
        self.context = context
        self.page = page
        self.language = language

    async def press(self, wanted: Locator) -> None:
        raise NotImplementedError

    async def write(self, field: Locator, text: str) -> None:
        raise NotImplementedError

    def button(self, key: str) -> Locator:
        return self.page.locator("main").get_by_role("button", name=words(self.language, key), exact=True)

    def link(self, text: str) -> Locator:
        return self.page.locator("main").get_by_role("link", name=text)

    async def open_mail(self, subject: str) -> None:
        """Open the newest mail with this in its subject, and the first link in it, which opens a page of its own."""
        await self.page.goto("/demo/")
        await self.press(self.link(subject).first)
        link = self.page.frame_locator("iframe").get_by_role("link").first
        address = await link.get_attribute("href") or ""
        async with self.context.expect_page() as opening:
            await self.press(link)
        old, self.page = self.page, await opening.value
        # A page that closes before the one it opened has begun to load takes that one's address with it. On a machine without a
        # moment to spare Chromium has also opened a page and gone nowhere: then somebody would press again.
        try:
            await self.page.wait_for_function("() => location.protocol.startsWith('http')", timeout=30_000)
        except BrowserTimeout:
            await self.page.goto(address)
        await old.close()

    async def sign_in(self, system: Running, address: str) -> None:
        """Sign in from the page that asks for it, by the mailed link."""
        await self.press(self.link(words(self.language, "sign-in.go")))
        known = len(mails_to(address, system))
        await self.write(self.page.get_by_label(words(self.language, "sign-in.mail")), address)
        await self.press(self.button("sign-in.send"))
        await asyncio.to_thread(until, lambda: len(mails_to(address, system)) > known)
        mail = next(mail for mail in mails_to(address, system) if any("/desk/sign-in/" in link for link in mail["links"]))
        await self.open_mail(mail["subject"])
        await self.press(self.button("sign-in.do"))

    async def find_what_awaits(self, path: str) -> None:
        """Go to the start page, look until it names the page at `path`, and open that."""
        wanted = self.page.locator(f'main a[href$="{path}"]').first
        deadline = asyncio.get_running_loop().time() + LOOK_MILLISECONDS / 1000
        while not await wanted.count():
            assert asyncio.get_running_loop().time() < deadline, f"{path} does not await anybody"
            await self.page.goto("/desk/")
        await self.press(wanted)
        await self.page.wait_for_url(f"**{path}")


class Keyboard(Hands):
    """The keyboard alone."""

    async def _reach(self, wanted: Locator) -> None:
        await wanted.wait_for(timeout=LOOK_MILLISECONDS)
        for _ in range(MOST_STOPS):
            if await wanted.evaluate("element => element.ownerDocument.hasFocus() && element.ownerDocument.activeElement === element"):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"no way to {wanted} by keyboard on {self.page.url}")

    async def press(self, wanted: Locator) -> None:
        await self._reach(wanted)
        await self.page.keyboard.press("Enter")

    async def write(self, field: Locator, text: str) -> None:
        await self._reach(field)
        await self.page.keyboard.press("Control+a")
        await self.page.keyboard.type(text)


class Touch(Hands):
    """A finger on a narrow screen, which sees no wider page than the screen is."""

    async def press(self, wanted: Locator) -> None:
        await self.page.wait_for_load_state()
        assert await self.page.evaluate("document.documentElement.scrollWidth") <= 360, self.page.url
        await wanted.tap(timeout=LOOK_MILLISECONDS)

    async def write(self, field: Locator, text: str) -> None:
        await field.tap(timeout=LOOK_MILLISECONDS)
        await field.fill(text)


async def review_and_approve_a_post(system: Running, browser: Browser, posts: Callable[[], list[str]]) -> None:
    """Noor, by keyboard, in French: the mail about the practice, sign-in, review; what Alex submits; the post stands."""
    context = await context_in(browser, base_url=system.address, locale="fr-FR", viewport={"width": 1280, "height": 800})
    noor = Keyboard(context, await context.new_page(), "fr")
    send_practice(system)
    await asyncio.to_thread(until, lambda: mails_to("noor@example.org", system))
    await noor.open_mail(TITLE)
    await noor.sign_in(system, "noor@example.org")
    await expect(noor.page.get_by_role("heading", level=1)).to_contain_text(TITLE)
    await noor.press(noor.button("staff.review.accept"))
    await noor.page.wait_for_load_state()

    post = await asyncio.to_thread(submit_post, system)
    await noor.find_what_awaits(post)
    await expect(noor.page.locator("main")).to_contain_text("Nine languages, one desk.")
    assert posts() == []
    await noor.press(noor.button("staff.approval.action.approve"))
    await expect(noor.page.locator("main")).to_contain_text(words("fr", "staff.approval.state.approved"))
    await asyncio.to_thread(until, posts)
    assert [text.split("\n")[0] for text in posts()] == ["Nine languages, one desk."]
    await context.close()


def submit_post(system: Running) -> str:
    """Alex takes up what the machine drafted, rewrites it, sets its hour to now, and submits it; returns the post's path."""
    with system.staff("Alex") as alex:
        take_up = until(lambda: re.search(r'action="(/social/drafts/[0-9a-f-]+/post)"', alex.get("/social/drafts").text))
        opened = alex.post(take_up.group(1))
        post = opened.url.path
        name, seen = re.findall(r'variants/([a-z/-]+)"[^>]*>\s*<input type="hidden" name="seen" value="([^"]*)"', opened.text)[0]
        field = re.search(r'<textarea id="([a-z-]+-text)"', opened.text)
        assert field
        saved = alex.post(f"{post}/variants/{name}", data={"seen": seen, field.group(1): "Nine languages, one desk.\n"})
        assert "Nine languages, one desk." in saved.text
        set_now(alex, post)
        page = alex.get(post).text
        seen = re.findall(r'name="seen" value="([^"]*)"', page)[-1]
        submitted = alex.post(f"{post}/decisions", data={"action": "submit", "seen": seen})
        assert submitted.status_code == 200
        own = alex.post(f"{post}/decisions", data={"action": "approve", "seen": seen})
        assert words("en", "staff.approval.state.approved") not in re.sub(r"<ol>.*?</ol>", "", own.text, flags=re.DOTALL)
    return post


def set_now(alex: httpx.Client, post: str) -> None:
    zone = "Europe/Zurich"
    now = clock.now().astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
    assert alex.post(f"{post}/schedule", data={"local": now, "zone": zone}).status_code == 200


async def subscribe_and_approve_an_issue(system: Running, browser: Browser) -> None:
    """By touch, in Arabic, at 360 px: Amina subscribes and confirms; Noor finds the issue, approves it and gives it its hour; it comes."""
    context = await context_in(
        browser, base_url=system.address, locale="ar", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    amina = Touch(context, await context.new_page(), "ar")
    await amina.page.goto("/newsletter/subscribe")
    await amina.write(amina.page.get_by_label(words("ar", "subscribe.address")), "subscriber@example.org")
    await amina.press(amina.button("subscribe.send"))
    (mail,) = await asyncio.to_thread(until, lambda: mails_to("subscriber@example.org", system))
    await amina.open_mail(mail["subject"])
    await amina.press(amina.button("subscribe.confirm.button"))
    await amina.page.wait_for_load_state()

    issue = await asyncio.to_thread(submit_issue, system)
    context = await context_in(
        browser, base_url=system.address, locale="ar", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    noor = Touch(context, await context.new_page(), "ar")
    asking = await asyncio.to_thread(until, lambda: [mail for mail in mails_to("noor@example.org", system) if issue in mail["text"]])
    await noor.open_mail(asking[0]["subject"])
    await noor.sign_in(system, "noor@example.org")
    await noor.page.wait_for_url(f"**{issue}")
    await expect(noor.page.locator("main")).to_contain_text(TITLE)
    await noor.press(noor.button("staff.approval.action.approve"))
    await expect(noor.page.locator("main")).to_contain_text(words("ar", "staff.approval.state.approved"))
    await noor.write(noor.page.locator("#sends_at"), clock.now().strftime("%Y-%m-%dT%H:%M"))
    await noor.write(noor.page.locator("#zone"), "UTC")
    await noor.press(noor.button("staff.issues.schedule.do"))
    await noor.page.wait_for_load_state()

    def came() -> list[Mapping[str, Any]]:
        return [mail for mail in mails_to("subscriber@example.org", system) if TITLE in mail["text"]]

    (copy,) = await asyncio.to_thread(until, came)
    assert any("/newsletter/u/" in link for link in copy["links"])
    await noor.page.goto(f"{issue}/sending")
    await expect(noor.page.locator("#sending")).to_contain_text(words("ar", "staff.issues.send.sent"), timeout=LOOK_MILLISECONDS)
    await expect(noor.page.locator("[data-holds]")).to_contain_text(words("ar", "staff.issues.sending.holds"))
    assert httpx.get(f"{system.address}/newsletter/archive/").text.count(TITLE[:4]) >= 0
    await browser.contexts[0].close()


def submit_issue(system: Running) -> str:
    """Alex closes the issue that gathers and submits it; returns its path."""
    with system.staff("Alex") as alex:
        found = re.search(r'href="(/newsletter/issues/[0-9a-f-]{36})"', alex.get("/newsletter/issues/").text)
        assert found
        issue = found.group(1)
        until(lambda: TITLE in alex.get("/newsletter/pool").text)
        page = alex.post(f"{issue}/cut").text
        assert TITLE in page
        seen = re.findall(r'name="seen" value="([^"]*)"', page)[-1]
        assert alex.post(f"{issue}/decisions", data={"action": "submit", "seen": seen}).status_code == 200
    return issue


def test_what_a_mail_asks_for_is_found_read_and_approved_by_keyboard_and_by_touch_and_leaves(var: Path, chromium_path: Path) -> None:
    with running(var) as system:
        place = json.loads((var / "run.json").read_text())["networks"]["x"]

        def posts() -> list[str]:
            return [post["text"] for post in httpx.get(f"{place}/control/timeline").json()["posts"]]

        async def both() -> None:
            async with browser_at(chromium_path) as browser:
                await review_and_approve_a_post(system, browser, posts)
                await subscribe_and_approve_an_issue(system, browser)

        asyncio.run(both())
