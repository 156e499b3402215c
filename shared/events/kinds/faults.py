"""What is wrong at which place of a body: JSON pointers (RFC 6901) and codes, never the value that stands there.

A value is not repeated because it may be long, and because it may be somebody's mail address: answers are logged and stored
by those who get them. Where it stands and what was wanted is enough to find it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic_core import ErrorDetails

from shared.events.kinds.rules import KIND_RULES

Params = Mapping[str, str | int]
Say = Callable[[str, Params], str]
"""Gives the sentence of a catalogue key in the reader's language, its `{names}` filled from the params."""

MAX_NAME_CHARACTERS = 64  # of one name in a pointer; ours are shorter, so only unknown names are cut
MAX_PARAM_CHARACTERS = 300  # of the list of words that a field takes; the schema holds the whole of it


class FaultCode(Enum):
    """What can be wrong with one value, in the words that forms use too: the sentence has the key `fault.<code>` [params]."""

    MISSING = "missing"
    UNEXPECTED = "unexpected"  # a field that nobody knows
    UNKNOWN_TYPE = "unknown-type"  # the event's type is none that the door takes [expected]
    NOT_TEXT = "not-text"
    NOT_A_NUMBER = "not-a-number"
    NOT_A_WHOLE_NUMBER = "not-a-whole-number"
    NOT_TRUE_OR_FALSE = "not-true-or-false"
    NOT_A_LIST = "not-a-list"
    NOT_AN_OBJECT = "not-an-object"
    TOO_SHORT = "too-short"  # text [n], in characters
    TOO_LONG = "too-long"  # text [n], in characters
    TOO_FEW = "too-few"  # entries [n]
    TOO_MANY = "too-many"  # entries [n]
    TOO_SMALL = "too-small"  # number or time [limit]
    TOO_LARGE = "too-large"  # number or time [limit]
    PATTERN = "pattern"  # [pattern], a regular expression
    NOT_ONE_OF = "not-one-of"  # [expected]
    NOT_A_DAY = "not-a-day"
    NOT_A_MOMENT = "not-a-moment"  # date and time with zone (RFC 3339)
    NO_ZONE = "no-zone"  # date and time, and no zone
    NOT_AN_ADDRESS = "not-an-address"  # of the web
    NOT_A_UUID = "not-a-uuid"
    WRONG = "wrong"  # anything else; the schema and the kind's description say what is wanted

    @property
    def key(self) -> str:
        """The catalogue key of the sentence."""
        return fault_key(self.value)


def fault_key(code: str) -> str:
    """Return the catalogue key for a fault's code."""
    return f"fault.{code}"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One value that does not fit, told by its place."""

    pointer: str  # RFC 6901, from the root of the body; "" is the body itself; for a header its name
    part: str = "body"  # of the request: body or header
    code: str  # of FaultCode, or one that a kind's own rule raised
    params: Params = field(default_factory=dict)

    def document(self, say: Say) -> dict[str, str]:
        """Return the fault as an entry of `errors` in a problem document."""
        return {"in": self.part, "pointer": self.pointer, "code": self.code, "detail": say(fault_key(self.code), self.params)}


def fault(pointer: str, code: FaultCode, **params: str | int) -> Fault:
    """Return one fault of the closed set."""
    return Fault(pointer=pointer, code=code.value, params=params)


def pointer_to(path: Sequence[str | int]) -> str:
    """Return the JSON pointer of a path; names that are long, or that hold an @, are cut and end in an ellipsis."""
    return "".join("/" + brief_name(str(part)).replace("~", "~0").replace("/", "~1") for part in path)


def brief_name(name: str) -> str:
    """Return the name of a member as it may be told: cut where it is long or holds an @, without what cannot be printed."""
    # A mail address used as a name is a contact all the same.
    cut = name.split("@", 1)[0][:MAX_NAME_CHARACTERS]
    if cut != name:
        cut += "…"
    # A lone surrogate or a control character came in by an escape and must not break the answer or a log line.
    return "".join(character if character.isprintable() else "\ufffd" for character in cut)


def of_validation(
    errors: Sequence[ErrorDetails], data: object, *, root: str = "/data", rules: Collection[str] = KIND_RULES
) -> tuple[Fault, ...]:
    """Return pydantic's `errors` about `data` as faults, in order, each place and code once.

    `root` is the pointer of `data` in the body. `rules` are the codes of the kinds' own rules (raised as PydanticCustomError) that
    have a sentence in the catalogue; any other that is not known becomes `wrong`.
    """
    # A list that has lost a wrong member may also be called too short; that is no news to the sender.
    outer = {error["loc"][:length] for error in errors for length in range(len(error["loc"]))}
    found: dict[tuple[str, str], Fault] = {}
    for error in errors:
        if error["loc"] in outer:
            continue
        pointer = root + pointer_to(_path(error["loc"], data) + _discriminator(error))
        code, params = meaning_of(error, rules)
        found.setdefault((pointer, code), Fault(pointer=pointer, code=code, params=params))
    return tuple(found.values())


def _path(location: Sequence[str | int], data: object) -> list[str | int]:
    """Follow pydantic's location through the data: it also names branches of unions and validators, which are no places."""
    path: list[str | int] = []
    here: Any = data
    for position, part in enumerate(location):
        in_object = isinstance(here, Mapping)
        in_list = isinstance(here, list) and isinstance(part, int) and -1 < part < len(here)
        if in_list or (in_object and part in here):
            here = here[part]
            path.append(part)
        elif in_object and position == len(location) - 1 and part != "[key]":
            path.append(part)  # the name that is missing
    return path


def _discriminator(error: ErrorDetails) -> list[str | int]:
    """Return the name of the field that says which branch of a union is meant, where that field is what is wrong."""
    if error["type"] not in {"union_tag_invalid", "union_tag_not_found"}:
        return []
    name = str(error.get("ctx", {}).get("discriminator", ""))
    return [name.strip("'")] if name.startswith("'") else []  # without quotation marks it is a function of ours


_CODES: Mapping[str, FaultCode] = {
    "missing": FaultCode.MISSING,
    "union_tag_not_found": FaultCode.MISSING,
    "extra_forbidden": FaultCode.UNEXPECTED,
    "string_type": FaultCode.NOT_TEXT,
    "string_unicode": FaultCode.NOT_TEXT,
    "float_type": FaultCode.NOT_A_NUMBER,
    "float_parsing": FaultCode.NOT_A_NUMBER,
    "finite_number": FaultCode.NOT_A_NUMBER,
    "decimal_type": FaultCode.NOT_A_NUMBER,
    "decimal_parsing": FaultCode.NOT_A_NUMBER,
    "int_type": FaultCode.NOT_A_WHOLE_NUMBER,
    "int_parsing": FaultCode.NOT_A_WHOLE_NUMBER,
    "int_from_float": FaultCode.NOT_A_WHOLE_NUMBER,
    "bool_type": FaultCode.NOT_TRUE_OR_FALSE,
    "bool_parsing": FaultCode.NOT_TRUE_OR_FALSE,
    "list_type": FaultCode.NOT_A_LIST,
    "tuple_type": FaultCode.NOT_A_LIST,
    "set_type": FaultCode.NOT_A_LIST,
    "frozen_set_type": FaultCode.NOT_A_LIST,
    "iterable_type": FaultCode.NOT_A_LIST,
    "dict_type": FaultCode.NOT_AN_OBJECT,
    "mapping_type": FaultCode.NOT_AN_OBJECT,
    "model_type": FaultCode.NOT_AN_OBJECT,
    "model_attributes_type": FaultCode.NOT_AN_OBJECT,
    "dataclass_type": FaultCode.NOT_AN_OBJECT,
    "string_too_short": FaultCode.TOO_SHORT,
    "string_too_long": FaultCode.TOO_LONG,
    "url_too_long": FaultCode.TOO_LONG,
    "too_short": FaultCode.TOO_FEW,
    "too_long": FaultCode.TOO_MANY,
    "greater_than": FaultCode.TOO_SMALL,
    "greater_than_equal": FaultCode.TOO_SMALL,
    "less_than": FaultCode.TOO_LARGE,
    "less_than_equal": FaultCode.TOO_LARGE,
    "string_pattern_mismatch": FaultCode.PATTERN,
    "literal_error": FaultCode.NOT_ONE_OF,
    "enum": FaultCode.NOT_ONE_OF,
    "union_tag_invalid": FaultCode.NOT_ONE_OF,
    "date_type": FaultCode.NOT_A_DAY,
    "date_parsing": FaultCode.NOT_A_DAY,
    "date_from_datetime_parsing": FaultCode.NOT_A_DAY,
    "date_from_datetime_inexact": FaultCode.NOT_A_DAY,
    "datetime_type": FaultCode.NOT_A_MOMENT,
    "datetime_parsing": FaultCode.NOT_A_MOMENT,
    "datetime_object_invalid": FaultCode.NOT_A_MOMENT,
    "datetime_from_date_parsing": FaultCode.NOT_A_MOMENT,
    "timezone_aware": FaultCode.NO_ZONE,
    "url_type": FaultCode.NOT_AN_ADDRESS,
    "url_parsing": FaultCode.NOT_AN_ADDRESS,
    "url_syntax_violation": FaultCode.NOT_AN_ADDRESS,
    "url_scheme": FaultCode.NOT_AN_ADDRESS,
    "uuid_type": FaultCode.NOT_A_UUID,
    "uuid_parsing": FaultCode.NOT_A_UUID,
    "uuid_version": FaultCode.NOT_A_UUID,
}

# Where pydantic keeps the limit that a sentence names. All of these come from the schema; none is what was sent.
_LIMITS: Mapping[FaultCode, tuple[str, tuple[str, ...]]] = {
    FaultCode.TOO_SHORT: ("n", ("min_length",)),
    FaultCode.TOO_LONG: ("n", ("max_length",)),
    FaultCode.TOO_FEW: ("n", ("min_length",)),
    FaultCode.TOO_MANY: ("n", ("max_length",)),
    FaultCode.TOO_SMALL: ("limit", ("gt", "ge")),
    FaultCode.TOO_LARGE: ("limit", ("lt", "le")),
    FaultCode.PATTERN: ("pattern", ("pattern",)),
    FaultCode.NOT_ONE_OF: ("expected", ("expected", "expected_tags")),
}


def meaning_of(error: ErrorDetails, rules: Collection[str]) -> tuple[str, Params]:
    """Return the code of one of pydantic's errors and the params of its sentence; `rules` as in `of_validation`."""
    context = error.get("ctx", {})
    if error["type"] in rules:
        return error["type"], {name: _brief(value) for name, value in context.items() if isinstance(value, str | int)}
    code = _CODES.get(error["type"], FaultCode.WRONG)
    name, sources = _LIMITS.get(code, ("", ()))
    limit = next((context[source] for source in sources if source in context), None)
    if limit is None:
        # Without its limit the sentence would have a hole.
        return (FaultCode.WRONG.value if sources else code.value), {}
    if isinstance(limit, int):
        return code.value, {name: limit}
    text = str(limit)
    if code is FaultCode.NOT_ONE_OF:
        # pydantic writes "'a', 'b' or 'c'": without the English word it serves every language.
        text = text.replace("' or '", "', '")
    return code.value, {name: text if len(text) <= MAX_PARAM_CHARACTERS else text[:MAX_PARAM_CHARACTERS] + "…"}


def _brief(value: str | int) -> str | int:
    """Return a param as it may be told: a rule can name what was sent, so it is cut where it is long or holds an @."""
    if isinstance(value, int):
        return value
    cut = value.split("@", 1)[0][:MAX_PARAM_CHARACTERS]
    return cut if cut == value else cut + "…"
