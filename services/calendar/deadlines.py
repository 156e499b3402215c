"""Deadlines that come near are told of: once for each threshold and due day, whoever looks and however often."""

from datetime import timedelta
from uuid import UUID

from services.calendar.domain.nearness import REACH, crossed, due_day, is_awaited
from services.calendar.domain.whens import day_of
from services.calendar.store import dates
from services.calendar.store import deadlines as store
from services.calendar.telling import Teller
from shared import clock
from shared.db import Database, Transaction
from shared.trace import Cause


class Nearness:
    """Looks for deadlines that are near; `zone` decides which day today is."""

    def __init__(self, tell: Teller, zone: str) -> None:
        self._tell = tell
        self._zone = zone

    async def run(self, database: Database) -> int:
        """Tell of every deadline that has crossed a threshold since it was last told of, and return of how many."""
        today = day_of(clock.now(), self._zone)
        async with database.transaction() as tx:
            waiting = await store.due_between(tx, today - timedelta(days=1), today + REACH)
        told = 0
        for date_id in waiting:
            async with database.transaction() as tx:
                told += await self.look(tx, date_id)
        return told

    async def look(self, tx: Transaction, date_id: UUID) -> bool:
        """Tell of one deadline where it has crossed a threshold since it was last told of, and say whether it was told."""
        found = await dates.hold(tx, date_id)
        day = None if found is None else due_day(found, self._zone)
        if found is None or day is None or not is_awaited(found):
            return False
        left = (day - day_of(clock.now(), self._zone)).days
        # Where two were crossed since the last look, the nearer one says all: the other is noted, so that it is not told later.
        behind = crossed(left)
        new = await store.note_told(tx, found.id, day, behind, at=clock.now())
        if not new or min(new) != behind[0]:
            return False
        await self._tell.near(tx, found, left, cause=Cause.start())
        return True
