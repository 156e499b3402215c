"""Sentences, dates and numbers in the reader's language.

Message ids are keys (`practice.list.title`); the sentences stand in `shared/locales/<language>/<noun>.po`, English among them.
They are read when first needed, without a compile step. A sentence that a language lacks is given in English and counted.
"""

import io
import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Literal
from unicodedata import bidirectional
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal
from markupsafe import Markup, escape

from shared.clock import check_aware

LOCALES = Path(__file__).parent / "locales"

LANGUAGES = ("en", "fr", "es", "ar")
"""Languages of pages and mails."""
CONTENT_LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")
"""Languages in which people write to us, and the newsletter is sent: the six of the United Nations.

Those that no page speaks have a catalogue of what stands in the newsletter alone.
"""
DEFAULT = "en"
COOKIE = "tidings_lang"

# British forms of dates ("16 June 2026"): the United Nations writes the day first.
_FORMATS = {"en": "en_GB"}
_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "ur", "yi"})
_AT_HOME = frozenset({"R", "AL", "NSM", "WS"})
"""Bidirectional classes of what needs no isolate in a sentence that runs from right to left: its letters, their marks, spaces."""
# A header with more is not from a browser, and only costs time.
_ACCEPT_MAX_CHARACTERS = 500

Direction = Literal["ltr", "rtl"]

fallbacks: Counter[tuple[str, str]] = Counter()
"""How often a language lacked a key and English stood in, by (language, key)."""
unknown_keys: Counter[str] = Counter()
"""Keys asked for that no catalogue holds; stays empty while unknown keys raise."""

_unknown_raises = True


class UnknownKeyError(LookupError):
    """No sentence has this key: add it under shared/locales/en, and to the other languages."""


def be_lenient(lenient: bool = True) -> None:
    """Show an unknown key in place of its sentence, and count it, instead of raising: for service, where a page must come up."""
    global _unknown_raises  # noqa: PLW0603  # one switch of the process, set where things are wired
    _unknown_raises = not lenient


def read_catalogue(language: str) -> Catalog:
    """Return every sentence of a language, from all its files; raises PoFileError for a file that is none."""
    whole: Catalog | None = None
    for path in sorted((LOCALES / language).glob("*.po")):
        with path.open("rb") as file:
            part = read_po(file, locale=language, abort_invalid=True)
        if whole is None:
            whole = part
            continue
        for message in part:
            if message.id:
                whole[message.id] = message
    if whole is None:
        raise LookupError(f"no catalogue for {language} under {LOCALES}")
    return whole


@cache
def _catalogue(language: str) -> GNUTranslations:
    catalogue = read_catalogue(language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)  # leaves out what is empty or fuzzy: both count as missing
    compiled.seek(0)
    return GNUTranslations(compiled)


def _find(language: str, key: str, n: int | None) -> str | None:
    catalogue = _catalogue(language)
    sentence = catalogue.gettext(key) if n is None else catalogue.ngettext(key, key, n)
    if sentence == key and n is not None:
        sentence = catalogue.gettext(key)  # a sentence that names a number but does not change with it
    return None if sentence == key else sentence


def look_up(language: str, key: str, n: int | None = None) -> tuple[str, str]:
    """Return the sentence of `key`, its places not yet filled, and the language it is in: `language`, else English."""
    language = language if language in CONTENT_LANGUAGES else DEFAULT
    if (sentence := _find(language, key, n)) is not None:
        return sentence, language
    if (sentence := _find(DEFAULT, key, n)) is not None:
        if language in LANGUAGES:  # the others are not expected to have it
            fallbacks[(language, key)] += 1
        return sentence, DEFAULT
    if _unknown_raises:
        raise UnknownKeyError(key)
    unknown_keys[key] += 1
    return key.replace("{", "{{").replace("}", "}}"), DEFAULT


def knows(key: str) -> bool:
    """Return whether there is a sentence for `key`: some keys end in a code that another part, or a later version, gave."""
    return _find(DEFAULT, key, None) is not None


def fill(sentence: str, language: str, params: Mapping[str, object]) -> str:
    """Return `sentence` with its `{places}` filled, markup kept and all else escaped beside it.

    `{n}` is a count and gets the language's separators; other numbers may be years or page numbers and stay as they are.
    """
    filled = {name: _shown(language, name, value) for name, value in params.items()}
    if any(hasattr(value, "__html__") for value in filled.values()):
        return Markup(escape(sentence)).format(**filled)  # noqa: S704  # escaped; Markup.format escapes what it puts in
    return sentence.format(**filled)


def _shown(language: str, name: str, value: object) -> object:
    if name == "n" and isinstance(value, int | float | Decimal):
        return number(value, language)
    if direction(language) == "ltr" or isinstance(value, int | float | Decimal) or hasattr(value, "__html__"):
        return value  # a bare number reads the same both ways; markup brings its own `dir` along
    if all(bidirectional(character) in _AT_HOME for character in str(value)):
        return value
    # A Latin name in an Arabic sentence must not pull its neighbours' punctuation over to its side, nor a date or a path be
    # turned round in itself (UAX #9, isolates). It is done here, so that no sentence of the catalogue need remember it.
    # What holds isolates was put together in this language, such as a date with its hour, and runs as the sentence does.
    begin = "\u2067" if "\u2068" in str(value) else "\u2068"
    return f"{begin}{value}\u2069"


def translate(language: str, key: str, /, *, n: int | None = None, **params: object) -> str:
    """Return the sentence of `key` in `language`, or in English where it lacks there.

    `n` chooses the plural form and fills `{n}`; the other `params` fill the places of their names. The answer is Markup when a
    parameter is. Raises UnknownKeyError for a key without a sentence, unless `be_lenient` was called.
    """
    sentence, found_in = look_up(language, key, n)
    return fill(sentence, found_in, params if n is None else {"n": n, **params})


def direction(language: str) -> Direction:
    """Return how `language` runs: `ltr` or `rtl`."""
    return "rtl" if language.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def language_name(language: str, reader: str) -> str:
    """Return the name of `language` as a reader of `reader` calls it; the same twice gives its own name for itself."""
    name = Locale.parse(language, sep="-").get_display_name(locale(reader)) or language
    return name[:1].upper() + name[1:]


def negotiate(*, query: str | None = None, cookie: str | None = None, accept: str | None = None) -> str:
    """Return the language to answer in: `?lang=`, then the cookie, then Accept-Language, then English."""
    for wish in (query, cookie):
        if wish in LANGUAGES:
            return wish
    return _accepted(accept or "")


def _accepted(header: str) -> str:
    wishes: list[tuple[float, int, str]] = []
    for position, part in enumerate(header[:_ACCEPT_MAX_CHARACTERS].split(",")):
        tag, _, weight = part.partition(";")
        base = tag.strip().partition("-")[0].lower()
        if base in LANGUAGES or base == "*":
            wishes.append((-_quality(weight), position, DEFAULT if base == "*" else base))
    refused = {language for quality, _, language in wishes if quality == 0}
    wanted = [language for quality, _, language in sorted(wishes) if quality < 0 and language not in refused]
    return wanted[0] if wanted else DEFAULT


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0


# A list says the same days again and again, and to write one out takes longer than to find the page's rows.
_often = lru_cache(maxsize=20_000)


@cache
def locale(language: str) -> Locale:
    """Return the locale by which dates and numbers of `language` are written."""
    return Locale.parse(_FORMATS.get(language, language.replace("-", "_")))


@_often
def day(value: date, language: str) -> str:
    """Return a date as people write it: "16 June 2026"."""
    return format_date(value, "long", locale=locale(language))


@_often
def month(value: date, language: str) -> str:
    """Return the month of a date as people write it: "June 2026"."""
    return format_skeleton("yMMMM", value, locale=locale(language))


@_often
def full_day(value: date, language: str) -> str:
    """Return a date with its weekday: "Tuesday 16 June 2026"."""
    return format_date(value, "full", locale=locale(language))


@_often
def weekday(value: date, language: str, *, short: bool = False) -> str:
    """Return the weekday of a date: "Tuesday", or "Tue"."""
    return format_date(value, "EEE" if short else "EEEE", locale=locale(language))


@_often
def quarter(value: date, language: str) -> str:
    """Return the quarter of a date: "2nd quarter 2021"."""
    return format_skeleton("yQQQQ", value, locale=locale(language))


@_often
def year(value: date, language: str) -> str:
    """Return the year of a date as people write it."""
    return format_skeleton("y", value, locale=locale(language))


def hour(value: datetime, language: str, zone: str) -> str:
    """Return what the clock shows in the IANA `zone`: "09:00"; raises ValueError for a time without a zone."""
    local = check_aware(value).astimezone(ZoneInfo(zone))
    return format_time(local, "short", locale=locale(language), tzinfo=local.tzinfo)


def moment(value: datetime, language: str, zone: str) -> str:
    """Return a moment as date, hour and zone in the IANA `zone`; raises ValueError for a time without a zone."""
    local = check_aware(value).astimezone(ZoneInfo(zone))
    return translate(
        language,
        "base.moment",
        date=day(local.date(), language),
        time=format_time(local, "short", locale=locale(language), tzinfo=local.tzinfo),
        zone=local.tzname(),
    )


def lapse(value: timedelta, language: str) -> str:
    """Return a stretch of time in its largest whole unit, from minutes up: "3 days"."""
    return format_timedelta(value, granularity="minute", threshold=1, locale=locale(language))


def number(value: int | float | Decimal, language: str) -> str:
    """Return a number with the language's separators."""
    return format_decimal(value, locale=locale(language))


def money(amount: Decimal, currency: str, language: str) -> str:
    """Return a sum as people write it, with the currency's code, since several have the same sign: "USD 1,500,000.00"."""
    # Two signs of the pattern stand for the code, and letters keep off digits (UTS 35, "Currency Formats").
    pattern = locale(language).currency_formats["standard"].pattern
    spaced = re.sub("\u00a4(?=[#0])", "\u00a4\u00a0", pattern).replace("\u00a4", "\u00a4\u00a4")
    return format_currency(amount, currency, format=spaced, locale=locale(language))
