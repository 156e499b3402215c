"""Events in: what is published elsewhere becomes a draft, once, with its provenance; its corrections reach what was written from it."""

from services.social.domain.drafts import draft_from_practice
from services.social.posting import sources
from services.social.posting.things import things_at
from services.social.store import drafts
from services.social.store.pausing import SENDER
from shared.approval.things import Thing
from shared.auth import people
from shared.db import Transaction
from shared.events.intake import PracticePublished, PracticeWithdrawn
from shared.listening import Listeners, Received, each, listeners
from shared.pauses.listening import listeners_of


class Practices:
    """What practices give; `thing` is posts as the two-person rule takes them."""

    def __init__(self, thing: Thing) -> None:
        self._thing = thing

    async def draft(self, tx: Transaction, event: Received[PracticePublished]) -> None:
        """Draft a post about a published practice, and bring posts to its newer revision; a practice of the past is no news."""
        if event.historic:
            return
        draft = draft_from_practice(event)
        before = await drafts.texts_of(tx, draft.source_kind, draft.source_id)
        if await drafts.save_draft(tx, draft) and before:
            await sources.correct(
                tx,
                self._thing,
                kind=draft.source_kind,
                id_=draft.source_id,
                revision=draft.revision,
                before=before,
                after=draft.texts,
                cause=event.as_cause(),
            )

    async def withdraw(self, tx: Transaction, event: Received[PracticeWithdrawn]) -> None:
        """Keep a withdrawn practice out of the queue, and what was written from it from leaving."""
        because = event.data.reason
        if await drafts.withdraw_draft(tx, source_kind="practice", source_id=event.subject, revision=event.revision, because=because):
            await sources.withdraw(
                tx,
                self._thing,
                kind="practice",
                id_=event.subject,
                revision=event.revision,
                because=because,
                cause=event.as_cause(),
            )


def listens_at(public_url: str) -> Listeners:
    """Return what social media listen to; `public_url` is where people reach their pages."""
    practices = Practices(things_at(public_url))
    return listeners(
        people.LISTENER,
        each(PracticePublished, practices.draft),
        each(PracticeWithdrawn, practices.withdraw),
        *listeners_of(SENDER),
    )
