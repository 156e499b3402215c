"""What becomes a draft of a post, with where it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.events.codes import Language
from shared.events.times import When
from shared.heard import Told
from shared.i18n import translate
from shared.listening import Received
from shared.when import say


class DraftState(StrEnum):
    """Where a draft stands."""

    DRAFTED = "drafted"  # made by the machine; it has no author until a person submits it
    WITHDRAWN = "withdrawn"  # its source no longer stands; it must not be posted


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A post to be, with where it came from."""

    source_kind: str  # a SourceKind
    source_id: str  # the subject of the source's own events
    milestone: str = ""  # what came of the source, such as `fulfilled`, that is worth a post of its own; empty for the source itself
    label: str  # what it is about: its words are `source.<label>`
    event_id: UUID  # the event it was last made from
    trace_id: str  # finds the whole story of it
    told_at: datetime  # when its source was published, as the event says
    revision: int  # of the source; an older one never replaces a newer one
    language: str  # in which the source was written
    title: Mapping[Language, str]
    texts: Mapping[Language, str]  # what the post would say, before anybody has edited it
    when: Mapping[str, Any] | None = None  # a `When` as it travels
    place: str = ""
    credit: str = ""  # whom to name for the pictures
    files: Sequence[Mapping[str, Any]] = ()  # what came with it, by hash, as it travels
    networks: Sequence[str] = ()  # wished for by who asked; empty for any
    wished: Mapping[str, Any] | None = None  # when it should appear, by who asked: a `Due` as it travels
    standing: str = ""  # how far a pledge has come; it is not posted, but an approval given before it changed is void
    address: str = ""  # where the post leads; empty where it leads nowhere
    withdrawn_because: str | None = None  # in the words of who ended the source

    @property
    def state(self) -> DraftState:
        """Where it stands."""
        return DraftState.DRAFTED if self.withdrawn_because is None else DraftState.WITHDRAWN


def draft_of(told: Told, event: Received[Any], **facts: Any) -> Draft:
    """Return a draft about a source with these facts of `event`, as the source stands now."""
    ended = {"withdrawn_because": told.ended} if told.ended is not None else {}
    return Draft(
        source_kind=told.kind.value,
        source_id=told.id,
        event_id=event.id,
        trace_id=event.trace_id,
        told_at=event.time,
        revision=told.revision,
        **{**facts, **ended},
    )


def compose(*, title: str, entity: str, address: str) -> str:
    """Return the words to start from: whose it is, what it is, where to read it. No sentence, so no language to get wrong."""
    return f"{entity}: {title}\n{address}"


def compose_all(
    titles: Mapping[Language, str], *, label: str = "", entity: str = "", when: When | None = None, address: str = ""
) -> Mapping[Language, str]:
    """Return the words to start from in each language: what it is, its title, when it is and whose, where to read it."""
    return {language: _composed(language, title, label, entity, when, address) for language, title in titles.items()}


def _composed(language: Language, title: str, label: str, entity: str, when: When | None, address: str) -> str:
    head = translate(language, "social.draft.about", label=translate(language, f"source.{label}"), title=title) if label else title
    whose = " · ".join(part for part in (say(when, language) if when else "", entity) if part)
    return "\n".join(part for part in (head, whose, address) if part)
