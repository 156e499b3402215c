"""A form filled with what stands already, as a browser would have sent it: what `Filled` reads from it are the same values again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.intake.kinds.form import FormField, Posted, Widget


def posted_of(fields: Sequence[FormField], values: Mapping[str, Any], language: str) -> Posted:
    """Return what a browser sends for these values; texts in `language` have the plain name of their field.

    Dates that are known to the day are filled in; other times are no part of what is filled in again.
    """
    return {name: found for field in fields for name, found in _sent(field, values.get(_last(field.name)), language)}


def _sent(field: FormField, value: Any, language: str) -> Iterator[tuple[str, list[str]]]:
    if value in (None, [], {}):
        return
    match field.widget:
        case Widget.BOXES | Widget.CODES:
            yield field.name, [str(one) for one in value]
        case Widget.LINES:
            yield field.name, ["\n".join(value)]
        case Widget.TEXTS:
            yield from ((field.name if code == language else f"{field.name}.{code}", [text]) for code, text in value.items())
        case Widget.DAYS:
            yield f"{field.name}.first", [value["first"]]
            yield f"{field.name}.last", [value["last"]]
        case Widget.GROUP:
            yield from ((name, sent) for part in field.parts for name, sent in _sent(part, value.get(_last(part.name)), language))
        case Widget.ROWS:
            for number, row in enumerate(value):
                yield from ((f"{field.name}.{number}.{name}", [str(one)]) for name, one in row.items() if one is not None)
        case Widget.WHEN:
            return
        case _:
            yield field.name, [str(value)]


def _last(name: str) -> str:
    return name.rpartition(".")[2]
