"""A practice as linked data (schema.org), for search engines and whoever gathers practices."""

from collections.abc import Mapping
from typing import Any

import orjson
from markupsafe import Markup
from sqlalchemy import Row

from shared.reference.countries import country, is_country
from shared.reference.objectives import objective
from shared.reference.principles import principle

# HTML ends a script at "</script" whatever the quotation marks around it, and begins a comment at "<!--".
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def linked_data(practice: Row[Any], *, language: str, address: str, publisher: str) -> Markup:
    """Return the content of a script element of type application/ld+json that says what the page says in `language`."""
    return Markup(orjson.dumps(_work(practice, language, address, publisher)).decode().translate(_ESCAPES))  # noqa: S704  # escaped above


def _work(practice: Row[Any], language: str, address: str, publisher: str) -> dict[str, Any]:
    work: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Article",
        "@id": address,
        "url": address,
        "headline": practice.title[language],
        "abstract": practice.summary[language],
        "inLanguage": language,
        "datePublished": practice.published_at.isoformat(),
        "dateModified": practice.updated_at.isoformat(),
        "author": {"@type": "Organization", "name": practice.entity},
        "publisher": {"@type": "Organization", "name": publisher},
        "about": _about(practice, language),
        "spatialCoverage": [_place(code, language) for code in practice.countries],
        "citation": [link["address"] for link in practice.links],
        "workTranslation": [
            {"@type": "Article", "headline": title, "inLanguage": other} for other, title in practice.title.items() if other != language
        ],
    }
    if practice.text:
        work["articleBody"] = practice.text[language]
    return {name: value for name, value in work.items() if value != []}


def _about(practice: Row[Any], language: str) -> list[Mapping[str, Any]]:
    objectives = [
        {
            "@type": "DefinedTerm",
            "termCode": str(number),
            "name": objective(number).short.in_(language).text,
            "inDefinedTermSet": "Objectives of the Global Compact for Safe, Orderly and Regular Migration",
        }
        for number in practice.objectives
    ]
    principles = [
        {
            "@type": "DefinedTerm",
            "termCode": code,
            "name": principle(code).title.in_(language).text,
            "inDefinedTermSet": "Guiding principles of the Global Compact for Safe, Orderly and Regular Migration",
        }
        for code in practice.principles
    ]
    return [*objectives, *principles]


def _place(code: str, language: str) -> Mapping[str, Any]:
    name = country(code).name.in_(language).text if is_country(code) else code
    return {"@type": "Place", "name": name, "identifier": code}
