"""Events in: what is published elsewhere becomes a draft, once, with its provenance; its corrections reach what was written from it.

Nothing depends on the order of telling: `shared.heard` keeps the newest of each type, and what a source gives follows from all of them.
"""

from typing import Any

from services.social.domain.sources import ABOUT, GIVES
from services.social.posting import quiet, sources
from services.social.posting.things import things_at
from services.social.store import drafts
from services.social.store.pausing import SENDER
from shared.approval.things import Thing
from shared.auth import people
from shared.db import Transaction
from shared.events.codes import SourceKind
from shared.heard import Told, hear
from shared.i18n import translate
from shared.listening import Listeners, Received, each, listeners
from shared.pauses.listening import listeners_of
from shared.pauses.quiet import heed


class Drafting:
    """What sources give; `thing` is posts as the two-person rule takes them, and days begin and end in `zone`."""

    def __init__(self, thing: Thing, zone: str) -> None:
        self._thing = thing
        self._zone = zone

    async def take(self, tx: Transaction, event: Received[Any]) -> None:
        """Bring the drafts of a source, and the posts written from them, to where it stands now; a thing of the past is no news."""
        told = await hear(tx, ABOUT[type(event.data)], event)
        if told is None:
            return
        if told.kind is SourceKind.DATE:
            await self._heed(tx, told)
        given, cause = list(GIVES[told.kind](told)), event.as_cause()
        for draft in given:
            saved = await drafts.save_draft(tx, draft)
            if saved is None:
                continue
            if draft.withdrawn_because is None:
                await sources.correct(tx, self._thing, saved, draft, cause=cause)
            else:
                await sources.withdraw(tx, self._thing, saved.id, draft.revision, draft.withdrawn_because, cause=cause)
        because = told.ended if told.ended is not None else translate("en", "staff.source.not-given")
        for draft_id in await drafts.end_the_others(tx, told, because, [draft.milestone for draft in given]):
            await sources.withdraw(tx, self._thing, draft_id, told.revision, because, cause=cause)

    async def _heed(self, tx: Transaction, told: Told) -> None:
        """Keep days on which nothing is posted, and what may not be spoken of yet; they are in force at once."""
        if await heed(tx, told, self._zone) is not None:
            await quiet.follow(tx)


def listens_at(public_url: str, zone: str = "Europe/Zurich") -> Listeners:
    """Return what social media listen to; `public_url` is where people reach their pages, days begin and end in `zone`."""
    drafting = Drafting(things_at(public_url), zone)
    return listeners(people.LISTENER, *(each(event_type, drafting.take) for event_type in ABOUT), *listeners_of(SENDER))
