"""What each kind of source gives to the newsletter, how readers see it, and what becomes of it when the source moves or ends."""

from collections.abc import AsyncIterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from services.newsletter.compose.blocks import Item, parse
from services.newsletter.compose.edition import Edition, Month
from services.newsletter.compose.variants import variants
from services.newsletter.domain.items import level_of, shortened
from services.newsletter.handlers import listens
from services.newsletter.web.pool_show import POOL
from shared.approval import store
from shared.approval.rules import Action
from shared.consumer import Consumer
from shared.events.codes import LANGUAGES, Level, Region, SourceKind
from shared.events.registry import TOPICS_OF
from shared.events.times import Days, When
from shared.i18n import LANGUAGES as PAGE_LANGUAGES
from shared.parking import listing
from shared.when import say
from tests.newsletter.issue_app import Newsletter, newsletter
from tests.newsletter.issue_items import (
    APPROVER,
    PUBLIC_URL,
    WRITER,
    ZONE,
    blocks_of,
    cut,
    does,
    issue_of,
    opened,
    pool_of,
)
from tests.sample_events import every_sample, record, sample_of
from tests.shared.web_app import Page

MEETING = sample_of("date.published.v1")
SECRET = "The launch that nobody may know of"
LATER = {"precision": "time", "starts": "2026-10-05T12:30:00Z", "ends": "2026-10-05T15:30:00Z", "zone": "Europe/Zurich"}


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Newsletter]:
    async with newsletter(database_url) as found:
        yield found


async def told(service: Newsletter, event_type: str, subject: str = "it", revision: int = 1, **facts: Any) -> None:
    """Tell the newsletter something, and see that it was taken."""
    one = record(event_type, sample_of(event_type) | facts, subject=subject, revision=revision)
    await Consumer("newsletter", service.database, listens(PUBLIC_URL, ZONE), TOPICS_OF).take([one])
    async with service.database.transaction() as tx:
        assert await listing(tx) == []


GIVEN: Mapping[str, tuple[str, str, Level]] = {
    "practice.published.v1": ("practice", "", Level.NATIONAL),
    "pledge.published.v1": ("pledge", "", Level.NATIONAL),
    "pledge.fulfilled.v1": ("pledge-fulfilled", "fulfilled", Level.NATIONAL),
    "talk.accepted.v1": ("talk", "", Level.REGIONAL),
    "talk.held.v1": ("talk-held", "held", Level.REGIONAL),
    "news.published.v1": ("statement", "", Level.REGIONAL),
    "contribution.accepted.v1": ("contribution", "", Level.NATIONAL),
    "date.published.v1": ("steering-committee", "", Level.GLOBAL),
    "deadline.near.v1": ("deadline", "near", Level.GLOBAL),
}


@pytest.mark.parametrize("event_type", GIVEN)
async def test_each_kind_of_source_gives_one_item_with_its_facts_and_where_it_came_from(service: Newsletter, event_type: str) -> None:
    await told(service, event_type, subject="source-1")
    (item,) = await pool_of(service.database)
    assert (item.label, item.milestone, item.level) == GIVEN[event_type]
    sample = sample_of(event_type)
    assert (item.source_id, item.state, item.title) == ("source-1", "pooled", sample["title"])
    assert item.when == (sample["due"] if item.label == "deadline" else sample.get("when"))
    assert item.address == sample.get("address", sample.get("link"))
    assert (item.credit, len(item.files)) == (sample.get("credit", ""), len(sample.get("files", ())))


@pytest.mark.parametrize("kind", ["activity", "pledge-due", "talk", "deadline", "blackout", "embargo"])
async def test_dates_that_are_no_news_by_themselves_give_nothing(service: Newsletter, kind: str) -> None:
    await told(service, "date.published.v1", kind=kind)
    assert await pool_of(service.database) == []


async def test_the_date_of_something_that_has_its_own_item_gives_none(service: Newsletter) -> None:
    await told(service, "date.published.v1", source={"kind": "talk", "id": "talk-1"})
    assert await pool_of(service.database) == []


async def test_invented_pledges_are_never_printed(service: Newsletter) -> None:
    await told(service, "pledge.published.v1", synthetic=True)
    assert await pool_of(service.database) == []


async def _issue_with(service: Newsletter, event_type: str, **facts: Any) -> UUID:
    """Return an approved issue of the one item that an event gives."""
    await told(service, event_type, **facts)
    issue = await opened(service.database)
    assert await cut(service.database, issue) == 1
    await does(service.database, issue, Action.SUBMIT, WRITER)
    await does(service.database, issue, Action.APPROVE, APPROVER)
    return issue


async def test_a_moved_meeting_moves_item_and_block_and_voids_the_approval(service: Newsletter) -> None:
    issue = await _issue_with(service, "date.published.v1")
    async with service.database.transaction() as tx:
        assert (await store.find(tx, "issue", issue)).state == "approved"
    await told(service, "date.moved.v1", revision=2, **(MEETING | {"when": LATER, "was": MEETING["when"], "sequence": 1}))
    (item,) = await pool_of(service.database)
    (block,) = await blocks_of(service.database, issue)
    assert item.when == block.content["when"]
    assert (item.when["starts"], block.source_revision, block.dropped_at) == (LATER["starts"], 2, None)
    async with service.browser(WRITER) as browser:
        shown = Page((await browser.get(f"/newsletter/issues/{issue}")).text)
    assert "5 October 2026, 14:30–17:30 (Zurich)" in shown.text
    assert shown.faults == []
    async with service.database.transaction() as tx:
        assert (await store.find(tx, "issue", issue)).state == "draft"


@pytest.mark.parametrize(
    ("told_first", "ends"),
    [
        ("pledge.published.v1", "pledge.withdrawn.v1"),
        ("talk.accepted.v1", "talk.cancelled.v1"),
        ("news.published.v1", "news.withdrawn.v1"),
        ("contribution.accepted.v1", "contribution.withdrawn.v1"),
        ("date.published.v1", "date.cancelled.v1"),
    ],
)
async def test_what_is_withdrawn_or_cancelled_is_dropped_from_an_issue_that_has_not_left(
    service: Newsletter, told_first: str, ends: str
) -> None:
    issue = await _issue_with(service, told_first)
    facts = {"kind": MEETING["kind"], "source": None} if ends.startswith("date") else {}
    await told(service, ends, revision=2, **facts)
    (block,) = await blocks_of(service.database, issue)
    (item,) = await pool_of(service.database)
    assert (item.state, block.dropped_because, block.dropped_by) == ("withdrawn", item.withdrawn_because, None)
    assert block.dropped_at is not None
    assert item.withdrawn_because


@pytest.mark.parametrize("became", ["blackout", "embargo"])
@pytest.mark.parametrize("event_type", ["date.published.v1", "date.moved.v1", "date.cancelled.v1"])
@pytest.mark.parametrize("told_first", ["date.published.v1", "deadline.near.v1"])
async def test_what_becomes_a_blackout_or_an_embargo_is_dropped_and_its_title_is_nobodys(
    service: Newsletter, told_first: str, event_type: str, became: str
) -> None:
    issue = await _issue_with(service, told_first)
    (before,) = await pool_of(service.database)
    secret: dict[str, Any] = {"kind": became, "title": {"en": SECRET, "fr": SECRET}, "summary": {"en": SECRET}, "source": None}
    for _ in range(2):
        await told(service, event_type, revision=2, **secret)
    await told(service, "deadline.near.v1", revision=3, title={"en": SECRET})
    (item,), (block,) = await pool_of(service.database), await blocks_of(service.database, issue)
    assert (item.state, item.title, block.dropped_at is None) == ("withdrawn", before.title, False)
    assert SECRET not in f"{item}{block}"
    async with service.browser(WRITER) as browser:
        for path in (POOL, f"/newsletter/issues/{issue}"):
            assert SECRET not in (await browser.get(path)).text


async def test_a_report_on_a_pledge_makes_nothing_and_its_fulfilment_one_item(service: Newsletter) -> None:
    await told(service, "pledge.updated.v1", revision=1)
    assert await pool_of(service.database) == []
    await told(service, "pledge.published.v1", revision=2)
    for revision in (3, 3, 4):
        await told(service, "pledge.fulfilled.v1", revision=revision)
    assert sorted(item.label for item in await pool_of(service.database)) == ["pledge", "pledge-fulfilled"]
    (fulfilled,) = [item for item in await pool_of(service.database) if item.milestone]
    assert fulfilled.summary["en"] == sample_of("pledge.fulfilled.v1")["note"]["en"]


async def test_dates_stand_behind_what_is_told_by_their_day(service: Newsletter) -> None:
    await told(service, "date.published.v1", subject="late", when=LATER)
    await told(service, "date.published.v1", subject="early")
    await told(service, "deadline.near.v1", subject="deadline")
    await told(service, "practice.published.v1", subject="practice", countries=[])
    issue = await opened(service.database)
    await cut(service.database, issue)
    order = [block.content["source_id"] for block in await blocks_of(service.database, issue)]
    assert order == ["practice", "deadline", "early", "late"]


async def _edition(service: Newsletter) -> Edition:
    """Return an issue with one item of each kind."""
    for one in every_sample():
        if not any(end in value for name, value in one.headers if name == "ce_type" and value for end in (b"withdrawn", b"cancelled")):
            await Consumer("newsletter", service.database, listens(PUBLIC_URL, ZONE), TOPICS_OF).take([one])
    issue = await opened(service.database)
    await cut(service.database, issue)
    row = await issue_of(service.database, issue)
    return Edition(
        issue_id=issue,
        number=1,
        month=Month(year=2026, month=11),
        languages=LANGUAGES,
        subject={"en": "Everything"},
        preheader={},
        blocks=[parse(block.content) for block in await blocks_of(service.database, row.id)],
        public_url=PUBLIC_URL,
    )


async def test_an_issue_of_every_kind_says_in_each_language_what_each_is_and_when(service: Newsletter) -> None:
    made = variants(await _edition(service))
    for language, words in {
        "en": ("Pledge fulfilled", "Statement", "23 September 2026, 14:30–17:30 (Zurich)", "Geneva, Example Room", "Drawings: class 8b"),
        "fr": ("Engagement tenu", "Déclaration", "23 septembre 2026, 14:30–17:30 (Zurich)"),
        "es": ("Compromiso cumplido", "Declaración", "23 de septiembre de 2026, 14:30–17:30 (Zúrich)"),
        "ar": ("تعهد أُنجز", "بيان", "زيورخ"),
        "ru": ("Обязательство выполнено", "Заявление", "23 сентября 2026"),
        "zh": ("承诺已兑现", "声明", "2026年9月23日"),
    }.items():
        for form in ("html", "web", "text"):
            plain = Page(made[language][form]).text if form != "text" else made[language][form]
            for word in words:
                assert word in plain.replace("\u2068", "").replace("\u2069", ""), (language, form, word)
    assert "2026-12-31" not in made["en"]["text"]


async def test_the_day_of_a_date_stands_before_its_title(service: Newsletter) -> None:
    made = variants(await _edition(service))["en"]
    for form in ("html", "web", "text"):
        assert made[form].index("12 August 2026") < made[form].index("Concept notes for the Steering")


def test_an_item_without_a_page_or_owner_has_neither_link_nor_name() -> None:
    bare = Item(id="a", title={"en": "Bare"}, level=Level.GLOBAL, source_kind=SourceKind.CONTRIBUTION, source_id="c")
    edition = Edition(
        issue_id=UUID(int=1),
        number=1,
        month=Month(year=2026, month=11),
        languages=("en",),
        subject={"en": "S"},
        preheader={},
        blocks=[bare],
        public_url=PUBLIC_URL,
    )
    made = variants(edition)["en"]
    assert '<a href=""' not in made["html"] + made["web"]
    assert "Bare\nContribution\n" in made["text"]


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
async def test_pool_of_every_kind_is_sound_and_can_be_seen_by_kind(service: Newsletter, language: str) -> None:
    consumer = Consumer("newsletter", service.database, listens(PUBLIC_URL, ZONE), TOPICS_OF)
    await consumer.take(list(every_sample()))
    async with service.browser(WRITER) as browser:
        whole, some, other = [
            Page((await browser.get(POOL, params={"lang": language, "kind": kind})).text) for kind in ("", "deadline", "no-such")
        ]
    assert whole.faults == some.faults == []
    assert len(list(whole.all("article"))) == len(list(other.all("article"))) > 6
    assert len(list(some.all("article"))) == 1


@pytest.mark.parametrize(
    ("countries", "regions", "level"),
    [
        pytest.param((), (), Level.GLOBAL, id="nothing named"),
        pytest.param(("FR",), (Region.AFRICA,), Level.NATIONAL, id="one country"),
        pytest.param((), (Region.AFRICA,), Level.REGIONAL, id="a region"),
    ],
)
def test_level_of_a_date_follows_from_countries_and_regions(countries: tuple[str, ...], regions: tuple[Region, ...], level: Level) -> None:
    assert level_of(countries, regions) is level


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("Short.", "Short.", id="short"),
        pytest.param("A" * 60 + "\n\n" + "B" * 60, "A" * 60, id="paragraph"),
        pytest.param("A" * 60 + ". " + "B" * 60, "A" * 60 + ".", id="sentence"),
        pytest.param("A" * 60 + " " + "B" * 60, "A" * 60 + "…", id="word"),
        pytest.param("A" * 120, "A" * 99 + "…", id="no end at all"),
    ],
)
def test_long_texts_are_cut_where_something_ends(text: str, kept: str) -> None:
    assert shortened(text, 100) == kept
    assert len(kept) <= 100


def test_periods_are_said_as_no_more_than_is_known() -> None:
    adapter: TypeAdapter[When] = TypeAdapter(When)

    def said(precision: str, *windows: tuple[str, str | None], language: str = "en") -> str:
        when = {"precision": precision, "windows": [{"first": first, "last": last} for first, last in windows]}
        return say(adapter.validate_python(when), language).replace("\u2009", " ")

    assert said("month", ("2026-06-01", "2026-06-30")) == "June 2026"
    assert said("month", ("2026-04-01", "2026-06-30")) == "April – June 2026"
    assert said("quarter", ("2026-04-01", "2026-06-30"), ("2026-10-01", "2026-12-31")) == "2nd quarter 2026, 4th quarter 2026"
    assert said("half", ("2026-07-01", "2026-12-31")) == "second half of 2026"
    assert said("year", ("2026-01-01", "2026-12-31"), language="zh") == "2026年"
    assert said("ongoing", ("2026-03-01", None)) == "from March 2026 on"
    assert say(Days(precision="day", first=date(2026, 7, 6), last=date(2026, 7, 15)), "fr") == "6–15 juil. 2026"
    assert say(adapter.validate_python({**LATER, "ends": "2026-10-06T08:00:00Z"}), "en") == (
        "5 October 2026, 14:30 – 6 October 2026, 10:00 (Zurich)"
    )
