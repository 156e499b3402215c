"""The desk's pages as they come from the server: for the team alone, whole without JavaScript, in sound markup."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from services.desk.app import ASKED
from services.desk.web import start
from services.owners import OWNERS
from shared import i18n
from shared.events.registry import EVENT_TYPES
from shared.i18n import LANGUAGES, look_up
from shared.ids import new_id
from shared.operations import base_of
from shared.web import navigation
from tests.desk.wire import PRACTICE, SERVICES, System, asker, system, tell
from tests.shared.web_app import Page

PAGES = ("/desk/", "/desk/operations", "/desk/events", "/desk/events/find", "/desk/events/{event_id}")


@pytest.fixture
async def wired(database_url: str) -> AsyncIterator[System]:
    async with system(database_url) as found:
        yield found


@pytest.fixture
async def browser(wired: System) -> AsyncIterator[httpx.AsyncClient]:
    async with asker(wired.app) as entered:
        yield entered


def hrefs(page: Page) -> list[str]:
    return [link["href"] for link in page.all("a") if "href" in link]


async def test_pages_are_sound_markup_in_every_language(browser: httpx.AsyncClient) -> None:
    for path in PAGES:
        for language in LANGUAGES:
            answer = await browser.get(f"{path.format(event_id=new_id())}?lang={language}")
            assert answer.status_code == 200
            page = Page(answer.text)
            assert (path, page.faults) == (path, [])
            assert len(page.all("h1")) == 1
            ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
            assert len(ids) == len(set(ids))
            labelled = {label["for"] for label in page.all("label") if "for" in label}
            assert {field["id"] for field in page.all("input") if field.get("type") == "text"} <= labelled


async def test_nothing_stands_inline_that_the_policy_would_refuse(browser: httpx.AsyncClient) -> None:
    for path in PAGES:
        page = Page((await browser.get(path.format(event_id=new_id()))).text)
        assert not page.all("style")
        assert [script for script in page.all("script") if "src" not in script] == []
        assert not [name for _, attributes in page.elements for name in attributes if name == "style" or name.startswith("on")]
        for address in [link["href"] for link in page.all("link")] + [script["src"] for script in page.all("script")]:
            assert (await browser.get(address)).status_code == 200


async def test_start_page_leads_to_the_work(browser: httpx.AsyncClient) -> None:
    found = hrefs(Page((await browser.get("/desk/")).text))
    assert [address for address, _ in start.START if address not in found] == []
    for address in ("/newsletter/pool", "/social/drafts", "/desk/operations", "/desk/events"):
        assert (await browser.get(address)).status_code == 200


def test_start_page_names_every_section_of_the_menu_in_its_order() -> None:
    assert [address for address, _ in start.START] == [section.address for section in navigation.STAFF if section.address != "/desk/"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_sections_of_the_team_have_one_name(language: str) -> None:
    names = [look_up(language, section.key) for section in navigation.STAFF]
    assert len(names) == len(set(names))


async def test_words_that_are_not_translated_say_their_language(browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    held = i18n._find
    monkeypatch.setattr(i18n, "_find", lambda language, key, n: held(language, key, n) if language == "en" else None)
    operations = (await browser.get("/desk/operations?lang=ar")).text
    assert '<th scope="col"><span lang="en" dir="ltr">Listening</span></th>' in operations
    assert 'id="gathered" lang="en" dir="ltr"' in operations
    story = (await browser.get(f"/desk/events/{new_id()}?lang=ar")).text
    assert '<li data-what="told"><span lang="en" dir="ltr">told</span></li>' in story
    assert 'id="gathered" lang="en" dir="ltr"' in story


async def test_operations_lead_to_each_service_without_javascript(browser: httpx.AsyncClient) -> None:
    page = Page((await browser.get("/desk/operations")).text)
    for service in SERVICES:
        assert f"{base_of(service)}/operations" in hrefs(page)
        assert (await browser.get(f"{base_of(service)}/operations")).status_code == 200
    sources = {row["data-source"] for row in page.all("tr") if "data-source" in row}
    assert sources == {f"{base_of(name)}/operations.json" for name in SERVICES}


def test_every_service_that_keeps_something_is_gathered() -> None:
    assert set(ASKED) == set(OWNERS)


async def test_story_leads_to_each_service_without_javascript(wired: System, browser: httpx.AsyncClient) -> None:
    event_id = await tell(wired.intake, PRACTICE, subject="practice-1")
    await wired.carry()
    page = Page((await browser.get(f"/desk/events/{event_id}")).text)
    for service, words in (("intake", "intake told"), ("newsletter", "newsletter took"), ("social", "social took")):
        address = f"/{service}/events/{event_id}"
        assert address in hrefs(page)
        assert words in Page((await browser.get(address)).text).text


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("01a201e0-d554-731b-84e0-fea3c281a47a", id="id"),
        pytest.param(" 01A201E0D554731B84E0FEA3C281A47A ", id="trace id with spaces, in capitals"),
        pytest.param("00-01a201e0d554731b84e0fea3c281a47a-84e0fea3c281a47a-01", id="traceparent"),
    ],
)
async def test_the_box_leads_to_the_story(browser: httpx.AsyncClient, typed: str) -> None:
    answer = await browser.get("/desk/events/find", params={"id": typed})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/events/{UUID('01a201e0-d554-731b-84e0-fea3c281a47a')}")


async def test_the_box_says_what_is_no_id(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/desk/events/find", params={"id": '"><script>'})
    page = Page(answer.text)
    assert answer.status_code == 422
    assert [field["value"] for field in page.all("input") if field.get("aria-invalid") == "true"] == ['"><script>']
    assert not page.all("script")
    assert (await browser.get("/desk/events/nonsense")).status_code == 404


async def test_catalogue_shows_every_event_with_its_fields_and_a_sample(browser: httpx.AsyncClient) -> None:
    page = Page((await browser.get("/desk/events")).text)
    headings = {attributes.get("id") for _, attributes in page.elements}
    for event_type, model in EVENT_TYPES.items():
        assert event_type in headings
        assert f"#{event_type}" in hrefs(page)
        assert all(name in page.text for name in model.model_fields)
    assert "/desk/events/asyncapi.json" in hrefs(page)


async def test_the_catalogue_is_given_as_asyncapi(browser: httpx.AsyncClient) -> None:
    given = (await browser.get("/desk/events/asyncapi.json")).json()
    assert given["asyncapi"].startswith("3.")
    assert "practice.published.v1" in str(given["components"]["messages"])
