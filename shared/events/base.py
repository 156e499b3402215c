"""What all events have in common, and the parts that they are made of."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, TypeVar

from annotated_types import MaxLen
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from shared.events.codes import CURRENCIES, LANGUAGES, Language, Principle, Region, Service, SourceKind
from shared.events.texts import Identifier, Line, LocalLine, Sha256, WebAddress

V = TypeVar("V")

MOST_DECIMAL_PLACES = 3  # of any currency in use
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,3})?")


class Audience(StrEnum):
    """Who may see a field. Written behind a field's type, `Annotated[Line, Internal]`, and shown as `x-audience` in its schema."""

    PUBLIC = "public"  # meant for publication
    INTERNAL = "internal"  # for the people who work with Tidings
    CONTACT = "contact"  # a person's name and address: only ever encrypted outside the service that took it in

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of the marked field with its audience."""
        return {**handler(schema), "x-audience": self.value}


Public = Audience.PUBLIC
Internal = Audience.INTERNAL
ContactOnly = Audience.CONTACT


def mark_of(model: type[BaseModel], field: str) -> Audience | None:
    """Return the audience that a field is marked with, None where it is not marked."""
    return next((mark for mark in model.model_fields[field].metadata if isinstance(mark, Audience)), None)


class EventData(BaseModel):
    """What an event says. The subject that it is about, its time, cause and revision travel beside it, in the headers."""

    # A newer teller may add a field; an older listener passes over it.
    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]  # a fact in the past tense with its version
    tellers: ClassVar[frozenset[Service]]
    listeners: ClassVar[frozenset[Service]]
    key: ClassVar[str]  # word for what the subject is; all events of one subject arrive in order
    audience: ClassVar[Audience] = Public  # of every field that is not marked otherwise

    @classmethod
    def audience_of(cls, field: str) -> Audience:
        """Return who may see a field."""
        return mark_of(cls, field) or cls.audience

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /) -> JsonSchemaValue:
        """Return the schema with the audience of every field."""
        schema = handler(core_schema)
        for field in handler.resolve_ref_schema(schema).get("properties", {}).values():
            field.setdefault("x-audience", cls.audience.value)
        return schema


class Part(BaseModel):
    """A value that events are made of."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def services(*names: Service) -> frozenset[Service]:
    """Return a set of services."""
    return frozenset(names)


EVERY_SERVICE = frozenset(Service)
REVIEWERS = services(Service.INTAKE, Service.PLEDGES, Service.CALENDAR)
"""The services that review what is submitted."""


def _sorted_by(order: Callable[[Any], Any]) -> Callable[[tuple[V, ...]], tuple[V, ...]]:
    # One order and no repeats, so that equal content has equal bytes.
    def sort(values: tuple[V, ...]) -> tuple[V, ...]:
        return tuple(sorted(set(values), key=order))

    return sort


def in_order_of(words: Iterable[V]) -> Callable[[tuple[V, ...]], tuple[V, ...]]:
    """Return a function that puts a tuple of `words` into their own order, each once."""
    return _sorted_by({word: place for place, word in enumerate(words)}.__getitem__)


def _number(value: object) -> object:
    # Forms send digits as text; `true` is no number, though Python takes it for 1.
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value)
    if isinstance(value, bool):
        raise PydanticCustomError("objective-out-of-range", "must be the number of an objective, 1 to 23")
    return value


def _objective(value: int) -> int:
    if not 1 <= value <= 23:
        raise PydanticCustomError("objective-out-of-range", "objective {number} does not exist; they run from 1 to 23", {"number": value})
    return value


Objective = Annotated[
    int,
    Field(strict=True),
    BeforeValidator(_number),
    AfterValidator(_objective),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 23}),
]
"""The number of an objective of the Global Compact."""

Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
"""An ISO 3166-1 alpha-2 code. Which codes exist is checked where something comes in, so that a reader never stumbles over a new one."""

Objectives = Annotated[
    tuple[Objective, ...],
    MaxLen(23),
    AfterValidator(_sorted_by(int)),
    Field(description="Numbers of the objectives of the Global Compact, 1 to 23."),
]
Principles = Annotated[
    tuple[Principle, ...],
    MaxLen(10),
    AfterValidator(in_order_of(Principle)),
    Field(description="Guiding principles of the Global Compact."),
]
Countries = Annotated[
    tuple[Country, ...],
    MaxLen(260),
    AfterValidator(_sorted_by(str)),
    Field(description="Countries it is about, by ISO 3166-1 alpha-2 code."),
]
Regions = Annotated[tuple[Region, ...], MaxLen(5), AfterValidator(in_order_of(Region)), Field(description="Review regions it is about.")]
Languages = Annotated[tuple[Language, ...], MaxLen(6), AfterValidator(in_order_of(LANGUAGES)), Field(description="Languages.")]


def _decimal(value: object) -> object:
    # A JSON number may have passed through a float on its way here, and cents with it.
    if isinstance(value, str | Decimal) and _AMOUNT.fullmatch(str(value).strip()):
        return Decimal(str(value).strip())
    raise PydanticCustomError("not-an-amount", 'must be a decimal in a string, such as "1500000.00"')


def _amount(value: Decimal, info: ValidationInfo) -> Decimal:
    if value <= 0:
        raise PydanticCustomError("amount-not-positive", "must be more than nothing")
    currency = str(info.data.get("currency"))
    places = CURRENCIES.get(currency, MOST_DECIMAL_PLACES)
    if value != round(value, places):
        raise PydanticCustomError(
            "too-many-decimal-places", "{currency} has {places} decimal places", {"currency": currency, "places": places}
        )
    return value


class Money(Part):
    """An amount in a currency."""

    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] = Field(
        title="Currency", description="ISO 4217 code.", examples=["USD"]
    )
    amount: Annotated[
        Decimal, BeforeValidator(_decimal), AfterValidator(_amount), WithJsonSchema({"type": "string", "pattern": f"^{_AMOUNT.pattern}$"})
    ] = Field(
        title="Amount", description="More than nothing; a decimal in a string: digits and a point, no separators.", examples=["1500000.00"]
    )


class Link(Part):
    """An address with the words to show for it."""

    address: WebAddress = Field(title="Address", description="Web address.", examples=["https://example.org/report"])
    label: Annotated[Line | None, Field(title="Words", description="What the link leads to; the address itself is shown where empty.")] = (
        None
    )


class FileByHash(Part):
    """A file that stays with the service that took it in and is fetched there by its hash."""

    sha256: Sha256 = Field(description="SHA-256 of the bytes.")
    service: Service = Field(description="The service that keeps it and serves it at /{service}/files/{sha256}.")
    name: Line = Field(description="File name as it was given.")
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]+$", max_length=100)] = Field(description="Media type.")
    size: int = Field(ge=0, le=25 * 1024 * 1024, description="Bytes; 25 MB at most.")
    alternative: LocalLine | None = Field(default=None, description="What a picture shows, for those who cannot see it.")


class Source(Part):
    """What something came from: enough to recognise the same thing told by two services."""

    kind: SourceKind = Field(description="What it is.")
    id: Identifier = Field(description="Its id, the subject of its own events.")


class Withdrawn(EventData):
    """What every withdrawal says; what was drafted from it and has not left yet must not leave."""

    reason: Annotated[Line, Internal] = Field(description="Why, in words for the people who had plans with it.")


def version_of(event_type: str) -> int:
    """Return the version in an event type's name."""
    return int(event_type.rpartition(".v")[2])
