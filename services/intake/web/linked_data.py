"""What intake's public pages say as linked data (schema.org), for search engines and whoever gathers what the Network does."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from markupsafe import Markup

from shared.reference.countries import country, is_country
from shared.reference.objectives import objective
from shared.reference.principles import principle

# HTML ends a script at "</script" whatever the quotation marks around it, and begins a comment at "<!--".
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def script(thing: Mapping[str, Any]) -> Markup:
    """Return the content of a script element of type application/ld+json; what is empty is left out."""
    whole = {name: value for name, value in thing.items() if value not in (None, "", [])}
    return Markup(orjson.dumps(whole).decode().translate(_ESCAPES))  # noqa: S704  # escaped here


def organization(name: str) -> Mapping[str, str]:
    """Return a body by its name."""
    return {"@type": "Organization", "name": name}


def about(objectives: Iterable[int], principles: Iterable[str], language: str) -> Sequence[Mapping[str, str]]:
    """Return the objectives and principles of the Global Compact that something is about."""
    return [
        *(
            {
                "@type": "DefinedTerm",
                "termCode": str(number),
                "name": objective(number).short.in_(language).text,
                "inDefinedTermSet": "Objectives of the Global Compact for Safe, Orderly and Regular Migration",
            }
            for number in objectives
        ),
        *(
            {
                "@type": "DefinedTerm",
                "termCode": code,
                "name": principle(code).title.in_(language).text,
                "inDefinedTermSet": "Guiding principles of the Global Compact for Safe, Orderly and Regular Migration",
            }
            for code in principles
        ),
    ]


def places(codes: Iterable[str], language: str) -> Sequence[Mapping[str, str]]:
    """Return the countries that something is about."""
    return [
        {"@type": "Place", "name": country(code).name.in_(language).text if is_country(code) else code, "identifier": code}
        for code in codes
    ]
