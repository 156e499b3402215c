"""The kill switch for posts: to which networks they may leave now, and what waits meanwhile."""

from collections.abc import Iterable

from sqlalchemy import func, select

from services.social.domain.deliveries import State
from services.social.store.tables import deliveries
from shared.db import Transaction
from shared.events.codes import Network, Service
from shared.pauses.sender import Sender
from shared.pauses.store import Waiting, WaitingItem, open_ones

QUEUE = "/social/deliveries"
SHOWN = 20


async def open_networks(tx: Transaction, networks: Iterable[Network]) -> list[Network]:
    """Return those networks to which posts may leave now. Asked when one is claimed and again before its first byte leaves."""
    scopes = {f"{Service.SOCIAL.value}/{network.value}": network for network in networks}
    return [scopes[scope] for scope in await open_ones(tx, list(scopes))]


async def waiting(tx: Transaction, scope: str) -> Waiting:
    """Return how many posts of a scope wait for their time, first due first."""
    network = scope.partition("/")[2]
    which = (deliveries.c.state == State.SCHEDULED.value) & (deliveries.c.network == network if network else True)
    count = (await tx.execute(select(func.count()).select_from(deliveries).where(which))).scalar_one()
    asked = select(deliveries.c.id, deliveries.c.content["text"].as_string().label("text"), deliveries.c.due_at).where(which)
    rows = await tx.execute(asked.order_by(deliveries.c.due_at, deliveries.c.id).limit(SHOWN))
    items = tuple(WaitingItem(id=str(row.id), title=row.text[:100], address=QUEUE, due=row.due_at) for row in rows)
    return Waiting(count=count, items=items)


SENDER = Sender(service=Service.SOCIAL, waiting=waiting)
