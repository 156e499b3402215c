"""A statement, press release, article or news item as linked data (schema.org), for search engines."""

from typing import Any

from markupsafe import Markup
from sqlalchemy import Row

from shared.events.codes import NewsKind
from shared.web.linked_data import content_of, places, terms

_TYPES = {NewsKind.BLOG: "BlogPosting", NewsKind.PRESS_RELEASE: "NewsArticle", NewsKind.NEWS: "NewsArticle"}


def linked_data(item: Row[Any], *, language: str, address: str, publisher: str, licence: str | None) -> Markup:
    """Return the content of a script element of type application/ld+json that says what the page says in `language`."""
    fields, words = item.fields, _TYPES.get(NewsKind(item.kind), "Article")
    return content_of(
        {
            "@context": "https://schema.org",
            "@type": words,
            "@id": address,
            "url": address,
            "headline": fields["title"][language],
            "articleBody": fields["text"][language],
            "inLanguage": language,
            "datePublished": item.published_at.isoformat(),
            "dateModified": item.updated_at.isoformat(),
            "author": {"@type": "Organization", "name": fields["entity"]},
            "publisher": {"@type": "Organization", "name": publisher},
            "license": licence,
            "about": terms(fields.get("objectives", ()), fields.get("principles", ()), language),
            "spatialCoverage": places(fields.get("countries", ()), language),
            "workTranslation": [
                {"@type": words, "headline": title, "inLanguage": other} for other, title in fields["title"].items() if other != language
            ],
        }
    )
