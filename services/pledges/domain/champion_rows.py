"""A row of a list of champion countries: what it says, or why it is refused. No I/O."""

import re
from datetime import date

from services.pledges.domain.rows import Cells, Refused
from shared.events.kinds.faults import fault_key
from shared.reference.countries import is_country
from shared.reference.titles import Mark

_WHEN = re.compile(r"[12][0-9]{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")
LINE_MAX_CHARACTERS = 300


def champion_of(cells: Cells) -> dict[str, str | None]:
    """Return the fields of a champion as a row has them; raises Refused."""
    code = cells["country"].upper()
    if not code:
        raise Refused("country", "missing", key=fault_key("missing"))
    if not is_country(code):
        raise Refused("country", "unknown-country", {"code": code}, key=fault_key("unknown-country"))
    if not cells["source"]:
        raise Refused("source", "missing", key=fault_key("missing"))
    for column in ("source", "note"):
        if len(cells[column]) > LINE_MAX_CHARACTERS:
            raise Refused(column, "too-long", {"n": LINE_MAX_CHARACTERS}, key=fault_key("too-long"))
    verified = cells["verified"] or Mark.NO.value
    if verified not in {mark.value for mark in Mark}:
        raise Refused("verified", "unknown-mark", {"marks": ", ".join(Mark)})
    days = {column: cells[column] or None for column in ("since", "seen", "until")}
    for column, day in days.items():
        if day is not None and not _is_when(day):
            raise Refused(column, "not-a-day", key=fault_key("not-a-day"))
    return {"country": code, **days, "source": cells["source"], "verified": verified, "note": cells["note"]}


def _is_when(text: str) -> bool:
    """Say whether a text is a year, a month of one or a day that there was."""
    if not _WHEN.fullmatch(text):
        return False
    try:
        date.fromisoformat(text + "0000-01-01"[len(text) :])
    except ValueError:
        return False
    return True
