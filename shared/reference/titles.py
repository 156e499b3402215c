"""Titles per language, and what a page must know when a language is missing."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Direction = Literal["ltr", "rtl"]

LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")
"""The languages of content: the six official ones of the United Nations."""

FALLBACK = "en"
"""The language every record has. An official title that is missing is never translated by a machine: it falls back."""

_RIGHT_TO_LEFT = frozenset({"ar"})


class Mark(StrEnum):
    """How far a text can be trusted."""

    YES = "yes"  # read on a page of the named source
    SECOND_HAND = "second-hand"  # read in a copy or a quotation
    PARTLY = "partly"  # the note says what is missing
    NO = "no"  # our own wording, or not seen


@dataclass(frozen=True, kw_only=True)
class Title:
    """A text with the language it really is in, so that a page can set `lang` and `dir` on it."""

    text: str
    lang: str
    dir: Direction


@dataclass(frozen=True, kw_only=True)
class Wording:
    """A text in one language and how far it can be trusted."""

    lang: str
    text: str
    mark: Mark


@dataclass(frozen=True, kw_only=True)
class Titles:
    """One title in every language that has it; English is always there. Raises ValueError when it is not."""

    wordings: tuple[Wording, ...]

    def __post_init__(self) -> None:
        """Refuse a title without English, one with the same language twice, and a language that is not ours."""
        if FALLBACK not in self.languages:
            raise ValueError(f"no English among {self.languages}: English is what every language falls back to")
        if len(set(self.languages)) != len(self.languages):
            raise ValueError(f"a language stands twice in {self.languages}")
        if unknown := set(self.languages) - set(LANGUAGES):
            raise ValueError(f"unknown languages {sorted(unknown)}; known are {', '.join(LANGUAGES)}")

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the languages that have this title."""
        return tuple(wording.lang for wording in self.wordings)

    def in_(self, lang: str) -> Title:
        """Return the title in `lang` (a tag such as `fr` or `fr-CH`), or the English one, saying so in its `lang`."""
        wording = self._find(_primary(lang)) or self._find(FALLBACK)
        assert wording is not None  # __post_init__ refuses titles without English
        return Title(text=wording.text, lang=wording.lang, dir=direction_of(wording.lang))

    def mark_in(self, lang: str) -> Mark | None:
        """Return how far the title in exactly `lang` can be trusted, or None where there is none."""
        wording = self._find(_primary(lang))
        return wording.mark if wording else None

    @property
    def unverified(self) -> tuple[str, ...]:
        """Return each wording that nobody has read at its source, as `fr second-hand`."""
        return tuple(f"{wording.lang} {wording.mark}" for wording in self.wordings if wording.mark is not Mark.YES)

    def _find(self, lang: str) -> Wording | None:
        return next((wording for wording in self.wordings if wording.lang == lang), None)


def direction_of(lang: str) -> Direction:
    """Return the direction in which `lang` is written."""
    return "rtl" if _primary(lang) in _RIGHT_TO_LEFT else "ltr"


def _primary(lang: str) -> str:
    return lang.replace("_", "-").partition("-")[0].lower()
