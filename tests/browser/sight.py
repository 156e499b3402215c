"""What a browser finds wrong with one page."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from typing import Any, Literal

from playwright.async_api import BrowserContext, Page

from shared.i18n import direction
from tests.browser.visits import BY_KEYBOARD, Visit

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """async () => {
  const wanted = axe.getRules().filter((rule) => !rule.tags.some((tag) => tag === "experimental" || tag === "wcag2aaa"));
  const rules = Object.fromEntries(wanted.map((rule) => [rule.ruleId, { enabled: true }]));
  const runOnly = { type: "rule", values: Object.keys(rules) };
  const { violations } = await axe.run(document, { runOnly, rules, iframes: false, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} (${node.failureSummary})`));
}"""
"""Every rule of axe but those that are no demand: its trials, and WCAG's third level."""

HANGS_SECONDS = 120
WIDTHS = (360, 1280)
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
GUISES: Sequence[tuple[Scheme, int]] = tuple(product(SCHEMES, WIDTHS))
"""The colours and widths in which a page is seen: with three of them in turn, each of both at least once."""

CONTROLS = """() => {
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
  const reached = all.filter((one) => !one.disabled && one.type !== "hidden" && one.tabIndex >= 0 && one.checkVisibility()
    && !(one.type === "radio" && !one.checked));
  reached.forEach((one, place) => { one.dataset.place = place; });
  return reached.length;
}"""
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  // A row that holds the focus may show it for the link in it.
  const shows = (element) => getComputedStyle(element).outlineStyle !== "none" && parseFloat(getComputedStyle(element).outlineWidth) >= 2;
  const box = one.getBoundingClientRect();
  let seen = false;
  for (let element = one; element && element !== document.body; element = element.parentElement) seen ||= shows(element);
  const within = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { place: Number(one.dataset.place ?? -1), seen, within, html: one.outerHTML.slice(0, 120) };
}"""
SEND = """() => {
  const form = document.querySelector("main form[method=post]");
  form.noValidate = true;
  form.requestSubmit();
}"""


@dataclass(frozen=True, kw_only=True)
class Look:
    """One page in one language and one guise."""

    visit: Visit
    address: str
    language: str
    scheme: Scheme
    width: int
    in_full: bool = True  # with all of axe's rules, which take three quarters of a look

    def __str__(self) -> str:
        who = f" as {self.visit.who or 'nobody'}" if self.visit.who != "Alex" else ""
        return f"{self.visit.address}{' sent' if self.visit.send else ''}{who}, {self.language}, {self.scheme}, {self.width} px"


async def faults_of(page: Page, look: Look) -> Sequence[str]:
    """Return what is wrong with the page, each in a sentence."""
    complaints: list[str] = []

    def hear(kind: str, text: str) -> None:
        # A browser notes every refusal; those that were asked for are none.
        if kind in {"error", "warning"} and f"status of {look.visit.status}" not in text:
            complaints.append(f"console: {text}")

    page.on("console", lambda message: hear(message.type, message.text))
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    await page.emulate_media(color_scheme=look.scheme)
    await page.set_viewport_size({"width": look.width, "height": 800})
    status = await _open(page, look)
    found = [] if status == look.visit.status else [f"status {status}"]
    wanted = {"lang": look.language, "dir": direction(look.language)}
    has = await page.evaluate("() => ({ lang: document.documentElement.lang, dir: document.documentElement.dir || 'ltr' })")
    if has != wanted:
        found.append(f"says {has}")
    broad = await page.evaluate("document.documentElement.scrollWidth")
    if broad > look.width:
        found.append(f"{broad} px wide")
    if look.in_full:
        await page.evaluate(AXE)
        found.extend(await page.evaluate(RUN_AXE))
    # The order in which Tab goes is the page's, whatever its words; where it is mirrored it would show first that it is not.
    if look.visit.address in BY_KEYBOARD and look.language == "ar":
        found.extend(await _by_keyboard(page))
    return [*found, *complaints]


async def _open(page: Page, look: Look) -> int:
    joint = "&" if "?" in look.address else "?"
    answer = await page.goto(f"{look.address}{joint}lang={look.language}")
    if look.visit.send:
        async with page.expect_navigation() as sent:
            await page.evaluate(
                "() => { const form = document.querySelector('main form[method=post]'); form.noValidate = true; form.requestSubmit(); }"
            )
        answer = await sent.value
    await page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
    return answer.status if answer is not None else 0


async def _by_keyboard(page: Page) -> Sequence[str]:
    """Press Tab through the page; every control must be reached in the order of the page, and show that it is."""
    controls = await page.evaluate(CONTROLS)
    places: list[int] = []
    faults: list[str] = []
    await page.evaluate("() => { document.activeElement?.blur(); scrollTo(0, 0); }")
    # A day or an hour takes several presses; the page's end leads back to its beginning.
    for _ in range(controls * 6):
        await page.keyboard.press("Tab")
        focused: Mapping[str, Any] | None = await page.evaluate(FOCUSED)
        if focused is None:
            if places:
                break
            continue
        if places and focused["place"] == places[-1]:
            continue
        if places and focused["place"] < places[-1]:
            break
        places.append(focused["place"])
        if not (focused["seen"] and focused["within"]):
            faults.append(f"focus is not seen on {focused['html']}")
    if places != list(range(controls)):
        faults.append(f"Tab reaches {places} of {controls} controls")
    return faults


async def look_at(context_of: Mapping[tuple[str, str], BrowserContext], looks: Sequence[Look], tabs: int) -> Mapping[str, Sequence[str]]:
    """Return what is wrong with the pages, by the page; several are looked at at once."""
    waiting = list(reversed(looks))
    found: dict[str, Sequence[str]] = {}

    async def work() -> None:
        while waiting:
            look = waiting.pop()
            page = await context_of[look.visit.who, look.language].new_page()
            try:
                async with asyncio.timeout(HANGS_SECONDS):
                    faults = await faults_of(page, look)
            except TimeoutError:
                faults = ["hangs"]
            if faults:
                found[str(look)] = faults
            await page.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(tabs):
            group.create_task(work())
    return found
