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
class NewPractice:
    """A practice about to be published."""

    id: UUID
    submission_id: UUID
    language: str
    title: Mapping[str, str]
    summary: Mapping[str, str]
    text: Mapping[str, str] | None
    entity: str
    entity_type: str
    countries: list[str]
    objectives: list[int]
    principles: list[str]
    links: list[Mapping[str, Any]]
    published_at: datetime


def practice_from(submission: StoredSubmission, *, practice_id: UUID, at: datetime) -> NewPractice:
    """Return the practice that an accepted submission becomes."""
    public = submission.public
    return NewPractice(
        id=practice_id,
        submission_id=submission.id,
        language=submission.language,
        title=public["title"],
        summary=public["summary"],
        text=public.get("text"),
        entity=public["entity"],
        entity_type=public["entity_type"],
        countries=list(public.get("countries", ())),
        objectives=list(public.get("objectives", ())),
        principles=list(public.get("principles", ())),
        links=list(public.get("links", ())),
        published_at=at,
    )


def published_event(practice: NewPractice, address: str) -> PracticePublished:
    """Return what the others are told of a published practice."""
    # The model reads what the database gave back; the types of both are the model's business.
    fields: dict[str, Any] = {name: value for name, value in vars(practice).items() if name in PracticePublished.model_fields}
    return PracticePublished(**fields, address=address)
