"""Events in: what is published elsewhere becomes an item of the pool, once, with its provenance; issues follow corrections."""

from services.newsletter import store
from services.newsletter.domain import item_from_practice
from services.newsletter.issues.cutting import follow_item
from services.newsletter.issues.matter import thing_of
from services.newsletter.sending.pausing import SENDER
from shared.approval.things import Thing
from shared.auth import people
from shared.db import Transaction
from shared.events.intake import PracticePublished, PracticeWithdrawn
from shared.listening import Listeners, Received, each, listeners
from shared.pauses.listening import listeners_of


class Pooling:
    """What is published comes into the pool; what of it is in an issue already is corrected or dropped there."""

    def __init__(self, issues: Thing) -> None:
        self._issues = issues

    async def pool_practice(self, tx: Transaction, event: Received[PracticePublished]) -> None:
        """Put a published practice into the pool; a practice of the past is no news."""
        if event.historic:
            return
        await store.hold_pool(tx, alone=False)
        item = await store.save_item(tx, item_from_practice(event))
        if item is not None:
            await follow_item(tx, self._issues, item, by=None, cause=event.as_cause())

    async def withdraw_practice(self, tx: Transaction, event: Received[PracticeWithdrawn]) -> None:
        """Keep a withdrawn practice out of every issue that has not left."""
        await store.hold_pool(tx, alone=False)
        item = await store.withdraw_item(
            tx, source_kind="practice", source_id=event.subject, revision=event.revision, because=event.data.reason
        )
        if item is not None:
            await follow_item(tx, self._issues, item, by=None, cause=event.as_cause())


def listens(public_url: str) -> Listeners:
    """Return what the newsletter listens to; `public_url` is where this site is reached."""
    pooling = Pooling(thing_of(public_url))
    return listeners(
        people.LISTENER,
        each(PracticePublished, pooling.pool_practice),
        each(PracticeWithdrawn, pooling.withdraw_practice),
        *listeners_of(SENDER),
    )
