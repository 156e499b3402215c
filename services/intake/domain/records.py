"""What submissions become beside practices and Talks: where it stands, and what the others are told of it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from shared.events.base import EventData


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


def facts_for(event: type[EventData], record: Record) -> dict[str, Any]:
    """Return what the others are told of a record; what the event does not carry, such as what only the form asks, is left out."""
    return {name: value for name, value in record.fields.items() if name in event.model_fields} | {"language": record.language}
