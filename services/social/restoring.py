"""After a restore: no post leaves by itself, and none whose end is not known leaves again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from services.social import telling
from services.social.domain.deliveries import CLAIMABLE, State, WaitingFor
from services.social.store import deliveries as ledger
from services.social.store.tables import deliveries
from shared import clock
from shared.backup.held import Held
from shared.db import Transaction

_WHY = {State.SCHEDULED.value: "had its time", State.SENDING.value: "was leaving", State.UNKNOWN.value: "was being looked for"}


async def hold_everything(tx: Transaction, taken_at: datetime) -> Sequence[Held]:
    """Let every post that was to leave, or may have left, wait for a person; the clock then asks drafters about each."""
    await tx.execute(update(deliveries).values(**ledger.released()))
    rows = (await tx.execute(select(deliveries).where(deliveries.c.state.in_(CLAIMABLE)).order_by(deliveries.c.due_at))).all()
    for row in rows:
        await ledger.abandon_attempts(tx, row)
        why = WaitingFor.RESTORED if row.state == State.SCHEDULED.value else WaitingFor.UNCERTAIN
        evidence = {**(row.evidence or {}), "restored": clock.rfc3339(taken_at), "stood": row.state}
        await telling.wait_for_a_person(tx, row, why, evidence)
    return [
        Held(
            service="social",
            kind="post",
            name=row.content["text"].partition("\n")[0][:60],
            why=f"{_WHY[row.state]}, {row.due_at:%Y-%m-%d %H:%M} UTC",
            address=f"/social/deliveries#post-{row.id}",
        )
        for row in rows
    ]
