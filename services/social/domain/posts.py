"""A post as people write it: what it says on each network in each language, when it is to leave, and when it must not any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.social.domain.content import Content
from services.social.domain.deliveries import MAY_STAND, Result, State
from shared.events.base import Source
from shared.events.codes import Language
from shared.events.texts import LINE_LENGTH
from shared.wall_clock import Planned, plan

ABOUT = "post"
"""The word for it in approvals, tasks and the audit trail."""

_SURE = frozenset({Result.REFUSED.value, Result.NOT_NOW.value})
_BEGUN = frozenset({State.SENDING.value, State.UNKNOWN.value, State.PUBLISHED.value})


@dataclass(frozen=True, kw_only=True)
class Wish:
    """When a post is to leave, as the clock on the wall shows it in a zone, and when it must not leave any more."""

    local: datetime | None  # None while no time is wished; it does not leave then
    zone: str  # IANA name
    until: datetime | None  # in the same zone; None where it does not grow stale

    @property
    def planned(self) -> Planned | None:
        """The instant that is meant, with what is odd about it."""
        return plan(self.local, self.zone) if self.local else None

    @property
    def expires_at(self) -> datetime | None:
        """The instant from which it must not leave."""
        return plan(self.until, self.zone).instant.astimezone(UTC) if self.until else None


@dataclass(frozen=True, kw_only=True)
class Post:
    """A post with all its variants."""

    id: UUID
    draft_id: UUID | None  # the machine's draft that it was begun from
    source: Source | None
    source_revision: int | None
    source_withdrawn: str | None  # why its source no longer stands, in the words of who withdrew it
    wish: Wish
    variants: Mapping[str, Content]  # by name: x/en
    outdated: frozenset[str] = frozenset()  # variants whose words are older than what the source says now
    trace_id: str

    @property
    def content(self) -> Mapping[str, Mapping[str, Any]]:
        """What people approve."""
        return {name: variant.as_variant() for name, variant in self.variants.items()}

    @property
    def title(self) -> dict[Language, str]:
        """The first line of each language, to know it by; a mark where nothing is written yet."""
        found: dict[Language, str] = {}
        for name in sorted(self.variants):
            variant = self.variants[name]
            found.setdefault(variant.language, " ".join(variant.text.strip().partition("\n")[0].split())[:LINE_LENGTH] or "…")
        return found


class Stage(StrEnum):
    """What a post waits for, in the order in which people look at it."""

    WAITING = "waiting"  # for a person, on its way out
    AWAITS = "awaits"  # another person's approval
    WORK = "work"  # to be written, changed or submitted again
    PLANNED = "planned"  # approved, and not all of it has left
    PUBLISHED = "published"
    ENDED = "ended"  # rejected or withdrawn


_ENDED = frozenset({"rejected", "withdrawn"})


def stage_of(post: Post, standing: str, deliveries: Mapping[str, str]) -> Stage:
    """Return what a post waits for, by the state of its approval and those of its deliveries, by variant."""
    if State.WAITING in deliveries.values():
        return Stage.WAITING
    if post.variants and all(deliveries.get(name) == State.PUBLISHED for name in post.variants):
        return Stage.PUBLISHED
    if standing == "approved":
        return Stage.PLANNED
    if standing == "submitted":
        return Stage.AWAITS
    return Stage.ENDED if standing in _ENDED else Stage.WORK


def may_have_left(state: str, outcomes: Sequence[str | None]) -> bool:
    """Say whether a variant has left or may have, by what was tried.

    `state` is that of its delivery, `outcomes` those of every attempt to send it; None is one without an end.
    """
    return state in _BEGUN or any(outcome not in _SURE for outcome in outcomes)


def is_fixed(state: str, waiting_for: str | None, outcomes: Sequence[str | None]) -> bool:
    """Say whether a variant has left or may have: then neither its words nor its plan can be changed any more.

    What a restore holds was not tried as far as anybody knows, and may stand all the same, until a person has looked.
    """
    return may_have_left(state, outcomes) or (state == State.WAITING and waiting_for in MAY_STAND)
