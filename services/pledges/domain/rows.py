"""A row of a list of pledges from elsewhere, read on the same model as the form: what it says, or why it is refused. No I/O."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import orjson
from pydantic import ValidationError

from services.pledges.domain.pledges import Facts, facts_of
from services.pledges.domain.submissions import number_as_written
from shared.events.codes import PledgeKind, PledgeState
from shared.events.kinds.faults import fault_key, meaning_of
from shared.events.kinds.parts import SYNTHETIC, UNKNOWN_CONTACT
from shared.events.kinds.pledge import PledgeSubmission
from shared.events.kinds.rules import KIND_RULES

WORLDWIDE = "global"
"""A region in lists that is none: such a pledge is about no region more than about another."""

Cells = Mapping[str, str]
"""A row by the names of its columns; what is empty is an empty text."""


class Refused(Exception):  # noqa: N818  # a verdict, not an error
    """This row is wrong."""

    def __init__(self, field: str, code: str, params: Mapping[str, Any] | None = None, *, key: str = "") -> None:
        """`key` is that of the catalogue's sentence, where the sentence is the one that forms and webhooks have for it."""
        super().__init__(code)
        self.field = field
        self.code = code
        self.params = params or {}
        self.key = key


@dataclass(frozen=True, kw_only=True)
class Step:
    """One word of its owner."""

    on: date
    state: PledgeState


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a row says."""

    line: int
    import_key: str
    import_hash: str
    facts: Facts  # as published, before any report; `matched_number` may be the key of another row
    steps: Sequence[Step]  # oldest first
    state: PledgeState  # at the end
    evidence: tuple[str, ...]
    superseded_by: str | None  # number, or key of another row
    contact: tuple[str, str] | None  # name and mail address

    @property
    def past(self) -> Sequence[tuple[date, Facts]]:
        """How it stood from which day, oldest first."""
        found = [(self.facts.published_on, self.facts if self.steps else replace(self.facts, state=self.state))]
        for place, step in enumerate(self.steps, start=1):
            last = place == len(self.steps)
            facts = replace(
                self.facts,
                state=step.state,
                reported_on=step.on,
                evidence=self.evidence if last else (),
                superseded_by=self.superseded_by if step.state is PledgeState.SUPERSEDED else None,
            )
            found.append((step.on, facts))
        return found


def entry_of(line: int, cells: Cells, *, today: date, rehearsing: bool) -> Entry:
    """Return what a row says; raises Refused for one that is wrong.

    `rehearsing` says that this system runs with demo parts: elsewhere a row of invented data is refused.
    """
    key = cells["id"]
    if not key:
        raise Refused("id", "missing", key=fault_key("missing"))
    synthetic = _truth(cells, "synthetic")
    if synthetic and not rehearsing:
        raise Refused("synthetic", "synthetic-in-service")
    submission = _submission(cells, synthetic=synthetic)
    submitted = _day(cells, "submitted") or _missing("submitted")
    if submitted > today:
        raise Refused("submitted", "in-future", {"day": submitted.isoformat()})
    facts = facts_of(submission.split().public, published_on=submitted, synthetic=synthetic)
    if facts.matched_number:
        facts = replace(facts, matched_number=number_as_written(facts.matched_number))
    steps = _steps(cells, submitted, today)
    state = _state(cells["status"], "status") if cells["status"] else steps[-1].state if steps else PledgeState.NOT_STARTED
    successor = number_as_written(cells["superseded_by"]) if cells["superseded_by"] else None
    _check_end(cells, steps, state, successor)
    return Entry(
        line=line,
        import_key=key,
        import_hash=hashlib.sha256(orjson.dumps(dict(cells), option=orjson.OPT_SORT_KEYS)).hexdigest(),
        facts=facts,
        steps=steps,
        state=state,
        evidence=_evidence(cells),
        superseded_by=successor if state is PledgeState.SUPERSEDED else None,
        contact=(submission.contact.name, submission.contact.mail) if submission.contact else None,
    )


def _submission(cells: Cells, *, synthetic: bool) -> PledgeSubmission:
    language = cells["language"]
    mail = cells["contact_email"]
    values: dict[str, Any] = {
        "language": language,
        "title": {language: cells["title"]},
        "description": {language: cells["description"]},
        "entity": cells["entity"],
        "entity_type": cells["entity_type"],
        "kinds": _several(cells["kinds"]),
        "way": cells["way"],
        "participants": _several(cells["participants"]),
        "matched_id": cells["matched_id"] or None,
        "matched_title": cells["matched_title"] or None,
        "scope": cells["scope"],
        "countries": _several(cells["country_code"]),
        "regions": [region for region in _several(cells["regions"]) if region != WORLDWIDE],
        "population": cells["population"],
        "objectives": _several(cells["objectives"]),
        "principles": _several(cells["principles"]),
        "metric": cells["metric"],
        "baseline": cells["baseline"] or None,
        "target": cells["target"],
        "money": {"currency": cells["currency"], "amount": cells["amount"]} if cells["amount"] or cells["currency"] else None,
        "start": cells["start"] or None,
        "due": cells["due"],
        "contact": {"name": cells["contact_name"] or cells["entity"] or "-", "mail": mail} if mail else None,
    }
    try:
        return PledgeSubmission.model_validate(values, context={**UNKNOWN_CONTACT, **(SYNTHETIC if synthetic else {})})
    except ValidationError as error:
        raise _refusal(error, cells) from None


# Columns that bear another name than the model's field.
_COLUMNS = {"countries": "country_code", "contact": "contact_email", "money": "amount"}


def _refusal(error: ValidationError, cells: Cells) -> Refused:
    """Return the first fault of a row under its column's name; faults that programs know by a code of their own have it."""
    first = error.errors(include_url=False)[0]
    field, *inner = [str(step) for step in first["loc"]] or ["id"]
    column = inner[0] if field == "money" and inner else _COLUMNS.get(field, field)
    code, params = meaning_of(first, KIND_RULES)
    if first["input"] in (None, "") and (code not in KIND_RULES or code == "not-a-day"):
        return Refused(column, "missing", key=fault_key("missing"))
    if field == "description" and code in {"too-short", "too-long"}:
        return Refused(column, f"description-{code}", {"length": len(cells["description"]), **params})
    if field == "kinds" and code == "not-one-of":
        return Refused(column, "unknown-kind", {"kind": first["input"], "kinds": ", ".join(PledgeKind)})
    if code in _WORDED:
        return Refused(column, code, {"due": cells["due"], **params})
    return Refused(column, code, params, key=fault_key(code))


_WORDED = frozenset({"objective-out-of-range", "matching-without-matched-id", "due-before-start", "refugees-only"})
"""Codes for which a list has sentences of its own: whoever reads them sees a line of a file and no form."""


def _steps(cells: Cells, submitted: date, today: date) -> Sequence[Step]:
    found: list[Step] = []
    for pair in _several(cells["updates"]):
        written, _, state = pair.partition("=")
        step = Step(on=_day_of(written.strip(), "updates"), state=_state(state.strip(), "updates"))
        if step.on > today:
            raise Refused("updates", "in-future", {"day": step.on.isoformat()})
        if step.on < (found[-1].on if found else submitted):
            raise Refused("updates", "out-of-order", {"day": step.on.isoformat()})
        found.append(step)
    last = _day(cells, "last_update")
    if not found and last is not None:
        if last > today:
            raise Refused("last_update", "in-future", {"day": last.isoformat()})
        if last < submitted:
            raise Refused("last_update", "out-of-order", {"day": last.isoformat()})
        return [Step(on=last, state=_state(cells["status"], "status"))]
    return found


def _check_end(cells: Cells, steps: Sequence[Step], state: PledgeState, successor: str | None) -> None:
    if steps and steps[-1].state is not state:
        raise Refused("status", "differs-from-updates", {"last": steps[-1].state.value})
    if steps and cells["last_update"] and steps[-1].on != _day(cells, "last_update"):
        raise Refused("last_update", "differs-from-updates", {"last": steps[-1].on.isoformat()})
    if state is PledgeState.SUPERSEDED and successor is None:
        raise Refused("superseded_by", "superseded-without-number", key="fault.superseded-without-number")


def _evidence(cells: Cells) -> tuple[str, ...]:
    address = cells["evidence_url"]
    if not address:
        return ()
    if not address.startswith(("https://", "http://")) or any(sign.isspace() for sign in address):
        raise Refused("evidence_url", "web-address", key=fault_key("web-address"))
    return (address,)


def _several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _truth(cells: Cells, column: str) -> bool:
    match cells[column].lower():
        case "true" | "yes" | "1":
            return True
        case "" | "false" | "no" | "0":
            return False
        case _:
            raise Refused(column, "not-true-or-false", key=fault_key("not-true-or-false"))


def _day(cells: Cells, column: str) -> date | None:
    return _day_of(cells[column], column) if cells[column] else None


def _day_of(written: str, column: str) -> date:
    try:
        return datetime.fromisoformat(written).date()
    except ValueError:
        raise Refused(column, "not-a-day", key=fault_key("not-a-day")) from None


def _state(written: str, column: str) -> PledgeState:
    try:
        return PledgeState(written)
    except ValueError:
        raise Refused(column, "unknown-state", {"states": ", ".join(PledgeState)}) from None


def _missing(column: str) -> date:
    raise Refused(column, "missing", key=fault_key("missing"))
