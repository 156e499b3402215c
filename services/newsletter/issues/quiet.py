"""Days on which nothing is sent, and sources of which nothing may be said yet: asked where an hour is planned, followed where one moves."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from services.newsletter.issues.rules import IssueError
from services.newsletter.sending import issues as sending
from services.newsletter.sending.rules import Hold, SendState, sources_in
from services.newsletter.sending.tables import sends
from shared import clock
from shared.db import Transaction
from shared.events.base import Source
from shared.pauses.quiet import Quiet, forbidding
from shared.pauses.store import share


class QuietError(IssueError):
    """Nothing may be sent at that hour, or nothing about something that is in the issue; choose a later one."""

    slug = "quiet"
    status = 422

    def __init__(self, quiet: Quiet) -> None:
        super().__init__(quiet=quiet)
        self.quiet = quiet


async def check(tx: Transaction, at: datetime, sources: Collection[Source] = ()) -> None:
    """Raise QuietError where nothing about these sources may leave at an instant."""
    if (quiet := await forbidding(tx, at, sources)) is not None:
        raise QuietError(quiet)


async def check_sources(tx: Transaction, issue_id: UUID) -> None:
    """Raise QuietError where something in what is to leave of an issue may not be spoken of now; until `tx` ends that stays so.

    A day on which nothing is sent is no reason: what goes on waits for its end.
    """
    await share(tx)
    send = (await tx.execute(select(sends.c.variants).where(sends.c.issue_id == issue_id))).one_or_none()
    sources = sources_in(send.variants) if send else frozenset()
    if (embargo := await forbidding(tx, clock.now(), sources, embargoes_alone=True)) is not None:
        raise QuietError(embargo)


async def follow(tx: Transaction, quiet: Quiet) -> None:
    """Let what waits look anew at whether it may go, and hold what is leaving though nothing may be said of something in it."""
    waiting = update(sends).where(sends.c.state == SendState.SCHEDULED.value, sends.c.waits_until.is_not(None))
    await tx.execute(waiting.values(waits_until=None))
    if quiet.source is None:
        return
    for send in (await tx.execute(select(sends).where(sends.c.state == SendState.SENDING.value).order_by(sends.c.issue_id))).all():
        sources = sources_in(send.variants)
        if quiet.source in sources and await forbidding(tx, clock.now(), [quiet.source]) is not None:
            await sending.hold(tx, send.issue_id, Hold.QUIET)
