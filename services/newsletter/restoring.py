"""After a restore: no issue leaves by itself, and no copy of which nobody knows leaves again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, or_, select

from services.newsletter.issues.tables import issues
from services.newsletter.sending import issues as sending
from services.newsletter.sending import ledger
from services.newsletter.sending.rules import WAITING, SendState
from services.newsletter.sending.tables import audience, sends
from shared.backup.held import Held
from shared.db import Transaction

_MOVING = {SendState.SCHEDULED.value: "had its hour", SendState.SENDING.value: "was leaving"}


async def hold_everything(tx: Transaction, taken_at: datetime) -> Sequence[Held]:
    """Hold every issue of which something could leave, and call uncertain what had started; the clock then asks approvers about each.

    One that was held already is among them: somebody may have let it go on after the backup was taken.
    """
    del taken_at
    await ledger.end_every_sender(tx)
    wanted = select(sends.c.issue_id, sends.c.state, sends.c.held_because, sends.c.starts_at, issues.c.number)
    wanted = wanted.outerjoin(issues, issues.c.id == sends.c.issue_id)
    # Where nobody waits for a copy any more, letting it go on sends nothing: it keeps the reason for which it was held.
    waits = exists().where(audience.c.issue_id == sends.c.issue_id, audience.c.state.in_([state.value for state in WAITING]))
    was_held = (sends.c.state == SendState.HELD.value) & or_(sends.c.frozen_at.is_(None), waits)
    rows = (await tx.execute(wanted.where(or_(sends.c.state.in_(list(_MOVING)), was_held)).order_by(sends.c.starts_at))).all()
    await sending.hold_restored(tx, [row.issue_id for row in rows])
    return [
        Held(
            service="newsletter",
            kind="issue",
            name=row.number or str(row.issue_id),
            why=f"{_why(row.state, row.held_because)}, {row.starts_at:%Y-%m-%d %H:%M} UTC",
            address=f"/newsletter/issues/{row.issue_id}/sending",
        )
        for row in rows
    ]


def _why(state: str, held_because: str) -> str:
    return _MOVING.get(state) or f"was held ({held_because})"
