"""The ledger: what is to go out, what was tried, what was seen. A process writes into a delivery only while the lease is its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, exists, func, not_, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.social.domain.content import Content
from services.social.domain.deliveries import CLAIMABLE, Outcome, Result, State
from services.social.domain.posts import is_fixed, may_have_left
from services.social.store.tables import accounts, attempts, deliveries, looks, pictures, posts
from shared.db import Transaction
from shared.events.base import Source
from shared.events.codes import Network
from shared.ids import new_id
from shared.trace import Cause
from shared.wall_clock import Planned

Delivery = Row[Any]
"""A row of `deliveries`."""


async def schedule(
    tx: Transaction,
    *,
    post_id: UUID,
    content: Content,
    planned: Planned,
    cause: Cause,
    source: Source | None = None,
    approved_hash: str | None = None,
) -> UUID:
    """Return the id of a new delivery; it goes out at its time if `approved_hash` is then the hash of its content.

    Raises IntegrityError where the post has a delivery on this network in this language: to post again on purpose is another post.
    """
    delivery_id = new_id()
    await tx.execute(
        insert(deliveries).values(
            id=delivery_id,
            post_id=post_id,
            cause=cause.id,
            trace_id=cause.trace_id,
            source_kind=source.kind.value if source else None,
            source_id=source.id if source else None,
            network=content.network.value,
            language=content.language,
            content=content.as_kept(),
            content_hash=content.sha256,
            approved_hash=approved_hash,
            local_time=planned.local,
            zone=planned.zone,
            due_at=planned.instant,
            not_before=planned.instant,
            state=State.SCHEDULED.value,
        )
    )
    return delivery_id


@dataclass(frozen=True, kw_only=True)
class Known:
    """A delivery with how every attempt to send it ended."""

    row: Delivery
    outcomes: tuple[str | None, ...]  # None for an attempt without an end

    @property
    def tried(self) -> bool:
        """Whether it has left or may have by what was tried."""
        return may_have_left(self.row.state, self.outcomes)

    @property
    def fixed(self) -> bool:
        """Whether it has left or may have."""
        return is_fixed(self.row.state, self.row.waiting_for, self.outcomes)


async def of_posts(tx: Transaction, post_ids: Sequence[UUID], *, hold: bool = False) -> Mapping[UUID, Mapping[str, Known]]:
    """Return the deliveries of posts, by post and by the name of the variant; with `hold`, nobody else writes into them until `tx` ends."""
    query = select(deliveries).where(deliveries.c.post_id.in_(post_ids)).order_by(deliveries.c.id)
    rows = (await tx.execute(query.with_for_update() if hold else query)).all()
    tried: dict[UUID, list[str | None]] = {}
    for one in await tx.execute(select(attempts).where(attempts.c.delivery_id.in_([row.id for row in rows]))):
        tried.setdefault(one.delivery_id, []).append(one.outcome)
    found: dict[UUID, dict[str, Known]] = {}
    for row in rows:
        known = Known(row=row, outcomes=tuple(tried.get(row.id, ())))
        found.setdefault(row.post_id, {})[f"{row.network}/{row.language}"] = known
    return found


async def plan_anew(tx: Transaction, delivery: Delivery, content: Content, planned: Planned, cause: Cause) -> bool:
    """Plan a delivery that is certain not to stand with what is approved now; whoever had it leased finds the lease lost."""
    return await write(
        tx,
        delivery,
        cause=cause.id,
        trace_id=cause.trace_id,
        content=content.as_kept(),
        content_hash=content.sha256,
        approved_hash=content.sha256,
        local_time=planned.local,
        zone=planned.zone,
        due_at=planned.instant,
        not_before=planned.instant,
        quiet_until=None,
        state=State.SCHEDULED.value,
        waiting_for=None,
        evidence=null(),
        **released(),
    )


async def keep_picture(tx: Transaction, *, sha256: str, media_type: str, data: bytes) -> None:
    """Keep the bytes of a picture; the same bytes are kept once."""
    await tx.execute(insert(pictures).values(sha256=sha256, media_type=media_type, data=data).on_conflict_do_nothing())


async def picture(tx: Transaction, sha256: str) -> Row[Any] | None:
    """Return one picture with its media type and bytes, or None where there is none."""
    return (await tx.execute(select(pictures).where(pictures.c.sha256 == sha256))).first()


async def bytes_of(tx: Transaction, content: Content) -> Mapping[str, bytes]:
    """Return the bytes of a content's pictures by hash; one that is gone is missing."""
    wanted = [one.sha256 for one in content.pictures]
    found = await tx.execute(select(pictures.c.sha256, pictures.c.data).where(pictures.c.sha256.in_(wanted)))
    return {row.sha256: row.data for row in found}


_TURN = (
    deliveries.c.state.in_(CLAIMABLE)
    & (deliveries.c.not_before <= func.now())
    & (deliveries.c.lease_until.is_(None) | (deliveries.c.lease_until < func.now()))
)
"""Whose time has come and whom nobody has in hand."""


async def is_any_due(tx: Transaction) -> bool:
    """Say whether there may be something to claim; cheap, for whoever asks every second."""
    return bool((await tx.execute(select(exists().where(_TURN)))).scalar_one())


async def claim(tx: Transaction, lease_for: timedelta, *, to: Iterable[Network]) -> Delivery | None:
    """Return the delivery whose turn it is, leased to the caller, or None: to look up, or to go out to one of these networks."""
    now = func.now()
    here = accounts.c.network == deliveries.c.network
    scheduled = deliveries.c.state == State.SCHEDULED.value
    may_look = and_(not_(scheduled), not_(exists().where(here, accounts.c.reads_not_before > now)))
    may_post = and_(
        scheduled,
        deliveries.c.network.in_([network.value for network in to]),
        not_(exists().where(here, accounts.c.posts_not_before > now)),
    )
    turn = (
        select(deliveries.c.id)
        .where(_TURN, or_(may_look, may_post))
        .order_by(deliveries.c.not_before, deliveries.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = (await tx.execute(turn)).first()
    if found is None:
        return None
    leased = update(deliveries).where(deliveries.c.id == found.id).values(lease=new_id(), lease_until=now + lease_for)
    delivery: Delivery = (await tx.execute(leased.returning(deliveries))).one()
    return delivery


async def trace_of(tx: Transaction, delivery: Delivery) -> str:
    """Return the trace id of what a delivery came from in the end: of its post's source, or of its plan where its post has none."""
    found = (await tx.execute(select(posts.c.trace_id).where(posts.c.id == delivery.post_id))).scalar_one_or_none()
    return str(found or delivery.trace_id)


async def lock(tx: Transaction, delivery_id: UUID) -> Delivery | None:
    """Return a delivery for a person's decision, its lease taken from whoever brings its pictures; None where there is none.

    Whoever had the lease finds it lost before the first byte of the post leaves.
    """
    wanted = select(deliveries).where(deliveries.c.id == delivery_id).with_for_update()
    if (await tx.execute(wanted)).first() is None:
        return None
    leased = update(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.state.in_((State.SCHEDULED, State.WAITING)))
    return (await tx.execute(leased.values(lease=new_id()).returning(deliveries))).first() or (await tx.execute(wanted)).first()


async def listing(tx: Transaction, state: State | None, limit: int) -> Sequence[Delivery]:
    """Return deliveries, those due last first."""
    chosen = select(deliveries).order_by(deliveries.c.due_at.desc(), deliveries.c.id).limit(limit)
    return (await tx.execute(chosen if state is None else chosen.where(deliveries.c.state == state.value))).all()


async def counts(tx: Transaction) -> Mapping[State, int]:
    """Return how many deliveries stand in each state."""
    found = {row.state: row.n for row in await tx.execute(select(deliveries.c.state, func.count().label("n")).group_by(deliveries.c.state))}
    return {state: found.get(state.value, 0) for state in State}


def storable(seen: Any) -> Any:
    """Return what a network has said without what PostgreSQL's JSON cannot hold: NUL, and halves of characters."""
    if isinstance(seen, str):
        return seen.replace("\0", "").encode(errors="replace").decode()
    if isinstance(seen, Mapping):
        return {storable(name): storable(value) for name, value in seen.items()}
    return [storable(one) for one in seen] if isinstance(seen, list | tuple) else seen


async def write(tx: Transaction, delivery: Delivery, **values: Any) -> bool:
    """Write values into a delivery and lock it; returns False, with nothing written, where another process holds it by now."""
    if "evidence" in values:
        values["evidence"] = storable(values["evidence"])
    done = await tx.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery.id, deliveries.c.lease == delivery.lease)
        .values(**values, updated_at=func.now())
    )
    return bool(done.rowcount)


def released() -> dict[str, Any]:
    """Return the values by which a process gives a delivery back."""
    return {"lease": None, "lease_until": None}


async def begin_attempt(tx: Transaction, delivery: Delivery, lease_for: timedelta) -> UUID | None:
    """Return the id of a new attempt, or None where the lease is lost. Commit before the first byte leaves."""
    if not await write(tx, delivery, state=State.SENDING.value, lease_until=func.now() + lease_for):
        return None
    attempt_id = new_id()
    values = {"id": attempt_id, "delivery_id": delivery.id, "content_hash": delivery.content_hash, "lease": delivery.lease}
    await tx.execute(insert(attempts).values(**values))
    return attempt_id


async def end_attempt(tx: Transaction, attempt_id: UUID, outcome: Outcome) -> bool:
    """Write down how an attempt ended; returns False where somebody has done so before."""
    done = await tx.execute(
        update(attempts)
        .where(attempts.c.id == attempt_id, attempts.c.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), outcome=outcome.result.value, evidence=storable(outcome.evidence))
    )
    return bool(done.rowcount)


async def abandon_attempts(tx: Transaction, delivery: Delivery) -> int:
    """End what nobody works on any more, and return how many attempts that were; their end is not known."""
    done = await tx.execute(
        update(attempts)
        .where(attempts.c.delivery_id == delivery.id, attempts.c.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), outcome=Result.ABANDONED.value, evidence={"found": "without an end"})
    )
    return done.rowcount


async def attempts_of(tx: Transaction, delivery_id: UUID) -> Sequence[Row[Any]]:
    """Return the attempts of a delivery, oldest first."""
    return (await tx.execute(select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.started_at))).all()


async def note_look(tx: Transaction, delivery: Delivery, *, found: bool | None, evidence: Mapping[str, Any]) -> None:
    """Keep what a look into the timeline has shown; `found` is None where it could not be read."""
    await tx.execute(insert(looks).values(id=new_id(), delivery_id=delivery.id, found=found, evidence=storable(evidence)))


async def places_of_others(tx: Transaction, delivery: Delivery, place_ids: Sequence[str]) -> set[str]:
    """Return which of these posts on the network belong to other deliveries."""
    found = await tx.execute(
        select(deliveries.c.place_id).where(
            deliveries.c.network == delivery.network, deliveries.c.place_id.in_(place_ids), deliveries.c.id != delivery.id
        )
    )
    return {row.place_id for row in found}


async def pause(tx: Transaction, network: str, *, posts: datetime | None = None, reads: datetime | None = None) -> None:
    """Leave a network alone until then; a pause is never shortened by a shorter one."""
    new = insert(accounts).values(network=network, posts_not_before=posts, reads_not_before=reads)
    longer = {name: func.greatest(accounts.c[name], new.excluded[name]) for name in ("posts_not_before", "reads_not_before")}
    await tx.execute(new.on_conflict_do_update(index_elements=["network"], set_=longer))
