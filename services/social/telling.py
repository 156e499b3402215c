"""The two ends of a delivery that are told: it stands, or it waits for a person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.social.domain.deliveries import MAY_STAND, State, WaitingFor
from services.social.store import deliveries as ledger
from services.social.store.deliveries import Delivery
from shared import outbox
from shared.db import Transaction
from shared.events.base import Source
from shared.events.codes import Network, SourceKind
from shared.events.social import PostFailed, PostPlace, PostPublished
from shared.i18n import translate
from shared.trace import Cause


async def publish(
    tx: Transaction, delivery: Delivery, *, place_id: str, address: str, evidence: Mapping[str, Any], published_at: datetime
) -> bool:
    """Write down where a delivery stands, and tell; returns False where another process holds it by now."""
    values = {
        "state": State.PUBLISHED.value,
        "waiting_for": None,
        "place_id": place_id,
        "place_address": address,
        "published_at": published_at,
        "evidence": evidence,
    }
    if not await ledger.write(tx, delivery, **values, **ledger.released()):
        return False
    network = Network(delivery.network)
    told = PostPublished(
        source=_source_of(delivery),
        networks=(network,),
        languages=(delivery.language,),
        places=(PostPlace(network=network, language=delivery.language, address=address),),
        published=published_at,
    )
    await outbox.put(tx, told, subject=str(delivery.post_id), cause=_cause_of(delivery))
    return True


async def wait_for_a_person(tx: Transaction, delivery: Delivery, why: WaitingFor, evidence: Mapping[str, Any]) -> bool:
    """Set a delivery aside with its cause, and tell; returns False where another process holds it by now."""
    values = {"state": State.WAITING.value, "waiting_for": why.value, "evidence": evidence}
    if not await ledger.write(tx, delivery, **values, **ledger.released()):
        return False
    told = PostFailed(
        source=_source_of(delivery),
        networks=(Network(delivery.network),),
        languages=(delivery.language,),
        uncertain=why in MAY_STAND or delivery.sent_again > 0,
        reason=translate("en", why.key),
    )
    await outbox.put(tx, told, subject=str(delivery.post_id), cause=_cause_of(delivery))
    return True


def _source_of(delivery: Delivery) -> Source | None:
    return Source(kind=SourceKind(delivery.source_kind), id=delivery.source_id) if delivery.source_kind else None


def _cause_of(delivery: Delivery) -> Cause:
    return Cause(id=delivery.cause, trace_id=delivery.trace_id)
