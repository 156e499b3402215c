"""Events in: what is published elsewhere becomes an item of the pool, once, with its provenance; issues follow corrections.

Nothing depends on the order of telling: `shared.heard` keeps the newest of each type, and what a source gives follows from all of them.
"""

from typing import Any

from services.newsletter import store
from services.newsletter.domain.sources import ABOUT, GIVES
from services.newsletter.issues import quiet
from services.newsletter.issues.cutting import follow_item
from services.newsletter.issues.matter import thing_of
from services.newsletter.sending.pausing import SENDER
from shared.approval.things import Thing
from shared.auth import people
from shared.db import Transaction
from shared.events.codes import SourceKind
from shared.heard import Told, hear
from shared.listening import Listeners, Received, each, listeners
from shared.pauses.listening import listeners_of
from shared.pauses.quiet import heed


class Pooling:
    """What is published comes into the pool; what of it is in an issue already is corrected or dropped there."""

    def __init__(self, issues: Thing, zone: str) -> None:
        self._issues = issues
        self._zone = zone

    async def take(self, tx: Transaction, event: Received[Any]) -> None:
        """Bring the items of a source to where it stands now; a thing of the past is no news and makes none."""
        told = await hear(tx, ABOUT[type(event.data)], event)
        if told is None:
            return
        if told.kind is SourceKind.DATE:
            await self._heed(tx, told)
        await store.hold_pool(tx, alone=False)
        given = list(GIVES[told.kind](told))
        changed = [await store.save_item(tx, item) for item in given]
        changed += await store.end_the_others(tx, told, [item.milestone for item in given])
        for item in changed:
            if item is not None:
                await follow_item(tx, self._issues, item, by=None, cause=event.as_cause())

    async def _heed(self, tx: Transaction, told: Told) -> None:
        """Keep days on which nothing is sent, and what may not be spoken of yet; they are in force at once."""
        forbids = await heed(tx, told, self._zone)
        if forbids is not None:
            await quiet.follow(tx, forbids)


def listens(public_url: str, zone: str = "Europe/Zurich") -> Listeners:
    """Return what the newsletter listens to; `public_url` is where this site is reached, days begin and end in `zone`."""
    pooling = Pooling(thing_of(public_url), zone)
    return listeners(people.LISTENER, *(each(event_type, pooling.take) for event_type in ABOUT), *listeners_of(SENDER))
