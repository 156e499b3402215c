"""Titles of codes in the reader's language, each knowing the language that it really is in."""

from collections.abc import Iterable, Sequence

from shared import i18n
from shared.events.codes import SYNTHETIC_COUNTRIES
from shared.reference.countries import Country, by_name, country, footnotes_for, is_country
from shared.reference.objectives import objective
from shared.reference.pledge_kinds import pledge_kind
from shared.reference.principles import principle
from shared.reference.regions import region
from shared.reference.titles import Title
from shared.reference.ways import way
from shared.web.pages import Sentence

Option = tuple[str, Sentence]
"""A value and the words for it."""


def _said(title: Title, reader: str) -> Sentence:
    return Sentence(title.text, lang=title.lang, reader=reader)


def objective_title(number: int, reader: str) -> Sentence:
    """Return number and short title of an objective."""
    title = objective(number).short.in_(reader)
    return Sentence(f"{number}. {title.text}", lang=title.lang, reader=reader)


def principle_title(code: str, reader: str) -> Sentence:
    """Return the title of a guiding principle."""
    return _said(principle(code).title.in_(reader), reader)


def country_name(code: str, reader: str) -> Sentence:
    """Return the name of a country; of the invented States of sample data, their code."""
    if not is_country(code):
        return Sentence(code, lang=reader, reader=reader)
    return _said(country(code).name.in_(reader), reader)


def entity_type_title(code: str, reader: str) -> Sentence:
    """Return what kind of body this is."""
    text, lang = i18n.look_up(reader, f"entity-type.{code}")
    return Sentence(text, lang=lang, reader=reader)


def footnotes(codes: Iterable[str], reader: str) -> Sequence[Sentence]:
    """Return the sentences that a page has to show when it names these countries."""
    known = [code for code in codes if is_country(code)]
    return [_said(footnote.text.in_(reader), reader) for footnote in footnotes_for(known)]


def named_countries(codes: Iterable[str], reader: str) -> Sequence[Sentence]:
    """Return the names of countries in the order of their codes."""
    return [country_name(code, reader) for code in codes]


def country_options(reader: str, codes: Iterable[str] | None = None) -> Sequence[Option]:
    """Return countries to choose from in the order of their names: all, or those with these codes."""
    wanted = None if codes is None else set(codes)
    chosen = [found for found in by_name(reader) if wanted is None or found.alpha2 in wanted]
    options = [_country_option(found, reader) for found in chosen]
    invented = sorted((wanted or set()) & SYNTHETIC_COUNTRIES)
    return [*options, *((code, country_name(code, reader)) for code in invented)]


def _country_option(found: Country, reader: str) -> Option:
    return found.alpha2, _said(found.name.in_(reader), reader)


def region_title(code: str, reader: str) -> Sentence:
    """Return the title of a region."""
    return _said(region(code).title.in_(reader), reader)


def pledge_kind_title(code: str, reader: str) -> Sentence:
    """Return what is promised by a pledge of this kind."""
    return _said(pledge_kind(code).title.in_(reader), reader)


def pledge_way_title(code: str, reader: str) -> Sentence:
    """Return how a pledge is made."""
    return _said(way(code).title.in_(reader), reader)


def pledge_state_title(code: str, reader: str) -> Sentence:
    """Return how far a pledge has come."""
    text, lang = i18n.look_up(reader, f"pledge.state.{code}")
    return Sentence(text, lang=lang, reader=reader)


def pledge_scope_title(code: str, reader: str) -> Sentence:
    """Return how far a pledge reaches."""
    text, lang = i18n.look_up(reader, f"pledge.scope.{code}")
    return Sentence(text, lang=lang, reader=reader)


def pledge_freshness_title(code: str, reader: str) -> Sentence:
    """Return how long ago the last word on a pledge was."""
    text, lang = i18n.look_up(reader, f"pledge.freshness.{code}")
    return Sentence(text, lang=lang, reader=reader)


def pledge_change_title(code: str, reader: str) -> Sentence:
    """Return what made a version of a pledge."""
    text, lang = i18n.look_up(reader, f"pledge.change.{code}")
    return Sentence(text, lang=lang, reader=reader)
