"""Pages made on the server: templates, the reader's language in them, and the addresses of their other languages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from pydantic import TypeAdapter

from shared import clock, i18n
from shared.events.times import When
from shared.web import assets, navigation
from shared.web.forms import faults_in
from shared.web.request_state import is_private, person_of, reader_language
from shared.when import say

TEMPLATES = Path(__file__).parent / "templates"

Banner = Literal["demo", "embedded"]

_YEAR_SECONDS = 365 * 24 * 3600
_WHEN: TypeAdapter[When] = TypeAdapter(When)


class Sentence(str):
    """Text that knows its language: on a page it carries `lang` and `dir` where the reader's language is another.

    In an attribute or a title, where no element can stand, write `|plain` behind it.
    """

    __slots__ = ("lang", "reader")
    lang: str
    reader: str

    def __new__(cls, text: str, *, lang: str, reader: str) -> "Sentence":
        sentence = super().__new__(cls, text)
        sentence.lang = lang
        sentence.reader = reader
        return sentence

    @property
    def attributes(self) -> Markup:
        """The attributes for an element of one's own around this text, with a space before; empty in the reader's language."""
        if self.lang == self.reader:
            return Markup()
        return Markup(' lang="{}" dir="{}"').format(self.lang, i18n.direction(self.lang))

    def __html__(self) -> Markup:
        text = escape(str(self))
        return text if self.lang == self.reader else Markup("<span{}>{}</span>").format(self.attributes, text)


@dataclass(frozen=True, kw_only=True)
class LanguageLink:
    """One entry of the language switch."""

    code: str
    name: str  # as its own speakers call it
    address: str
    current: bool


class Pages:
    """The templates of one service, with all that its pages share."""

    def __init__(
        self,
        *,
        public_url: str,
        templates: Mapping[str, Path] | None = None,
        zone: str = "UTC",
        banner: Banner | None = None,
        licence: str | None = None,
    ) -> None:
        """Read templates from shared/web/templates, and from each of `templates`' folders under its name: `intake/practice.html`.

        `zone` is the IANA zone that moments are shown in and days begin in; `banner` says on every page that this is no system in service.
        `licence` is the web address of that of the published data; None where nothing is said of one.
        """
        self.public_url = public_url.rstrip("/")
        self.secure = self.public_url.startswith("https:")
        self.zone = zone
        self.banner = banner
        self.licence = licence
        self.environment = Environment(
            loader=ChoiceLoader(
                [
                    FileSystemLoader(TEMPLATES),
                    PrefixLoader({name: FileSystemLoader(folder) for name, folder in (templates or {}).items()}),
                ]
            ),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters.update(
            day=_day,
            moment=self._moment,
            number=_number,
            lapse=_lapse,
            when=_when,
            language_name=_language_name,
            direction=i18n.direction,
            plain=plain,
            of_field=faults_in,
        )
        self.environment.globals.update(static=assets.address_of, data_licence=licence)

    @property
    def today(self) -> date:
        """The day on which we are, by the clock of the pages' zone."""
        return clock.now().astimezone(ZoneInfo(self.zone)).date()

    def render(
        self,
        request: Request,
        template: str,
        status: int = 200,
        *,
        headers: Mapping[str, str] | None = None,
        in_language: str | None = None,
        **context: object,
    ) -> HTMLResponse:
        """Return the page that `template` gives in the reader's language; `?lang=` is remembered in a cookie.

        `in_language` is one of i18n.LANGUAGES where the door knows better than the browser which one that is.
        """
        language = in_language or reader_language(request)
        text = self.environment.get_template(template).render({**self._shared(request, language, status), **context})
        response = HTMLResponse(text, status_code=status, headers=dict(headers or {}))
        response.headers["Content-Language"] = language
        response.headers.add_vary_header("Accept-Language")
        response.headers.add_vary_header("Cookie")
        if request.query_params.get("lang") == language and request.cookies.get(i18n.COOKIE) != language:
            response.set_cookie(i18n.COOKIE, language, max_age=_YEAR_SECONDS, path="/", secure=self.secure, httponly=True, samesite="lax")
        return response

    def _shared(self, request: Request, language: str, status: int) -> dict[str, object]:
        def url_with(**changes: object) -> str:
            return _address(request, changes)

        def url_with_lang(code: str) -> str:
            return url_with(lang=code)

        person = person_of(request)
        staff = navigation.for_roles(navigation.STAFF, person.roles if person else frozenset())

        def may(*roles: str) -> bool:
            return person is not None and not person.roles.isdisjoint(roles)

        indexable = status == 200 and request.method == "GET" and not is_private(request.state)
        return {
            "t": sentences(language),
            "localized": _localizer(language),
            "lang": language,
            "dir": i18n.direction(language),
            "url_with": url_with,
            "url_with_lang": url_with_lang,
            "page_languages": [
                LanguageLink(code=code, name=i18n.language_name(code, code), address=url_with_lang(code), current=code == language)
                for code in i18n.LANGUAGES
            ],
            "indexable": indexable,
            "canonical": self.public_url + url_with_lang(language),
            "alternates": {code: self.public_url + url_with_lang(code) for code in i18n.LANGUAGES},
            "alternate_default": self.public_url + url_with(lang=None),
            "public_sections": navigation.PUBLIC,
            "staff_work": navigation.in_group(staff, "work"),
            "staff_manage": navigation.in_group(staff, "manage"),
            "person": person,
            "may": may,
            "current_section": navigation.current(navigation.PUBLIC, request.url.path),
            "current_staff_section": navigation.current(navigation.STAFF, request.url.path),
            "banner": self.banner,
            "public_url": self.public_url,
        }

    @pass_context
    def _moment(self, context: Context, value: datetime) -> Markup:
        return Markup('<time datetime="{}">{}</time>').format(clock.rfc3339(value), i18n.moment(value, context["lang"], self.zone))


def sentences(language: str) -> Callable[..., str]:
    """Return the `t` of templates: `t(key, n=…, place=…)` gives a Sentence, or Markup where a parameter is markup."""

    def t(key: str, /, *, n: int | None = None, **params: object) -> str:
        sentence, found_in = i18n.look_up(language, key, n)
        text = i18n.fill(sentence, found_in, params if n is None else {"n": n, **params})
        if not isinstance(text, Markup):
            return Sentence(text, lang=found_in, reader=language)
        if found_in == language:
            return text
        return Markup('<span lang="{}" dir="{}">{}</span>').format(found_in, i18n.direction(found_in), text)

    return t


def localize(texts: Mapping[str, str], reader: str) -> Sentence:
    """Return the text in the reader's language, else in English, else in the first of the six languages that it has.

    Raises LookupError where no language has it.
    """
    for language in (reader, i18n.DEFAULT, *i18n.CONTENT_LANGUAGES, *texts):
        if text := texts.get(language):
            return Sentence(text, lang=language, reader=reader)
    raise LookupError("a text without any language cannot be shown")


def _localizer(reader: str) -> Callable[[Mapping[str, str]], Sentence]:
    def localized(texts: Mapping[str, str]) -> Sentence:
        return localize(texts, reader)

    return localized


def plain(value: object) -> str:
    """Return the text alone, for attributes and titles: no element, to be escaped like any other text."""
    if isinstance(value, Markup):
        return value.striptags()
    return str.__str__(value) if isinstance(value, str) else str(value)


@pass_context
def _day(context: Context, value: date) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), i18n.day(value, context["lang"]))


@pass_context
def _when(context: Context, value: Mapping[str, Any]) -> str:
    """Return when something is, of a `When` as it travels and is kept."""
    return say(_WHEN.validate_python(value), context["lang"])


@pass_context
def _number(context: Context, value: int | float | Decimal) -> str:
    return i18n.number(value, context["lang"])


@pass_context
def _lapse(context: Context, value: timedelta) -> str:
    return i18n.lapse(value, context["lang"])


@pass_context
def _language_name(context: Context, code: str) -> str:
    return i18n.language_name(code, context["lang"])


def _address(request: Request, changes: Mapping[str, object]) -> str:
    pairs: list[tuple[str, Any]] = [(name, value) for name, value in request.query_params.multi_items() if name not in changes]
    pairs += [(name, value) for name, value in changes.items() if value is not None]
    # One slash at the head: a link to `//host` would lead to another site.
    path = "/" + quote(request.scope["path"].lstrip("/"), safe="/:@!$&'()*+,;=~-._")
    return f"{path}?{urlencode(pairs)}" if pairs else path
