"""Where each item stands, every step that led there, and what was approved to the letter; as functions on a transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, DateTime, Index, Integer, Row, Table, Text, Uuid, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from shared import clock
from shared.approval.content import Content, Fingerprint, canonical, digest
from shared.approval.rules import Standing, State, Step
from shared.db import Transaction, metadata
from shared.retention import Kept

TABLES = metadata()

approvals = Table(
    "approvals",
    TABLES,
    Column("about", Text, primary_key=True),  # what kind of thing it is: post, issue
    Column("item", Uuid, primary_key=True),
    Column("state", Text, nullable=False),
    Column("variants", JSONB(none_as_null=True)),  # variant -> SHA-256 of the content as last known; what was approved, while it is
    Column("hands", ARRAY(Text), nullable=False),  # ids of all who edited or submitted it
    Column("broke_glass", Boolean, nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("steps", Integer, nullable=False),
    CheckConstraint("state = 'approved' OR NOT broke_glass", name="broke_glass"),
    CheckConstraint("state <> 'approved' OR variants IS NOT NULL", name="approved"),
)
EXPIRING = approvals.c.state.in_(["submitted", "approved"])
"""What has an end of its time that somebody must see to."""
Index("approvals_expires_at_idx", approvals.c.expires_at, postgresql_where=EXPIRING)
MAY_ASK = approvals.c.state.in_([State.DRAFT.value, State.SUBMITTED.value, State.CHANGES_REQUESTED.value, State.EXPIRED.value])
"""Where an item may ask something of people; what is approved or withdrawn asks nothing by itself."""
Index("approvals_asking_idx", approvals.c.about, approvals.c.item, postgresql_where=MAY_ASK)

# Only ever added to; a trigger of the migration refuses everything else.
approval_steps = Table(
    "approval_steps",
    TABLES,
    Column("about", Text, primary_key=True),
    Column("item", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("what", Text, nullable=False),
    Column("who", Text),  # id of the person; empty for the machine
    Column("state", Text, nullable=False),  # in which it left the item
    Column("variants", JSONB(none_as_null=True)),
    Column("hash", Text, index=True),  # of the whole content that it was about
    Column("reason", Text),
    Column("at", DateTime(timezone=True), nullable=False),
)

# What was submitted or approved, each variant once under its hash: what left can be shown years later, and what an edit changed.
approval_contents = Table(
    "approval_contents",
    TABLES,
    Column("hash", Text, primary_key=True),
    Column("body", Text, nullable=False),  # the canonical JSON that the hash is of
)


def kept(service: str) -> Kept:
    """Return a service's line in the table of what is kept."""
    return Kept(
        what=f"approvals, their steps and what was approved ({service})", days=None, why="who answers for what left can be shown later"
    )


@dataclass(frozen=True, kw_only=True)
class Held:
    """An item's row, held until the transaction ends."""

    about: str
    item: UUID
    standing: Standing
    latest: Step | None  # None before the first


async def hold(tx: Transaction, about: str, item: UUID) -> Held:
    """Return where an item stands, made a draft if it is new here; waits for who holds it, and nobody else can until `tx` ends."""
    query = select(approvals).where(approvals.c.about == about, approvals.c.item == item).with_for_update()
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        # Another transaction may make the same row meanwhile: then this waits for it, and finds its row.
        fresh = insert(approvals).values(about=about, item=item, state=State.DRAFT.value, hands=[], broke_glass=False, steps=0)
        await tx.execute(fresh.on_conflict_do_nothing())
        row = (await tx.execute(query)).one()
    return Held(about=about, item=item, standing=_standing(row), latest=await latest_step(tx, about, item))


async def find(tx: Transaction, about: str, item: UUID, *, share: bool = False) -> Standing:
    """Return where an item stands; a draft where nobody has touched it. With `share`, nobody can change it until `tx` ends."""
    query = select(approvals).where(approvals.c.about == about, approvals.c.item == item)
    row = (await tx.execute(query.with_for_update(read=True) if share else query)).one_or_none()
    return Standing() if row is None else _standing(row)


async def standings(tx: Transaction, about: str, items: Sequence[UUID]) -> Mapping[UUID, Standing]:
    """Return where each of several items stands, for lists; one that nobody has touched is a draft."""
    rows = await tx.execute(select(approvals).where(approvals.c.about == about, approvals.c.item.in_(items)))
    return {item: Standing() for item in items} | {row.item: _standing(row) for row in rows}


async def save(tx: Transaction, held: Held, standing: Standing) -> None:
    """Write down where a held item stands now."""
    await tx.execute(
        update(approvals)
        .where(approvals.c.about == held.about, approvals.c.item == held.item)
        .values(
            state=standing.state.value,
            variants=dict(standing.fingerprint.variants) if standing.fingerprint else None,
            hands=sorted(standing.hands),
            broke_glass=standing.broke_glass,
            expires_at=standing.expires_at,
            steps=standing.steps,
        )
    )


async def take(
    tx: Transaction, held: Held, after: Standing, *, what: str, who: str | None, reason: str | None = None, seen: Fingerprint | None = None
) -> Step:
    """Bring a held item to where it stands `after` a step and return the step, now the last of its history.

    `seen` is what it was about, where that is not what stands there now.
    """
    step = Step(
        number=after.steps, what=what, who=who, state=after.state, fingerprint=seen or after.fingerprint, reason=reason, at=clock.now()
    )
    await save(tx, held, after)
    await tx.execute(
        insert(approval_steps).values(
            about=held.about,
            item=held.item,
            number=step.number,
            what=step.what,
            who=step.who,
            state=step.state.value,
            variants=dict(step.fingerprint.variants) if step.fingerprint else None,
            hash=step.fingerprint.whole if step.fingerprint else None,
            reason=step.reason,
            at=step.at,
        )
    )
    return step


async def history(tx: Transaction, about: str, item: UUID) -> Sequence[Step]:
    """Return every step of an item, oldest first."""
    query = select(approval_steps).where(approval_steps.c.about == about, approval_steps.c.item == item)
    return [_step(row) for row in await tx.execute(query.order_by(approval_steps.c.number))]


async def latest_step(tx: Transaction, about: str, item: UUID) -> Step | None:
    """Return the last step of an item, or None before the first."""
    query = select(approval_steps).where(approval_steps.c.about == about, approval_steps.c.item == item)
    row = (await tx.execute(query.order_by(approval_steps.c.number.desc()).limit(1))).one_or_none()
    return _step(row) if row else None


async def keep_contents(tx: Transaction, content: Content) -> None:
    """Keep each variant under its hash; one that is kept already stays as it is."""
    rows = [{"hash": digest(variant), "body": canonical(variant).decode()} for _, variant in sorted(content.items())]
    # In one order, so that two items with the same texts wait for each other instead of deadlocking.
    for row in sorted(rows, key=lambda row: row["hash"]):
        await tx.execute(insert(approval_contents).values(**row).on_conflict_do_nothing())


async def contents(tx: Transaction, fingerprint: Fingerprint) -> Mapping[str, Mapping[str, Any]]:
    """Return the variants of what was once submitted or approved; those that were not kept are missing."""
    wanted = set(fingerprint.variants.values())
    rows = await tx.execute(select(approval_contents).where(approval_contents.c.hash.in_(wanted)))
    bodies = {row.hash: json.loads(row.body) for row in rows}
    return {variant: bodies[digest_] for variant, digest_ in fingerprint.variants.items() if digest_ in bodies}


async def expired(tx: Transaction, about: str, at: datetime, limit: int) -> Sequence[UUID]:
    """Return items whose time is over and whose submission or approval still stands, longest over first, but for those held elsewhere."""
    query = (
        select(approvals.c.item)
        .where(approvals.c.about == about, EXPIRING, approvals.c.expires_at <= at)
        .order_by(approvals.c.expires_at, approvals.c.item)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list((await tx.execute(query)).scalars())


async def counts(tx: Transaction, about: str) -> Mapping[State, int]:
    """Return how many items stand in each state."""
    query = select(approvals.c.state, func.count()).where(approvals.c.about == about).group_by(approvals.c.state)
    return dict.fromkeys(State, 0) | {State(row.state): row[1] for row in await tx.execute(query)}


def _standing(row: Row[Any]) -> Standing:
    return Standing(
        state=State(row.state),
        fingerprint=Fingerprint(row.variants) if row.variants else None,
        hands=frozenset(row.hands),
        broke_glass=row.broke_glass,
        expires_at=row.expires_at,
        steps=row.steps,
    )


def _step(row: Row[Any]) -> Step:
    return Step(
        number=row.number,
        what=row.what,
        who=row.who,
        state=State(row.state),
        fingerprint=Fingerprint(row.variants) if row.variants else None,
        reason=row.reason,
        at=row.at,
    )
