"""The work plan's page: every activity under its priority, and how far it has come."""

import re
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from services.calendar.importing import OWN, Sheet, import_rows, read
from services.calendar.planning import Planning
from services.calendar.store import dates
from shared import clock
from shared.db import Database
from shared.events.codes import DateKind
from tests.browser.chromium import browser_at, context_in
from tests.calendar.made import days, new_date, rough, stored
from tests.calendar.reading import SITE, asking
from tests.newsletter.web import lead
from tests.shared.web_app import Page

WORKPLAN = "/calendar/workplan"


@pytest.fixture
async def plan(database: Database) -> Database:
    """The calendar with the real work plan in it."""
    async with database.transaction() as tx:
        await import_rows(tx, Planning(SITE, "Europe/Zurich"), Sheet.WORKPLAN, read(Sheet.WORKPLAN, OWN[Sheet.WORKPLAN]), historic=True)
    return database


async def shown(reader: httpx.AsyncClient, query: str = "") -> str:
    answer = await reader.get(WORKPLAN + query)
    assert answer.status_code == 200
    assert Page(answer.text).faults == []
    return answer.text


def activities_in(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="(/calendar/[^"]+)"', text)


def counts_in(text: str) -> Mapping[str, int]:
    nav = text.partition('<nav class="workplan-states"')[2].partition("</nav>")[0]
    return {words: int(number) for number, words in re.findall(r"<strong>(\d+)</strong> ([^<]+)</a>", nav)}


async def test_all_56_activities_stand_under_their_priorities(plan: Database) -> None:
    async with asking(plan) as reader:
        text = await shown(reader)
        assert len(set(activities_in(text))) == 56
        assert "56 activities" in text
        assert text.count('<div class="workplan-part"') == 17
        assert "4 more activities here, without a deadline" in text
        assert '<span lang="fr" dir="ltr">2e trimestre 2021</span>' in text, "as printed"
        assert "2nd quarter 2021" in text, "as read"
        assert activities_in(await shown(reader, "?lang=ar")) == activities_in(text)


async def test_each_state_is_counted_and_filtered(database: Database) -> None:
    past, coming, always = rough("year", ("2021-01-01", "2021-12-31")), rough("year", ("2199-01-01", "2199-12-31")), ("2021-01-01", None)
    made = {
        name: await stored(database, new_date(name, when, kind=DateKind.ACTIVITY, priority="core-1", lead=(lead,)))
        for name, when, lead in (
            ("Late", past, "OIM"),
            ("Done", past, "OIM"),
            ("Moved", past, "PNUD"),
            ("Open", coming, "OIM"),
            ("Ongoing", rough("ongoing", always), "OIM"),
            ("Cancelled", past, "OIM"),
        )
    }
    async with database.transaction() as tx:
        await dates.mark_done(tx, made["Done"], done_on=days("2021-06-20").first, note={"en": "It is published."}, at=clock.now())
        await dates.move(tx, made["Moved"], coming, at=clock.now())
        await dates.cancel(tx, made["Cancelled"], at=clock.now())
    async with asking(database) as reader:
        text = await shown(reader)
        assert counts_in(text) == {"all": 6, "late": 1, "done": 1, "moved": 1, "open": 1, "ongoing": 1, "cancelled": 1}
        assert "Before: 2021" in text
        assert "20 June 2021" in text
        for name, one in made.items():
            assert activities_in(await shown(reader, f"?state={name.lower()}")) == [f"/calendar/{one.slug}"]
        assert activities_in(await shown(reader, "?lead=PNUD")) == [f"/calendar/{made['Moved'].slug}"]
        assert activities_in(await shown(reader, "?lead=PNUD&state=late")) == []
        assert len(activities_in(await shown(reader, "?priority=core-1&state=nonsense"))) == 6
        assert activities_in(await shown(reader, "?priority=core-2.1")) == []
        assert "It is published." in (await reader.get(f"/calendar/{made['Done'].slug}")).text


async def test_work_plan_leaves_out_what_is_none_of_its_activities(database: Database) -> None:
    await stored(database, new_date("A meeting", priority="core-1"))
    async with asking(database) as reader:
        assert activities_in(await shown(reader)) == []


@pytest.mark.chromium
async def test_on_paper_the_participants_stand_though_nobody_has_opened_them(plan: Database, chromium_path: Path) -> None:
    async with browser_at(chromium_path) as browser, asking(plan) as reader:
        context = await context_in(browser)
        await lead(context, reader)
        page = await context.new_page()
        await page.goto(f"{SITE}{WORKPLAN}")
        names = page.locator(".workplan-names p").first
        assert not await names.is_visible()
        await page.emulate_media(media="print")
        assert await names.is_visible()
