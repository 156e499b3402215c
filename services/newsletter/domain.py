"""What becomes an item for the newsletter, and what a correction or withdrawal does to one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.events.codes import Language
from shared.events.intake import PracticePublished
from shared.listening import Received


class ItemState(StrEnum):
    """Where an item of the pool stands."""

    POOLED = "pooled"  # waits for an issue
    WITHDRAWN = "withdrawn"  # its source no longer stands; it must not be printed


class Level(StrEnum):
    """How far an item reaches; the issue is sorted by it."""

    GLOBAL = "global"
    REGIONAL = "regional"
    NATIONAL = "national"


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something to print, with where it came from."""

    source_kind: str  # practice
    source_id: str  # the subject of the source's own events
    event_id: UUID  # the event it was last made from
    trace_id: str  # finds the whole story of it
    told_at: datetime  # when its source was published, as the event says
    revision: int  # of the source; an older one never replaces a newer one
    language: str  # in which the source was written
    title: Mapping[Language, str]
    summary: Mapping[Language, str]
    entity: str  # whose it is
    level: Level
    countries: list[str]  # ISO 3166-1 alpha-2
    objectives: list[int]
    address: str  # where readers find the source


def item_from_practice(event: Received[PracticePublished]) -> Item:
    """Return the item that a published practice gives."""
    practice = event.data
    return Item(
        source_kind="practice",
        source_id=event.subject,
        event_id=event.id,
        trace_id=event.trace_id,
        told_at=event.time,
        revision=event.revision,
        language=practice.language,
        title=practice.title,
        summary=practice.summary,
        entity=practice.entity,
        level=level_of(practice.countries),
        countries=list(practice.countries),
        objectives=list(practice.objectives),
        address=str(practice.address),
    )


def level_of(countries: tuple[str, ...]) -> Level:
    """Return how far something about these countries reaches: one is national, several are regional, none named is global."""
    if not countries:
        return Level.GLOBAL
    return Level.NATIONAL if len(countries) == 1 else Level.REGIONAL
