"""The order and the headings of an issue, the same in every language and form: sections, and items grouped by level within them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from services.newsletter.compose.blocks import Block, Divider, Heading, Item
from shared.events.codes import Level

_SECTION = 2  # the title of the issue is the first
_ORDER = tuple(Level)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Items of one level that stand together."""

    level: Level
    items: tuple[Item, ...]
    heading: int  # level of the group's heading; the items' are one below


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A block in its place."""

    block: Block
    heading: int  # level of its own heading, or of headings in its text


def arrange(blocks: Sequence[Block]) -> Iterator[Placed | Group]:
    """Yield the blocks in their order; items that follow each other come in groups, global first, each in the order it was given."""
    inside = False  # of a section with a title
    for is_item, run in groupby(blocks, key=lambda block: isinstance(block, Item)):
        if is_item:
            yield from _groups([block for block in run if isinstance(block, Item)], _SECTION + inside)
            continue
        for block in run:
            # A line ends the section above it.
            inside = isinstance(block, Heading) or (inside and not isinstance(block, Divider))
            yield Placed(block=block, heading=_SECTION if isinstance(block, Heading) else _SECTION + inside)


def _groups(items: Sequence[Item], heading: int) -> Iterator[Group]:
    for level in _ORDER:
        if found := tuple(item for item in items if item.level == level):
            yield Group(level=level, items=found, heading=heading)
