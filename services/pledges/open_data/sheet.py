"""The register as CSV: one line a pledge, lists joined by `;`, nothing that a spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row

from services.pledges.open_data.records import record
from shared.sheets import as_cell

COLUMNS = (
    "number",
    "title",
    "description",
    "language",
    "entity",
    "entity_type",
    "participants",
    "kinds",
    "way",
    "matches",
    "matched_by",
    "scope",
    "countries",
    "regions",
    "objectives",
    "principles",
    "metric",
    "baseline",
    "target",
    "progress",
    "amount",
    "currency",
    "start",
    "due",
    "overdue",
    "state_claimed",
    "claimed_on",
    "evidence",
    "evidence_seen_on",
    "freshness",
    "superseded_by",
    "published_on",
    "address",
    "revision",
    "synthetic",
    "as_of",
)
"""Title and description are given in the language in which they were written; `synthetic` is true of invented sample data."""


def lines(rows: Sequence[Row[Any]], day: date, matched_by: Mapping[str, Sequence[str]], public_url: str) -> str:
    """Return the lines of these pledges."""
    return _written(_cells(record(row, day, matched_by.get(row.number, ()), public_url), day) for row in rows)


def first_line() -> str:
    """Return the line that names the columns."""
    return _written([COLUMNS])


def _cells(told: Mapping[str, Any], day: date) -> Sequence[str]:
    money = told["money"] or {}
    values = {
        **told,
        "title": told["title"][told["language"]],
        "description": told["description"][told["language"]],
        "amount": money.get("amount"),
        "currency": money.get("currency"),
        "state_claimed": told["claimed"]["state"],
        "claimed_on": told["claimed"]["on"],
        "evidence": told["evidence"]["links"],
        "evidence_seen_on": told["evidence"]["seen_on"],
        "as_of": day.isoformat(),
    }
    return [as_cell(_cell(values[column])) for column in COLUMNS]


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ";".join(str(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _written(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)  # RFC 4180
    return text.getvalue()
