"""Rows of lists as they were last taken in, kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.calendar.domain.sheets import SheetRow
from services.calendar.store.tables import imported_rows
from shared import clock
from shared.db import Transaction


def row_as_kept(row: SheetRow) -> Mapping[str, Any]:
    """Return a row by the names of its columns, as text, so that it can be compared with one that comes later."""
    return {name: _text(value) for name, value in row.model_dump(mode="json").items()}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(f"{one['first']}/{one['last'] or ''}" if isinstance(one, dict) else str(one) for one in value)
    return "" if value is None else str(value)


async def rows_of(tx: Transaction, keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Return the rows with these keys as they were last taken in."""
    found = await tx.execute(select(imported_rows).where(imported_rows.c.key.in_(keys)))
    return {str(one.key): one.row for one in found}


async def keep(tx: Transaction, row: SheetRow) -> None:
    """Keep a row as it is now taken in."""
    now = clock.now()
    new = insert(imported_rows).values(key=row.id, row=row_as_kept(row), taken_at=now)
    await tx.execute(
        new.on_conflict_do_update(index_elements=[imported_rows.c.key], set_={"row": new.excluded.row, "taken_at": new.excluded.taken_at})
    )
