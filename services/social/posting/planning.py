"""From where a post stands to what leaves: planned from what was approved, taken back when that is void, and never twice."""

from uuid import UUID

from services.social import telling
from services.social.domain.content import Content
from services.social.domain.deliveries import Decision, State, WaitingFor
from services.social.domain.posts import ABOUT, Post
from services.social.store import deliveries as ledger
from services.social.store import posts
from services.social.store.deliveries import Delivery, Known
from shared import outbox
from shared.approval import store
from shared.approval.rules import Action, Standing
from shared.db import Transaction
from shared.events.social import PostApproved
from shared.outbox import Telling
from shared.trace import Cause
from shared.wall_clock import Planned

APPROVING = frozenset({Action.APPROVE.value, Action.BREAK_GLASS.value})


async def follow(tx: Transaction, post_id: UUID, *, cause: Cause, anew: bool = False) -> None:
    """Bring the deliveries of a post in line with where it stands, whatever has just happened to it; safe to repeat.

    What a person has taken back, or has to decide on, stays so until the post has other words or another time, or is approved `anew`.
    Call it behind every call of `shared.approval` that may have changed that, in the same transaction: the post is then held.
    """
    post = await posts.find(tx, post_id)
    if post is None:
        return
    wanted = _approved(post, await store.find(tx, ABOUT, post_id))
    known = (await ledger.of_posts(tx, [post_id], hold=True)).get(post_id, {})
    for name, delivery in known.items():
        if name not in wanted:
            await _take_back(tx, delivery)
    planned = post.wish.planned
    for name, content in wanted.items():
        assert planned is not None
        if name not in known:
            await ledger.schedule(
                tx, post_id=post_id, content=content, planned=planned, cause=cause, source=post.source, approved_hash=content.sha256
            )
        elif not known[name].fixed and (anew or not _is_put_aside(known[name].row, content, planned)):
            await ledger.plan_anew(tx, known[name].row, content, planned, cause)


async def tell_of_approval(tx: Transaction, post_id: UUID, *, cause: Cause) -> None:
    """Tell that a post was approved, once for each network and language."""
    post = await posts.find(tx, post_id)
    assert post is not None
    planned = post.wish.planned
    told = [
        PostApproved(
            source=post.source,
            networks=(variant.network,),
            languages=(variant.language,),
            planned=planned.instant if planned else None,
        )
        for variant in post.variants.values()
    ]
    await outbox.put_all(tx, [Telling(data=one, subject=str(post_id), cause=cause) for one in told])


def _approved(post: Post, standing: Standing) -> dict[str, Content]:
    """Return what is to leave: every variant that is approved as it stands, once a time is wished."""
    if standing.approved is None or post.wish.local is None:
        return {}
    return {name: content for name, content in post.variants.items() if standing.approved.variants.get(name) == content.sha256}


def _is_put_aside(row: Delivery, content: Content, planned: Planned) -> bool:
    """Say whether just this waits for a person, or was taken back by one: then it does not leave by itself."""
    cancelled = row.state == State.CANCELLED and (row.evidence or {}).get("decided") == Decision.CANCEL.value
    same = row.content_hash == content.sha256 and (row.local_time, row.zone) == (planned.local, planned.zone)
    return same and (cancelled or row.state == State.WAITING)


async def _take_back(tx: Transaction, delivery: Known) -> None:
    """See to it that what has not begun to leave does not; what may stand waits for a person who looks."""
    if delivery.row.state == State.SCHEDULED and delivery.fixed:
        await telling.wait_for_a_person(tx, delivery.row, WaitingFor.UNCERTAIN, {"approval": "is void", **(delivery.row.evidence or {})})
    elif delivery.row.state == State.SCHEDULED or (delivery.row.state == State.WAITING and not delivery.fixed):
        await ledger.write(tx, delivery.row, state=State.CANCELLED.value, waiting_for=None, **ledger.released())
