"""Every page that there is, in Chromium: axe finds nothing, nothing is wider than the screen, everything is reached by keyboard.

The pages are found in the application itself; one without a row in `visits` fails here.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext

from services.demo.inbox import web as inbox
from services.demo.inbox.kept import Inbox
from shared.testing.reaper import Reaper, clear
from shared.web.pages import Pages
from tests.browser import things
from tests.browser.chromium import browser_at, context_in
from tests.browser.sight import GUISES, Look, Scheme, look_at
from tests.browser.visits import BESIDE, LEADS_ON, NO_PAGE, VISITS, Visit
from tests.flows.running import Running, running
from tests.shared.web_app import Page
from tests.test_roles import FOR_EVERYBODY, application_on, routes

LANGUAGES = ("en", "fr", "ar")
TEAMS_LANGUAGES = ("fr", "ar")
"""The team's pages are seen in the longest words and from right to left; the public's in English as well.

Axe judges each look at the public's pages, and of the team's one in each two, by day and by night in turn: its rules are the same in
every language.
"""
TABS = 2
OWN = re.compile(r"/desk/(sign-out|me/.*|components)|/newsletter/subscribers/find")
"""What an auditor does to nobody but themselves, samples that do nothing, and what only looks something up."""

pytestmark = pytest.mark.xdist_group("every_page")


def pages_of_the_application() -> set[str]:
    app, _ = application_on("postgresql://nobody@127.0.0.1:1/nothing")
    demo = inbox.router(Inbox(), Pages(public_url="http://127.0.0.1:8000"))
    found = {path for method, path in routes(app) if method == "GET"} | {str(getattr(route, "path", "")) for route in demo.routes}
    return {path for path in found if not NO_PAGE.fullmatch(path)} - LEADS_ON


def test_every_page_has_a_row_and_every_row_a_page() -> None:
    assert pages_of_the_application() - set(VISITS) == set(), "write down in tests/browser/visits.py how this page is reached"
    assert set(VISITS) - pages_of_the_application() == set()


def every_visit() -> list[Visit]:
    return [*(Visit(address=address) for address in VISITS.values()), *BESIDE]


def test_each_page_is_seen_in_every_language_by_day_and_by_night_narrow_and_wide() -> None:
    looks = every_look(dict.fromkeys(re.findall(r"\{([^}]+)\}", "".join(visit.address for visit in every_visit())), "x"))
    for visit in every_visit():
        guises = [look for look in looks if look.visit == visit]
        assert {look.language for look in guises} == set(languages_of(visit))
        assert {look.scheme for look in guises} == {"light", "dark"}
        assert {look.width for look in guises} == {360, 1280}
        assert len([look for look in guises if look.in_full]) == (len(guises) if is_public(visit) else 1)
    teams = [look for look in looks if look.in_full and not is_public(look.visit)]
    assert {(look.language, look.scheme, look.width) for look in teams} >= {
        (language, scheme, width) for language in TEAMS_LANGUAGES for scheme, width in GUISES
    }


def is_public(visit: Visit) -> bool:
    return any(FOR_EVERYBODY.fullmatch(path) for path, address in VISITS.items() if address == visit.address)


def languages_of(visit: Visit) -> tuple[str, ...]:
    return LANGUAGES if is_public(visit) else TEAMS_LANGUAGES


def guises_of(number: int, count: int) -> list[tuple[Scheme, int]]:
    """Return so many colours and widths, each of both at least once, from another one on for each page."""
    if count == 2:
        first = number % len(GUISES)
        return [GUISES[first], GUISES[len(GUISES) - 1 - first]]
    return [GUISES[(number + place) % len(GUISES)] for place in range(count)]


def every_look(made: Mapping[str, str]) -> list[Look]:
    looks = []
    for number, visit in enumerate(every_visit()):
        address = re.sub(r"\{([^}]+)\}", lambda name: made[name.group(1)], visit.address)
        languages = languages_of(visit)
        for place, (language, (scheme, width)) in enumerate(zip(languages, guises_of(number, len(languages)), strict=True)):
            in_full = is_public(visit) or place == number // len(GUISES) % 2
            looks.append(Look(visit=visit, address=address, language=language, scheme=scheme, width=width, in_full=in_full))
    return looks


@pytest.fixture(scope="module")
def made(reaper: Reaper) -> Iterator[tuple[Running, Mapping[str, str]]]:
    """A system that runs, with something on every page."""
    folder = reaper.folder / "every-page"
    folder.mkdir()
    with running(folder) as system:
        yield system, things.make(system, folder)
    clear(folder)


@pytest.mark.chromium
@pytest.mark.timeout(1800)  # six minutes on two quiet cores
def test_every_page_is_sound(made: tuple[Running, Mapping[str, str]], chromium_path: Path) -> None:
    system, found = made
    assert asyncio.run(_look(system, every_look(found), chromium_path)) == {}


async def _look(system: Running, looks: list[Look], chromium_path: Path) -> Mapping[str, object]:
    async with browser_at(chromium_path) as chromium:
        # A form is answered in the language of the cookie, so each language has a browser of its own.
        browsers = {(look.visit.who, look.language) for look in looks}
        contexts = {(who, language): await _entered(chromium, system, who) for who, language in sorted(browsers)}
        return await look_at(contexts, looks, TABS)


async def _entered(chromium: Browser, system: Running, who: str) -> BrowserContext:
    context = await context_in(chromium, base_url=system.address)
    if who:
        with system.staff(who) as staff:
            given = [{"name": one.name, "value": one.value or "", "url": system.address} for one in staff.cookies.jar]
        await context.add_cookies(given)  # type: ignore[arg-type]  # a TypedDict, by any other name
    # While one page stays, the others are tabs of its window; a window for each look would take half a second for its own buttons.
    await context.new_page()
    return context


@pytest.mark.timeout(1800)  # the system and its things may be made for this test alone
def test_nothing_is_offered_to_an_auditor_that_would_be_refused(made: tuple[Running, Mapping[str, str]]) -> None:
    system, found = made
    refused = {}
    with system.staff("Sam") as auditor:
        for path, address in VISITS.items():
            if FOR_EVERYBODY.fullmatch(path) or path.startswith("/demo/"):
                continue
            answer: httpx.Response = auditor.get(re.sub(r"\{([^}]+)\}", lambda name: found[name.group(1)], address))
            if answer.status_code != 200:
                continue
            forms = [form.get("action", "") for form in Page(answer.text).all("form") if form.get("method") == "post"]
            if offered := [action for action in forms if not OWN.fullmatch(action) and not action.startswith("/desk/sign-in")]:
                refused[path] = offered
    assert refused == {}
