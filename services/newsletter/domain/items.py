"""An item of the pool: something to print, with where it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.events.codes import Language, Level, Region
from shared.events.texts import LINE_LENGTH, SUMMARY_LENGTH
from shared.heard import Told
from shared.listening import Received


class ItemState(StrEnum):
    """Where an item of the pool stands."""

    POOLED = "pooled"  # waits for an issue
    WITHDRAWN = "withdrawn"  # its source no longer stands; it must not be printed


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something to print, with where it came from."""

    source_kind: str  # a SourceKind
    source_id: str  # the subject of the source's own events
    milestone: str = ""  # what came of the source, such as `fulfilled`, that is an item of its own; empty for the source itself
    label: str  # what readers are told that it is: its words are `source.<label>`
    event_id: UUID  # the event it was last made from
    trace_id: str  # finds the whole story of it
    told_at: datetime  # when its source was published, as the event says
    revision: int  # of the source; an older one never replaces a newer one
    language: str  # in which the source was written
    title: Mapping[Language, str]
    summary: Mapping[Language, str]
    entity: str = ""  # whose it is; empty for a date, which is nobody's
    level: Level
    countries: Sequence[str] = ()  # ISO 3166-1 alpha-2
    objectives: Sequence[int] = ()
    when: Mapping[str, Any] | None = None  # a `When` as it travels
    place: str = ""
    credit: str = ""  # whom to name for text and pictures
    files: Sequence[Mapping[str, Any]] = ()  # what came with it, by hash, as it travels
    standing: str = ""  # how far a pledge has come; readers are not told, but an approval given before it changed is void
    address: str = ""  # where readers find the source; empty where it has no page
    withdrawn_because: str | None = None  # in the words of who ended the source

    @property
    def state(self) -> ItemState:
        """Where it stands."""
        return ItemState.POOLED if self.withdrawn_because is None else ItemState.WITHDRAWN


def item_of(told: Told, event: Received[Any], **facts: Any) -> Item:
    """Return an item of a source with these facts of `event`, as the source stands now."""
    ended = {"withdrawn_because": told.ended} if told.ended is not None else {}
    return Item(
        source_kind=told.kind.value,
        source_id=told.id,
        event_id=event.id,
        trace_id=event.trace_id,
        told_at=event.time,
        revision=told.revision,
        **{**facts, **ended},
    )


def level_of(countries: Sequence[str], regions: Sequence[Region] = ()) -> Level:
    """Return how far something reaches: one country is national, several or a region are regional, none named is global."""
    if len(countries) == 1:
        return Level.NATIONAL
    return Level.REGIONAL if countries or regions else Level.GLOBAL


def summaries_of(texts: Mapping[Language, str]) -> Mapping[Language, str]:
    """Return texts as long as the newsletter prints of an item."""
    return {language: shortened(text, SUMMARY_LENGTH) for language, text in texts.items()}


def shortened(text: str, most: int = LINE_LENGTH) -> str:
    """Return a text of `most` characters at most, cut behind a paragraph, a sentence or a word, whichever leaves half of it."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    for end, kept in (("\n\n", 0), (". ", 1), ("。", 1), ("؟ ", 1), ("! ", 1), ("? ", 1)):
        place = head.rfind(end)
        if place >= most // 2:
            return head[: place + kept].rstrip()
    place = head.rfind(" ")
    return (head[:place] if place >= most // 2 else head).rstrip() + "…"
