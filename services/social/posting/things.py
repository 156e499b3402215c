"""What the two-person rule knows of a post, and what has to hold before one can be submitted."""

from uuid import UUID

from services.social.domain.deliveries import State
from services.social.domain.posts import ABOUT, Post
from services.social.networks import fitting
from services.social.store import deliveries as ledger
from services.social.store import posts
from shared.approval import people
from shared.approval.rules import ApprovalError
from shared.approval.things import Matter, Thing
from shared.db import Transaction
from shared.events.times import TimeWithZone

PATH = "/social/posts"


class TooLongError(ApprovalError):
    """A text is longer than its network takes; shorten it, then submit it."""

    slug = "approval-too-long"
    status = 422
    says = ("n", "variant")


class EmptyPostError(ApprovalError):
    """A variant has neither text nor picture; write one or remove the variant."""

    slug = "approval-empty-variant"
    status = 422
    says = ("variant",)


class SourceWithdrawnError(ApprovalError):
    """What the post was written from no longer stands, so it must not leave."""

    slug = "approval-source-withdrawn"


def check_fit(post: Post) -> None:
    """Raise the ApprovalError of the first thing for which a post cannot leave, whoever approves it."""
    if post.source_withdrawn:
        raise SourceWithdrawnError()
    for name, variant in post.variants.items():
        if not variant.text.strip() and not variant.pictures:
            raise EmptyPostError(variant=name)
        if over := fitting.too_long(variant):
            raise TooLongError(n=over, variant=name)


def things_at(public_url: str) -> Thing:
    """Return posts as the rule takes them; `public_url` is where people reach their pages."""

    async def read(tx: Transaction, item: UUID) -> Matter | None:
        post = await posts.find(tx, item)
        if post is None:
            return None
        planned = post.wish.planned
        return Matter(
            content=post.content,
            title=post.title,
            address=f"{public_url}{PATH}/{item}",
            due=TimeWithZone(precision="time", starts=planned.instant, zone=planned.zone) if planned else None,
            expires_at=None if await _has_left(tx, post) else post.wish.expires_at,
        )

    return Thing(about=ABOUT, read=read, approvers=people.approvers)


async def _has_left(tx: Transaction, post: Post) -> bool:
    """Say whether every variant stands on its network: then nothing is left that could grow stale."""
    known = (await ledger.of_posts(tx, [post.id])).get(post.id, {})
    return bool(post.variants) and all(name in known and known[name].row.state == State.PUBLISHED for name in post.variants)
