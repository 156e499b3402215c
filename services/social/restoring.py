"""After a restore: no post leaves by itself, and none whose end is not known leaves again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from services.social import telling
from services.social.domain.deliveries import CLAIMABLE, MAY_STAND, State, WaitingFor
from services.social.store import deliveries as ledger
from services.social.store.tables import deliveries
from shared import clock
from shared.backup.held import Held
from shared.db import Transaction

_MOVING = {State.SCHEDULED.value: "had its time", State.SENDING.value: "was leaving", State.UNKNOWN.value: "was being looked for"}


async def hold_everything(tx: Transaction, taken_at: datetime) -> Sequence[Held]:
    """Let every post that could leave, or may have left, wait for a person; the clock then asks drafters about each.

    One that waited already is among them: somebody may have let it go after the backup was taken.
    """
    await tx.execute(update(deliveries).values(**ledger.released()))
    wanted = select(deliveries).where(deliveries.c.state.in_((*CLAIMABLE, State.WAITING)))
    rows = (await tx.execute(wanted.order_by(deliveries.c.due_at))).all()
    for row in rows:
        if row.state == State.WAITING.value and row.waiting_for in MAY_STAND:
            continue  # its reason says already that it may stand there, and more of why
        await ledger.abandon_attempts(tx, row)
        why = WaitingFor.UNCERTAIN if row.state in (State.SENDING.value, State.UNKNOWN.value) else WaitingFor.RESTORED
        evidence = {**(row.evidence or {}), "restored": clock.rfc3339(taken_at), "stood": row.waiting_for or row.state}
        await telling.wait_for_a_person(tx, row, why, evidence)
    return [
        Held(
            service="social",
            kind="post",
            name=row.content["text"].partition("\n")[0][:60],
            why=f"{_why(row)}, {row.due_at:%Y-%m-%d %H:%M} UTC",
            address=f"/social/deliveries#post-{row.id}",
        )
        for row in rows
    ]


def _why(row: Row[Any]) -> str:
    return _MOVING.get(row.state) or f"waited for a person ({row.waiting_for})"
