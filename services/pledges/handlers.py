"""Events in: pledges that came in at the door, and who works here."""

from services.pledges.reviewing import Reviewing
from shared.auth import people
from shared.db import Transaction
from shared.events.intake import SubmissionReceived
from shared.events.kinds.pledge import PledgeSubmission
from shared.listening import Listeners, Received, each, listeners


def listens(public_url: str) -> Listeners:
    """Return what the register listens to; `public_url` is where this site is reached."""
    reviewing = Reviewing(public_url=public_url)

    async def take_in(tx: Transaction, event: Received[SubmissionReceived]) -> None:
        """Let a pledge that came in await a moderator; other kinds are others' to review."""
        if event.data.kind == PledgeSubmission.kind_name:
            await reviewing.take_in(tx, event)

    return listeners(each(SubmissionReceived, take_in), people.LISTENER)
