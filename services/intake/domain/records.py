"""What submissions become beside practices and Talks: where it stands, and what the others are told of it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from shared.events.base import EventData

E = TypeVar("E", bound=EventData)


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


def told(event: type[E], record: Record, **more: Any) -> E:
    """Return what the others are told of a record; what the event does not carry, such as what only the form asks, is left out."""
    named = {name: value for name, value in record.fields.items() if name in event.model_fields}
    return event(**{**named, "language": record.language, **more})
