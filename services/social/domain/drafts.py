"""What becomes a draft of a post, and what a correction or withdrawal does to one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.events.codes import Language
from shared.events.intake import PracticePublished
from shared.listening import Received


class DraftState(StrEnum):
    """Where a draft stands."""

    DRAFTED = "drafted"  # made by the machine; it has no author until a person submits it
    WITHDRAWN = "withdrawn"  # its source no longer stands; it must not be posted


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A post to be, with where it came from."""

    source_kind: str  # practice
    source_id: str  # the subject of the source's own events
    event_id: UUID  # the event it was last made from
    trace_id: str  # finds the whole story of it
    told_at: datetime  # when its source was published, as the event says
    revision: int  # of the source; an older one never replaces a newer one
    language: str  # in which the source was written
    title: Mapping[Language, str]
    texts: Mapping[Language, str]  # what the post would say, before anybody has edited it
    address: str  # where the post leads


def draft_from_practice(event: Received[PracticePublished]) -> Draft:
    """Return the draft that a published practice gives."""
    practice = event.data
    address = str(practice.address)
    return Draft(
        source_kind="practice",
        source_id=event.subject,
        event_id=event.id,
        trace_id=event.trace_id,
        told_at=event.time,
        revision=event.revision,
        language=practice.language,
        title=practice.title,
        texts={language: compose(title=title, entity=practice.entity, address=address) for language, title in practice.title.items()},
        address=address,
    )


def compose(*, title: str, entity: str, address: str) -> str:
    """Return the words to start from: whose it is, what it is, where to read it. No sentence, so no language to get wrong."""
    return f"{entity}: {title}\n{address}"
