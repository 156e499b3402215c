"""Public addresses: their last part is made of a title once, and kept when the title changes."""

import re
import unicodedata
from collections.abc import Mapping

SLUG_CHARACTERS = 60
PRACTICES, TALKS, NEWS = "/practices/", "/talks/", "/news/"
"""Where the lists stand."""


def practice_path(slug: str) -> str:
    """Return the path of a practice's page."""
    return f"{PRACTICES}{slug}"


def talk_path(slug: str) -> str:
    """Return the path of a Talk's page."""
    return f"{TALKS}{slug}"


def news_path(slug: str) -> str:
    """Return the path of the page of a statement, press release, article or news item."""
    return f"{NEWS}{slug}"


def slug_of(title: Mapping[str, str], language: str) -> str:
    """Return the words of a title as an address has them, from the English title where there is one; empty for other scripts."""
    letters = unicodedata.normalize("NFKD", title.get("en") or title[language]).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", letters))
    return slug if len(slug) <= SLUG_CHARACTERS else slug[: SLUG_CHARACTERS + 1].rpartition("-")[0] or slug[:SLUG_CHARACTERS]


def slugs_for(title: Mapping[str, str], language: str, reference: str) -> tuple[str, ...]:
    """Return the addresses that what has this title may have, best first; the last one is its own alone."""
    slug, own = slug_of(title, language), reference.lower()
    return (slug, f"{slug}-{own}") if slug else (own,)
