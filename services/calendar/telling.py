"""What the calendar tells of its dates; each word about a date is newer than the one before."""

from typing import Any

from services.calendar.domain.dates import StoredDate, due_of
from services.calendar.store import dates
from shared import outbox
from shared.actors import Actor
from shared.db import Transaction
from shared.events.base import EventData
from shared.events.calendar import DateCancelled, DateMoved, DatePublished, DeadlineNear
from shared.events.every import DecisionMade
from shared.events.times import When
from shared.trace import Cause

ABOUT = "date"
"""What the audit trail calls what is decided on here."""


class Teller:
    """Tells the other services and the audit trail; `public_url` is where people reach our pages."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def address_of(self, found: StoredDate) -> str:
        """Return the web address of a date's page."""
        return f"{self._public_url}{found.path}"

    async def published(self, tx: Transaction, found: StoredDate, *, cause: Cause) -> StoredDate:
        """Tell that a date stands, or stands in other words; return it with the revision that it was told with."""
        if not found.told:
            return found
        return await self._put(tx, found, DatePublished(**self._fields(found)), cause)

    async def moved(self, tx: Transaction, found: StoredDate, was: When, *, cause: Cause) -> StoredDate:
        """Tell that a date is at another time; otherwise as `published`, which is what a date that nobody has heard of is."""
        if not found.told or not found.revision:
            return await self.published(tx, found, cause=cause)
        return await self._put(tx, found, DateMoved(**self._fields(found), was=was), cause)

    async def cancelled(self, tx: Transaction, found: StoredDate, *, cause: Cause) -> StoredDate:
        """Tell that a date does not take place; otherwise as `published`."""
        if not found.told:
            return found
        return await self._put(tx, found, DateCancelled(**self._fields(found), reason=found.cancelled_because or None), cause)

    async def near(self, tx: Transaction, found: StoredDate, days_left: int, *, cause: Cause) -> StoredDate:
        """Tell that a deadline is near; raises ValueError for one whose day is not known."""
        due = due_of(found.when)
        if due is None:
            raise ValueError("what is known only roughly is near on no day")
        follows = str(found.follows) if found.follows else None
        title, address = found.description.title, self.address_of(found)
        return await self._put(tx, found, DeadlineNear(title=title, due=due, days_left=days_left, follows=follows, address=address), cause)

    async def decided(
        self, tx: Transaction, found: StoredDate, what: str, *, by: Actor, cause: Cause, reason: str | None = None, hash_: str | None = None
    ) -> None:
        """Tell the audit trail what a person decided on a date."""
        decision = DecisionMade(
            who=by.id,
            what=what,
            about=ABOUT,
            title=found.description.title,
            content_hash=hash_,
            reason=reason,
            address=f"{self._public_url}/calendar/manage/{found.id}",
        )
        await outbox.put(tx, decision, subject=str(found.id), cause=cause)

    async def _put(self, tx: Transaction, found: StoredDate, event: EventData, cause: Cause) -> StoredDate:
        counted = await dates.count_told(tx, found)
        await outbox.put(tx, event, subject=str(found.id), cause=cause, revision=counted.revision, historic=found.historic)
        return counted

    def _fields(self, found: StoredDate) -> dict[str, Any]:
        words = found.description
        return {
            "kind": found.kind,
            "language": words.language,
            "title": words.title,
            "summary": words.summary or None,
            "when": found.when,
            "place": words.place,
            "status": found.status,
            "sequence": found.sequence,
            "regions": words.regions,
            "countries": words.countries,
            "objectives": words.objectives,
            "principles": words.principles,
            "source": found.source,
            "address": self.address_of(found),
            "synthetic": found.synthetic,
        }
