"""What one can take part in: every initiative with its way in, in the reader's language, and nobody's mail address."""

import re

import pytest

from services.desk.domain import Way, way_into
from shared.i18n import LANGUAGES, look_up
from shared.reference.initiatives import initiatives
from tests.desk.desk_app import Desk
from tests.shared.web_app import Page

COUNT = 27


async def opened(desk: Desk, path: str, language: str = "en") -> Page:
    async with desk.browser() as anybody:
        answer = await anybody.get(path, params={"lang": language})
    assert answer.status_code == 200
    found = Page(answer.text)
    assert found.faults == []
    return found


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_initiative_stands_there_with_its_page_and_its_way_in(desk: Desk, language: str) -> None:
    page = await opened(desk, "/take-part/", language)
    links = [link.get("href", "") for link in page.all("a")]
    for one in initiatives():
        assert one.title.in_(language).text in page.text
        assert links.count(f"/take-part/{one.code}") == 1
        assert way_into(one.code).address(one.code) in links
    assert len({link for link in links if re.fullmatch(r"/take-part/[a-z-]+", link)}) == COUNT


@pytest.mark.parametrize("language", LANGUAGES)
async def test_each_page_says_who_how_and_what_to_prepare(desk: Desk, language: str) -> None:
    for one in initiatives():
        page = await opened(desk, f"/take-part/{one.code}", language)
        assert one.who_can_use_it in page.text
        for way in one.how_to_ask:
            assert look_up(language, f"take-part.how.{way}")[0] in page.text
        assert look_up(language, f"take-part.prepare.{way_into(one.code)}")[0] in page.text
        assert "@" not in re.sub(r"Twitter @UNmigNetwork", "", page.text), f"{one.code} shows a mail address"


async def test_english_texts_on_other_pages_say_what_they_are_in(desk: Desk) -> None:
    async with desk.browser() as anybody:
        text = (await anybody.get("/take-part/migration-mptf", params={"lang": "ar"})).text
    assert '<span lang="en" dir="ltr">Concept notes may be sent at any time' in text
    assert look_up("ar", "take-part.lead-time", 42)[0].format(n="42") in text


async def test_an_initiative_without_a_form_is_asked_about_and_the_question_knows_it(desk: Desk) -> None:
    page = await opened(desk, "/take-part/champion-countries")
    assert "/intake/submit/enquiry?initiative=champion-countries" in [link.get("href") for link in page.all("a")]
    assert look_up("en", "take-part.prepare.note-verbale")[0] in page.text


@pytest.mark.parametrize("code", ["nothing", "%00", "é", "a" * 3000])
async def test_an_initiative_that_is_none_is_not_found(desk: Desk, code: str) -> None:
    async with desk.browser() as anybody:
        assert (await anybody.get(f"/take-part/{code}")).status_code == 404


def test_every_way_is_the_way_into_something() -> None:
    assert {way_into(one.code) for one in initiatives()} == set(Way)
