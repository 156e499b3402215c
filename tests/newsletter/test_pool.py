"""The newsletter's pool: what becomes an item, what a correction and a withdrawal do to it, and how the team sees it."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import Row

from services.newsletter.domain.items import ItemState, level_of
from services.newsletter.store import list_items
from services.newsletter.web.pool_show import POOL
from shared.events.codes import Level
from shared.events.intake import PracticePublished, PracticeWithdrawn
from shared.i18n import LANGUAGES
from shared.parking import listing
from shared.trace import Cause
from tests.desk.wire import PRACTICE, System, asker, records_of, system, tell
from tests.shared.web_app import Page

WITHDRAWN = PracticeWithdrawn.model_validate({"reason": "Its authors <asked> for it."})


@pytest.fixture
async def wired(database_url: str) -> AsyncIterator[System]:
    async with system(database_url) as found:
        yield found


@pytest.fixture
async def browser(wired: System) -> AsyncIterator[httpx.AsyncClient]:
    async with asker(wired.app) as entered:
        yield entered


async def items_of(wired: System) -> Sequence[Row[Any]]:
    async with wired.databases["newsletter"].transaction() as tx:
        assert await listing(tx) == []
        return await list_items(tx)


def titled(title: str) -> PracticePublished:
    return PRACTICE.model_copy(update={"title": {"en": title}})


async def test_published_practice_becomes_an_item_with_its_provenance(wired: System) -> None:
    door = Cause.start()
    event_id = await tell(wired.intake, PRACTICE, subject="practice-1", cause=door)
    await wired.carry()
    (item,) = await items_of(wired)
    assert (item.source_kind, item.source_id, item.event_id, item.trace_id) == ("practice", "practice-1", event_id, door.trace_id)
    assert item.title == dict(PRACTICE.title)
    assert item.summary == dict(PRACTICE.summary)
    assert (item.language, item.level, item.countries, item.objectives) == ("fr", Level.REGIONAL, ["FR", "MA"], [4, 16])
    assert (item.address, item.state) == (PRACTICE.address, ItemState.POOLED)


async def test_same_event_twice_makes_one_item(wired: System) -> None:
    await tell(wired.intake, PRACTICE, subject="practice-1")
    await wired.carry()
    await wired.carry()
    assert len(await items_of(wired)) == 1


async def test_correction_replaces_the_item(wired: System) -> None:
    await tell(wired.intake, titled("First"), subject="practice-1")
    correction = await tell(wired.intake, titled("Second"), subject="practice-1", revision=2)
    await wired.carry()
    (item,) = await items_of(wired)
    assert (item.title, item.revision, item.event_id) == ({"en": "Second"}, 2, correction)


async def test_older_revision_that_comes_late_changes_nothing(wired: System) -> None:
    await tell(wired.intake, titled("Second"), subject="practice-1", revision=2)
    await tell(wired.intake, titled("First"), subject="practice-1", revision=1)
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=1)
    await wired.carry()
    (item,) = await items_of(wired)
    assert (item.title, item.revision, item.state) == ({"en": "Second"}, 2, ItemState.POOLED)


async def test_withdrawn_practice_is_kept_out_with_the_reason(wired: System) -> None:
    await tell(wired.intake, PRACTICE, subject="practice-1")
    await tell(wired.intake, PRACTICE, subject="practice-2")
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=2)
    await wired.carry()
    states = {item.source_id: (item.state, item.withdrawn_because) for item in await items_of(wired)}
    assert states == {"practice-1": (ItemState.WITHDRAWN, WITHDRAWN.reason), "practice-2": (ItemState.POOLED, None)}


async def test_practice_published_again_after_withdrawal_is_back_in_the_pool(wired: System) -> None:
    for data, revision in ((titled("First"), 1), (WITHDRAWN, 2), (titled("Third"), 3)):
        await tell(wired.intake, data, subject="practice-1", revision=revision)
    await wired.carry()
    (item,) = await items_of(wired)
    assert (item.title, item.state, item.withdrawn_because) == ({"en": "Third"}, ItemState.POOLED, None)


async def test_practice_of_the_past_is_no_news(wired: System) -> None:
    await tell(wired.intake, PRACTICE, subject="practice-1", historic=True)
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=2)
    await wired.carry()
    assert await items_of(wired) == []


async def test_practice_of_the_past_is_no_news_though_its_correction_came_first(wired: System) -> None:
    await tell(wired.intake, titled("Second"), subject="practice-1", revision=2)
    await tell(wired.intake, PRACTICE, subject="practice-1", historic=True)
    await wired.carry()
    assert {item.state for item in await items_of(wired)} <= {ItemState.WITHDRAWN}


@pytest.mark.parametrize(
    ("countries", "level"),
    [
        pytest.param((), Level.GLOBAL, id="no country named"),
        pytest.param(("FR",), Level.NATIONAL, id="one"),
        pytest.param(("FR", "MA"), Level.REGIONAL, id="several"),
    ],
)
def test_level_follows_from_the_countries(countries: tuple[str, ...], level: Level) -> None:
    assert level_of(countries) is level


async def test_pool_needs_the_key(wired: System) -> None:
    await tell(wired.intake, titled("Not for everybody"), subject="practice-1")
    await wired.carry()
    async with asker(wired.app, entered=False) as stranger:
        answer = await stranger.get(POOL)
    assert answer.status_code == 401
    assert "Not for everybody" not in answer.text


async def test_pool_shows_each_item_with_where_it_came_from(wired: System, browser: httpx.AsyncClient) -> None:
    event_id = await tell(wired.intake, PRACTICE, subject="practice-1")
    await wired.carry()
    page = Page((await browser.get(POOL)).text)
    links = [link["href"] for link in page.all("a")]
    assert PRACTICE.address in links
    assert f"/desk/events/{event_id}" in links
    assert PRACTICE.entity in page.text
    variants = {(part["lang"], part["dir"]) for part in page.all("div") if "lang" in part}
    assert variants == {("en", "ltr"), ("fr", "ltr"), ("ar", "rtl")}
    for text in (*PRACTICE.title.values(), *PRACTICE.summary.values()):
        assert text in page.text


async def test_pool_shows_why_an_item_is_withdrawn(wired: System, browser: httpx.AsyncClient) -> None:
    await tell(wired.intake, PRACTICE, subject="practice-1")
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=2)
    await wired.carry()
    page = Page((await browser.get(POOL)).text)
    assert "withdrawn: not to be printed" in page.text
    assert WITHDRAWN.reason in page.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pool_is_sound_markup_full_and_empty(wired: System, browser: httpx.AsyncClient, language: str) -> None:
    for subject in ("practice-1", "practice-2"):
        answer = await browser.get(f"{POOL}?lang={language}")
        assert answer.status_code == 200
        page = Page(answer.text)
        assert page.faults == []
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        await tell(wired.intake, PRACTICE, subject=subject)
        await wired.carry()


async def test_story_says_what_became_of_the_item(wired: System, browser: httpx.AsyncClient) -> None:
    door = Cause.start()
    event_id = await tell(wired.intake, PRACTICE, subject="practice-1", cause=door)
    await wired.consumers["newsletter"].take(await records_of(wired.intake))
    assert await _facts(browser, str(event_id)) == ["newsletter put an item into its pool"]
    again = Cause.start()
    await tell(wired.intake, titled("Second"), subject="practice-1", cause=again, revision=2)
    await wired.carry()
    assert await _facts(browser, again.id) == ["newsletter brought its item to revision 2"]
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=3)
    await wired.carry()
    assert await _facts(browser, again.trace_id) == ["newsletter put an item into its pool", "newsletter marked its item as withdrawn"]


async def _facts(browser: httpx.AsyncClient, asked: str) -> list[str]:
    steps = (await browser.get(f"/newsletter/events/{asked}.json")).json()["steps"]
    return [step["title"]["text"] for step in steps if step["what"] == "fact"]
