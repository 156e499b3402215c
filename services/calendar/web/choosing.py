"""The filters as a reader meets them: a form to choose by, what is chosen with a way to drop it, and the addresses that keep it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request

from services.calendar.domain import filters as grammar
from services.calendar.domain.filters import SHOWN_KINDS, Asked, Filters
from services.calendar.store import listing
from services.calendar.web.entry_view import PATH, kind_title
from shared import i18n
from shared.db import Transaction
from shared.events.codes import LANGUAGES, OBJECTIVES, SYNTHETIC_COUNTRIES, Principle, Region
from shared.reference.regions import region
from shared.reference.thematic import area, areas, priorities, priority
from shared.reference.titles import Titles
from shared.web import wording
from shared.web.pages import Sentence
from shared.web.wording import Option


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One filter of the form."""

    name: str
    options: Sequence[Option]
    value: str  # chosen; the first of several


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """One value that is chosen."""

    name: str
    words: Sentence
    without: str  # query of the address that no longer has it


def asked_of(request: Request) -> Asked:
    """Return the filters of a request."""
    return grammar.read(request.query_params.multi_items())


def with_query(path: str, filters: Filters, **more: str | None) -> str:
    """Return an address that keeps the filters."""
    query = urlencode([*filters.pairs, *((name, value) for name, value in more.items() if value is not None)])
    return f"{path}?{query}" if query else path


async def choices(tx: Transaction, filters: Filters, reader: str) -> Sequence[Choice]:
    """Return every filter with what can be chosen; of countries and leads, what the calendar has."""
    named, leads = await listing.countries(tx), await listing.leads(tx)
    options: Mapping[str, Sequence[Option]] = {
        "kind": [(kind, kind_title(kind, reader)) for kind in SHOWN_KINDS],
        "objective": [(str(number), wording.objective_title(number, reader)) for number in OBJECTIVES],
        "principle": [(code, wording.principle_title(code, reader)) for code in Principle],
        "region": [(code, _said(region(code).title, reader)) for code in Region],
        "country": _countries({*named, *filters.country}, await listing.invented_names(tx), reader),
        "theme": [(str(one.n), _said(one.title, reader)) for one in areas()],
        "priority": [(one.code, _said(one.title, reader)) for one in priorities()],
        "lead": [(lead, _written(lead, reader)) for lead in leads],
        "language": [(code, _written(i18n.language_name(code, reader), reader)) for code in LANGUAGES],
    }
    return [Choice(name=name, options=options[name], value=str(next(iter(getattr(filters, name)), ""))) for name in grammar.NAMES]


def _countries(codes: set[str], invented: Mapping[str, str], reader: str) -> Sequence[Option]:
    """Return countries to choose from; those of sample data by the names of their entities."""
    made_up = sorted((invented.get(code, code), code) for code in codes & SYNTHETIC_COUNTRIES)
    return [*wording.country_options(reader, codes - SYNTHETIC_COUNTRIES), *((code, _written(name, reader)) for name, code in made_up)]


def chosen(filters: Filters, reader: str, form: Sequence[Choice]) -> Sequence[Chosen]:
    """Return what is chosen, in the reader's words; countries are named as in the form."""
    named = {("country", code): words for choice in form if choice.name == "country" for code, words in choice.options}
    return [
        Chosen(
            name=name,
            words=named.get((name, value)) or _words(name, value, reader),
            without=urlencode([pair for pair in filters.pairs if pair != (name, value)]),
        )
        for name, value in filters.pairs
    ]


def _words(name: str, value: str, reader: str) -> Sentence:  # noqa: PLR0911  # one line for each filter
    match name:
        case "kind":
            return kind_title(value, reader)
        case "objective":
            return wording.objective_title(int(value), reader)
        case "principle":
            return wording.principle_title(value, reader)
        case "region":
            return _said(region(value).title, reader)
        case "country":
            return wording.country_name(value, reader)
        case "theme":
            return _said(area(int(value)).title, reader)
        case "priority":
            return _said(priority(value).title, reader)
        case "language":
            return _written(i18n.language_name(value, reader), reader)
        case "cancelled":
            return _written(i18n.translate(reader, "agenda.filter.hidden"), reader)
        case _:
            return _written(value, reader)


def _said(title: Titles, reader: str) -> Sentence:
    found = title.in_(reader)
    return Sentence(found.text, lang=found.lang, reader=reader)


def _written(text: str, reader: str) -> Sentence:
    return Sentence(text, lang=reader, reader=reader)


def ways_of(filters: Filters, public_url: str, reader: str) -> Mapping[str, str]:
    """Return the addresses under which what is chosen can be subscribed to, read by programs and put into another page."""
    feed = public_url + with_query(f"{PATH}feed.ics", filters, lang=reader)
    return {
        "https": feed,
        "webcal": f"webcal://{feed.partition('://')[2]}",
        "json": public_url + with_query(f"{PATH}feed.json", filters, lang=reader),
        "embed": public_url + with_query(f"{PATH}embed", filters, lang=reader),
    }
