"""The kill switch for mails, and days on which nothing is sent: whether they may leave now, and what waits meanwhile."""

from sqlalchemy import Text, Uuid, column, func, select, table

from services.newsletter.sending.rules import AudienceState
from services.newsletter.sending.tables import audience, sends
from shared import clock
from shared.db import Transaction
from shared.events.codes import Service
from shared.pauses.quiet import forbidding
from shared.pauses.sender import Sender
from shared.pauses.store import Waiting, WaitingItem, paused

SENDING = "/newsletter/issues/{}/sending"
SHOWN = 20
# Issues themselves belong to a part that knows this one; here only what they are called is of use.
_ISSUES = table("issues", column("id", Uuid), column("number", Text))
_WAITING = [state.value for state in (AudienceState.PLANNED, AudienceState.CLAIMED, AudienceState.DEFERRED)]


async def may_send(tx: Transaction) -> bool:
    """Say whether mails to subscribers may leave now: nobody has paused them, and it is no day on which nothing is sent."""
    return await paused(tx, SENDER.service.value) is None and await forbidding(tx, clock.now()) is None


async def waiting(tx: Transaction, scope: str) -> Waiting:
    """Return how many mails wait to leave, and of which issues."""
    del scope  # the newsletter has one
    issue = sends.c.issue_id
    asked = select(issue, sends.c.starts_at, func.max(_ISSUES.c.number).label("number"), func.count().label("mails"))
    asked = asked.join(audience, audience.c.issue_id == issue).outerjoin(_ISSUES, _ISSUES.c.id == issue)
    rows = (
        await tx.execute(asked.where(audience.c.state.in_(_WAITING)).group_by(issue, sends.c.starts_at).order_by(sends.c.starts_at))
    ).all()
    items = tuple(
        WaitingItem(id=str(row.issue_id), title=row.number or str(row.issue_id), address=SENDING.format(row.issue_id), due=row.starts_at)
        for row in rows[:SHOWN]
    )
    return Waiting(count=sum(row.mails for row in rows), items=items)


SENDER = Sender(service=Service.NEWSLETTER, waiting=waiting)
