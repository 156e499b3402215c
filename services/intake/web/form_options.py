"""What the fields of a form offer, each value with the words for it."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from zoneinfo import available_timezones

from babel.dates import get_month_names
from babel.numbers import get_currency_name

from services.intake.kinds.form import FormField
from services.intake.kinds.form_when import HALVES, MONTHS, QUARTERS, WHOLE_YEAR
from shared import i18n
from shared.events.times import is_zone
from shared.reference.initiatives import initiative
from shared.web import wording
from shared.web.pages import Sentence
from shared.web.wording import Option, country_options

Words = Callable[[str, str], Sentence]
"""The words for a value in the language of a reader."""


def said(reader: str, key: str, **params: object) -> Sentence:
    """Return a sentence of the catalogue that knows its language."""
    text, lang = i18n.look_up(reader, key)
    return Sentence(i18n.fill(text, lang, params), lang=lang, reader=reader)


def _of(words: str) -> Words:
    def of(code: str, reader: str) -> Sentence:
        return said(reader, f"submit.word.{words}.{code}")

    return of


def _objective(code: str, reader: str) -> Sentence:
    return wording.objective_title(int(code), reader)


def _own_name(code: str, reader: str) -> Sentence:
    return Sentence(i18n.language_name(code, code), lang=code, reader=reader)


def _language(code: str, reader: str) -> Sentence:
    return Sentence(i18n.language_name(code, reader), lang=reader, reader=reader)


def _initiative(code: str, reader: str) -> Sentence:
    title = initiative(code).title.in_(reader)
    return Sentence(title.text, lang=title.lang, reader=reader)


def _currency(code: str, reader: str) -> Sentence:
    return Sentence(f"{code} – {get_currency_name(code, locale=i18n.locale(reader))}", lang=reader, reader=reader)


_WORDS: Mapping[str, Words] = {
    "language": _own_name,
    "spoken": _language,
    "objectives": _objective,
    "principles": wording.principle_title,
    "regions": wording.region_title,
    "entity_type": wording.entity_type_title,
    "kinds": wording.pledge_kind_title,
    "way": wording.pledge_way_title,
    "scope": wording.pledge_scope_title,
    "initiative": _initiative,
    "money.currency": _currency,
    "level": _of("level"),
    "format": _of("format"),
    "networks": _of("network"),
    "population": _of("population"),
    "came_by": _of("came-by"),
}
_KIND_WORDS: Mapping[str, Words] = {"date": _of("date-kind"), "news": _of("news-kind")}
"""Of the field `kind`, which says another thing in each kind of submission."""


def words_of(kind: str, name: str, code: str, reader: str) -> Sentence:
    """Return the words for one value of a field; raises LookupError where nothing says what its values are called."""
    return (_KIND_WORDS[kind] if name == "kind" else _WORDS[name])(code, reader)


def options_of(kind: str, field: FormField, reader: str) -> Sequence[Option]:
    """Return what a field of a form offers, in an order that people find things in."""
    if field.name == "countries":
        return country_options(reader)
    options = [(code, words_of(kind, field.name, code, reader)) for code in field.options]
    return sorted(options, key=lambda option: option[1]) if field.name == "initiative" else options


@cache
def zones() -> tuple[str, ...]:
    """Return the time zones to choose from."""
    return tuple(sorted(zone for zone in available_timezones() if is_zone(zone)))


def parts_of_year(reader: str) -> Sequence[Option]:
    """Return the parts of a year to choose from: the whole, months, quarters, halves."""
    names = get_month_names("wide", context="stand-alone", locale=i18n.locale(reader))
    months = [(f"m{month}", Sentence(names[month], lang=reader, reader=reader)) for month in MONTHS]
    quarters = [(f"q{number}", said(reader, "submit.when.quarter", number=number)) for number in QUARTERS]
    halves = [(f"h{number}", said(reader, "submit.when.half", number=number)) for number in HALVES]
    return [(WHOLE_YEAR, said(reader, "submit.when.whole-year")), *months, *quarters, *halves]
