"""The public repository of practices: found, filtered, read in every language that there is, and gathered by programs."""

import re
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.intake.web import practice_browse
from shared.i18n import look_up
from tests.intake.intake_app import PUBLIC_URL, Intake
from tests.intake.page import Page, page
from tests.intake.test_review import REVIEW, submitted

LANGUAGES: dict[str, Any] = {
    "language": "ru",
    "title": {"en": "Skills recognised", "ru": "Признание навыков", "ar": "الاعتراف بالمهارات"},
    "summary": {"en": "Tests on the job.", "ru": "Испытания на рабочем месте.", "ar": "اختبارات أثناء العمل."},
    "text": {"en": "The first.\n\nThe second.", "ru": "Первый.\n\nВторой.", "ar": "الأول.\n\nالثاني."},
}


async def published(intake: Intake, staff: httpx.AsyncClient, number: int = 1, **changes: Any) -> str:
    """The path of a practice that was submitted and accepted."""
    submission: UUID = await submitted(intake, event_id=f"msg_{number}", **changes)
    assert (await staff.post(f"{REVIEW}{submission}/accept")).status_code == 303
    [found] = await intake.rows("SELECT slug FROM practices WHERE submission_id = :id", id=submission)
    return f"/practices/{found.slug}"


def linked(found: Page) -> list[str]:
    """The practices that a list leads to, in its order."""
    return [one["href"] for one in found.all("a") if re.fullmatch("/practices/[^?]+", one.get("href", ""))]


async def test_the_newest_stands_first_and_long_lists_have_pages(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(practice_browse, "PAGE_SIZE", 2)
    paths = [await published(intake, staff, number, title={"en": f"Practice {number}"}, summary={"en": "x"}) for number in range(5)]
    shown = [linked(page(await reader.get(f"/practices/?page={number}"))) for number in (1, 2, 3)]
    assert shown == [paths[:2:-1], paths[2:0:-1], paths[:1]]
    first = page(await reader.get("/practices/"))
    assert first.all("a", rel="next")
    assert not first.all("a", rel="prev")
    assert linked(page(await reader.get("/practices/?page=99"))) == shown[2]


async def test_practices_are_filtered_by_objective_and_country(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    one = await published(intake, staff, 1, title={"en": "One"}, summary={"en": "x"}, objectives=[6], countries=["PT", "MA"])
    two = await published(intake, staff, 2, title={"en": "Two"}, summary={"en": "x"}, objectives=[6, 18], countries=["NP"])

    async def found(query: str) -> set[str]:
        return set(linked(page(await reader.get(f"/practices/?{query}")))) & {one, two}

    assert await found("objective=6") == {one, two}
    assert await found("objective=18") == {two}
    assert await found("country=MA") == {one}
    assert await found("objective=18&country=MA") == set()
    for nonsense in ("objective=99", "objective=x", "country=%00", "country=XX", "page=-3", "page=99999999999"):
        assert await found(nonsense) == {one, two}
    offered = {option["value"] for option in page(await reader.get("/practices/")).all("option")}
    assert {"PT", "MA", "NP"} <= offered
    assert "FR" not in offered


async def test_a_country_with_a_footnote_brings_it_along(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    without = await published(intake, staff, 1, countries=["PT"])
    assert "1244" not in page(await reader.get(without)).text
    with_note = await published(intake, staff, 2, countries=["PT", "XK"])
    assert "1244" in page(await reader.get(with_note)).text
    assert "1244" in page(await reader.get("/practices/")).text


@pytest.mark.parametrize(
    ("query", "shown", "says"),
    [
        ("lang=en", "en", None),
        ("lang=ar", "ar", None),
        ("lang=fr", "en", "fr"),
        ("lang=fr&text=ru", "ru", None),
        ("lang=en&text=ar", "ar", None),
        ("lang=en&text=zz", "en", None),
    ],
)
async def test_a_practice_is_read_in_the_best_language_it_has_and_a_fallback_is_stated(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, query: str, shown: str, says: str | None
) -> None:
    path = await published(intake, staff, **LANGUAGES)
    found = page(await reader.get(f"{path}?{query}"))
    reader_language = query[5:7]
    assert all(part in found.text for part in (LANGUAGES["title"][shown], LANGUAGES["summary"][shown]))
    paragraphs = [one for one in found.all("p") if one.get("lang") == shown and one.get("dir")]
    assert bool(paragraphs) == (shown != reader_language)
    if says:
        assert look_up(says, "notice.info")[0] in found.text
    others = {one["hreflang"] for one in found.all("a") if one.get("hreflang") in {"en", "ru", "ar"} and "hreflang" in one}
    assert {"en", "ru", "ar"} - {shown} <= others


async def test_the_page_names_its_other_languages_to_search_engines(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    path = await published(intake, staff, **LANGUAGES)
    found = page(await reader.get(path))
    alternates = {one["hreflang"]: one["href"] for one in found.all("link", rel="alternate")}
    assert alternates["ar"] == f"{PUBLIC_URL}{path}?lang=ar"
    assert alternates["ru"] == f"{PUBLIC_URL}{path}?text=ru"
    assert found.one("link", rel="canonical")["href"] == f"{PUBLIC_URL}{path}?lang=en"


async def test_linked_data_say_what_the_page_says(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    path = await published(intake, staff, **{**LANGUAGES, "entity": "Example & Sons </script>"})
    found = page(await reader.get(f"{path}?lang=ar"))
    [work] = found.data
    assert (work["@context"], work["@type"], work["inLanguage"]) == ("https://schema.org", "Article", "ar")
    assert (work["headline"], work["abstract"]) == (LANGUAGES["title"]["ar"], LANGUAGES["summary"]["ar"])
    assert work["articleBody"] == LANGUAGES["text"]["ar"]
    assert work["url"] == f"{PUBLIC_URL}{path}"
    assert work["author"]["name"] == "Example & Sons </script>"
    assert [place["identifier"] for place in work["spatialCoverage"]] == ["PT"]
    assert {about["termCode"] for about in work["about"]} == {"15", "16", "people-centred", "whole-of-society"}
    assert work["citation"] == ["https://example.org/one-stop-office"]
    assert all(about["name"] in found.text for about in work["about"])


@pytest.mark.parametrize("slug", ["nothing", "%00", "%ff", "a" * 5000, "%3Cscript%3E"])
async def test_an_unknown_practice_is_not_found(reader: httpx.AsyncClient, slug: str) -> None:
    page(await reader.get(f"/practices/{slug}"), 404)


@pytest.mark.parametrize("token", ["nothing", "%00", "%ff", "é"])
async def test_an_unknown_tracking_page_is_not_found_and_not_listed(reader: httpx.AsyncClient, token: str) -> None:
    answer = await reader.get(f"/intake/track/{token}")
    page(answer, 404)
    assert answer.headers["x-robots-tag"] == "noindex"


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar"])
async def test_a_tracking_page_is_whole_in_every_language_and_kept_by_nobody(
    intake: Intake, reader: httpx.AsyncClient, language: str
) -> None:
    await submitted(intake, "pledge")
    [kept] = await intake.rows("SELECT id, token, reference FROM submissions")
    answer = await reader.get(f"/intake/track/{kept.token}?lang={language}")
    found = page(answer)
    assert kept.reference in found.text
    assert str(kept.id) in found.text  # what the team's search box takes
    assert look_up(language, "track.state.received")[0] in found.text
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert found.one("meta", name="robots")["content"] == "noindex"
