"""Drafts of posts, kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.social.domain.drafts import Draft, DraftState
from services.social.store.tables import drafts, posts
from shared.db import Transaction
from shared.events.codes import Language
from shared.heard import Told
from shared.ids import new_id


async def find(tx: Transaction, draft_id: UUID) -> Row[Any] | None:
    """Return a draft that can be posted, or None; nobody corrects or withdraws it until `tx` ends, and then finds what was made of it."""
    here = (drafts.c.id == draft_id) & (drafts.c.state == DraftState.DRAFTED.value)
    return (await tx.execute(select(drafts).where(here).with_for_update(read=True))).one_or_none()


async def of_id(tx: Transaction, draft_id: UUID) -> Row[Any] | None:
    """Return a draft, withdrawn or not; None where there is none."""
    return (await tx.execute(select(drafts).where(drafts.c.id == draft_id))).one_or_none()


async def untouched(tx: Transaction) -> int:
    """Return how many drafts nobody has made a post of."""
    taken = exists().where(posts.c.draft_id == drafts.c.id)
    query = select(func.count()).select_from(drafts).where(drafts.c.state == DraftState.DRAFTED.value, not_(taken))
    return int((await tx.execute(query)).scalar_one())


# What changes without anything being said of the source: an event that only says the same again changes nothing that was approved.
_PROVENANCE = frozenset({"event_id", "trace_id", "told_at", "revision"})


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A draft that says something else than before."""

    id: UUID
    before: Mapping[Language, str]  # its texts until now; empty for a new one


async def save_draft(tx: Transaction, draft: Draft) -> Saved | None:
    """Make the draft, or bring it to where its source is now; returns None where nothing of what it says has changed."""
    here = (drafts.c.source_kind == draft.source_kind) & (drafts.c.source_id == draft.source_id)
    here &= drafts.c.milestone == draft.milestone
    before = (await tx.execute(select(drafts).where(here).with_for_update())).one_or_none()
    values = asdict(draft) | {"state": draft.state.value}
    new = insert(drafts)
    changed = {name: new.excluded[name] for name in values} | {"updated_at": func.now()}
    done = await tx.execute(
        new.on_conflict_do_update(
            index_elements=["source_kind", "source_id", "milestone"], set_=changed, where=drafts.c.revision <= new.excluded.revision
        ).returning(*drafts.c),
        {"id": new_id(), **values},
    )
    after = done.one_or_none()
    if after is None or (before is not None and _said(before) == _said(after)):
        return None
    return Saved(id=after.id, before=before.texts if before is not None else {})


async def end_the_others(tx: Transaction, told: Told, because: str, milestones: Collection[str]) -> Sequence[UUID]:
    """Withdraw the drafts of a source that it gives no more, and return their ids; `milestones` are those that it gives."""
    done = await tx.execute(
        update(drafts)
        .where(drafts.c.source_kind == told.kind.value, drafts.c.source_id == told.id)
        .where(drafts.c.milestone.not_in(list(milestones)), drafts.c.state == DraftState.DRAFTED.value)
        .where(drafts.c.revision <= told.revision)
        .values(state=DraftState.WITHDRAWN.value, withdrawn_because=because, revision=told.revision, updated_at=func.now())
        .returning(drafts.c.id)
    )
    return sorted(done.scalars())


def _said(row: Row[Any]) -> Mapping[str, Any]:
    kept = {column.name for column in drafts.columns} & {one.name for one in fields(Draft)} - _PROVENANCE
    return {name: getattr(row, name) for name in kept}


async def list_drafts(tx: Transaction, limit: int = 200, label: str = "") -> Sequence[Row[Any]]:
    """Return the drafts, newest first; with a `label`, those about that alone."""
    query = select(drafts).where(drafts.c.label == label) if label else select(drafts)
    return (await tx.execute(query.order_by(drafts.c.created_at.desc(), drafts.c.id).limit(limit))).all()


async def labels(tx: Transaction) -> Sequence[str]:
    """Return what drafts are about, each word once."""
    return (await tx.execute(select(drafts.c.label).distinct().order_by(drafts.c.label))).scalars().all()
