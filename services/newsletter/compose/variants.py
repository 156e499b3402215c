"""What is sent in each language: the mapping whose hash is approved, and from which every reader's copy is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from html import escape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.newsletter.compose import plain
from services.newsletter.compose.arranging import arrange
from services.newsletter.compose.edition import Edition, NowhereWrittenError, Said, missing, said
from services.newsletter.compose.look import HIDDEN, PICTURE, SHEET, Look, night
from shared import i18n
from shared.events.codes import Language
from shared.mail.bodies import slot
from shared.web import writing
from shared.when import say

LEAVE = "leave"
"""The slot where the reader's own link to unsubscribe and preferences stands."""
MOST_BYTES = 100_000
"""Gmail cuts a mail's HTML off at about 102 KB, and the way to unsubscribe with it."""
# What the slot holds once it is filled: https, a host, and a token.
_LEAVE_BYTES = 200

_TEMPLATES = Path(__file__).parents[1] / "templates"
# Inboxes show some 150 characters behind the subject. This many that nobody sees keep the text of the mail out of that line.
_FILLING = Markup("&#847;&zwnj;&nbsp;") * 80

Variant = Mapping[str, str]
"""`language`, `subject`, `preheader`, `text`, `html`, and `web`: the same for the archive, as the inside of a page.

Both `text` and `html` have the slot `leave`; `web` has nothing of the reader's own.
"""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a person sees before it is sent."""

    language: Language
    subject: str
    preheader: str
    text: str
    html: str
    bytes: int  # of the HTML as it is sent

    @property
    def is_too_long(self) -> bool:
        """Whether Gmail would cut it off."""
        return self.bytes > MOST_BYTES


def variants(edition: Edition) -> Mapping[str, Variant]:
    """Return the variant of each of the issue's languages, as approval and sending take them."""
    return {language: variant(edition, language) for language in edition.languages}


def variant(edition: Edition, language: Language) -> Variant:
    """Return exactly what readers of `language` get, but for what is their own.

    What the language lacks stands there in another, marked with its `lang` and `dir`. The same edition always gives the same letters.
    Raises NowhereWrittenError where a text is there in no language at all.
    """
    subject, preheader = _line(edition, edition.subject, language), said(edition.preheader, language)
    if nowhere := next((lack for lack in missing(edition)[language] if lack.shown_in is None), None):
        raise NowhereWrittenError(f"{nowhere.field} of block {nowhere.block} is written in no language; write it, or take the block out.")
    month = i18n.month(edition.month.first, language)
    return {
        "language": language,
        "subject": subject.text,
        "preheader": preheader.text if preheader else "",
        "text": plain.text(edition, language, month=month, leave=slot(LEAVE)),
        "html": _mail(edition, language, subject, preheader, month),
        "web": _web(edition, language),
    }


def preview(edition: Edition, language: Language) -> Preview:
    """Return the variant as its reader will see it, with a link to unsubscribe that leads nowhere. Raises NowhereWrittenError."""
    made = variant(edition, language)
    mark, nowhere = slot(LEAVE), f"{edition.public_url}/newsletter/"
    return Preview(
        language=language,
        subject=made["subject"],
        preheader=made["preheader"],
        text=made["text"].replace(mark, nowhere),
        html=made["html"].replace(mark, escape(nowhere)),
        bytes=weight(made),
    )


def weight(made: Variant) -> int:
    """Return the bytes of a variant's HTML once its slot is filled; it should not be over MOST_BYTES."""
    return len(made["html"].encode()) + _LEAVE_BYTES * made["html"].count(slot(LEAVE))


def _line(edition: Edition, texts: Mapping[Language, str], language: Language) -> Said:
    found = said(texts, language)
    if found is None:
        raise NowhereWrittenError(f"The subject of issue {edition.number} is written in no language; write it.")
    return found


def _mail(edition: Edition, language: Language, subject: Said, preheader: Said | None, month: str) -> str:
    look = Look(i18n.direction(language))

    def rich(text: Said, heading: int | None = None) -> Markup:
        return writing.html(writing.read(text.text), heading=heading, attributes=look.of_writing(text.direction))

    context = _context(edition, language) | {
        "rich": rich,
        "look": look,
        "subject": subject,
        "preheader": preheader,
        "number": i18n.translate(language, "newsletter.mail.number", number=edition.number, month=month),
        "address": edition.address(language),
        "earlier": edition.earlier(language),
        "leave": slot(LEAVE),
        "night": night(),
        "hidden": HIDDEN,
        "filling": _FILLING,
        "width": SHEET,
        "picture_width": PICTURE,
    }
    return _environment().get_template("mail/issue.html").render(context)


def _web(edition: Edition, language: Language) -> str:
    def rich(text: Said, heading: int | None = None) -> Markup:
        return writing.html(writing.read(text.text), heading=heading)

    return _environment().get_template("web/issue.html").render(_context(edition, language) | {"rich": rich})


def _context(edition: Edition, language: Language) -> dict[str, object]:
    return {
        "lang": language,
        "dir": i18n.direction(language),
        "t": partial(i18n.translate, language),
        "said": partial(said, reader=language),
        "say_when": partial(say, language=language),
        "language_name_of": partial(i18n.language_name, reader=language),
        "parts_in_order": list(arrange(edition.blocks)),
    }


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
