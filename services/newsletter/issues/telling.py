"""What others hear of an issue: that it was approved and when it will go, that it is being sent, and what became of its mails."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from services.newsletter.archive import store as archive
from services.newsletter.compose.edition import Month
from services.newsletter.issues.matter import edition_of, sources_of
from services.newsletter.issues.opening import title_or_number
from services.newsletter.issues.tables import issues
from services.newsletter.sending.issues import Moved, standing
from services.newsletter.sending.tables import sends
from shared import outbox
from shared.actors import Actor
from shared.approval.things import Matter
from shared.db import Transaction
from shared.events.every import DecisionMade
from shared.events.newsletter import Counts, IssueApproved, IssueSent
from shared.trace import Cause


async def _facts(tx: Transaction, issue: Row[Any], public_url: str) -> dict[str, Any]:
    _, taken = await edition_of(tx, issue, public_url)
    items = [row for row in taken if row.item_id]
    return {
        "number": issue.number,
        "title": title_or_number(issue),
        "languages": tuple(issue.languages),
        "items": len(items),
        "sources": sources_of(items),
        "address": f"{public_url}/newsletter/archive/{issue.serial}",
    }


async def tell_approved(tx: Transaction, issue_id: UUID, public_url: str, *, planned: Any = None, cause: Cause) -> None:
    """Tell that an issue is approved, and again, with a higher revision, when it is given a time; hold the issue before."""
    count = update(issues).where(issues.c.id == issue_id).values(told=issues.c.told + 1).returning(*issues.c)
    issue = (await tx.execute(count)).one()
    event = IssueApproved(planned=planned, **await _facts(tx, issue, public_url))
    await outbox.put(tx, event, subject=str(issue_id), cause=cause, revision=issue.told)


async def tell_sent(tx: Transaction, issue_id: UUID, public_url: str) -> None:
    """Tell what became of the mails of an issue up to now: once when sending begins, again when nobody waits any more."""
    issue = (await tx.execute(select(issues).where(issues.c.id == issue_id))).one_or_none()
    now = await standing(tx, issue_id)
    if issue is None or now is None or now.frozen_at is None:
        return
    count = update(sends).where(sends.c.issue_id == issue_id).values(told=sends.c.told + 1).returning(sends.c.told)
    revision = int((await tx.execute(count)).scalar_one())
    counts = Counts(
        audience=now.audience,
        accepted=now.accepted,
        refused=now.refused,
        excluded=now.excluded,
        uncertain=now.uncertain,
        waiting=now.waiting,
    )
    event = IssueSent(sent=now.frozen_at, counts=counts, **await _facts(tx, issue, public_url))
    await outbox.put(tx, event, subject=str(issue_id), cause=Cause.start(issue_id), revision=revision)


def moved(public_url: str) -> Moved:
    """Return what follows when the sending of an issue has begun or is over."""

    async def follow(tx: Transaction, issue_id: UUID) -> None:
        await _keep(tx, issue_id)
        await tell_sent(tx, issue_id, public_url)

    return follow


async def _keep(tx: Transaction, issue_id: UUID) -> None:
    """Open the page of an issue in the archive, to the letter what was approved; once it is there it stays as it is."""
    asked = select(issues.c.serial, issues.c.month, sends.c.variants, sends.c.frozen_at).join(sends, sends.c.issue_id == issues.c.id)
    row = (await tx.execute(asked.where(issues.c.id == issue_id))).one_or_none()
    if row is None or row.frozen_at is None:
        return
    month = Month(year=row.month.year, month=row.month.month)
    await archive.keep(tx, issue_id=issue_id, number=row.serial, month=month, variants=row.variants, sent_at=row.frozen_at)


async def tell_decision(
    tx: Transaction,
    issue_id: UUID,
    matter: Matter,
    *,
    what: str,
    by: Actor,
    cause: Cause,
    reason: str | None = None,
    hash_: str | None = None,
) -> None:
    """Tell the audit trail what a person decided on an issue, besides what approvals tell themselves."""
    event = DecisionMade(
        who=by.id, what=what, about="issue", title=matter.title, content_hash=hash_, reason=reason or None, address=matter.address
    )
    await outbox.put(tx, event, subject=str(issue_id), cause=cause)
