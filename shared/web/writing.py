"""How people write texts of some length: plain paragraphs with a few signs, read once and given as HTML or as plain text.

A blank line ends a paragraph, and a line break stays one. `- ` begins an entry of a list and `1. ` one of a numbered list, `> ` is a
quotation, `# ` a small heading. Within a line `**strong**`, `*emphasised*`, `[words](address)`; an address by itself becomes a link; a
backslash takes a sign for itself. HTML is shown as it is written.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup, escape

from shared.web.rich_text import clean

_LIST = re.compile(r"[-*•–]\s+(?=\S)")
_NUMBERED = re.compile(r"(\d{1,2})[.)]\s+(?=\S)")
_HEADING = re.compile(r"#{1,4}\s+(?=\S)")
_QUOTED = re.compile(r"(?:>\s?)+")
_BEGINS = re.compile(f"{_LIST.pattern}|{_HEADING.pattern}|>")

# Lengths are bounded so that a text of nothing but opening signs is read in no time.
_SIGNS = re.compile(
    r"\\(?P<taken>[\\*_\[\]()#>.-])"
    r"|\[(?P<words>[^\[\]\n]{1,500})\]\((?P<address>(?:[^()\s]|\([^()\s]{0,500}\)){1,2000})\)"
    r"|\*\*(?=\S)(?P<strong>[^\n]{1,2000}?)(?<=\S)\*\*"
    r"|\*(?=[^\s*])(?P<emphasis>[^*\n]{1,2000})(?<=\S)\*"
    r"|(?<![A-Za-z0-9/])(?P<bare>https://[!#-;=?-~]{1,2000})"
)
# What ends a sentence does not end an address in it, and neither does what closes a bracket that the sentence opened.
_TRAILING = ".,;:!?'*_"
_LINKED = re.compile(r"(?:https://[^\s<>\"/]+|mailto:[^\s<>\"?]+@)[^\s<>\"]*")


@dataclass(frozen=True, kw_only=True)
class Stressed:
    """Words that stand out."""

    words: "Words"
    strongly: bool


@dataclass(frozen=True, kw_only=True)
class Link:
    """Words that lead somewhere, or an address by itself."""

    words: "Words"
    address: str


Words = tuple[str | Stressed | Link, ...]
Lines = tuple[Words, ...]


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Lines that belong together."""

    lines: Lines


@dataclass(frozen=True, kw_only=True)
class SmallHeading:
    """The title of what follows within a text."""

    words: Words


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list; each entry has a line at least."""

    entries: tuple[Lines, ...]
    numbered: bool


@dataclass(frozen=True, kw_only=True)
class Quotation:
    """What somebody else said, in paragraphs."""

    paragraphs: tuple[Lines, ...]


Writing = Sequence[Paragraph | SmallHeading | Listing | Quotation]


def read(text: str) -> Writing:
    """Return what `text` says by its signs; what is no sign is text."""
    found: list[Paragraph | SmallHeading | Listing | Quotation] = []
    for chunk in re.split(r"\n\s*\n", text):
        lines = [line.strip() for line in chunk.split("\n") if line.strip()]
        while lines:
            part, lines = _first_part(lines)
            before = found[-1] if found else None
            if isinstance(part, Listing) and isinstance(before, Listing) and part.numbered == before.numbered:
                found[-1] = replace(before, entries=before.entries + part.entries)
            elif isinstance(part, Quotation) and isinstance(before, Quotation):
                found[-1] = replace(before, paragraphs=before.paragraphs + part.paragraphs)
            else:
                found.append(part)
    return found


def _first_part(lines: list[str]) -> tuple[Paragraph | SmallHeading | Listing | Quotation, list[str]]:
    """Return the part that the first line begins, and the lines after it."""
    first = lines[0]
    if begun := _HEADING.match(first):
        return SmallHeading(words=_words(first[begun.end() :])), lines[1:]
    if first.startswith(">"):
        end = next((at for at, line in enumerate(lines) if not line.startswith(">")), len(lines))
        return Quotation(paragraphs=tuple(_paragraphs([_QUOTED.sub("", line, count=1) for line in lines[:end]]))), lines[end:]
    if _LIST.match(first):
        return _listing(lines, _LIST, numbered=False)
    # Only what counts from one is a list: "16. June" is a date.
    if (begun := _NUMBERED.match(first)) and int(begun[1]) == 1:
        return _listing(lines, _NUMBERED, numbered=True)
    end = next((at for at, line in enumerate(lines) if at and _BEGINS.match(line)), len(lines))
    return Paragraph(lines=tuple(_words(line) for line in lines[:end])), lines[end:]


def _paragraphs(lines: Sequence[str]) -> Iterator[Lines]:
    """Part the lines of a quotation where one is empty."""
    begun: list[Words] = []
    for line in [*lines, ""]:
        if line.strip():
            begun.append(_words(line))
        elif begun:
            yield tuple(begun)
            begun = []


def _listing(lines: list[str], sign: re.Pattern[str], *, numbered: bool) -> tuple[Listing, list[str]]:
    entries: list[list[Words]] = []
    for at, line in enumerate(lines):
        if begun := sign.match(line):
            entries.append([_words(line[begun.end() :])])
        elif _BEGINS.match(line):
            return Listing(entries=tuple(map(tuple, entries)), numbered=numbered), lines[at:]
        else:
            entries[-1].append(_words(line))  # it goes on in the next line
    return Listing(entries=tuple(map(tuple, entries)), numbered=numbered), []


def _words(line: str, *, linked: bool = False) -> Words:
    """Return a line parted by its signs; within a link (`linked`) there is no other."""
    parts: list[str | Stressed | Link] = []
    at = 0

    def say(text: str) -> None:
        if text and parts and isinstance(parts[-1], str):
            parts[-1] += text
        elif text:
            parts.append(text)

    while found := _SIGNS.search(line, at):
        say(line[at : found.start()])
        at = found.end()
        if found["taken"]:
            say(found["taken"])
        elif found["strong"] or found["emphasis"]:
            inner = _words(found["strong"] or found["emphasis"], linked=linked)
            parts.append(Stressed(words=inner, strongly=bool(found["strong"])))
        elif linked:
            say(found[0])
        elif found["bare"]:
            address = _without_what_ends_the_sentence(found["bare"])
            at = found.start() + len(address)
            parts.append(Link(words=(address,), address=address))
        elif _LINKED.fullmatch(found["address"]):
            parts.append(Link(words=_words(found["words"], linked=True), address=found["address"]))
        else:
            say(found[0])  # an address that readers cannot follow hides nothing when it is shown
    say(line[at:])
    return tuple(parts)


def _without_what_ends_the_sentence(address: str) -> str:
    while address[-1] in _TRAILING or (address[-1] == ")" and address.count(")") > address.count("(")):
        address = address[:-1]
    return address


def html(writing: Writing, *, heading: int | None = None, attributes: Mapping[str, str] | None = None) -> Markup:
    """Return the writing as HTML that is safe anywhere.

    Small headings stand at the level `heading` (2 to 4), or are strong paragraphs where there is none. `attributes` are written into
    each element of a name, such as `{"p": 'style="margin:0"'}`: mails know no style sheets.
    """
    title = f"h{heading}" if heading else ""
    made = clean("\n".join(_part_html(part, title) for part in writing))
    if not attributes:
        return made
    # After the cleaning, which lets no style through; its own result has no `<` but that of an element.
    tags = re.compile(rf"<({'|'.join(attributes)})(?=[ >])")
    return Markup(tags.sub(lambda found: f"{found[0]} {attributes[found[1]]}", made))  # noqa: S704  # cleaned above


def _part_html(part: Paragraph | SmallHeading | Listing | Quotation, title: str) -> str:
    match part:
        case Paragraph():
            return f"<p>{_lines_html(part.lines)}</p>"
        case SmallHeading():
            words = _words_html(part.words)
            return f"<{title}>{words}</{title}>" if title else f"<p><strong>{words}</strong></p>"
        case Listing():
            name = "ol" if part.numbered else "ul"
            return f"<{name}>" + "".join(f"<li>{_lines_html(entry)}</li>" for entry in part.entries) + f"</{name}>"
        case Quotation():
            return "<blockquote>" + "".join(f"<p>{_lines_html(lines)}</p>" for lines in part.paragraphs) + "</blockquote>"


def _lines_html(lines: Lines) -> str:
    return "<br>\n".join(_words_html(words) for words in lines)


def _words_html(words: Words) -> str:
    return "".join(_word_html(word) for word in words)


def _word_html(word: str | Stressed | Link) -> str:
    match word:
        case str():
            return str(escape(word))
        case Stressed():
            name = "strong" if word.strongly else "em"
            return f"<{name}>{_words_html(word.words)}</{name}>"
        case Link():
            # An address reads from left to right wherever it stands.
            direction = ' dir="ltr"' if word.words == (word.address,) else ""
            return f'<a href="{escape(word.address)}"{direction}>{_words_html(word.words)}</a>'


def plain(writing: Writing, wrap: Callable[[str, str, str], str], *, link: Callable[[str], str] = str) -> str:
    """Return the writing as text, each paragraph laid by `wrap(text, first, rest)`: what stands before its first line, and the others.

    `link` gives the form of an address beside its words.
    """
    return "\n\n".join(_part_plain(part, wrap, link) for part in writing)


def _part_plain(
    part: Paragraph | SmallHeading | Listing | Quotation, wrap: Callable[[str, str, str], str], link: Callable[[str], str]
) -> str:
    def laid(lines: Lines, first: str = "", rest: str = "") -> str:
        said = [_words_plain(words, link) for words in lines]
        return "\n".join(wrap(line, first if at == 0 else rest, rest) for at, line in enumerate(said))

    match part:
        case Paragraph():
            return laid(part.lines)
        case SmallHeading():
            return laid((part.words,))
        case Listing():
            signs = [f"{at}. " if part.numbered else "- " for at in range(1, len(part.entries) + 1)]
            return "\n".join(laid(entry, sign, " " * len(sign)) for sign, entry in zip(signs, part.entries, strict=True))
        case Quotation():
            return "\n>\n".join(laid(lines, "> ", "> ") for lines in part.paragraphs)


def _words_plain(words: Words, link: Callable[[str], str]) -> str:
    return "".join(_word_plain(word, link) for word in words)


def _word_plain(word: str | Stressed | Link, link: Callable[[str], str]) -> str:
    match word:
        case str():
            return word
        case Stressed():
            return _words_plain(word.words, link)
        case Link():
            shown = word.address.removeprefix("mailto:")
            words = _words_plain(word.words, link)
            return link(shown) if words in {shown, word.address} else f"{words} {link(shown)}"
