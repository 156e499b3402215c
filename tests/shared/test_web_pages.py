"""Pages: right markup, the reader's language, addresses of the other languages."""

import re
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from jinja2 import UndefinedError
from starlette.requests import Request

from shared.i18n import COOKIE, LANGUAGES
from shared.web import assets
from shared.web.pages import Pages, localize, plain, sentences
from tests.shared.web_app import Page, browser, sample_app


async def page_of(address: str, *, public_url: str = "http://127.0.0.1:8000", **headers: str) -> tuple[httpx.Response, Page]:
    async with browser(sample_app(public_url)) as asker:
        answer = await asker.get(address, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return answer, Page(answer.text)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_page_is_sound_in_every_language(language: str) -> None:
    answer, page = await page_of(f"/practices/x?lang={language}")
    assert answer.status_code == 200
    assert page.faults == []
    assert page.all("html") == [{"lang": language, "dir": "rtl" if language == "ar" else "ltr"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("header")) == len(page.all("footer")) == 1
    assert answer.headers["content-language"] == language
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    described = [word for _, attributes in page.elements for word in attributes.get("aria-describedby", "").split()]
    assert set(described) <= set(identifiers)
    assert {attributes["for"] for attributes in page.all("label") if "for" in attributes} <= set(identifiers)


async def test_page_has_nothing_inline_and_nothing_foreign() -> None:
    _, page = await page_of("/practices/x")
    for tag, attributes in page.elements:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag not in {"style", "script", "iframe"}
    loaded = [attributes["href"] for attributes in page.all("link") if attributes["rel"] in {"stylesheet", "icon"}]
    assert loaded
    assert all(address.startswith("/static/") for address in loaded)


async def test_skip_link_leads_to_the_content_first_of_all() -> None:
    _, page = await page_of("/practices/x")
    assert page.all("a")[0]["href"] == "#content"
    assert page.all("main")[0]["id"] == "content"


async def test_text_of_another_language_says_so_and_text_of_the_readers_does_not() -> None:
    answer, _ = await page_of("/practices/x?lang=es")
    assert '<h1><span lang="fr" dir="ltr">Former des agents consulaires &lt;vite&gt;</span></h1>' in answer.text
    answer, _ = await page_of("/practices/x?lang=fr")
    assert "<h1>Former des agents consulaires &lt;vite&gt;</h1>" in answer.text
    assert "<title>Former des agents consulaires &lt;vite&gt; – Tidings</title>" in answer.text


def test_localized_prefers_the_reader_then_english_then_what_there_is() -> None:
    assert localize({"en": "a", "fr": "b"}, "fr") == "b"
    assert localize({"en": "a", "fr": "b"}, "ar").lang == "en"
    assert localize({"en": "", "zh": "c", "ru": "d"}, "ar").lang == "ru"
    assert localize({"ar": "مرحبا"}, "en").attributes == ' lang="ar" dir="rtl"'
    with pytest.raises(LookupError):
        localize({}, "en")


def test_sentence_that_fell_back_is_marked_as_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.i18n._find", lambda language, key, n: "Skip & go" if language == "en" else None)
    sentence = sentences("ar")("base.skip")
    assert str(getattr(sentence, "__html__")()) == '<span lang="en" dir="ltr">Skip &amp; go</span>'  # noqa: B009  # a str has none
    assert plain(sentence) == "Skip & go"


@pytest.mark.parametrize("typed", ["<script>alert(1)<!--", '"><img src=x>', "é ع 中 🕊", "'{{ 7 * 7 }}"])
async def test_what_people_type_stays_text(typed: str) -> None:
    async with browser(sample_app()) as asker:
        answer = await asker.get(f"/practices/{quote(typed)}")
    page = Page(answer.text)
    assert page.faults == []
    assert typed in [attributes.get("value") for attributes in page.all("input")]
    assert [image for image in page.all("img") if not image["src"].startswith("/static/")] == page.all("script") == []


async def test_language_comes_from_address_then_cookie_then_browser() -> None:
    app = sample_app()
    async with browser(app) as asker:
        asker.headers["Accept-Language"] = "es-MX,es;q=0.9"
        assert (await asker.get("/practices/x")).headers["content-language"] == "es"
        chosen = await asker.get("/practices/x?lang=fr")
        assert "set-cookie" not in (await asker.get("/practices/x?lang=fr")).headers
        assert chosen.headers["content-language"] == "fr"
        assert (await asker.get("/practices/x")).headers["content-language"] == "fr"
        assert (await asker.get("/practices/x?lang=ar")).headers["content-language"] == "ar"
        assert {"Accept-Language", "Cookie"} <= {word.strip() for word in chosen.headers["vary"].split(",")}


@pytest.mark.parametrize(("public_url", "secure"), [("https://tidings.example", True), ("http://127.0.0.1:8000", False)])
async def test_chosen_language_is_remembered_only_when_chosen(public_url: str, secure: bool) -> None:
    answer, _ = await page_of("/practices/x?lang=fr", public_url=public_url)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=fr;")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ("Secure" in cookie) is secure
    unchosen, _ = await page_of("/practices/x", Accept_Language="fr")
    invented, _ = await page_of("/practices/x?lang=xx")
    assert "set-cookie" not in unchosen.headers
    assert "set-cookie" not in invented.headers


async def test_canonical_and_alternates_name_each_language_at_the_public_address() -> None:
    _, page = await page_of("/practices/caf%C3%A9?country=CO&lang=fr", public_url="https://tidings.example")
    links = {(link["rel"], link.get("hreflang", "")): link["href"] for link in page.all("link")}
    assert links[("canonical", "")] == "https://tidings.example/practices/caf%C3%A9?country=CO&lang=fr"
    assert links[("alternate", "ar")] == "https://tidings.example/practices/caf%C3%A9?country=CO&lang=ar"
    assert links[("alternate", "x-default")] == "https://tidings.example/practices/caf%C3%A9?country=CO"
    assert {language for relation, language in links if relation == "alternate"} == {*LANGUAGES, "x-default"}


async def test_links_keep_the_pages_filters() -> None:
    _, page = await page_of("/practices/x?country=CO&country=FR&page=2&lang=en")
    following = next(link["href"] for link in page.all("a") if link.get("rel") == "next")
    assert parse_qs(urlsplit(following).query) == {"country": ["CO", "FR"], "page": ["3"], "lang": ["en"]}


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "///evil.example"])
async def test_language_switch_never_leaves_the_site(path: str) -> None:
    async with browser(sample_app()) as asker:
        answer = await asker.send(asker.build_request("GET", httpx.URL("http://127.0.0.1:8000", raw_path=path.encode())))
    switch = [link["href"] for link in Page(answer.text).all("a") if "hreflang" in link]
    assert len(switch) == len(LANGUAGES)
    assert all(re.match(r"/[^/\\]", address) for address in switch)


async def test_banner_tells_that_this_is_no_system_in_service() -> None:
    async with browser(sample_app(banner="embedded")) as asker:
        assert "Trial run on built-in parts" in (await asker.get("/practices/x")).text
    async with browser(sample_app()) as asker:
        assert "Trial run" not in (await asker.get("/practices/x")).text


def test_misspelt_name_in_a_template_is_an_error() -> None:
    pages = Pages(public_url="http://127.0.0.1:8000")
    with pytest.raises(UndefinedError):
        pages.environment.from_string("{{ titel }}").render()


def test_moment_without_a_zone_is_refused_on_a_page() -> None:
    from datetime import datetime

    pages = Pages(public_url="http://127.0.0.1:8000")
    with pytest.raises(ValueError, match="no time zone"):
        pages.environment.from_string("{{ x|moment }}").render(x=datetime(2026, 6, 16), lang="en")  # noqa: DTZ001


async def test_moment_is_shown_in_the_offices_zone_and_told_to_machines_in_utc() -> None:
    answer, _ = await page_of("/practices/x?lang=en")
    assert '<time datetime="2026-06-16T07:00:00Z">16 June 2026, 09:00 (CEST)</time>' in answer.text
    assert '<time datetime="2026-06-16">16 June 2026</time>' in answer.text


async def test_static_file_is_kept_for_good_only_under_its_own_version() -> None:
    async with browser(sample_app()) as asker:
        current = await asker.get(assets.address_of("tidings.css"))
        older = await asker.get("/static/tidings.css?v=0123456789ab")
        known = await asker.get("/static/tidings.css", headers={"If-None-Match": current.headers["etag"]})
        missing = await asker.get("/static/..%2Fpages.py")
    assert current.headers["content-type"] == "text/css; charset=utf-8"
    assert current.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert older.headers["cache-control"] == "no-cache"
    assert (known.status_code, known.content) == (304, b"")
    assert missing.status_code == 404


def test_request_without_wiring_is_told_so() -> None:
    from shared.web.request_state import cause_of

    with pytest.raises(TypeError, match="install"):
        cause_of(Request({"type": "http", "headers": [], "method": "GET", "path": "/"}))
