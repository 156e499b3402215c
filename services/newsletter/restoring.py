"""After a restore: no issue leaves by itself, and no copy of which nobody knows leaves again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from services.newsletter.issues.tables import issues
from services.newsletter.sending import issues as sending
from services.newsletter.sending import ledger
from services.newsletter.sending.rules import Hold, SendState
from services.newsletter.sending.tables import sends
from shared.backup.held import Held
from shared.db import Transaction

_WHY = {SendState.SCHEDULED.value: "had its hour", SendState.SENDING.value: "was leaving"}


async def hold_everything(tx: Transaction, taken_at: datetime) -> Sequence[Held]:
    """Hold every issue that was to leave or was leaving, and call uncertain what had started; the clock then asks approvers about each."""
    del taken_at
    await ledger.end_every_sender(tx)
    wanted = select(sends.c.issue_id, sends.c.state, sends.c.starts_at, issues.c.number)
    wanted = wanted.outerjoin(issues, issues.c.id == sends.c.issue_id).where(sends.c.state.in_(list(_WHY)))
    rows = (await tx.execute(wanted.order_by(sends.c.starts_at))).all()
    for row in rows:
        await sending.hold(tx, row.issue_id, Hold.RESTORED)
    return [
        Held(
            service="newsletter",
            kind="issue",
            name=row.number or str(row.issue_id),
            why=f"{_WHY[row.state]}, {row.starts_at:%Y-%m-%d %H:%M} UTC",
            address=f"/newsletter/issues/{row.issue_id}/sending",
        )
        for row in rows
    ]
