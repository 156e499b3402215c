"""What follows from a date that is entered, moved, cancelled or reworded: its deadlines go with it, and the others are told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, cast

from services.calendar.domain import following
from services.calendar.domain.dates import (
    Description,
    NewDate,
    NoDayBeforeError,
    StoredDate,
    check_may_change,
    check_moves,
)
from services.calendar.domain.following import OWN, OwnDeadline
from services.calendar.domain.whens import day_of, is_exact, is_over
from services.calendar.store import dates
from services.calendar.telling import Teller
from shared import clock, i18n
from shared.db import Transaction
from shared.events.codes import Language
from shared.events.times import When
from shared.ids import new_id
from shared.trace import Cause

Words = Mapping[Language, str]


class Planning:
    """Changes dates and tells of it, all within the transaction of the door; `zone` decides which day today is."""

    def __init__(self, public_url: str, zone: str) -> None:
        self.tell = Teller(public_url)
        self.zone = zone

    @property
    def today(self) -> date:
        """The day on which we are, by the clock of the calendar's own zone."""
        return day_of(clock.now(), self.zone)

    async def add(self, tx: Transaction, new: NewDate, *, cause: Cause) -> StoredDate:
        """Return a date that now stands in the calendar, with the deadlines that its kind has by itself; the others are told."""
        found = await dates.add(tx, new, at=clock.now())
        found = await (self.tell.cancelled if found.is_cancelled else self.tell.published)(tx, found, cause=cause)
        if not found.is_cancelled:
            for own in OWN.get(found.kind, ()):
                await self._add_own(tx, found, own, cause=cause)
        return found

    async def add_deadline(
        self, tx: Transaction, meeting: StoredDate, *, days: int, title: Words, language: Language, cause: Cause
    ) -> StoredDate:
        """Return a new deadline that moves with a meeting; raises CancelledError and NoDayBeforeError."""
        check_may_change(meeting)
        due = following.due_before(meeting.when, days)
        new = following.deadline_of(
            meeting,
            id_=new_id(),
            days=days,
            title=dict(title),
            language=language,
            historic=meeting.historic or is_over(due, self.today),
            trace_id=cause.trace_id,
        )
        return await self.add(tx, new, cause=cause)

    async def move(
        self, tx: Transaction, found: StoredDate, when: When, *, cause: Cause, by: str | None = None, because: Words | None = None
    ) -> StoredDate:
        """Return a date at another time, its deadlines with it; raises CancelledError and NotMovedError.

        A deadline that is moved by hand goes on following, at its new distance; raises NoDayBeforeError where it has none.
        """
        check_moves(found, when)
        days = None if found.follows is None else await self._distance(tx, found, when)
        return await self._move(tx, found, when, cause=cause, by=by, because=because, days_before=days)

    async def cancel(self, tx: Transaction, found: StoredDate, *, cause: Cause, because: Words | None = None) -> StoredDate:
        """Return a date that does not take place, nor what follows it; raises CancelledError."""
        check_may_change(found)
        cancelled = await self.tell.cancelled(tx, await dates.cancel(tx, found, at=clock.now(), because=because), cause=cause)
        for deadline in await dates.following(tx, found.id, held=True):
            if following.still_follows(deadline):
                await self.cancel(tx, deadline, cause=cause, because=because)
        return cancelled

    async def reword(
        self,
        tx: Transaction,
        found: StoredDate,
        description: Description,
        *,
        cause: Cause,
        plan: Mapping[str, Any] | None = None,
        source_address: str | None = None,
        public: bool | None = None,
        synthetic: bool | None = None,
        tells: bool = True,
    ) -> StoredDate:
        """Return a date in other words, told again where anything of it changed; not with `tells` false, where a greater change follows.

        Where it is `synthetic` now, or no longer, so are the deadlines that follow it.
        """
        after: dict[str, Any] = {"plan": found.plan if plan is None else plan, "source_address": source_address or found.source_address}
        shown = found.public if public is None else public
        invented = found.synthetic if synthetic is None else synthetic
        told = (found.description, found.public, found.synthetic)
        if (*told, found.plan, found.source_address) == (description, shown, invented, *after.values()):
            return found
        changed = await dates.reword(tx, found, description, at=clock.now(), public=shown, synthetic=invented, **after)
        if invented != found.synthetic:
            for deadline in await dates.following(tx, found.id, held=True):
                if following.still_follows(deadline):
                    await self.reword(tx, deadline, deadline.description, cause=cause, synthetic=invented)
        if not tells or told == (description, shown, invented):
            return changed
        return await (self.tell.cancelled if changed.is_cancelled else self.tell.published)(tx, changed, cause=cause)

    async def revive(self, tx: Transaction, found: StoredDate, *, cause: Cause) -> StoredDate:
        """Return a date that takes place after all."""
        return await self.tell.published(tx, await dates.confirm(tx, found, at=clock.now()), cause=cause)

    async def mark_done(self, tx: Transaction, found: StoredDate, *, done_on: date | None, note: Words | None = None) -> StoredDate:
        """Return a date that was done on a day, or with None is not done after all; raises CancelledError.

        Nobody is told: whoever follows the work plan reads it on its page.
        """
        check_may_change(found)
        return await dates.mark_done(tx, found, done_on=done_on, note=note, at=clock.now())

    async def _add_own(self, tx: Transaction, meeting: StoredDate, own: OwnDeadline, *, cause: Cause) -> None:
        if meeting.when.last_day is None:
            raise NoDayBeforeError(NoDayBeforeError.__doc__)
        title = {language: i18n.look_up(language, own.key)[0] for language in i18n.LANGUAGES}
        await self.add_deadline(tx, meeting, days=own.days_before, title=cast("dict[Language, str]", title), language="en", cause=cause)

    async def _distance(self, tx: Transaction, deadline: StoredDate, when: When) -> int | None:
        meeting = await dates.find(tx, deadline.follows) if deadline.follows else None
        days = None if meeting is None else following.distance(meeting.when, when)
        if meeting is not None and days is None:
            raise NoDayBeforeError(NoDayBeforeError.__doc__)
        return days

    async def _move(
        self,
        tx: Transaction,
        found: StoredDate,
        when: When,
        *,
        cause: Cause,
        by: str | None,
        because: Words | None,
        days_before: int | None = None,
    ) -> StoredDate:
        # What was over when it came in and is moved ahead of us is news like any other.
        historic = found.historic and is_over(when, self.today)
        moved = await dates.move(tx, found, when, at=clock.now(), by=by, because=because, days_before=days_before, historic=historic)
        moved = await self.tell.moved(tx, moved, found.when, cause=cause)
        if when.last_day is None and by is None:
            # A person is told that nothing can be due before what has no end; of a source or a list the deadlines stay until it has one.
            return moved
        for deadline in await dates.following(tx, found.id, held=True):
            if following.still_follows(deadline):
                await self._follow(tx, deadline, when, cause=cause, because=because)
        return moved

    async def _follow(self, tx: Transaction, deadline: StoredDate, meeting: When, *, cause: Cause, because: Words | None) -> None:
        was = deadline.when
        if not is_exact(was):  # before its meeting lost its day it may have had an hour
            was = next((one.was for one in await dates.moves_of(tx, deadline.id) if is_exact(one.was)), was)
        due = following.due_before(meeting, deadline.days_before or 0, was=was)
        if due != deadline.when:
            await self._move(tx, deadline, due, cause=cause, by=None, because=because)


def what_moves_with(meeting: StoredDate, deadlines: Sequence[StoredDate]) -> Sequence[StoredDate]:
    """Return those deadlines that go with a meeting when it moves or is cancelled."""
    return [one for one in deadlines if one.follows == meeting.id and following.still_follows(one)]


def past(new: NewDate, today: date) -> NewDate:
    """Return a new date marked as of the past where it is over: what lies behind us is no news."""
    return replace(new, historic=new.historic or is_over(new.when, today))
