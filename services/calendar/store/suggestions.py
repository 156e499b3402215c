"""Dates that were suggested, kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert

from services.calendar.domain.dates import StoredDate
from services.calendar.domain.suggestions import OPEN, Suggestion, SuggestionState
from services.calendar.store.dates import date_of
from services.calendar.store.tables import dates, suggestions
from shared.db import Transaction
from shared.events.codes import DateStatus
from shared.events.times import When

_FIELDS = tuple(Suggestion.__dataclass_fields__)


async def take_in(tx: Transaction, new: Suggestion) -> Suggestion | None:
    """Return a suggestion as it is now kept, or None where this word of the door is not newer than the one known, or comes too late.

    What was asked and is now answered awaits the reviewers again; what was decided stays as it was when it was decided.
    """
    values = {name: getattr(new, name) for name in _FIELDS} | {"state": new.state.value, "answers": list(new.answers)}
    row = insert(suggestions).values(**values)
    told_again = {name: row.excluded[name] for name in ("public", "internal", "answers", "contact_sealed", "event_id", "revision")}
    reopened = func.replace(suggestions.c.state, SuggestionState.QUESTION.value, SuggestionState.RECEIVED.value)
    done = await tx.execute(
        row.on_conflict_do_update(
            index_elements=[suggestions.c.id],
            set_={**told_again, "state": reopened},
            where=(suggestions.c.revision < row.excluded.revision) & suggestions.c.state.in_([state.value for state in OPEN]),
        ).returning(suggestions)
    )
    kept = done.one_or_none()
    return None if kept is None else _suggestion(kept)


async def hold(tx: Transaction, suggestion_id: UUID) -> Suggestion | None:
    """Return a suggestion that nobody else decides on until `tx` ends, or None where there is none."""
    row = (await tx.execute(select(suggestions).where(suggestions.c.id == suggestion_id).with_for_update())).one_or_none()
    return None if row is None else _suggestion(row)


async def find(tx: Transaction, suggestion_id: UUID) -> Suggestion | None:
    """Return a suggestion, or None where there is none."""
    row = (await tx.execute(select(suggestions).where(suggestions.c.id == suggestion_id))).one_or_none()
    return None if row is None else _suggestion(row)


async def decide(
    tx: Transaction,
    found: Suggestion,
    state: SuggestionState,
    *,
    by: str,
    by_name: str,
    at: datetime,
    reason: str | None = None,
    reason_language: str | None = None,
    date_id: UUID | None = None,
) -> Suggestion:
    """Return a suggestion that is decided on; its `decision_revision` is that of the word to be told."""
    done = await tx.execute(
        update(suggestions)
        .where(suggestions.c.id == found.id)
        .values(
            state=state.value,
            reason=reason,
            reason_language=reason_language,
            date_id=date_id,
            decision_revision=suggestions.c.decision_revision + 1,
            decided_at=at,
            decided_by=by,
            decided_by_name=by_name,
        )
        .returning(suggestions)
    )
    return _suggestion(done.one())


async def listing(tx: Transaction, *, state: SuggestionState | None, limit: int, offset: int) -> tuple[Sequence[Suggestion], int]:
    """Return suggestions, those that wait longest first, and how many there are in all."""
    chosen = select(suggestions) if state is None else select(suggestions).where(suggestions.c.state == state.value)
    total = (await tx.execute(select(func.count()).select_from(chosen.subquery()))).scalar_one()
    rows = await tx.execute(chosen.order_by(suggestions.c.received_at, suggestions.c.id).limit(limit).offset(offset))
    return [_suggestion(row) for row in rows], total


async def counts(tx: Transaction) -> Mapping[str, int]:
    """Return how many suggestions stand in each state."""
    rows = await tx.execute(select(suggestions.c.state, func.count()).group_by(suggestions.c.state))
    found = {str(state): int(number) for state, number in rows}
    return {state.value: found.get(state.value, 0) for state in SuggestionState}


async def on_the_same_days(tx: Transaction, when: When, *, limit: int = 200) -> Sequence[StoredDate]:
    """Return the dates that stand and of which a day is also one of `when`."""
    begins_before_end = true() if when.last_day is None else dates.c.first_day <= when.last_day
    query = (
        select(dates)
        .where(
            dates.c.status != DateStatus.CANCELLED.value,
            begins_before_end,
            or_(dates.c.last_day.is_(None), dates.c.last_day >= when.first_day),
        )
        .order_by(dates.c.first_day, dates.c.id)
        .limit(limit)
    )
    return [date_of(row) for row in await tx.execute(query)]


def _suggestion(row: Row[Any]) -> Suggestion:
    kept: dict[str, Any] = dict(row._mapping)  # noqa: SLF001  # the documented way to a row's columns by name
    return Suggestion(**{name: kept[name] for name in _FIELDS} | {"state": SuggestionState(kept["state"])})
