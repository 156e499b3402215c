"""Events in: what is published elsewhere becomes an item of the pool, once, with its provenance."""

from services.newsletter import store
from services.newsletter.domain import item_from_practice
from services.newsletter.sending.pausing import SENDER
from shared.auth import people
from shared.db import Transaction
from shared.events.intake import PracticePublished, PracticeWithdrawn
from shared.listening import Received, each, listeners
from shared.pauses.listening import listeners_of


async def pool_practice(tx: Transaction, event: Received[PracticePublished]) -> None:
    """Put a published practice into the pool; a practice of the past is no news."""
    if event.historic:
        return
    await store.save_item(tx, item_from_practice(event))


async def withdraw_practice(tx: Transaction, event: Received[PracticeWithdrawn]) -> None:
    """Keep a withdrawn practice out of the next issue."""
    await store.withdraw_item(tx, source_kind="practice", source_id=event.subject, revision=event.revision, because=event.data.reason)


LISTENS = listeners(
    people.LISTENER,
    each(PracticePublished, pool_practice),
    each(PracticeWithdrawn, withdraw_practice),
    *listeners_of(SENDER),
)
