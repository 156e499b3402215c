"""What a browser sends for the fields of a submission: the way back from the values of a model to those of its form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.intake.kinds.form import FormField, Widget, fields_of
from shared.events.kinds import KINDS


def posted(kind: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The fields of a kind's form, filled in with the values of its example or with others."""
    values = KINDS[kind].example if values is None else values
    language = str(values["language"])
    found: dict[str, Any] = {}
    for field in fields_of(KINDS[kind]):
        if field.name in values:
            found |= _posted(field, values[field.name], language)
    return found


def _posted(field: FormField, value: Any, language: str) -> dict[str, Any]:
    name = field.name
    match field.widget:
        case Widget.TEXTS:
            found = {name if code == language else f"{name}.{code}": text for code, text in value.items()}
        case Widget.LINES:
            found = {name: "\r\n".join(value)}
        case Widget.BOXES | Widget.CODES:
            found = {name: [str(one) for one in value]}
        case Widget.GROUP:
            parts = {part.name.rpartition(".")[2]: part for part in field.parts}
            found = {key: given for part, inner in value.items() for key, given in _posted(parts[part], inner, language).items()}
        case Widget.ROWS:
            found = {f"{name}.{row}.{part}": given for row, parts in enumerate(value) for part, given in parts.items()}
        case Widget.DAYS:
            found = {f"{name}.first": value["first"], f"{name}.last": value["last"]}
        case Widget.WHEN:
            found = _when(name, value)
        case _:
            found = {name: str(value)}
    return found


def _when(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    if value["precision"] == "day":
        return {name: "day", f"{name}.first": value["first"], f"{name}.last": value["last"]}
    begins, ends = (datetime.fromisoformat(value[part]).astimezone(ZoneInfo(value["zone"])) for part in ("starts", "ends"))
    return {
        name: "time",
        f"{name}.first": begins.date().isoformat(),
        f"{name}.from": begins.strftime("%H:%M"),
        f"{name}.last": ends.date().isoformat(),
        f"{name}.until": ends.strftime("%H:%M"),
        f"{name}.zone": value["zone"],
    }
