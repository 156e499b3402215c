"""A practice as linked data (schema.org), for search engines and whoever gathers practices."""

from typing import Any

from markupsafe import Markup
from sqlalchemy import Row

from shared.web.linked_data import content_of, places, terms


def linked_data(practice: Row[Any], *, language: str, address: str, publisher: str, licence: str | None) -> Markup:
    """Return the content of a script element of type application/ld+json that says what the page says in `language`."""
    return content_of(
        {
            "@context": "https://schema.org",
            "@type": "Article",
            "@id": address,
            "url": address,
            "headline": practice.title[language],
            "abstract": practice.summary[language],
            "articleBody": practice.text[language] if practice.text else None,
            "inLanguage": language,
            "datePublished": practice.published_at.isoformat(),
            "dateModified": practice.updated_at.isoformat(),
            "author": {"@type": "Organization", "name": practice.entity},
            "publisher": {"@type": "Organization", "name": publisher},
            "license": licence,
            "about": terms(practice.objectives, practice.principles, language),
            "spatialCoverage": places(practice.countries, language),
            "citation": [link["address"] for link in practice.links],
            "workTranslation": [
                {"@type": "Article", "headline": title, "inLanguage": other} for other, title in practice.title.items() if other != language
            ],
        }
    )
