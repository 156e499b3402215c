"""What is stuck in social media: posts whose time has come and that nobody took, and plans that are not what is approved."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select

from services.social.domain.deliveries import CLAIMABLE, State
from services.social.domain.posts import ABOUT
from services.social.posting import planning
from services.social.store import posts
from services.social.store.pausing import SENDER, open_networks
from services.social.store.tables import accounts, deliveries, post_variants
from services.social.store.tables import posts as post_rows
from shared.approval import rules, sweeping
from shared.approval.store import approvals
from shared.approval.things import Thing
from shared.db import Transaction
from shared.events.codes import Network
from shared.pauses import ending
from shared.sweeps import MOST, TELLS, VERY_LATE, Promise, Stuck, Sweep, before, rows
from shared.task_sweeps import listens
from shared.trace import Cause

# Who still wants a post whose time was so long ago gives it another time.
LONG_OVER = timedelta(days=30)

_variant = deliveries.c.network + "/" + deliveries.c.language
_here = (approvals.c.about == ABOUT) & (approvals.c.item == deliveries.c.post_id)
_approved = approvals.c.state == rules.State.APPROVED.value

# A sender looks again before a post leaves: a plan without its approval cannot get out, but it would ask a person at its hour only.
_VOID = rows(
    select(deliveries.c.post_id.label("id"), deliveries.c.updated_at.label("since"))
    .join_from(deliveries, post_rows, post_rows.c.id == deliveries.c.post_id)
    .join(approvals, _here, isouter=True)
    .where(
        deliveries.c.state == State.SCHEDULED.value,
        or_(approvals.c.item.is_(None), ~_approved, approvals.c.variants[_variant].astext.is_distinct_from(deliveries.c.content_hash)),
    )
    .order_by(deliveries.c.id),
    "void",
)
_NOT_PLANNED = rows(
    select(post_rows.c.id, post_rows.c.updated_at.label("since"))
    .join_from(post_rows, post_variants, post_variants.c.post_id == post_rows.c.id)
    .join(approvals, (approvals.c.about == ABOUT) & (approvals.c.item == post_rows.c.id))
    .where(
        _approved,
        post_rows.c.local_time > before(LONG_OVER),
        post_rows.c.updated_at < before(VERY_LATE),
        # A language that came later is not approved, and waits for that.
        approvals.c.variants.has_key(post_variants.c.network + "/" + post_variants.c.language),
        ~select(deliveries.c.id)
        .where(
            deliveries.c.post_id == post_rows.c.id,
            deliveries.c.network == post_variants.c.network,
            deliveries.c.language == post_variants.c.language,
        )
        .exists(),
    )
    .distinct(),
    "not-planned",
)


async def _not_taken(tx: Transaction) -> Sequence[Stuck]:
    """Return the posts whose turn it was long ago, but for those that wait on purpose: paused here, or asked to by the network."""
    here, now = accounts.c.network == deliveries.c.network, func.now()
    rests = select(accounts.c.network).where(here, or_(accounts.c.posts_not_before > now, accounts.c.reads_not_before > now)).exists()
    scheduled = deliveries.c.state == State.SCHEDULED.value
    open_ = [network.value for network in await open_networks(tx, Network)]
    query = (
        select(deliveries.c.post_id, deliveries.c.not_before)
        .where(
            deliveries.c.state.in_(CLAIMABLE),
            deliveries.c.not_before < before(VERY_LATE),
            or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until < before(VERY_LATE)),
            or_(~scheduled, deliveries.c.network.in_(open_)),
            ~rests,
        )
        .order_by(deliveries.c.not_before)
        .limit(MOST)
    )
    return [Stuck(id=str(row.post_id), why="not-taken", since=row.not_before) for row in await tx.execute(query)]


async def _bring_in_line(tx: Transaction, one: Stuck) -> bool:
    if not await posts.hold(tx, UUID(one.id)):
        return False
    await planning.follow(tx, UUID(one.id), cause=Cause.start(UUID(one.id)))
    return True


def sweeps_of(public_url: str, thing: Thing) -> Sequence[Sweep]:
    """Return the sweeps of social media."""
    return (
        TELLS,
        *listens("social", public_url),
        sweeping.asked(thing),
        sweeping.expired(ABOUT),
        Sweep(promise=Promise.APPROVED, find=_VOID, mend=_bring_in_line),
        Sweep(promise=Promise.POSTED, find=_NOT_PLANNED, mend=_bring_in_line),
        Sweep(promise=Promise.POSTED, find=_not_taken),
        ending.over(SENDER, Promise.POSTED),
    )
