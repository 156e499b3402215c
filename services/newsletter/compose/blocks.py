"""The parts that an issue is made of, in all their languages, and how they are stored.

The order of blocks is that of their sequence. A text that a language lacks is not there: it is never machine-translated, and readers of
that language see it in another, marked as such.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Interval
from pydantic import AfterValidator, BeforeValidator, ConfigDict, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from shared.events.codes import LANGUAGES, Language, Level, SourceKind
from shared.events.texts import Identifier, Line, Summary, Text, WebAddress, Word
from shared.events.times import When
from shared.web import writing
from shared.web.rich_text import TooLongError

BlockId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""What names a block for good, wherever it is moved to; also its anchor on the web."""


def _written(texts: object) -> object:
    """Leave out the languages whose field of a form came empty."""
    if not isinstance(texts, Mapping):
        return texts
    return {language: text for language, text in texts.items() if not (isinstance(text, str) and not text.strip())}


def _in_order(texts: Mapping[Language, str]) -> Mapping[Language, str]:
    return {language: texts[language] for language in LANGUAGES if language in texts}


def _readable(text: str) -> str:
    """Refuse what is almost nothing but signs: its HTML would not pass where it is cleaned."""
    try:
        writing.html(writing.read(text))
    except TooLongError as error:
        raise PydanticCustomError("fault.too-formatted", "has too many signs of formatting") from error
    return text


_Written, _InOrder = BeforeValidator(_written), AfterValidator(_in_order)
Lines = Annotated[Mapping[Language, Line], _Written, _InOrder]
Summaries = Annotated[Mapping[Language, Annotated[Summary, AfterValidator(_readable)]], _Written, _InOrder]
RichTexts = Annotated[Mapping[Language, Annotated[Text, AfterValidator(_readable)]], _Written, _InOrder]
"""Texts as people write them, with paragraphs, lists and links: `shared.web.writing` says how. Summaries too."""

# A picture beyond this is no picture of a mail; ours are made smaller before.
_PIXELS = Annotated[int, Interval(ge=1, le=4_000)]


class _Stored:
    """What every block is: it takes no key that it does not know, and no number for a text."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=False)


@dataclass(frozen=True, kw_only=True)
class Heading(_Stored):
    """The title of a section."""

    kind: Literal["heading"] = "heading"
    id: BlockId
    title: Lines = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Passage(_Stored):
    """A text of some paragraphs."""

    kind: Literal["text"] = "text"
    id: BlockId
    text: RichTexts = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Item(_Stored):
    """Something that came in and is told of, with where it came from. Items that follow each other are grouped by level."""

    kind: Literal["item"] = "item"
    id: BlockId
    title: Lines = field(default_factory=dict)
    summary: Summaries = field(default_factory=dict)  # written as a text is; may lack in every language
    entity: Line | Literal[""] = ""  # whose it is, as they call themselves; empty for what is nobody's, such as a date
    level: Level
    source_kind: SourceKind
    source_id: Identifier  # the subject of the source's own events
    label: Word | Literal[""] = ""  # what it is, by the end of the key of its words; empty where that is the kind of the source
    when: When | None = None  # of what is on a day, or was; readers see it before the title
    place: Line | Literal[""] = ""
    credit: Line | Literal[""] = ""  # whom to name for text and pictures
    address: WebAddress | Literal[""] = ""  # where readers find the whole; empty where it stands nowhere else

    @property
    def key(self) -> str:
        """Key of the words that say what it is."""
        return f"source.{self.label or self.source_kind.value}"


@dataclass(frozen=True, kw_only=True)
class Button(_Stored):
    """A link that stands for itself."""

    kind: Literal["button"] = "button"
    id: BlockId
    label: Lines = field(default_factory=dict)  # says where it leads, without what stands around it
    address: WebAddress


@dataclass(frozen=True, kw_only=True)
class Picture(_Stored):
    """A picture, with what it shows in words for those who do not see it."""

    kind: Literal["picture"] = "picture"
    id: BlockId
    address: WebAddress  # of a file that never changes, for the approval is bound to it; on our own site: pages load none from elsewhere
    width: _PIXELS  # of the file
    height: _PIXELS
    alternative: Lines = field(default_factory=dict)
    caption: Lines = field(default_factory=dict)  # the credit too; may lack in every language


@dataclass(frozen=True, kw_only=True)
class Divider(_Stored):
    """A line between two sections."""

    kind: Literal["divider"] = "divider"
    id: BlockId


Block = Heading | Passage | Item | Button | Picture | Divider

KINDS: Mapping[str, type[Block]] = {
    "heading": Heading,
    "text": Passage,
    "item": Item,
    "button": Button,
    "picture": Picture,
    "divider": Divider,
}

SILENT = frozenset({"heading", "divider"})
"""The kinds that only order others: an issue of these alone says nothing."""

TEXT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "heading": ("title",),
    "text": ("text",),
    "item": ("title", "summary"),
    "button": ("label",),
    "picture": ("alternative", "caption"),
    "divider": (),
}
"""The fields of each kind that have a text per language."""
OPTIONAL_FIELDS = frozenset({("item", "summary"), ("picture", "caption")})
"""Those that may lack; once one language has them, every language needs them."""

_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {kind: TypeAdapter(block) for kind, block in KINDS.items()}


def parse(stored: Mapping[str, Any]) -> Block:
    """Return the block that `dump`, or a form, gave; texts are cleaned and empty ones left out.

    Raises pydantic's ValidationError, whose places are the fields (`title.fr`, `address`); `shared.web.forms.faults_of` makes
    sentences of it.
    """
    kind = stored.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        offered = {"expected": ", ".join(KINDS)}
        raise ValidationError.from_exception_data("Block", [InitErrorDetails(type="literal_error", loc=("kind",), input=kind, ctx=offered)])
    block: Block = _ADAPTERS[kind].validate_python(dict(stored))
    return block


def dump(block: Block) -> dict[str, Any]:
    """Return a block as JSON takes it; `parse` gives it back."""
    dumped: dict[str, Any] = _ADAPTERS[block.kind].dump_python(block, mode="json")
    return dumped


def texts_of(block: Block, name: str) -> Mapping[Language, str]:
    """Return one of the block's TEXT_FIELDS."""
    texts: Mapping[Language, str] = getattr(block, name)
    return texts
