"""Statements, press releases, blog articles and news items: published by another than who wrote them, read, corrected, followed."""

from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import httpx
import pytest

from services.intake.web import news_browse
from shared.events.codes import NewsKind, Role
from shared.events.intake import NewsPublished
from shared.i18n import look_up
from tests.intake.intake_app import PUBLIC_URL, Intake, client_of, example, send
from tests.intake.page import Page, page
from tests.intake.test_decide_every_kind import open_task
from tests.intake.test_review import REVIEW, submitted
from tests.people import ALEX, somebody

ATOM = "{http://www.w3.org/2005/Atom}"


async def published(intake: Intake, staff: httpx.AsyncClient, number: int = 1, **changes: Any) -> tuple[UUID, str]:
    """The submission and the path of a text that came in and was accepted."""
    body = example("news")
    body["data"] |= changes
    async with client_of(intake.app) as client:
        answer = await send(client, intake.sender, body, f"msg_{number}")
    assert answer.status_code == 202, answer.text
    submission = UUID(answer.json()["receipt"])
    assert (await staff.post(f"{REVIEW}{submission}/accept")).status_code == 303
    [found] = await intake.rows("SELECT slug FROM news WHERE submission_id = :id", id=submission)
    return submission, f"/news/{found.slug}"


def linked(found: Page) -> list[str]:
    """The texts that a list leads to, in its order."""
    return [
        one["href"]
        for one in found.all("a")
        if one.get("href", "").startswith("/news/") and len(one["href"]) > 6 and "?" not in one["href"]
    ]


async def test_the_page_shows_the_whole_text_with_its_signs_and_who_speaks(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    text = "# What we ask\n\nOpen **every** service.\n\n- to all\n- at once\n\n<script>alert(1)</script>"
    _, path = await published(intake, staff, title={"en": "A call"}, text={"en": text})
    answer = await reader.get(path)
    found = page(answer)
    assert "<h2>What we ask</h2>" in answer.text
    assert "<strong>every</strong>" in answer.text
    assert len(found.all("li")) >= 2
    assert "<script>alert(1)" not in answer.text
    for said in ("Example Regional Network", "International Migrants Day", "18 December 2026", "Statement"):
        assert said in found.text, said
    [work] = found.data
    assert (work["@type"], work["author"]["name"]) == ("Article", "Example Regional Network")
    assert found.one("link", rel="canonical")["href"] == f"{PUBLIC_URL}{path}?lang=en"


async def test_a_text_is_read_in_the_language_it_has_and_a_fallback_is_stated(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    _, path = await published(intake, staff)
    assert "le réseau régional remercie" in page(await reader.get(f"{path}?lang=fr")).text
    arabic = page(await reader.get(f"{path}?lang=ar"))
    assert arabic.one("div", lang="en")["dir"] == "ltr"
    assert look_up("ar", "notice.info")[0] in arabic.text


async def test_texts_are_filtered_and_long_lists_have_pages(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news_browse, "PAGE_SIZE", 2)
    paths = [
        (await published(intake, staff, number, kind=kind.value, title={"en": kind.value}, text={"en": "x"}, countries=[country]))[1]
        for number, (kind, country) in enumerate(zip(NewsKind, ("GH", "NP", "MA", "PT"), strict=True))
    ]
    assert linked(page(await reader.get("/news/?page=1"))) == paths[:1:-1]
    for kind, path in zip(NewsKind, paths, strict=True):
        assert linked(page(await reader.get(f"/news/?kind={kind.value}"))) == [path]
    assert linked(page(await reader.get("/news/?country=NP"))) == [paths[1]]
    assert linked(page(await reader.get("/news/?level=global"))) == []
    assert linked(page(await reader.get("/news/?objective=15&level=regional&kind=blog"))) == [paths[2]]
    for nonsense in ("kind=%00", "level=x", "objective=99", "country=XX", "page=-2"):
        assert len(linked(page(await reader.get(f"/news/?{nonsense}")))) == 2


async def test_the_feed_gives_the_same_texts_with_the_same_filters(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    await published(intake, staff, 1)
    submission, path = await published(
        intake, staff, 2, kind="blog", title={"fr": "Billet", "en": "Post"}, text={"fr": "Un **mot**.", "en": "A word."}
    )
    answer = await reader.get("/news/feed.atom?lang=fr")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/atom+xml")
    assert answer.headers["content-language"] == "fr"
    feed = ET.fromstring(answer.text)
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == 2
    [item] = await intake.rows("SELECT id FROM news WHERE submission_id = :id", id=submission)
    first = entries[0]
    assert first.findtext(f"{ATOM}id") == f"urn:uuid:{item.id}"
    assert first.findtext(f"{ATOM}title") == "Billet"
    assert "<strong>mot</strong>" in str(first.findtext(f"{ATOM}content"))
    assert f"{PUBLIC_URL}{path}?text=fr" in {link.get("href") for link in first.findall(f"{ATOM}link")}
    only = ET.fromstring((await reader.get("/news/feed.atom?kind=blog")).text)
    assert len(only.findall(f"{ATOM}entry")) == 1
    await staff.post(f"{REVIEW}{submission}/withdraw", data={"because": "Wrong."})
    assert "Billet" not in (await reader.get("/news/feed.atom?lang=fr")).text


async def fill_in(staff: httpx.AsyncClient, submission: UUID, **changes: str) -> httpx.Response:
    """Send the form in which words are changed, as it stands but for these fields."""
    shown = await staff.get(f"{REVIEW}{submission}/edit")
    return await staff.post(f"{REVIEW}{submission}/edit", data=filled_in(shown.text) | changes)


def filled_in(markup: str) -> dict[str, Any]:
    """What a browser sends of a form that nobody has changed."""
    return Form(markup).sent


class Form(Page):
    """A page whose form is read as a browser reads it."""

    def __init__(self, markup: str) -> None:
        self.sent: dict[str, Any] = {}
        self._area: str | None = None
        self._select: str | None = None
        super().__init__(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        found = {name: value or "" for name, value in attrs}
        if tag == "textarea":
            self._area = found["name"]
            self.sent[self._area] = ""
        elif tag == "select":
            self._select = found["name"]
        elif tag == "option" and "selected" in found and self._select and found["value"]:
            self.sent.setdefault(self._select, []).append(found["value"])
        elif tag == "input" and "name" in found and (found["type"] not in {"checkbox", "radio"} or "checked" in found):
            self.sent.setdefault(found["name"], []).append(found.get("value", ""))

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        if self._area is not None:
            self.sent[self._area] += data.lstrip("\n")

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        if tag == "textarea":
            self._area = None
        if tag == "select":
            self._select = None


async def test_who_wrote_it_last_does_not_publish_it(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    submission = await submitted(intake, "news")
    assert (await fill_in(staff, submission, title="A better title")).status_code == 303
    task = await open_task(intake, "review-news")
    assert task is not None
    assert task.not_by == ALEX.id
    found = page(await staff.get(f"{REVIEW}{submission}"))
    assert "A better title" in found.text
    assert found.all("form", action=f"{REVIEW}{submission}/accept") == []
    page(await staff.post(f"{REVIEW}{submission}/accept"), 403)
    assert [row.type for row in await intake.told()] == ["submission.received.v1"]
    async with client_of(intake.app, browser=True, staff=True, person=somebody(Role.MODERATOR)) as other:
        assert (await other.post(f"{REVIEW}{submission}/accept")).status_code == 303
    told = NewsPublished.model_validate((await intake.told())[-1].data)
    assert told.title["en"] == "A better title"
    assert told.text["en"].startswith("On International Migrants Day")
    assert [one.what for one in await intake.decisions()] == ["change", "accept"]
    assert "A better title" in page(await reader.get("/news/a-better-title")).text


async def test_a_correction_waits_for_another_person_and_is_marked_with_its_day(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    submission, path = await published(intake, staff)
    assert (await fill_in(staff, submission, title="Another title")).status_code == 303
    assert "Another title" not in page(await reader.get(path)).text, "nobody else has read it"
    task = await open_task(intake, "publish-news")
    assert task is not None
    assert task.not_by == ALEX.id
    page(await staff.post(f"{REVIEW}{submission}/publish"), 403)
    assert len(await intake.told()) == 2
    async with client_of(intake.app, browser=True, staff=True, person=somebody(Role.MODERATOR)) as other:
        assert page(await other.get(f"{REVIEW}{submission}")).all("form", action=f"{REVIEW}{submission}/publish")
        assert (await other.post(f"{REVIEW}{submission}/publish")).status_code == 303
        page(await other.post(f"{REVIEW}{submission}/publish"), 409)
    _, first, corrected = await intake.told()
    assert (corrected.type, corrected.subject, corrected.revision) == ("news.published.v1", first.subject, 2)
    assert corrected.data["address"] == first.data["address"], "the address stays when the title changes"
    found = page(await reader.get(path))
    assert "Another title" in found.text
    assert "Corrected on" in found.text
    assert "Corrected on" in page(await reader.get("/news/")).text
    assert await open_task(intake, "publish-news") is None


async def test_what_was_changed_after_it_was_read_is_neither_accepted_nor_published(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission = await submitted(intake, "news")
    async with client_of(intake.app, browser=True, staff=True, person=somebody(Role.MODERATOR, name="berit")) as other:
        for verb in ("accept", "publish"):
            await fill_in(staff, submission, title=f"As it was read to {verb}")
            read = page(await other.get(f"{REVIEW}{submission}")).one("input", name="seen")["value"]
            await fill_in(staff, submission, title=f"As nobody has read it to {verb}")
            late = page(await other.post(f"{REVIEW}{submission}/{verb}", data={"seen": read}), 409)
            assert look_up("en", "staff.review.changed-since")[0] in late.text
            assert f"As nobody has read it to {verb}" in late.text
            seen = late.one("input", name="seen")["value"]
            assert (await other.post(f"{REVIEW}{submission}/{verb}", data={"seen": seen})).status_code == 303
    titles = [one.data["title"]["en"] for one in (await intake.told())[1:]]
    assert titles == ["As nobody has read it to accept", "As nobody has read it to publish"]


async def test_a_correction_that_is_dropped_changes_nothing(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    submission, path = await published(intake, staff)
    page(await staff.post(f"{REVIEW}{submission}/drop"), 409)
    await fill_in(staff, submission, title="Another title")
    assert (await staff.post(f"{REVIEW}{submission}/drop")).status_code == 303
    assert "Another title" not in page(await reader.get(path)).text
    assert await open_task(intake, "publish-news") is None
    assert len(await intake.told()) == 2
    assert [one.what for one in await intake.decisions()] == ["accept", "change", "discard"]


async def test_what_is_withdrawn_takes_its_correction_along(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission, _ = await published(intake, staff)
    await fill_in(staff, submission, title="Another title")
    await staff.post(f"{REVIEW}{submission}/withdraw", data={"because": "Wrong."})
    assert await open_task(intake, "publish-news") is None
    page(await staff.post(f"{REVIEW}{submission}/publish"), 409)


@pytest.mark.parametrize("slug", ["nothing", "%00", "%ff", "a" * 5000, "%3Cscript%3E"])
async def test_an_unknown_text_is_not_found(reader: httpx.AsyncClient, slug: str) -> None:
    page(await reader.get(f"/news/{slug}"), 404)
