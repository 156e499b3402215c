"""Days on which nothing is posted, and sources of which nothing may be said yet: asked where a time is planned, and followed."""

from datetime import datetime

from sqlalchemy import func, update

from services.social.domain.deliveries import State
from services.social.domain.posts import Post
from services.social.store.tables import deliveries
from shared.approval.rules import ApprovalError
from shared.db import Transaction
from shared.pauses.quiet import Quiet, forbidding


class QuietError(Exception):
    """Nothing may be posted at that time, or nothing about the source of the post; choose a later one."""

    def __init__(self, quiet: Quiet) -> None:
        super().__init__(QuietError.__doc__)
        self.quiet = quiet


class EmbargoedError(ApprovalError):
    """Nothing may be said about the source of this post at the time at which it is to leave; give it a later one."""

    slug = "approval-embargoed"
    status = 422
    says = ("until",)


async def check(tx: Transaction, post: Post, at: datetime) -> None:
    """Raise QuietError where a post may not leave at an instant."""
    quiet = await forbidding(tx, at, [post.source] if post.source else [])
    if quiet is not None:
        raise QuietError(quiet)


async def check_embargo(tx: Transaction, post: Post) -> None:
    """Raise EmbargoedError where a post is to leave before its source may be spoken of; one without a time is asked when it gets one."""
    planned = post.wish.planned
    quiet = await forbidding(tx, planned.instant, [post.source]) if planned and post.source else None
    if quiet is not None and quiet.source is not None and quiet.ends is not None:
        raise EmbargoedError(until=f"{quiet.ends:%Y-%m-%d %H:%M} UTC")


async def follow(tx: Transaction) -> None:
    """Let what waits look anew at whether it may leave: the days have changed, and what they no longer hold up leaves now."""
    now = func.now()
    waiting = update(deliveries).where(deliveries.c.state == State.SCHEDULED.value, deliveries.c.quiet_until > now)
    await tx.execute(waiting.values(quiet_until=now, not_before=func.greatest(deliveries.c.due_at, now), updated_at=now))
