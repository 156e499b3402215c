"""What the correction or the end of a source does to the posts that were written from it and have not left."""

from collections.abc import Mapping
from dataclasses import replace

from services.social.domain.posts import Post
from services.social.posting import planning
from services.social.posting.writing import fixed_variants
from services.social.store import posts
from shared.approval import editing
from shared.approval.things import Thing
from shared.db import Transaction
from shared.events.codes import Language
from shared.trace import Cause


async def correct(
    tx: Transaction,
    thing: Thing,
    *,
    kind: str,
    id_: str,
    revision: int,
    before: Mapping[Language, str],
    after: Mapping[Language, str],
    cause: Cause,
) -> None:
    """Bring posts to a newer revision of their source: what nobody has changed is drafted anew, and every approval is void.

    `before` and `after` are the words that the machine drafted from each. A text that a person wrote stays as it is, for people to read.
    """
    for post in await _not_left(tx, kind, id_, revision):
        left = await fixed_variants(tx, post.id)
        for name, variant in post.variants.items():
            drafted = after.get(variant.language)
            if name not in left and drafted and variant.text == before.get(variant.language):
                await posts.write_variant(tx, post.id, replace(variant, text=drafted))
        await posts.write_source(tx, post.id, revision=revision, withdrawn=None)
        await editing.edited(tx, thing, post.id, by=None, cause=cause)
        await planning.follow(tx, post.id, cause=cause)


async def withdraw(tx: Transaction, thing: Thing, *, kind: str, id_: str, revision: int, because: str, cause: Cause) -> None:
    """Withdraw the posts of a source that no longer stands, as far as they have not left."""
    for post in await _not_left(tx, kind, id_, revision):
        await posts.write_source(tx, post.id, revision=revision, withdrawn=because)
        await editing.withdraw(tx, thing, post.id, because=because, cause=cause)
        await planning.follow(tx, post.id, cause=cause)


async def _not_left(tx: Transaction, kind: str, id_: str, revision: int) -> list[Post]:
    """Return the posts of an older revision of a source of which something has not left, held."""
    found: list[Post] = []
    for post_id in await posts.of_source(tx, kind, id_):
        await posts.hold(tx, post_id)
        post = await posts.find(tx, post_id)
        if post is None or (post.source_revision or 0) >= revision:
            continue
        if not set(post.variants) <= set(await fixed_variants(tx, post_id)):
            found.append(post)
    return found
