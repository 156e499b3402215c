"""What is wrong with the values of a form or a request body, field by field, in sentences of the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

# pydantic's error types, each with our sentence and the names of its numbers there and here.
_SENTENCES: dict[str, tuple[str, str, str]] = {
    "missing": ("fault.missing", "", ""),
    "extra_forbidden": ("fault.unexpected", "", ""),
    "string_too_short": ("fault.too-short", "min_length", "n"),
    "string_too_long": ("fault.too-long", "max_length", "n"),
    "too_short": ("fault.too-few", "min_length", "n"),
    "too_long": ("fault.too-many", "max_length", "n"),
    "enum": ("fault.not-offered", "", ""),
    "literal_error": ("fault.not-offered", "", ""),
    "greater_than_equal": ("fault.too-small", "ge", "limit"),
    "less_than_equal": ("fault.too-large", "le", "limit"),
}
_FAMILIES = {
    "url_": "fault.not-an-address",
    "date_": "fault.not-a-day",
    "int_": "fault.not-a-number",
    "float_": "fault.not-a-number",
    "decimal_": "fault.not-a-number",
}
_OWN = "fault."
# Where FastAPI found a value, before the path within it.
_PARTS = frozenset({"body", "query", "path", "header", "cookie"})


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One value that cannot be taken, and the sentence that says why."""

    field: str  # as the form names it: "title.en"
    pointer: str  # JSON pointer (RFC 6901): "/title/en"; empty for the whole
    part: str  # body, query, path, header or cookie
    code: str  # for programs; stays the same in every language
    key: str
    params: Mapping[str, Any]


def faults_of(errors: ValidationError | Sequence[ErrorDetails], *, located: bool = False) -> tuple[Fault, ...]:
    """Return the faults that pydantic found, in its order; `located` where FastAPI has put the request's part before each path.

    A validator of ours names its own sentence by raising `PydanticCustomError("fault.not-a-country", …)`.
    """
    details = errors.errors(include_url=False) if isinstance(errors, ValidationError) else errors
    return tuple(_fault(error, located=located) for error in details)


def faults_in(faults: Sequence[Fault], field: str) -> list[Fault]:
    """Return the faults of one field of a form, those of its parts among them."""
    return [fault for fault in faults if fault.field == field or fault.field.startswith(f"{field}.")]


def _fault(error: ErrorDetails, *, located: bool) -> Fault:
    path = error["loc"]
    part = "body"
    if located and path and path[0] in _PARTS:
        part, path = str(path[0]), path[1:]
    key, params = _sentence(error)
    return Fault(
        field=".".join(str(step) for step in path),
        pointer="".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path),
        part=part,
        code=error["type"],
        key=key,
        params=params,
    )


def _sentence(error: ErrorDetails) -> tuple[str, dict[str, Any]]:
    kind, context = error["type"], error.get("ctx", {})
    if kind.startswith(_OWN):
        return kind, context
    if error["input"] is None or error["input"] == "":
        return "fault.missing", {}  # an empty field of a form is sent as an empty string
    if kind in _SENTENCES:
        key, theirs, ours = _SENTENCES[kind]
        return key, {ours: context[theirs]} if ours else {}
    for family, key in _FAMILIES.items():
        if kind.startswith(family):
            return key, {}
    return "fault.wrong", {}
