"""What submissions become beside practices and Talks: where it stands, and what the others are told of it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from services.intake.domain.submissions import StoredSubmission
from shared.events.base import EventData
from shared.events.codes import Service


class RecordState(StrEnum):
    """Where something stands that was published or handed on."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Record(Protocol):
    """A row of what a submission became."""

    @property
    def language(self) -> str:
        """The language in which it was written."""
        ...

    @property
    def fields(self) -> Mapping[str, Any]:
        """The public fields of its kind's model."""
        ...


def told_files(submission: StoredSubmission) -> Any:
    """Return the files of a submission as events carry them: by their hashes."""
    return [{**file, "service": Service.INTAKE} for file in submission.files]


def facts_for(event: type[EventData], record: Record) -> dict[str, Any]:
    """Return what the others are told of a record; what the event does not carry, such as what only the form asks, is left out."""
    return {name: value for name, value in record.fields.items() if name in event.model_fields} | {"language": record.language}
