"""The named days of this year and the next, added as the years come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import text

from services.calendar.domain import yearly as rules
from services.calendar.domain.dates import StoredDate
from services.calendar.planning import Planning, past
from services.calendar.store import dates
from shared.db import Database, Transaction
from shared.ids import new_id
from shared.trace import Cause

LOCK = "SELECT pg_advisory_xact_lock(hashtext('calendar:lists'))"
"""Held by whoever adds what is known by an import key, so that two at once do not both find it missing."""


class Years:
    """Adds the instances that are missing."""

    def __init__(self, planning: Planning) -> None:
        self._planning = planning

    async def run(self, database: Database) -> int:
        """Add the instances of the years in reach, and return how many there were to add."""
        async with database.transaction() as tx:
            await tx.execute(text(LOCK))
            return len(await self.add_missing(tx, self._planning.today, cause=Cause.start()))

    async def add_missing(self, tx: Transaction, today: date, *, cause: Cause, historic: bool = False) -> Sequence[StoredDate]:
        """Return the instances that this adds, as no news where they are `historic`: of a day whose last one was cancelled none."""
        added, leaping = [], await dates.years_on_leap_days(tx)
        for newest in await dates.newest_of_years(tx):
            wanted = [year for year in rules.years_in_reach(today) if year > newest.when.first_day.year and not newest.is_cancelled]
            for year in wanted:
                new = past(rules.instance_of(newest, year, leaps=newest.yearly in leaping, id_=new_id(), trace_id=cause.trace_id), today)
                added.append(await self._planning.add(tx, replace(new, historic=new.historic or historic), cause=cause))
        return added
