"""The public archive: what was sent stands there in its languages, and nothing of a single reader's does."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from xml.etree import ElementTree as ET

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError, IntegrityError

from services.newsletter.archive import store
from services.newsletter.archive.store import archived_variants
from services.newsletter.compose.edition import Edition, Month
from services.newsletter.compose.variants import variants
from shared.db import Database
from shared.i18n import look_up
from shared.ids import new_id
from shared.migrations import migrate
from tests.newsletter.editions import EDITION, SITE
from tests.newsletter.web import SENT, asking, keep_all, public_routers
from tests.shared.web_app import Page

ATOM = {"a": "http://www.w3.org/2005/Atom"}
SLOTS = re.compile("[\ue000\ue001]")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, ["newsletter"])
    found = Database(database_url, "newsletter")
    yield found
    await found.close()


@pytest.fixture
async def browser(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(public_routers(database)) as client:
        yield client


def issue(number: int, **changed: object) -> Edition:
    year, month = 2026 + (10 + number - 7) // 12, (10 + number - 7) % 12 + 1
    known = {"issue_id": new_id(), "number": number, "month": Month(year=year, month=month)}
    return replace(EDITION, **(known | changed))  # type: ignore[arg-type]


async def test_issue_is_kept_once_and_in_every_language_of_its_own(database: Database) -> None:
    await keep_all(database, EDITION)
    async with database.transaction() as tx:
        again = await store.keep(
            tx,
            issue_id=EDITION.issue_id,
            number=7,
            month=EDITION.month,
            variants=variants(replace(EDITION, subject={"en": "x"})),
            sent_at=SENT,
        )
        found = await store.find(tx, 7)
        texts = [await store.text_of(tx, EDITION.issue_id, language) for language in EDITION.languages]
    assert again is False
    assert found is not None
    assert dict(found.subject) == dict(EDITION.subject)
    assert (found.month, found.sent_at) == (EDITION.month, SENT)
    for text in texts:
        assert not SLOTS.search(text.html + text.text)
        assert "/newsletter/u/" not in text.html + text.text


async def test_number_belongs_to_one_issue(database: Database) -> None:
    await keep_all(database, EDITION)
    with pytest.raises(IntegrityError):
        await keep_all(database, issue(7))


async def test_what_was_sent_cannot_be_written_anew(database: Database) -> None:
    await keep_all(database, EDITION)
    with pytest.raises(DBAPIError, match="never changed"):
        async with database.transaction() as tx:
            await tx.execute(update(archived_variants).values(html="<p>never said</p>"))


@pytest.mark.parametrize("language", EDITION.languages)
async def test_issue_is_read_in_each_of_its_languages(database: Database, browser: httpx.AsyncClient, language: str) -> None:
    await keep_all(database, EDITION)
    answer = await browser.get(f"/newsletter/archive/7?lang={language}")
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.faults == []
    assert EDITION.subject[language] in page.text  # type: ignore[index]
    (content,) = [attributes for attributes in page.all("div") if attributes.get("class") == "issue"]
    assert (content["lang"], content["dir"]) == (language, "rtl" if language == "ar" else "ltr")
    (canonical,) = [link["href"] for link in page.all("link") if link.get("rel") == "canonical"]
    assert canonical == f"{SITE}/newsletter/archive/7?lang={language}"
    alternates = {link["hreflang"]: link["href"] for link in page.all("link") if link.get("rel") == "alternate" and "hreflang" in link}
    assert alternates.pop("x-default") == f"{SITE}/newsletter/archive/7"
    assert alternates == {code: f"{SITE}/newsletter/archive/7?lang={code}" for code in EDITION.languages}
    assert "notice" not in answer.text


async def test_language_that_the_issue_lacks_falls_back_and_says_so(database: Database, browser: httpx.AsyncClient) -> None:
    await keep_all(database, replace(EDITION, languages=("fr", "zh")))
    answer = await browser.get("/newsletter/archive/7?lang=ar")
    page = Page(answer.text)
    assert EDITION.subject["fr"] in page.text
    sentence = look_up("ar", "newsletter.archive.fallback")[0]
    assert sentence.partition("(")[0].strip() in page.text
    (canonical,) = [link["href"] for link in page.all("link") if link.get("rel") == "canonical"]
    assert canonical.endswith("?lang=fr")
    heading = answer.text.partition("<h1>")[2].partition("</h1>")[0]
    assert 'lang="fr" dir="ltr"' in heading
    browser.cookies.clear()
    russian = await browser.get("/newsletter/archive/7?lang=ru", headers={"accept-language": "es"})
    assert look_up("es", "newsletter.archive.fallback")[0].partition("(")[0].strip() in Page(russian.text).text


@pytest.mark.parametrize("number", ["8", "0", "x", "٧", "9999999999999999999", "-7"])
async def test_issue_that_is_not_there_is_not_found(database: Database, browser: httpx.AsyncClient, number: str) -> None:
    await keep_all(database, EDITION)
    assert (await browser.get(f"/newsletter/archive/{number}")).status_code == 404


async def test_archive_lists_every_issue_by_year_the_newest_first(database: Database, browser: httpx.AsyncClient) -> None:
    await keep_all(database, *(issue(number) for number in (8, 7, 9)))
    for language in ("en", "fr", "es", "ar"):
        answer = await browser.get(f"/newsletter/archive/?lang={language}")
        page = Page(answer.text)
        assert page.faults == []
        listed = [link["href"] for link in page.all("a") if re.fullmatch(r"/newsletter/archive/\d+", link.get("href", ""))]
        assert listed == ["/newsletter/archive/9", "/newsletter/archive/8", "/newsletter/archive/7"]
    years = re.findall(r"<h2>[^<]*(20\d\d)</h2>", (await browser.get("/newsletter/archive/?lang=en")).text)
    assert years == ["2027", "2026"]


async def test_issue_leads_to_the_ones_before_and_after_it(database: Database, browser: httpx.AsyncClient) -> None:
    await keep_all(database, *(issue(number) for number in (5, 7, 9)))
    page = Page((await browser.get("/newsletter/archive/7?lang=zh")).text)
    ways = {link["rel"]: link["href"] for link in page.all("a") if link.get("rel") in {"prev", "next"}}
    assert ways == {"prev": "/newsletter/archive/5?lang=zh", "next": "/newsletter/archive/9?lang=zh"}


async def test_front_page_shows_the_latest_issue_and_the_way_to_the_next(database: Database, browser: httpx.AsyncClient) -> None:
    empty = Page((await browser.get("/newsletter/")).text)
    assert look_up("en", "newsletter.none")[0] in empty.text
    await keep_all(database, issue(7), issue(8, subject={"en": "The newest of all", "fr": "Le tout dernier"}))
    answer = await browser.get("/newsletter/?lang=fr")
    page = Page(answer.text)
    assert (empty.faults, page.faults) == ([], [])
    assert "Le tout dernier" in page.text
    ways = {link.get("href") for link in page.all("a")}
    assert {"/newsletter/subscribe", "/newsletter/archive/", "/newsletter/archive/8", "/newsletter/archive.atom"} <= ways


async def test_issue_is_read_as_plain_text_too(database: Database, browser: httpx.AsyncClient) -> None:
    await keep_all(database, EDITION)
    answer = await browser.get("/newsletter/archive/7?lang=ar&view=text")
    page = Page(answer.text)
    assert [image for image in page.all("img") if not str(image.get("src")).startswith("/static/")] == []
    (shown,) = [attributes for attributes in page.all("div") if attributes.get("class") == "issue-text"]
    assert (shown["lang"], shown["dir"]) == ("ar", "rtl")
    assert "https://tidings.example.org/practices/mobile-clinics" in page.text


async def test_feed_gives_each_issue_whole_in_the_language_asked_for(database: Database, browser: httpx.AsyncClient) -> None:
    await keep_all(database, issue(7), issue(8, languages=("en", "ru")))
    answer = await browser.get("/newsletter/archive.atom?lang=ar")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = ET.fromstring(answer.content)
    xml_lang = "{http://www.w3.org/XML/1998/namespace}lang"
    assert feed.get(xml_lang) == "ar"
    newest, before = feed.findall("a:entry", ATOM)
    assert (newest.get(xml_lang), before.get(xml_lang)) == ("en", "ar")
    assert before.findtext("a:title", namespaces=ATOM) == EDITION.subject["ar"]
    assert [link.get("hreflang") for link in newest.findall("a:link", ATOM)] == ["en", "ru"]
    content = before.findtext("a:content", "", ATOM)
    assert content.startswith('<div lang="ar" dir="rtl">')
    assert Page(content).faults == []
    ids = {entry.findtext("a:id", "", ATOM) for entry in (newest, before)}
    assert len(ids) == 2
    assert all(one.startswith("urn:uuid:") for one in ids)
    assert not SLOTS.search(answer.text)


async def test_feed_without_an_issue_is_a_feed(browser: httpx.AsyncClient) -> None:
    feed = ET.fromstring((await browser.get("/newsletter/archive.atom?lang=zh")).content)
    assert feed.findall("a:entry", ATOM) == []
    assert feed.findtext("a:updated", namespaces=ATOM)
