"""What submissions become: kept, corrected, withdrawn, in the table of their kind."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, insert, select, update

from services.intake.domain import StoredSubmission
from services.intake.domain.records import RecordState
from services.intake.store.slugs import insert_under_free_slug
from shared.db import Transaction
from shared.ids import new_id

FIRST_REVISION = 1


async def add(
    tx: Transaction,
    table: Table,
    submission: StoredSubmission,
    fields: Mapping[str, Any],
    at: datetime,
    *,
    slugs: Sequence[str] = (),
    **columns: Any,
) -> Row[Any]:
    """Return what a submission has become, now kept; under the first of `slugs` that is free where its kind has pages."""
    values = {
        "id": new_id(),
        "submission_id": submission.id,
        "state": RecordState.PUBLISHED.value,
        "revision": FIRST_REVISION,
        "language": submission.language,
        "fields": fields,
        "published_at": at,
        "updated_at": at,
        **columns,
    }
    if slugs:
        await insert_under_free_slug(tx, table, slugs, **values)
    else:
        await tx.execute(insert(table).values(**values))
    return (await tx.execute(select(table).where(table.c.id == values["id"]))).one()


async def correct(tx: Transaction, table: Table, submission_id: UUID, fields: Mapping[str, Any], at: datetime, **columns: Any) -> Row[Any]:
    """Change what stands; returns it as it is now, its address the same."""
    return await _advance(tx, table, submission_id, fields=fields, updated_at=at, corrected_at=at, **columns)


async def withdraw(tx: Transaction, table: Table, submission_id: UUID, *, reason: str, at: datetime) -> Row[Any]:
    """Take back what stands; returns it as it is now."""
    return await _advance(tx, table, submission_id, state=RecordState.WITHDRAWN.value, withdrawn_because=reason, updated_at=at)


async def _advance(tx: Transaction, table: Table, submission_id: UUID, **values: Any) -> Row[Any]:
    done = await tx.execute(
        update(table)
        .where(table.c.submission_id == submission_id, table.c.state == RecordState.PUBLISHED.value)
        .values(revision=table.c.revision + 1, **values)
        .returning(table)
    )
    row: Row[Any] = done.one()
    return row


async def fields_of(tx: Transaction, table: Table, submission_id: UUID) -> Mapping[str, Any] | None:
    """Return the fields of what a submission became, withdrawn or not, or None."""
    found = await tx.execute(select(table.c.fields).where(table.c.submission_id == submission_id))
    fields: Mapping[str, Any] | None = found.scalar_one_or_none()
    return fields
