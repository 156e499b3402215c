"""Countries and areas by ISO 3166-1 code, with the names the United Nations uses, and the note on Kosovo."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from shared.reference.loader import Provenance, UnknownCodeError, items, provenance, read, titles
from shared.reference.titles import Titles


@dataclass(frozen=True, kw_only=True)
class Footnote:
    """A sentence that a page shows whenever it names one of these countries."""

    code: str
    countries: tuple[str, ...]  # ISO alpha-2
    text: Titles
    provenance: Provenance


@dataclass(frozen=True, kw_only=True)
class Country:
    """A country or area. Keep its code; its name is only for showing."""

    alpha2: str  # ISO 3166-1; XK for Kosovo, a code left to users
    alpha3: str
    m49: str | None  # three digits; None where the UN M49 list has no such area (Kosovo, Taiwan Province of China)
    name: Titles
    reviewed_in: tuple[str, ...]  # languages whose name a page of the Network gives so; the others need a person
    home_regions: tuple[str, ...]  # review regions in which it lies: file and filter by these; none for Antarctica
    review_regions: tuple[str, ...]  # home regions, then other Regional Commissions that it belongs to from outside
    hub_region: str | None  # region of the Network's Hub; None for Antarctica
    provenance: Provenance

    @property
    def key(self) -> str:
        """Return the key that no other record has: `country:TR`."""
        return f"country:{self.alpha2}"

    def is_reviewed(self, lang: str) -> bool:
        """Return whether the name in `lang` is one that the Network itself uses."""
        return lang in self.reviewed_in


@cache
def countries() -> tuple[Country, ...]:
    """Return all countries and areas by their alpha-2 codes, Kosovo at its place in the alphabet."""
    found = []
    for row in read("countries"):
        name = titles(row, "name")
        unverified = ("regions no",) if row["regions_verified"] == "no" else ()
        found.append(
            Country(
                alpha2=row["alpha2"],
                alpha3=row["alpha3"],
                m49=row["m49"] or None,
                name=name,
                reviewed_in=items(row["reviewed_in"]),
                home_regions=items(row["home_regions"]),
                review_regions=items(row["review_regions"]),
                hub_region=row["hub_region"] or None,
                provenance=provenance(row, *unverified, name=name),
            )
        )
    return tuple(sorted(found, key=lambda country: country.alpha2))


def country(code: str) -> Country:
    """Return the country with this alpha-2 or alpha-3 code, in capitals. Raises UnknownCodeError when there is none."""
    try:
        return _by_code()[code]
    except KeyError:
        raise UnknownCodeError(f"{code!r} is no country code; give two or three capitals of ISO 3166-1, for example TR or TUR") from None


def is_country(code: str) -> bool:
    """Return whether `code` is the alpha-2 code of a country here: the form in which events and tables keep it."""
    return len(code) == 2 and code in _by_code()


@cache
def by_name(lang: str) -> tuple[Country, ...]:
    """Return all countries in the order of their names in `lang`, accents aside, for a list to choose from.

    Chinese names stand in the order of their characters' code points, which is no dictionary's order.
    """
    return tuple(sorted(countries(), key=lambda country: _sort_key(country.name.in_(lang).text)))


@cache
def footnotes() -> tuple[Footnote, ...]:
    """Return every footnote."""
    found = []
    for row in read("footnotes"):
        text = titles(row, "text")
        found.append(Footnote(code=row["code"], countries=items(row["countries"]), text=text, provenance=provenance(row, text=text)))
    return tuple(found)


def footnotes_for(codes: Iterable[str]) -> tuple[Footnote, ...]:
    """Return the footnotes that a page must show when it names the countries with these codes (alpha-2 or alpha-3)."""
    shown = {country(code).alpha2 for code in codes}
    return tuple(footnote for footnote in footnotes() if shown.intersection(footnote.countries))


@cache
def _by_code() -> dict[str, Country]:
    return {code: country for country in countries() for code in (country.alpha2, country.alpha3)}


def _sort_key(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
