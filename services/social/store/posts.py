"""Posts as people write them, kept. Nothing here asks who may: `posting` does."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.social.domain.content import Content
from services.social.domain.posts import Post, Wish
from services.social.store.tables import post_variants, posts
from shared.db import Transaction
from shared.events.base import Source
from shared.events.codes import LANGUAGES, SourceKind
from shared.ids import new_id


async def add(
    tx: Transaction,
    *,
    zone: str,
    trace_id: str,
    draft_id: UUID | None = None,
    source: Source | None = None,
    source_revision: int | None = None,
) -> UUID | None:
    """Return the id of a new post without any variant; None where somebody has begun one from the same draft."""
    values = {
        "id": new_id(),
        "draft_id": draft_id,
        "source_kind": source.kind.value if source else None,
        "source_id": source.id if source else None,
        "source_revision": source_revision,
        "zone": zone,
        "trace_id": trace_id,
    }
    made = await tx.execute(insert(posts).values(**values).on_conflict_do_nothing(index_elements=["draft_id"]).returning(posts.c.id))
    row = made.first()
    return row.id if row else None


async def of_draft(tx: Transaction, draft_id: UUID) -> UUID | None:
    """Return the post that was begun from a draft."""
    return (await tx.execute(select(posts.c.id).where(posts.c.draft_id == draft_id))).scalar_one_or_none()


async def of_drafts(tx: Transaction, draft_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """Return the posts that were begun from these drafts, by draft."""
    rows = await tx.execute(select(posts.c.draft_id, posts.c.id).where(posts.c.draft_id.in_(draft_ids)))
    return {row.draft_id: row.id for row in rows}


async def find(tx: Transaction, post_id: UUID) -> Post | None:
    """Return a post, or None where there is none."""
    return (await find_all(tx, [post_id])).get(post_id)


async def find_all(tx: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, Post]:
    """Return posts by id."""
    rows = (await tx.execute(select(posts).where(posts.c.id.in_(ids)))).all()
    variants = (await tx.execute(select(post_variants).where(post_variants.c.post_id.in_(ids)))).all()
    return {row.id: _post(row, [variant for variant in variants if variant.post_id == row.id]) for row in rows}


async def latest(tx: Transaction, limit: int) -> Sequence[Post]:
    """Return the posts that were worked on last, the latest first."""
    ids = list((await tx.execute(select(posts.c.id).order_by(posts.c.updated_at.desc(), posts.c.id).limit(limit))).scalars())
    found = await find_all(tx, ids)
    return [found[one] for one in ids]


async def hold(tx: Transaction, post_id: UUID) -> bool:
    """Let nobody else write into a post until `tx` ends; say whether there is one."""
    touched = update(posts).where(posts.c.id == post_id).values(updated_at=func.now()).returning(posts.c.id)
    return (await tx.execute(touched)).first() is not None


async def write_variant(tx: Transaction, post_id: UUID, content: Content) -> None:
    """Write what a post says on one network in one language: words that know the source as it stands now."""
    kept = content.as_kept()
    known = select(posts.c.source_revision).where(posts.c.id == post_id).scalar_subquery()
    values = {"text": kept["text"], "pictures": kept["pictures"], "source_revision": known}
    row = insert(post_variants).values(post_id=post_id, network=content.network.value, language=content.language, **values)
    await tx.execute(row.on_conflict_do_update(index_elements=["post_id", "network", "language"], set_=values))


async def remove_variant(tx: Transaction, post_id: UUID, content: Content) -> None:
    """Take a variant out of a post."""
    here = (post_variants.c.post_id == post_id) & (post_variants.c.network == content.network.value)
    await tx.execute(delete(post_variants).where(here, post_variants.c.language == content.language))


async def write_wish(tx: Transaction, post_id: UUID, wish: Wish) -> None:
    """Write when a post is to leave, and when it must not any more."""
    values = {"local_time": wish.local, "zone": wish.zone, "until_time": wish.until}
    await tx.execute(update(posts).where(posts.c.id == post_id).values(**values))


async def write_source(tx: Transaction, post_id: UUID, *, revision: int, withdrawn: str | None) -> None:
    """Write down to which revision its source has come, and why it no longer stands."""
    values = {"source_revision": revision, "source_withdrawn": withdrawn}
    await tx.execute(update(posts).where(posts.c.id == post_id).values(**values))


def _post(row: Row[Any], variants: Sequence[Row[Any]]) -> Post:
    source = Source(kind=SourceKind(row.source_kind), id=row.source_id) if row.source_kind else None
    named = f"{row.source_kind} {row.source_id}, revision {row.source_revision}" if source else ""
    contents = [
        Content.from_kept(one.network, one.language, {"text": one.text, "pictures": one.pictures, "source": named}) for one in variants
    ]
    return Post(
        id=row.id,
        draft_id=row.draft_id,
        source=source,
        source_revision=row.source_revision,
        source_withdrawn=row.source_withdrawn,
        wish=Wish(local=row.local_time, zone=row.zone, until=row.until_time),
        outdated=frozenset(f"{one.network}/{one.language}" for one in variants if (one.source_revision or 0) < (row.source_revision or 0)),
        variants={one.name: one for one in sorted(contents, key=lambda one: (one.network, LANGUAGES.index(one.language)))},
        trace_id=row.trace_id,
    )
