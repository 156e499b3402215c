"""Drafts of posts, kept."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.social.domain.drafts import Draft, DraftState
from services.social.store.tables import drafts, posts
from shared.db import Transaction
from shared.events.codes import Language
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


async def texts_of(tx: Transaction, source_kind: str, source_id: str) -> Mapping[Language, str]:
    """Return what the machine has drafted from a source, by language; empty where it has drafted nothing."""
    here = (drafts.c.source_kind == source_kind) & (drafts.c.source_id == source_id)
    found = (await tx.execute(select(drafts.c.texts).where(here).with_for_update())).scalar_one_or_none()
    return found or {}


async def save_draft(tx: Transaction, draft: Draft) -> bool:
    """Make the draft, or bring it to a newer revision of its source; returns whether anything changed."""
    values = asdict(draft) | {"state": DraftState.DRAFTED.value}
    new = insert(drafts).values(id=new_id(), **values)
    changed = {name: new.excluded[name] for name in values} | {"withdrawn_because": None, "updated_at": func.now()}
    done = await tx.execute(
        new.on_conflict_do_update(
            index_elements=["source_kind", "source_id"], set_=changed, where=drafts.c.revision < new.excluded.revision
        ).returning(drafts.c.id)
    )
    return done.first() is not None


async def withdraw_draft(tx: Transaction, *, source_kind: str, source_id: str, revision: int, because: str) -> bool:
    """Mark the draft of a source as withdrawn; returns whether there was one that this withdrawal is not older than."""
    done = await tx.execute(
        update(drafts)
        .where(drafts.c.source_kind == source_kind, drafts.c.source_id == source_id, drafts.c.revision <= revision)
        .values(state=DraftState.WITHDRAWN.value, withdrawn_because=because, revision=revision, updated_at=func.now())
        .returning(drafts.c.id)
    )
    return done.first() is not None


async def list_drafts(tx: Transaction, limit: int = 200) -> Sequence[Row[Any]]:
    """Return the drafts, newest first."""
    return (await tx.execute(select(drafts).order_by(drafts.c.created_at.desc(), drafts.c.id).limit(limit))).all()
