"""An issue as plain text: lines of 78 columns, addresses written out, readable in either direction."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from services.newsletter.compose.arranging import Group, Placed, arrange
from services.newsletter.compose.blocks import Button, Heading, Item, Passage, Picture
from services.newsletter.compose.edition import Edition, Said, said
from shared.events.codes import Language
from shared.i18n import direction, language_name, translate
from shared.web import writing
from shared.when import say

COLUMNS = 78
"""RFC 5322 counts so many for a line; addresses are longer where they are."""

FOOT = "\n-- \n"
"""Stands before what is the reader's own; programs know it as the beginning of a signature."""

# Isolated, an address in a line from right to left keeps its order, and its brackets their sides.
_ISOLATED = "\u2066<{}>\u2069"
_ISOLATES, _END = "\u2066\u2067\u2068", "\u2069"
_TOGETHER = 60
_WIDE = "WF"
_RIGHT_TO_LEFT_MARK = "\u200f"
# Chinese has no spaces: a line may end behind any letter but before none of these.
_NEVER_FIRST = "，。、；：？！）》」』”’…%"
_NEVER_LAST = "（《「『“‘"


def text(edition: Edition, language: Language, *, month: str, leave: str) -> str:
    """Return the issue as text, the reader's own part behind FOOT; `leave` stands where their link does."""
    body = "\n\n".join([_head(edition, language, month), *_parts(edition, language)])
    foot = [
        _wrapped(translate(language, "newsletter.mail.why")),
        f"{_wrapped(translate(language, 'newsletter.mail.leave'))}\n{leave}",
        f"{_wrapped(translate(language, 'newsletter.mail.earlier'))}\n{edition.earlier(language)}",
        _wrapped(translate(language, "newsletter.mail.identity")),
    ]
    whole = body + "\n" + FOOT + "\n\n".join(foot) + "\n"
    return "\n".join(_turned(line) for line in whole.split("\n")) if direction(language) == "rtl" else whole


def _head(edition: Edition, language: Language, month: str) -> str:
    subject = said(edition.subject, language)
    lines = [
        translate(language, "newsletter.mail.network"),
        _underlined(subject.text if subject else "", "="),
        translate(language, "newsletter.mail.number", number=edition.number, month=month),
    ]
    web = f"{translate(language, 'newsletter.mail.web')}\n{edition.address(language)}"
    return "\n".join(lines) + "\n\n" + web


def _parts(edition: Edition, language: Language) -> Iterator[str]:
    for part in arrange(edition.blocks):
        if isinstance(part, Group):
            yield "\n" + _underlined(translate(language, f"newsletter.mail.level.{part.level}"), "-")
            for item in part.items:
                yield _item(item, language)
        elif shown := _block(part, language):
            yield shown


def _block(placed: Placed, language: Language) -> str:
    match placed.block:
        case Heading() as heading:
            return "\n" + _underlined(_say(said(heading.title, language)), "=")
        case Passage() as passage:
            return _rich(said(passage.text, language))
        case Button() as button:
            return f"{_wrapped(_say(said(button.label, language)))}\n{button.address}"
        case Picture() as picture:
            words = translate(language, "newsletter.mail.picture", words=_say(said(picture.alternative, language)))
            return "\n".join(filter(None, [_wrapped(f"[{words}]"), _wrapped(_say(said(picture.caption, language)))]))
    return "* * *"


def _item(item: Item, language: Language) -> str:
    title, summary = said(item.title, language), said(item.summary, language)
    source = translate(language, item.key)
    if title and title.stands_in:
        named = language_name(title.language, language)
        source += " · " + translate(language, "newsletter.mail.written-in", language=named)
    time_and_place = [say(item.when, language) if item.when else "", _named(item.place, language)]
    whose = [source, _named(item.entity, language), _named(item.credit, language)]
    parts = [
        _wrapped(" · ".join(filter(None, time_and_place))),
        _wrapped(_say(title)),
        _wrapped(" · ".join(filter(None, whose))),
        _rich(summary),
        item.address,
    ]
    return "\n".join(filter(None, parts))


def _named(name: str, language: Language) -> str:
    """Return a name in an isolate that finds its own direction where it might be turned round: it may be in any script."""
    return f"\u2068{name}\u2069" if name and direction(language) == "rtl" else name


def _turned(line: str) -> str:
    """Return a line that runs from right to left with a mark that says so, where it begins with a sign, a digit or a Latin word."""
    classes = [unicodedata.bidirectional(character) for character in line]
    foreign = "L" in classes and {"R", "AL"}.isdisjoint(classes)
    if not line or classes[0] in {"R", "AL"} or foreign or line == FOOT.strip("\n"):
        return line
    return _RIGHT_TO_LEFT_MARK + line


def _say(words: Said | None) -> str:
    return words.text if words else ""


def _rich(words: Said | None) -> str:
    if words is None:
        return ""
    return writing.plain(writing.read(words.text), _laid, link=_ISOLATED.format if words.direction == "rtl" else "<{}>".format)


def _underlined(words: str, sign: str) -> str:
    lines = _wrapped(words)
    return f"{lines}\n{sign * min(COLUMNS, max(columns(line) for line in lines.split(chr(10))))}"


def _wrapped(words: str) -> str:
    return _laid(words, "", "")


def _laid(words: str, first: str, rest: str) -> str:
    """Return a paragraph in lines of COLUMNS at most, unless a word is longer; `first` and `rest` stand before its lines."""
    lines, line, width = [], first, columns(first)
    bare = True  # nothing but the beginning stands on the line
    for piece in _pieces(words):
        if not bare and width + columns(piece.rstrip()) > COLUMNS:
            lines.append(line.rstrip())
            line, width, bare = rest, columns(rest), True
        added = piece.lstrip() if bare else piece
        line, width = line + added, width + columns(added)
        bare = bare and not piece.strip()
    return "\n".join([*lines, line.rstrip()])


def _pieces(words: str) -> Iterator[str]:
    """Yield what stays together on a line, each piece with the space behind it; an isolate that a line can hold is one."""
    piece, together = "", False
    for at, character in enumerate(words):
        piece += character
        if character in _ISOLATES:
            together = columns(words[at : words.find(_END, at)]) <= _TOGETHER
        elif character == _END:
            together = False
        if not together and _may_end(character, words[at + 1 : at + 2]):
            yield piece
            piece = ""
    if piece:
        yield piece


def _may_end(character: str, following: str) -> bool:
    if not following or following.isspace() or following in _NEVER_FIRST or character in _NEVER_LAST:
        return False
    return character in " \t" or _is_wide(character) or _is_wide(following)


def _is_wide(character: str) -> bool:
    return _width(character) == 2


def columns(words: str) -> int:
    """Return how many columns a terminal shows `words` in: two for a Chinese letter, none for a mark above another."""
    return len(words) if words.isascii() else sum(map(_width, words))


@lru_cache(maxsize=10_000)
def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
