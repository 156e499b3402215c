"""The form that asks what came of a Talk: a summary per language, the pledges and practices born there, links."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from services.intake.domain import IntakeError
from services.intake.domain.practices import PracticeState
from services.intake.store import practices, submissions
from shared import i18n
from shared.db import Transaction
from shared.events.kinds.parts import Link
from shared.events.texts import LocalText
from shared.web.forms import Fault, faults_of

_SUMMARY: TypeAdapter[LocalText] = TypeAdapter(LocalText)
LINES_MAX = 50
FIELDS = ("pledges", "practices", "links")
"""The fields that hold one thing a line."""


class OutcomeError(IntakeError):
    """What was written about a Talk cannot be taken as it is."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(self.__doc__)
        self.faults = faults


def filled_from(outcome: Mapping[str, Any] | None) -> Mapping[str, str]:
    """Return the form filled with what stands already."""
    known = outcome or {}
    summary = {f"summary.{code}": known.get("summary", {}).get(code, "") for code in i18n.CONTENT_LANGUAGES}
    return summary | {
        "pledges": "\n".join(one["number"] or one["id"] for one in known.get("pledges", ())),
        "practices": "\n".join(one["slug"] for one in known.get("practices", ())),
        "links": "\n".join(" ".join(filter(None, (one["address"], one.get("label")))) for one in known.get("links", ())),
    }


async def outcome_in(tx: Transaction, filled: Mapping[str, str]) -> dict[str, Any]:
    """Return what a form says came of a Talk, as it is kept: what was born there with its id; raises OutcomeError."""
    faults: list[Fault] = []
    summary = _summary(filled, faults)
    links = list(_links(filled, faults))
    born = {"pledges": await _pledges(tx, filled, faults), "practices": await _practices(tx, filled, faults)}
    if faults:
        raise OutcomeError(faults)
    return {"summary": summary, "links": links, **born}


def _summary(filled: Mapping[str, str], faults: list[Fault]) -> Mapping[str, str]:
    texts = {code: text for code in i18n.CONTENT_LANGUAGES if (text := filled.get(f"summary.{code}", "").strip())}
    try:
        return {str(code): text for code, text in _SUMMARY.validate_python(texts).items()}
    except ValidationError as error:
        if not texts:
            faults.append(_fault("summary.en", "missing"))
        else:
            faults += [replace(fault, field=f"summary.{fault.field}") for fault in faults_of(error)]
        return {}


def _links(filled: Mapping[str, str], faults: list[Fault]) -> Iterator[dict[str, Any]]:
    for line in _lines(filled, "links"):
        address, _, label = line.partition(" ")
        try:
            yield Link.model_validate({"address": address, "label": label.strip() or None}).model_dump(mode="json", exclude_none=True)
        except ValidationError as error:
            faults += [replace(fault, field="links") for fault in faults_of(error)]


async def _practices(tx: Transaction, filled: Mapping[str, str], faults: list[Fault]) -> list[dict[str, Any]]:
    found = []
    for slug in map(_last_part, _lines(filled, "practices")):
        practice = await practices.by_slug(tx, slug)
        if practice is None or practice.state != PracticeState.PUBLISHED.value:
            faults.append(_fault("practices", "no-such-practice", name=slug))
        else:
            found.append({"id": str(practice.id), "slug": slug, "title": practice.title})
    return found


async def _pledges(tx: Transaction, filled: Mapping[str, str], faults: list[Fault]) -> list[dict[str, Any]]:
    found = []
    for number in map(_last_part, _lines(filled, "pledges")):
        pledge = await submissions.pledge_of(tx, number)
        if pledge is None:
            faults.append(_fault("pledges", "pledge-not-known", name=number))
        else:
            found.append({"id": pledge.id, "number": pledge.number})
    return found


def _lines(filled: Mapping[str, str], name: str) -> Sequence[str]:
    lines = dict.fromkeys(line.strip() for line in filled.get(name, "").replace("\0", "").splitlines())
    return [line for line in lines if line][:LINES_MAX]


def _last_part(line: str) -> str:
    """Return what names a thing in its address, which people may write whole."""
    return line.partition("?")[0].rstrip("/").rpartition("/")[2]


def _fault(field: str, code: str, **params: str) -> Fault:
    return Fault(field=field, pointer="", part="body", code=code, key=f"fault.{code}", params=params)
