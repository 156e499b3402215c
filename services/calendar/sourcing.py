"""The dates of Talks, pledges, news and issues: brought to where the newest word of their source says that they stand."""

from typing import Any

from services.calendar.domain.dates import StoredDate
from services.calendar.domain.sources import Wanted
from services.calendar.planning import Planning
from services.calendar.store import dates, sources
from shared import clock
from shared.db import Transaction
from shared.events.base import Source
from shared.events.codes import DateKind
from shared.ids import new_id
from shared.listening import Received


class Sourcing:
    """Follows what other services tell; a word that is not newer than the one known changes nothing."""

    def __init__(self, planning: Planning) -> None:
        self._planning = planning

    async def follow(self, tx: Transaction, event: Received[Any], source: Source, kind: DateKind, wanted: Wanted | None) -> None:
        """Add, move, reword, finish or cancel the date of a source, each at most once; None is for a source without a day."""
        if not await sources.take_newer(tx, source, event.revision, at=clock.now()):
            return
        found = await dates.of_source(tx, source, kind)
        if wanted is None:
            await self._end(tx, event, found)
        elif found is None:
            new = wanted.as_new(id_=new_id(), historic=event.historic, trace_id=event.trace_id)
            await self._planning.add(tx, new, cause=event.as_cause())
        else:
            await self._bring(tx, event, await dates.note_source(tx, found, historic=event.historic), wanted)

    async def withdraw(self, tx: Transaction, event: Received[Any], source: Source, kind: DateKind) -> None:
        """Cancel the date of a source that no longer stands; its reason is for those who had plans with it, not for the public."""
        await self.follow(tx, event, source, kind, None)

    async def _end(self, tx: Transaction, event: Received[Any], found: StoredDate | None) -> None:
        if found is not None and not found.is_cancelled:
            await self._planning.cancel(tx, found, cause=event.as_cause())

    async def _bring(self, tx: Transaction, event: Received[Any], found: StoredDate, wanted: Wanted) -> None:
        cause, planning = event.as_cause(), self._planning
        if found.is_cancelled and not wanted.cancelled:
            found = await planning.revive(tx, found, cause=cause)
        moves = wanted.when != found.when and not found.is_cancelled
        found = await planning.reword(
            tx,
            found,
            wanted.description,
            cause=cause,
            source_address=wanted.address,
            public=found.public or wanted.public,
            synthetic=wanted.synthetic,
            tells=not (moves or wanted.cancelled),
        )
        if moves:
            found = await planning.move(tx, found, wanted.when, cause=cause)
        if not found.is_cancelled and wanted.done_on != found.done_on:
            found = await planning.mark_done(tx, found, done_on=wanted.done_on)
        if wanted.cancelled and not found.is_cancelled:
            await planning.cancel(tx, found, cause=cause, because=wanted.because)
