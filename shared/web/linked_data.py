"""Linked data (schema.org) in a page: what several services say in the same way."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from markupsafe import Markup

from shared.reference.countries import country, is_country
from shared.reference.objectives import objective
from shared.reference.principles import principle

# HTML ends a script at "</script" whatever the quotation marks around it, and begins a comment at "<!--".
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
_COMPACT = "of the Global Compact for Safe, Orderly and Regular Migration"


def content_of(thing: Mapping[str, Any]) -> Markup:
    """Return the content of a script element of type application/ld+json; what is empty is left out."""
    said = {name: value for name, value in thing.items() if value not in (None, "", [])}
    return Markup(orjson.dumps(said).decode().translate(_ESCAPES))  # noqa: S704  # escaped


def licensed(licence: str | None) -> Mapping[str, str]:
    """Return the header that names the licence of an answer (RFC 8288); none where nothing is said of one."""
    return {"Link": f'<{licence}>; rel="license"'} if licence else {}


def page_under(address: str, licence: str | None) -> Mapping[str, str] | None:
    """Return a page with its licence, for what is an event and has none of its own; None where nothing is said of one."""
    return {"@type": "WebPage", "url": address, "license": licence} if licence else None


def terms(objectives: Iterable[int], principles: Iterable[str], language: str) -> Sequence[Mapping[str, Any]]:
    """Return the objectives and guiding principles that something is about."""
    numbered = [_term(str(number), objective(number).short.in_(language).text, f"Objectives {_COMPACT}") for number in objectives]
    return [*numbered, *(_term(code, principle(code).title.in_(language).text, f"Guiding principles {_COMPACT}") for code in principles)]


def places(codes: Iterable[str], language: str) -> Sequence[Mapping[str, Any]]:
    """Return the countries that something is about; codes of sample data are none."""
    return [{"@type": "Place", "name": country(code).name.in_(language).text, "identifier": code} for code in codes if is_country(code)]


def _term(code: str, name: str, of: str) -> Mapping[str, Any]:
    return {"@type": "DefinedTerm", "termCode": code, "name": name, "inDefinedTermSet": of}
