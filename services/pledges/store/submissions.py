"""Pledges that came in, as the door told of them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.pledges.domain.submissions import WORDS, StoredSubmission, SubmissionState, says_more
from services.pledges.store.tables import submissions
from shared import clock
from shared.auth.tokens import Person
from shared.db import Transaction
from shared.events.intake import SubmissionReceived
from shared.listening import Received

_STORED = tuple(submissions.c[name] for name in StoredSubmission.__dataclass_fields__)


async def take_in(tx: Transaction, event: Received[SubmissionReceived]) -> StoredSubmission | None:
    """Return a submission of which the door has told something new, or None.

    The first word is kept, and a newer one takes its place as long as no decision was made. What was decided on stays as it was then: a
    newer word that says more is kept beside it, in `later`.
    """
    word = _word_of(event)
    new = insert(submissions).values(
        id=UUID(event.subject),
        **word,
        trace_id=event.trace_id,
        received_at=event.time,
        state=SubmissionState.RECEIVED.value,
        decision_revision=0,
    )
    added = (await tx.execute(new.on_conflict_do_nothing(index_elements=[submissions.c.id]).returning(*_STORED))).one_or_none()
    if added is not None:
        return _stored(added)
    known = await lock(tx, UUID(event.subject))
    if known is None or known.revision >= event.revision:
        return None
    if known.is_open:
        return await _change(tx, known, **word, state=SubmissionState.RECEIVED.value)
    if not says_more(known, word):
        await _change(tx, known, revision=event.revision)
        return None
    later = {name: word[name] for name in WORDS} | {"came_at": clock.rfc3339(event.time), "event_id": str(event.id)}
    return await _change(tx, known, revision=event.revision, later=[*known.later, later])


def _word_of(event: Received[SubmissionReceived]) -> dict[str, Any]:
    data = event.data
    return {
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


async def _change(tx: Transaction, known: StoredSubmission, **values: Any) -> StoredSubmission:
    return _stored((await tx.execute(update(submissions).where(submissions.c.id == known.id).values(**values).returning(*_STORED))).one())


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
