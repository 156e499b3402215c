"""An issue as a whole: what of it every language has, and what a reader sees where theirs lacks something."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from markupsafe import Markup

from services.newsletter.compose.blocks import OPTIONAL_FIELDS, TEXT_FIELDS, Block, texts_of
from shared.events.codes import LANGUAGES, Language
from shared.i18n import Direction, direction

STANDS_IN: Language = "en"
"""The language that stands in first where another lacks a text."""


_MARKS_OF_SLOTS = re.compile("[\ue000\ue001]")


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

    def address(self, language: Language) -> str:
        """Return where the issue stands on the web, in this language."""
        return f"{self.public_url}/newsletter/archive/{self.number}?lang={language}"

    def earlier(self, language: Language) -> str:
        """Return where all issues stand."""
        return f"{self.public_url}/newsletter/archive/?lang={language}"


@dataclass(frozen=True, kw_only=True)
class Said:
    """A text as readers of one language see it: in their own, or in one that stands in."""

    text: str
    language: Language
    reader: Language

    @property
    def stands_in(self) -> bool:
        """Whether it is in another language than the reader's."""
        return self.language != self.reader

    @property
    def direction(self) -> Direction:
        """How it runs."""
        return direction(self.language)

    @property
    def attributes(self) -> Markup:
        """`lang` and `dir` for the element that holds it, with a space before; empty in the reader's language."""
        return Markup(' lang="{}" dir="{}"').format(self.language, self.direction) if self.stands_in else Markup()

    def __str__(self) -> str:
        return self.text


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


def said(texts: Mapping[Language, str], reader: Language) -> Said | None:
    """Return a text as readers of `reader` see it; None where it is written nowhere."""
    language = standing_in(texts, reader)
    # Marks of slots are ours alone (shared.mail.bodies): written by a person, one would break every copy of the issue.
    return Said(text=_MARKS_OF_SLOTS.sub("", texts[language]), language=language, reader=reader) if language else None


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
