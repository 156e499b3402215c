"""Drafts of posts: what becomes one, what a correction and a withdrawal do to it, and how the team sees it."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import Row

from services.social.domain.drafts import DraftState
from services.social.store.drafts import list_drafts
from services.social.web.drafts_show import DRAFTS
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


async def drafts_of(wired: System) -> Sequence[Row[Any]]:
    async with wired.databases["social"].transaction() as tx:
        assert await listing(tx) == []
        return await list_drafts(tx)


def titled(title: str) -> PracticePublished:
    return PRACTICE.model_copy(update={"title": {"en": title}})


async def test_published_practice_becomes_a_draft_with_its_provenance(wired: System) -> None:
    door = Cause.start()
    event_id = await tell(wired.intake, PRACTICE, subject="practice-1", cause=door)
    await wired.carry()
    (draft,) = await drafts_of(wired)
    assert (draft.source_kind, draft.source_id, draft.event_id, draft.trace_id) == ("practice", "practice-1", event_id, door.trace_id)
    assert draft.texts == {language: f"Ville d’Exemple & fils: {title}\n{PRACTICE.address}" for language, title in PRACTICE.title.items()}
    assert (draft.language, draft.address, draft.state) == ("fr", PRACTICE.address, DraftState.DRAFTED)


async def test_same_event_twice_makes_one_draft(wired: System) -> None:
    await tell(wired.intake, PRACTICE, subject="practice-1")
    await wired.carry()
    await wired.carry()
    assert len(await drafts_of(wired)) == 1


async def test_correction_replaces_the_draft(wired: System) -> None:
    await tell(wired.intake, titled("First"), subject="practice-1")
    correction = await tell(wired.intake, titled("Second"), subject="practice-1", revision=2)
    await wired.carry()
    (draft,) = await drafts_of(wired)
    assert (draft.title, draft.revision, draft.event_id) == ({"en": "Second"}, 2, correction)


async def test_older_revision_that_comes_late_changes_nothing(wired: System) -> None:
    await tell(wired.intake, titled("Second"), subject="practice-1", revision=2)
    await tell(wired.intake, titled("First"), subject="practice-1", revision=1)
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=1)
    await wired.carry()
    (draft,) = await drafts_of(wired)
    assert (draft.title, draft.revision, draft.state) == ({"en": "Second"}, 2, DraftState.DRAFTED)


async def test_withdrawn_practice_is_kept_out_with_the_reason(wired: System) -> None:
    await tell(wired.intake, PRACTICE, subject="practice-1")
    await tell(wired.intake, PRACTICE, subject="practice-2")
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=2)
    await wired.carry()
    states = {draft.source_id: (draft.state, draft.withdrawn_because) for draft in await drafts_of(wired)}
    assert states == {"practice-1": (DraftState.WITHDRAWN, WITHDRAWN.reason), "practice-2": (DraftState.DRAFTED, None)}


async def test_practice_published_again_after_withdrawal_is_drafted_again(wired: System) -> None:
    for data, revision in ((titled("First"), 1), (WITHDRAWN, 2), (titled("Third"), 3)):
        await tell(wired.intake, data, subject="practice-1", revision=revision)
    await wired.carry()
    (draft,) = await drafts_of(wired)
    assert (draft.title, draft.state, draft.withdrawn_because) == ({"en": "Third"}, DraftState.DRAFTED, None)


async def test_practice_of_the_past_is_no_news(wired: System) -> None:
    await tell(wired.intake, PRACTICE, subject="practice-1", historic=True)
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=2)
    await wired.carry()
    assert await drafts_of(wired) == []


@pytest.mark.parametrize("path", [DRAFTS, "/social/"])
async def test_drafts_need_the_key(wired: System, path: str) -> None:
    await tell(wired.intake, titled("Not for everybody"), subject="practice-1")
    await wired.carry()
    async with asker(wired.app, entered=False) as stranger:
        answer = await stranger.get(path)
    assert answer.status_code == 401
    assert "Not for everybody" not in answer.text


async def test_start_of_social_media_leads_to_the_queue(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/social/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/social/posts")


async def test_drafts_are_shown_with_where_they_came_from(wired: System, browser: httpx.AsyncClient) -> None:
    event_id = await tell(wired.intake, PRACTICE, subject="practice-1")
    await wired.carry()
    page = Page((await browser.get(DRAFTS)).text)
    links = [link["href"] for link in page.all("a")]
    assert PRACTICE.address in links
    assert f"/desk/events/{event_id}" in links
    variants = {(part["lang"], part["dir"]) for part in page.all("p") if "lang" in part}
    assert variants == {("en", "ltr"), ("fr", "ltr"), ("ar", "rtl")}
    assert "Ville d’Exemple & fils: Un guichet <unique>" in page.text


async def test_drafts_show_why_one_is_withdrawn(wired: System, browser: httpx.AsyncClient) -> None:
    await tell(wired.intake, PRACTICE, subject="practice-1")
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=2)
    await wired.carry()
    page = Page((await browser.get(DRAFTS)).text)
    assert "withdrawn: not to be posted" in page.text
    assert WITHDRAWN.reason in page.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_drafts_are_sound_markup_full_and_empty(wired: System, browser: httpx.AsyncClient, language: str) -> None:
    for subject in ("practice-1", "practice-2"):
        answer = await browser.get(f"{DRAFTS}?lang={language}")
        assert answer.status_code == 200
        page = Page(answer.text)
        assert page.faults == []
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        await tell(wired.intake, PRACTICE, subject=subject)
        await wired.carry()


async def test_story_says_what_became_of_the_draft(wired: System, browser: httpx.AsyncClient) -> None:
    door = Cause.start()
    event_id = await tell(wired.intake, PRACTICE, subject="practice-1", cause=door)
    await wired.consumers["social"].take(await records_of(wired.intake))
    assert await _facts(browser, str(event_id)) == ["social drafted a post"]
    again = Cause.start()
    await tell(wired.intake, titled("Second"), subject="practice-1", cause=again, revision=2)
    await wired.carry()
    assert await _facts(browser, again.id) == ["social brought its draft to revision 2"]
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=3)
    await wired.carry()
    assert await _facts(browser, again.trace_id) == ["social drafted a post", "social marked its draft as withdrawn"]


async def _facts(browser: httpx.AsyncClient, asked: str) -> list[str]:
    steps = (await browser.get(f"/social/events/{asked}.json")).json()["steps"]
    return [step["title"]["text"] for step in steps if step["what"] == "fact"]
