"""An issue as a whole: what of it every language has, and what a reader sees where theirs lacks something."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.newsletter.compose.blocks import OPTIONAL_FIELDS, TEXT_FIELDS, Block, texts_of
from shared.events.codes import LANGUAGES, Language

STANDS_IN: Language = "en"
"""The language that stands in first where another lacks a text."""


class EditionError(ValueError):
    """This is no issue that can be shown; the message says what is wrong."""


class NowhereWrittenError(EditionError):
    """A text is there in no language, so that nothing can stand in for it; write it, or take its block out."""


@dataclass(frozen=True, kw_only=True)
class Month:
    """The month that an issue is of."""

    year: int
    month: int  # 1 to 12

    @property
    def first(self) -> date:
        """Its first day; raises ValueError where there is no such month."""
        return date(self.year, self.month, 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One issue in all its languages."""

    issue_id: UUID
    number: int  # counted from 1, over all the years
    month: Month
    languages: tuple[Language, ...]  # it is sent in these
    subject: Mapping[Language, str]
    preheader: Mapping[Language, str]  # the line that inboxes show behind the subject; may lack in every language
    blocks: Sequence[Block]
    public_url: str  # where this site is reached: scheme and host, without a slash at the end

    def __post_init__(self) -> None:
        if not self.languages:
            raise EditionError("An issue needs a language at least; choose one.")
        ids = [block.id for block in self.blocks]
        if twice := next((one for one in ids if ids.count(one) > 1), None):
            raise EditionError(f"Two blocks are called {twice}; give each an id of its own.")

    @property
    def address(self) -> str:
        """Where the issue stands on the web, in the reader's language."""
        return f"{self.public_url}/newsletter/archive/{self.number}"


@dataclass(frozen=True, kw_only=True)
class Lack:
    """A text that a language lacks."""

    block: str  # its id; empty for a text of the issue itself
    field: str  # subject, preheader, or one of the block's TEXT_FIELDS
    shown_in: Language | None  # which language stands in; None: it is written nowhere

    @property
    def stops(self) -> bool:
        """Whether the issue cannot be sent so: nothing can stand in, or, for the subject, nothing could say that it is another language."""
        return self.shown_in is None or self.field == "subject"


def missing(edition: Edition) -> Mapping[Language, tuple[Lack, ...]]:
    """Return what each of the issue's languages lacks, in the order of the page; an entry for every language, empty where it is whole."""
    return {language: tuple(_lacks(edition, language)) for language in edition.languages}


def standing_in(texts: Mapping[Language, str], language: Language) -> Language | None:
    """Return the language whose text readers of `language` see: their own, else English, else the first there is; None without any."""
    order = (language, STANDS_IN, *LANGUAGES)
    return next((one for one in order if texts.get(one)), None)


def _lacks(edition: Edition, language: Language) -> Iterator[Lack]:
    for block, name, texts, optional in _texts(edition):
        shown_in = standing_in(texts, language)
        if shown_in != language and not (optional and shown_in is None):
            yield Lack(block=block, field=name, shown_in=shown_in)


def _texts(edition: Edition) -> Iterator[tuple[str, str, Mapping[Language, str], bool]]:
    yield "", "subject", edition.subject, False
    yield "", "preheader", edition.preheader, True
    for block in edition.blocks:
        for name in TEXT_FIELDS[block.kind]:
            yield block.id, name, texts_of(block, name), (block.kind, name) in OPTIONAL_FIELDS
