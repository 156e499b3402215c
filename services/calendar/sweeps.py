"""What is stuck in the calendar: suggestions that await nobody or came to nothing, tasks about what is decided, deadlines not told of."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Text, cast, select

from services.calendar.deadlines import Nearness
from services.calendar.domain.nearness import REACH, crossed, due_day, is_awaited
from services.calendar.domain.suggestions import SuggestionState
from services.calendar.domain.whens import day_of
from services.calendar.reviewing import TASK, Reviewing
from services.calendar.store import dates, deadlines, suggestions
from services.calendar.store.tables import dates as date_rows
from services.calendar.store.tables import suggestions as suggestion_rows
from services.calendar.store.tables import told_deadlines
from shared import clock, tasks
from shared.db import Transaction
from shared.events.codes import TaskEnd
from shared.mail.queue import store as mails
from shared.sweeps import BACK, TELLS, Promise, Stuck, Sweep, before, rows
from shared.task_sweeps import left_open, listens, not_asked
from shared.trace import Cause

# The job looks every five minutes; a deadline that was moved within the last hour may be on its way.
UNTOLD = timedelta(hours=1)

_received = suggestion_rows.c.state == SuggestionState.RECEIVED.value
_NO_DATE = rows(
    select(suggestion_rows.c.id, suggestion_rows.c.decided_at.label("since")).where(
        suggestion_rows.c.state == SuggestionState.ACCEPTED.value,
        suggestion_rows.c.decided_at > before(BACK),
        suggestion_rows.c.date_id.is_(None),
    ),
    "not-published",
)


def sweeps_of(public_url: str, reviewing: Reviewing, nearness: Nearness, zone: str) -> Sequence[Sweep]:
    """Return the sweeps of the calendar; `zone` decides which day today is."""

    async def ask(tx: Transaction, one: Stuck) -> bool:
        found = await suggestions.hold(tx, UUID(one.id))
        if found is None or found.state is not SuggestionState.RECEIVED:
            return False  # decided meanwhile
        await reviewing.ask_for_review(tx, found, cause=found.cause)
        return True

    async def ask_no_more(tx: Transaction, one: Stuck) -> bool:
        found = await suggestions.hold(tx, UUID(one.id))
        if found is not None and found.state is SuggestionState.RECEIVED:
            return False
        return await tasks.close_task(tx, TASK, one.id, end=TaskEnd.WITHDRAWN, by=None, cause=Cause.start(UUID(one.id)))

    async def untold(tx: Transaction) -> Sequence[Stuck]:
        now = clock.now()
        today = day_of(now, zone)
        midnight = datetime.combine(today, time(), ZoneInfo(zone)).astimezone(UTC)
        found = []
        for date_id in await deadlines.due_between(tx, today - timedelta(days=1), today + REACH):
            deadline = await dates.find(tx, date_id)
            day = None if deadline is None else due_day(deadline, zone)
            if deadline is None or day is None or not is_awaited(deadline):
                continue
            behind = crossed((day - today).days)
            changed = (await tx.execute(select(date_rows.c.updated_at).where(date_rows.c.id == date_id))).scalar_one()
            since = max(midnight, changed)
            if behind and since < now - UNTOLD and not await _was_told(tx, date_id, day, behind[0]):
                found.append(Stuck(id=str(date_id), why="not-near", since=since))
        return found

    async def tell(tx: Transaction, one: Stuck) -> bool:
        return await nearness.look(tx, UUID(one.id))

    suggestion_id = cast(suggestion_rows.c.id, Text)
    return (
        TELLS,
        *listens("calendar", public_url),
        Sweep(promise=Promise.KEPT, find=_NO_DATE),
        Sweep(promise=Promise.ASKED, find=not_asked(TASK, suggestion_id, _received, suggestion_rows.c.received_at), mend=ask),
        Sweep(promise=Promise.ASKED, find=left_open(TASK, suggestion_id, _received), mend=ask_no_more),
        Sweep(promise=Promise.NEAR, find=untold, mend=tell),
        *mails.SWEEPS,
    )


async def _was_told(tx: Transaction, date_id: UUID, day: object, days: int) -> bool:
    told = select(told_deadlines.c.days).where(
        told_deadlines.c.date_id == date_id, told_deadlines.c.due_day == day, told_deadlines.c.days == days
    )
    return (await tx.execute(told)).first() is not None
