"""What a person decides about a delivery that waits, or takes back before it leaves."""

import re
from typing import Any

from services.social import telling
from services.social.domain.deliveries import Decision, State, decisions_for
from services.social.store import deliveries as ledger
from services.social.store.deliveries import Delivery
from shared import clock, outbox
from shared.auth.tokens import Person
from shared.db import Transaction
from shared.events.every import DecisionMade
from shared.events.texts import LINE_LENGTH
from shared.trace import Cause

_PLACE = re.compile(r"https://(?:www\.)?(?:x|twitter)\.com/[A-Za-z0-9_]+(?:/web)?/status/([0-9]{1,20})(?:[/?#].*)?", re.ASCII)


class TooLateError(Exception):
    """The delivery is no longer where this could be decided: it has left, or somebody has decided before."""


class NoPlaceError(Exception):
    """That is not the address of a post on X that no other delivery stands at."""


async def decide(tx: Transaction, delivery: Delivery, decision: Decision, *, by: Person, cause: Cause, address: str = "") -> None:
    """Carry a decision out on a delivery that the transaction has locked, keep who made it, and tell the audit trail.

    `address` is where a post that is live stands. Raises TooLateError and NoPlaceError.
    """
    if decision not in decisions_for(State(delivery.state), delivery.waiting_for, delivery.sent_again):
        raise TooLateError(TooLateError.__doc__)
    kept: dict[str, Any] = {"decided": decision.value, "by": by.id, "at": clock.rfc3339(clock.now()), "before": delivery.evidence}
    match decision:
        case Decision.LIVE:
            place = _PLACE.fullmatch(address.strip())
            if place is None or await ledger.places_of_others(tx, delivery, [place.group(1)]):
                raise NoPlaceError(NoPlaceError.__doc__)
            await telling.publish(tx, delivery, place_id=place.group(1), address=address.strip(), evidence=kept, published_at=clock.now())
        case Decision.AGAIN:
            due = max(clock.now(), delivery.due_at)  # what a restore holds may have its time before it
            values = {"state": State.SCHEDULED.value, "waiting_for": None, "due_at": due, "not_before": due, "evidence": kept}
            await ledger.write(tx, delivery, **values, **ledger.released())
        case Decision.CANCEL:
            await ledger.write(tx, delivery, state=State.CANCELLED.value, evidence=kept, **ledger.released())
    decided = DecisionMade(
        who=by.id,
        what=decision.value,
        about="post",
        title={delivery.language: delivery.content["text"].partition("\n")[0][:LINE_LENGTH]},
        content_hash=delivery.content_hash,
    )
    await outbox.put(tx, decided, subject=str(delivery.post_id), cause=cause)
