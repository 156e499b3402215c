"""Events in: what is published elsewhere becomes a draft, once, with its provenance."""

from services.social.domain.drafts import draft_from_practice
from services.social.store import drafts
from services.social.store.pausing import SENDER
from shared.auth import people
from shared.db import Transaction
from shared.events.intake import PracticePublished, PracticeWithdrawn
from shared.listening import Received, each, listeners
from shared.pauses.listening import listeners_of


async def draft_practice(tx: Transaction, event: Received[PracticePublished]) -> None:
    """Draft a post about a published practice; a practice of the past is no news."""
    if event.historic:
        return
    await drafts.save_draft(tx, draft_from_practice(event))


async def withdraw_practice(tx: Transaction, event: Received[PracticeWithdrawn]) -> None:
    """Keep a withdrawn practice out of the queue."""
    await drafts.withdraw_draft(tx, source_kind="practice", source_id=event.subject, revision=event.revision, because=event.data.reason)


LISTENS = listeners(
    people.LISTENER,
    each(PracticePublished, draft_practice),
    each(PracticeWithdrawn, withdraw_practice),
    *listeners_of(SENDER),
)
