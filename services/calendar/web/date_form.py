"""The form in which the team enters a date or corrects its words: what it offers, what it holds, and how that is read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from services.calendar.domain.dates import Description
from services.calendar.domain.entering import BY_HAND, EMBARGOED
from services.calendar.web.entry_view import kind_title
from services.calendar.web.when_form import NAMES as WHEN_NAMES
from services.calendar.web.when_form import PRECISIONS
from shared import i18n
from shared.events.codes import OBJECTIVES, Principle, Region
from shared.reference.regions import region
from shared.reference.thematic import areas, priorities
from shared.reference.titles import Titles
from shared.web import wording
from shared.web.forms import Fault, faults_of
from shared.web.pages import Sentence, sentences
from shared.web.wording import Option

M = TypeVar("M", bound=BaseModel)

LINK_ROWS = 10
"""As many as a date may have."""
_LINK_ROWS_EMPTY = 4
_FIELDS_MAX = 300
_LINES = ("place", "entity", "theme", "priority", "language", "kind", "source_kind", "source_id")
_BOXES = ("regions", "objectives", "principles")
_NAMES = ("lead", "participants")


@dataclass(frozen=True, kw_only=True)
class Posted:
    """What a browser sent: every value of every name, in order."""

    values: Mapping[str, Sequence[str]]

    def one(self, name: str) -> str:
        """Return the value under a name, empty where there is none."""
        return next((value.strip() for value in self.values.get(name, ()) if value.strip()), "")

    def several(self, name: str) -> list[str]:
        """Return the values under a name, each once."""
        return list(dict.fromkeys(value.strip() for value in self.values.get(name, ()) if value.strip()))

    def texts(self, name: str) -> dict[str, str]:
        """Return the text of each language that is filled in."""
        return {code: text for code in i18n.CONTENT_LANGUAGES if (text := self.one(f"{name}.{code}"))}

    @property
    def when(self) -> Mapping[str, str]:
        """What the fields of the time hold."""
        return {name: self.one(name) for name in WHEN_NAMES}


async def posted(request: Request) -> Posted:
    """Return what a form sent, files left out."""
    async with request.form(max_files=0, max_fields=_FIELDS_MAX) as form:
        found: dict[str, list[str]] = {}
        for name, value in form.multi_items():
            if isinstance(value, str):
                found.setdefault(name, []).append(value)
    return Posted(values=found)


def words_of(given: Posted) -> dict[str, Any]:
    """Return the values for EnteredWords; what was left empty is left out, so that the model says what is missing."""
    values: dict[str, Any] = {name: given.one(name) for name in ("language", "place", "entity", "theme", "priority")}
    values |= {name: given.texts(name) for name in ("title", "summary")}
    values |= {name: given.several(name) for name in _BOXES}
    values |= {name: [part.strip() for part in given.one(name).split(";") if part.strip()] for name in _NAMES}
    values["countries"] = re.findall(r"[^\s,;]+", given.one("countries").upper())
    values["links"] = _links(given)
    return {name: value for name, value in values.items() if value}


def _links(given: Posted) -> list[Mapping[str, str]]:
    rows = ({name: given.one(f"links.{row}.{name}") for name in ("address", "label")} for row in range(LINK_ROWS))
    return [{name: value for name, value in row.items() if value} for row in rows if any(row.values())]


def read(model: type[M], values: Mapping[str, Any]) -> tuple[M | None, Sequence[Fault]]:
    """Return what was filled in, or None and what is wrong with it, under the names of the form's fields."""
    try:
        return model.model_validate(dict(values)), ()
    except ValidationError as error:
        return None, faults_of(error)


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What the form's fields hold."""

    lines: Mapping[str, str]  # of fields with one value; `title.en` among them
    boxes: Mapping[str, Sequence[str]]
    public: bool


def filled_by(given: Posted) -> Filled:
    """Return what somebody filled in, to be shown again."""
    lines = {name: given.one(name) for name in (*_LINES, *_NAMES, *WHEN_NAMES, "countries")}
    for name in ("title", "summary"):
        lines |= {f"{name}.{code}": given.one(f"{name}.{code}") for code in i18n.CONTENT_LANGUAGES}
    for row in range(LINK_ROWS):
        lines |= {f"links.{row}.{part}": given.one(f"links.{row}.{part}") for part in ("address", "label")}
    return Filled(lines=lines, boxes={name: given.several(name) for name in _BOXES}, public=given.one("public") == "yes")


def link_rows(filled: Filled) -> range:
    """Return the rows for links that a form shows: those that hold something, and a few in any case."""
    held = [row + 1 for row in range(LINK_ROWS) if filled.lines[f"links.{row}.address"] or filled.lines[f"links.{row}.label"]]
    return range(max([_LINK_ROWS_EMPTY, *held]))


def filled_with(words: Description, when: Mapping[str, str], *, kind: str, public: bool) -> Filled:
    """Return what the form holds for a date that is known."""
    values: dict[str, Sequence[str]] = {"kind": [kind], "public": ["yes"] if public else []}
    values |= {name: [getattr(words, name) or ""] for name in ("place", "entity", "theme", "priority", "language")}
    values |= {f"title.{code}": [text] for code, text in words.title.items()}
    values |= {f"summary.{code}": [text] for code, text in words.summary.items()}
    values |= {name: [str(one) for one in getattr(words, name)] for name in _BOXES}
    values |= {name: ["; ".join(getattr(words, name))] for name in _NAMES}
    values |= {name: [value] for name, value in when.items()} | {"countries": [" ".join(words.countries)]}
    for row, link in enumerate(words.links[:LINK_ROWS]):
        values |= {f"links.{row}.{part}": [link.get(part) or ""] for part in ("address", "label")}
    return filled_by(Posted(values=values))


def options(reader: str) -> Mapping[str, Sequence[Option]]:
    """Return what each field offers, in the reader's words."""
    t = sentences(reader)
    return {
        "kind": [(kind, kind_title(kind, reader)) for kind in BY_HAND],
        "language": [(code, _said_plainly(i18n.language_name(code, code), code, reader)) for code in i18n.CONTENT_LANGUAGES],
        "precision": [(one, _sentence(t(f"staff.dates.precision.{one}"))) for one in PRECISIONS],
        "objectives": [(str(number), wording.objective_title(number, reader)) for number in OBJECTIVES],
        "principles": [(code, wording.principle_title(code, reader)) for code in Principle],
        "regions": [(code, _titled(region(code).title, reader)) for code in Region],
        "theme": [(str(one.n), _titled(one.title, reader)) for one in areas()],
        "priority": [(one.code, _titled(one.title, reader)) for one in priorities()],
        "source_kind": [(kind, _sentence(t(f"staff.dates.source.{kind}"))) for kind in EMBARGOED],
    }


def labels(reader: str) -> Mapping[str, Sentence]:
    """Return the label of every field that something can be wrong with."""
    t = sentences(reader)
    named = {name: _sentence(t(f"staff.dates.field.{name}")) for name in (*_LINES, *_NAMES, "countries", "links", "title", "summary")}
    named |= {name: _sentence(t(f"staff.dates.field.{name}")) for name in ("precision", "starts", "ends", "zone", "because", "days_before")}
    named |= {name: _sentence(t(f"staff.dates.field.{name}")) for name in _BOXES}
    named |= {name: _sentence(t(f"staff.dates.field.{name[:-2]}")) for name in WHEN_NAMES if name.startswith(("first-", "last-"))}
    return named


def _titled(title: Titles, reader: str) -> Sentence:
    found = title.in_(reader)
    return Sentence(found.text, lang=found.lang, reader=reader)


def _said_plainly(text: str, lang: str, reader: str) -> Sentence:
    return Sentence(text, lang=lang, reader=reader)


def _sentence(text: str) -> Sentence:
    assert isinstance(text, Sentence)  # none of these holds markup
    return text
