"""What all kinds have in common: strict values, the contact person, and the split into what is public, internal and personal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeVar

from annotated_types import MaxLen, MinLen
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError

from shared.events import base, times
from shared.events.base import Audience, ContactOnly, Internal, Public, mark_of
from shared.events.codes import COUNTRIES, CURRENCIES, SYNTHETIC_COUNTRIES, Language, Level, Region, Service
from shared.events.texts import Line, Text, clean_line

T = TypeVar("T")

SYNTHETIC: Mapping[str, bool] = {"synthetic": True}
"""Validation context under which the country codes of invented States are accepted; only for rows marked as sample data."""

UNKNOWN_CONTACT: Mapping[str, bool] = {"unknown_contact": True}
"""Validation context under which nobody may be named to write to: a colleague enters what came by note verbale, say."""

_LAST = ("remarks", "contact")

STRICT = ConfigDict(frozen=True, extra="forbid")

# Longest local part and whole address (RFC 5321, section 4.5.3.1; 254 follows from the 256 of a path with its brackets).
_MAIL_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_MAIL_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MAIL_LENGTH = 254


# The parts as they come in: unlike those of an event they refuse fields that they do not know, so that a slip of the pen is told.
class Window(times.Window):
    """A stretch of time within which something falls."""

    model_config = STRICT


class TimeWithZone(times.TimeWithZone):
    """A time of day in a place."""

    model_config = STRICT


class Days(times.Days):
    """Whole days."""

    model_config = STRICT


class ApproximateDate(times.ApproximateDate):
    """What is known only to the month, quarter, half-year or year, or goes on."""

    model_config = STRICT

    windows: Annotated[tuple[Window, ...], MinLen(1), MaxLen(12)] = Field(
        title="Periods",
        description="One period, or several that lie apart, in order. From the first day of a month to the end of what `precision` says.",
    )


When = Annotated[TimeWithZone | Days | ApproximateDate, Field(discriminator="precision")]
Due = Annotated[TimeWithZone | Days, Field(discriminator="precision")]


class Link(base.Link):
    """An address with the words to show for it."""

    model_config = STRICT


def _known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise PydanticCustomError("unknown-currency", "{code} is no currency in use; give its ISO 4217 code, such as USD", {"code": code})
    return code


class Money(base.Money):
    """An amount in a currency."""

    model_config = STRICT

    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$"), AfterValidator(_known_currency)] = Field(
        title="Currency", description="ISO 4217 code.", examples=["USD"]
    )


def _known_countries(codes: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    allowed = COUNTRIES | SYNTHETIC_COUNTRIES if isinstance(info.context, Mapping) and info.context.get("synthetic") else COUNTRIES
    if unknown := [code for code in codes if code not in allowed]:
        raise PydanticCustomError("unknown-country", "{code} is no ISO 3166-1 alpha-2 code", {"code": unknown[0]})
    return codes


Countries = Annotated[base.Countries, AfterValidator(_known_countries)]


def _mail_address(value: str) -> str:
    local, at, domain = value.rpartition("@")
    try:
        # People write their domain in their own script; mail servers know its ASCII form.
        labels = domain.encode("idna").decode("ascii").lower().split(".")
    except UnicodeError:
        labels = []
    address = f"{local}@{'.'.join(labels)}"
    sound = at and _MAIL_LOCAL.fullmatch(local) and ".." not in local and not local.startswith(".") and not local.endswith(".")
    if not sound or len(labels) < 2 or not all(map(_MAIL_LABEL.fullmatch, labels)) or labels[-1].isdigit() or len(address) > _MAIL_LENGTH:
        raise PydanticCustomError("mail-address", "is not a mail address, such as name@example.org")
    return address


MailAddress = Annotated[
    str,
    StringConstraints(min_length=1, max_length=_MAIL_LENGTH),
    BeforeValidator(clean_line),
    AfterValidator(_mail_address),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": _MAIL_LENGTH}),
]


class Contact(BaseModel):
    """The person to write to. Kept encrypted; never published, never shown to other partners."""

    model_config = STRICT

    name: Line = Field(title="Your name", description="The person to write to.", examples=["Amina Example"])
    mail: MailAddress = Field(title="Your mail address", description="Where questions and the answer go.", examples=["amina@example.org"])


def _known_contact(value: object, info: ValidationInfo) -> object:
    if value is None and not (isinstance(info.context, Mapping) and info.context.get("unknown_contact")):
        raise PydanticKnownError("missing")
    return value


@dataclass(frozen=True, kw_only=True)
class Split:
    """A submission divided by who may see what, as JSON values."""

    public: dict[str, JsonValue]  # meant for publication once accepted
    internal: dict[str, JsonValue]  # for the reviewers
    contact: dict[str, JsonValue]  # to be encrypted before it is kept or told; empty where nobody is known


class Submission(BaseModel):
    """What every kind asks for."""

    model_config = STRICT

    kind_name: ClassVar[str]  # word for it, as in the address of its form
    type: ClassVar[str]  # its type at the webhook door
    reviewed_by: ClassVar[Service]
    example: ClassVar[Mapping[str, Any]]  # whole and valid: what a sender may send as `data`

    language: Annotated[Language, Public] = Field(
        title="Language",
        description="Language in which you write, and in which we answer; one of the languages of the title.",
        examples=["en"],
    )
    # Nobody only in what a colleague entered; whoever sends something in names a person.
    contact: Annotated[Contact | None, BeforeValidator(_known_contact), ContactOnly] = Field(
        title="Contact person", description="Never published.", examples=[{"name": "Amina Example", "mail": "amina@example.org"}]
    )
    remarks: Annotated[Text | None, Internal] = Field(
        default=None,
        title="Remarks for the reviewers",
        description="What the people who review this should know; not published.",
        examples=["The text was cleared by our ministry on 2 June."],
    )

    @classmethod
    def fields_in_order(cls) -> tuple[str, ...]:
        """Return the names of the fields as a form asks for them: the person comes last."""
        return (*(name for name in cls.model_fields if name not in _LAST), *_LAST)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /) -> JsonSchemaValue:
        """Return the schema with its fields in the order of the form, and the example."""
        schema = handler(core_schema)
        whole = handler.resolve_ref_schema(schema)
        # pydantic leaves out a title that is also the name of the field's class, and forms need it.
        whole["properties"] = {name: {**whole["properties"][name], "title": cls.model_fields[name].title} for name in cls.fields_in_order()}
        # Senders always name somebody.
        whole["properties"]["contact"] |= {
            "$ref": next(one["$ref"] for one in whole["properties"]["contact"].pop("anyOf") if "$ref" in one)
        }
        whole["examples"] = [dict(cls.example)]
        return schema

    @classmethod
    def audience_of(cls, field: str) -> Audience:
        """Return who may see a field."""
        mark = mark_of(cls, field)
        if mark is None:
            raise TypeError(f"{cls.__name__}.{field} is not marked: write Public, Internal or ContactOnly behind its whole type")
        return mark

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a kind with a field that nobody has said who may see."""
        super().__pydantic_init_subclass__(**kwargs)
        for field in cls.model_fields:
            cls.audience_of(field)

    def split(self) -> Split:
        """Return this submission divided by the marks of its fields; empty fields are left out."""
        fields = self.model_dump(mode="json", exclude_none=True)
        parts: dict[Audience, dict[str, JsonValue]] = {audience: {} for audience in Audience}
        for name, value in fields.items():
            parts[self.audience_of(name)][name] = value
        return Split(public=parts[Public], internal=parts[Internal], contact=parts[ContactOnly])

    @classmethod
    def joined(cls, split: Split, *, synthetic: bool = False) -> Self:
        """Return the submission that was split so; raises pydantic's ValidationError when the parts do not make one."""
        context = {**(SYNTHETIC if synthetic else {}), **({} if split.contact else UNKNOWN_CONTACT)}
        return cls.model_validate({**split.public, **split.internal, **(split.contact or {"contact": None})}, context=context)


def original_included(texts: Mapping[Language, T], info: ValidationInfo) -> Mapping[Language, T]:
    """Return `texts`; refuses them when the language that the sender writes in is not among them."""
    language = info.data.get("language")
    if language is not None and language not in texts:
        raise PydanticCustomError("original-missing", "has no text in {language}, the language named above", {"language": language})
    return texts


def same_languages(texts: Mapping[Language, T] | None, info: ValidationInfo) -> Mapping[Language, T] | None:
    """Return `texts`; refuses them when their languages are not those of the title."""
    title = info.data.get("title")
    if title is not None and texts is not None and set(texts) != set(title):
        raise PydanticCustomError("languages-differ", "must be in the languages of the title: {languages}", {"languages": ", ".join(title)})
    return texts


def region_where_regional(regions: tuple[Region, ...], info: ValidationInfo) -> tuple[Region, ...]:
    """Return `regions`; refuses none for what reaches over a region."""
    if not regions and info.data.get("level") is Level.REGIONAL:
        raise PydanticCustomError("region-missing", "what is regional names at least one region")
    return regions


def country_where_national(countries: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """Return `countries`; refuses none for what reaches over one country."""
    if not countries and info.data.get("level") is Level.NATIONAL:
        raise PydanticCustomError("country-missing", "what is national names its country")
    return countries


def advances_the_compact(principles: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
    """Return `principles`; refuses none when there is no objective either."""
    if not principles and info.data.get("objectives") == ():
        raise PydanticCustomError("outside-the-compact", "name at least one objective or one principle of the Global Compact")
    return principles


Original = AfterValidator(original_included)
AsTitle = AfterValidator(same_languages)
