"""What the correction or the end of a source does to the posts that were written from it and have not left."""

from dataclasses import replace
from uuid import UUID

from services.social.domain.drafts import Draft
from services.social.domain.posts import Post
from services.social.posting import planning
from services.social.store import deliveries as ledger
from services.social.store import posts
from services.social.store.drafts import Saved
from shared.approval import editing
from shared.approval.things import Thing
from shared.db import Transaction
from shared.trace import Cause


async def correct(tx: Transaction, thing: Thing, saved: Saved, draft: Draft, *, cause: Cause) -> None:
    """Bring the post of a draft to what its source says now: what nobody has changed is drafted anew, and its approval is void.

    A text that a person wrote stays as it is, marked as older than its source, for people to read.
    """
    post = await _not_left(tx, saved.id, draft.revision)
    if post is None:
        return
    left = await _left(tx, post.id)
    await posts.write_source(tx, post.id, revision=draft.revision, withdrawn=None)
    for name, variant in post.variants.items():
        drafted = draft.texts.get(variant.language)
        if name not in left and drafted and variant.text == saved.before.get(variant.language):
            await posts.write_variant(tx, post.id, replace(variant, text=drafted))
    await editing.edited(tx, thing, post.id, by=None, cause=cause)
    await planning.follow(tx, post.id, cause=cause)


async def withdraw(tx: Transaction, thing: Thing, draft_id: UUID, revision: int, because: str, *, cause: Cause) -> None:
    """Withdraw the post of a draft whose source no longer stands, as far as it has not left."""
    post = await _not_left(tx, draft_id, revision)
    if post is None:
        return
    await posts.write_source(tx, post.id, revision=revision, withdrawn=because)
    await editing.withdraw(tx, thing, post.id, because=because, cause=cause)
    await planning.follow(tx, post.id, cause=cause)


async def _not_left(tx: Transaction, draft_id: UUID, revision: int) -> Post | None:
    """Return the post of a draft, held, where something of it has not left and nothing newer is known of its source."""
    post_id = await posts.of_draft(tx, draft_id)
    if post_id is None or not await posts.hold(tx, post_id):
        return None
    post = await posts.find(tx, post_id)
    if post is None or (post.source_revision or 0) > revision:
        return None
    return None if set(post.variants) <= await _left(tx, post_id) else post


async def _left(tx: Transaction, post_id: UUID) -> set[str]:
    """Return the variants that have left or may have by what was tried.

    What a restore holds is not among them: a person may still let it go, and then it must not say what no longer stands.
    """
    return {name for name, known in (await ledger.of_posts(tx, [post_id])).get(post_id, {}).items() if known.tried}
