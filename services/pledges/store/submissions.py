"""Pledges that came in, as the door told of them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.pledges.domain.submissions import OPEN, StoredSubmission, SubmissionState
from services.pledges.store.tables import submissions
from shared import clock
from shared.auth.tokens import Person
from shared.db import Transaction
from shared.events.intake import SubmissionReceived
from shared.listening import Received

_STORED = tuple(submissions.c[name] for name in StoredSubmission.__dataclass_fields__)


async def take_in(tx: Transaction, event: Received[SubmissionReceived]) -> StoredSubmission | None:
    """Return a submission that now awaits a decision: a new one, or one whose sender has answered; None where nothing is new.

    An older word than the one known changes nothing, and no answer opens again what was decided.
    """
    data = event.data
    values: dict[str, Any] = {
        "reference": data.reference,
        "language": data.language,
        "channel": data.channel.value,
        "partner": data.partner,
        "entered_by": data.entered_by,
        "public": dict(data.public),
        "internal": dict(data.internal),
        "files": [file.model_dump(mode="json") for file in data.files],
        "answers": [answer.model_dump(mode="json") for answer in data.answers],
        "contact_sealed": (data.contact or "").encode("ascii"),
        "event_id": event.id,
        "revision": event.revision,
    }
    waits = submissions.c.state.in_([state.value for state in OPEN])
    new = insert(submissions).values(
        id=UUID(event.subject),
        **values,
        trace_id=event.trace_id,
        received_at=event.time,
        state=SubmissionState.RECEIVED.value,
        decision_revision=0,
    )
    done = await tx.execute(
        new.on_conflict_do_update(
            index_elements=[submissions.c.id],
            set_={**values, "state": case((waits, SubmissionState.RECEIVED.value), else_=submissions.c.state)},
            where=submissions.c.revision < event.revision,
        ).returning(*_STORED)
    )
    row = done.one_or_none()
    found = _stored(row) if row else None
    return found if found and found.is_open else None


async def find(tx: Transaction, submission_id: UUID) -> StoredSubmission | None:
    """Return a submission, or None where there is none with this id."""
    return await _one(tx, select(*_STORED).where(submissions.c.id == submission_id))


async def lock(tx: Transaction, submission_id: UUID) -> StoredSubmission | None:
    """Return a submission that nobody else can change until the transaction ends, or None; waits for who is changing it."""
    return await _one(tx, select(*_STORED).where(submissions.c.id == submission_id).with_for_update())


async def decide(tx: Transaction, submission_id: UUID, state: SubmissionState, reason: str | None, *, by: Person) -> int:
    """Write a decision down, and return the revision of what is told of it."""
    done = await tx.execute(
        update(submissions)
        .where(submissions.c.id == submission_id)
        .values(
            state=state.value,
            reason=reason,
            decision_revision=submissions.c.decision_revision + 1,
            decided_at=clock.now(),
            decided_by=by.id,
            decided_by_name=by.name,
        )
        .returning(submissions.c.decision_revision)
    )
    revision: int = done.scalar_one()
    return revision


async def listing(tx: Transaction, state: SubmissionState | None, *, limit: int, offset: int) -> Sequence[StoredSubmission]:
    """Return submissions in a state, or in any: what waits longest first."""
    query = select(*_STORED).order_by(submissions.c.received_at, submissions.c.id).limit(limit).offset(offset)
    if state is not None:
        query = query.where(submissions.c.state == state.value)
    return [_stored(row) for row in await tx.execute(query)]


async def counts(tx: Transaction) -> Mapping[SubmissionState, int]:
    """Return how many submissions there are in each state."""
    rows = await tx.execute(select(submissions.c.state, func.count()).group_by(submissions.c.state))
    found = {str(state): int(count) for state, count in rows}
    return {state: found.get(state.value, 0) for state in SubmissionState}


async def _one(tx: Transaction, query: Select[Any]) -> StoredSubmission | None:
    row = (await tx.execute(query)).one_or_none()
    return _stored(row) if row else None


def _stored(row: Row[Any]) -> StoredSubmission:
    values = {name: getattr(row, name) for name in StoredSubmission.__dataclass_fields__}
    return StoredSubmission(**{**values, "state": SubmissionState(values["state"])})
