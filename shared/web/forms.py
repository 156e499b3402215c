"""What is wrong with the values of a form or a request body, field by field, in sentences of the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.events.kinds.faults import FaultCode, fault_key, meaning_of
from shared.events.kinds.rules import KIND_RULES

_OWN = "fault."
_NOT_OFFERED = "not-offered"  # of a list that the reader sees, so that its entries need not be named
# Where FastAPI found a value, before the path within it.
_PARTS = frozenset({"body", "query", "path", "header", "cookie"})


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One value that cannot be taken, and the sentence that says why."""

    field: str  # as the form names it: "title.en"
    pointer: str  # JSON pointer (RFC 6901): "/title/en"; empty for the whole
    part: str  # body, query, path, header or cookie
    code: str  # for programs; stays the same in every language, and is that of the webhook door where it has one
    key: str
    params: Mapping[str, Any]


def faults_of(errors: ValidationError | Sequence[ErrorDetails], *, located: bool = False) -> tuple[Fault, ...]:
    """Return the faults that pydantic found, in its order; `located` where FastAPI has put the request's part before each path.

    A validator of ours names its own sentence by raising `PydanticCustomError("fault.not-a-country", …)`; the rules of the kinds
    have theirs by their code alone.
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
    code, params = _meaning(error)
    return Fault(
        field=".".join(str(step) for step in path),
        pointer="".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path),
        part=part,
        code=code,
        key=fault_key(code),
        params=params,
    )


def _meaning(error: ErrorDetails) -> tuple[str, Mapping[str, Any]]:
    kind = error["type"]
    if kind.startswith(_OWN):
        return kind.removeprefix(_OWN), error.get("ctx", {})
    if kind not in KIND_RULES and error["input"] in (None, ""):
        return FaultCode.MISSING.value, {}  # an empty field of a form is sent as an empty string
    code, params = meaning_of(error, KIND_RULES)
    return (_NOT_OFFERED, {}) if code == FaultCode.NOT_ONE_OF.value else (code, params)
