"""The rules of practices: what an accepted submission becomes, and what the others are told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.intake.domain.submissions import StoredSubmission
from shared.events.intake import PracticePublished


class PracticeState(StrEnum):
    """Where a practice stands."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class PracticeWords:
    """What a practice says, and what a correction may change."""

    title: Mapping[str, str]
    summary: Mapping[str, str]
    text: Mapping[str, str] | None
    entity: str
    entity_type: str
    countries: list[str]
    objectives: list[int]
    principles: list[str]
    links: list[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class NewPractice(PracticeWords):
    """A practice about to be published."""

    id: UUID
    submission_id: UUID
    language: str
    published_at: datetime


def words_of(fields: Mapping[str, Any]) -> PracticeWords:
    """Return what a practice says, from the public fields of the kind's model."""
    return PracticeWords(**_words(fields))


def practice_from(submission: StoredSubmission, fields: Mapping[str, Any], *, practice_id: UUID, at: datetime) -> NewPractice:
    """Return the practice that an accepted submission becomes; `fields` are its public ones, as a colleague may have changed them."""
    return NewPractice(id=practice_id, submission_id=submission.id, language=submission.language, published_at=at, **_words(fields))


def _words(fields: Mapping[str, Any]) -> dict[str, Any]:
    lists = {name: list(fields.get(name, ())) for name in ("countries", "objectives", "principles", "links")}
    return {name: fields[name] for name in ("title", "summary", "entity", "entity_type")} | {"text": fields.get("text")} | lists


def published_event(practice: Any, address: str) -> PracticePublished:
    """Return what the others are told of a published practice; `practice` is one about to be published, or its row."""
    # The model reads what the database gave back; the types of both are the model's business.
    fields: dict[str, Any] = {name: getattr(practice, name) for name in PracticePublished.model_fields if name != "address"}
    return PracticePublished(**fields, address=address)
