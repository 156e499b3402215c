"""Every change that a person makes to a post: written, then told to the two-person rule, and what leaves brought in line, at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from services.social.domain.content import Content, Picture
from services.social.domain.posts import ABOUT, Post, Wish
from services.social.networks.fitting import FITS
from services.social.posting import planning, quiet
from services.social.store import deliveries as ledger
from services.social.store import drafts, posts
from shared import clock, outbox
from shared.actors import Actor
from shared.approval import editing
from shared.approval.things import Thing
from shared.db import Transaction
from shared.events.base import Source
from shared.events.codes import Language, Network, SourceKind
from shared.events.every import DecisionMade
from shared.trace import Cause

SCHEDULE = "schedule"
"""The `what` of the decision by which a person sets the time of a post."""

# Who takes this minute, which a field for a time knows without its seconds, and needs some to press the button, means now.
LATE = timedelta(minutes=2)


class NoPostError(Exception):
    """There is no such post, or no such variant of it."""


class LeftError(Exception):
    """This part of the post has left or may have, so it cannot be changed any more; write a new post instead."""


class ChangedError(Exception):
    """Somebody else has saved this since the page was opened; read what they wrote, then save yours."""


class OnlyVariantError(Exception):
    """A post has one variant at least; withdraw it instead of removing its last."""


class PastError(Exception):
    """That time has passed already; choose one to come."""


class EndsBeforeItLeavesError(Exception):
    """The end lies before the time at which the post is to leave."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a person has written into one variant."""

    text: str
    pictures: tuple[Picture, ...]  # in their order; each with its alternative text
    seen: str  # the hash of the variant as the page showed it


@dataclass(frozen=True, kw_only=True)
class Hand:
    """Who writes, and the request by which they do."""

    thing: Thing
    by: Actor
    cause: Cause


async def begin_from_draft(tx: Transaction, hand: Hand, draft_id: UUID, *, zone: str) -> UUID | None:
    """Return the post of a draft of the machine, begun now where nobody has; None where no draft of this id can be posted."""
    draft = await drafts.find(tx, draft_id)
    if draft is None:
        return None
    source = Source(kind=SourceKind(draft.source_kind), id=draft.source_id)
    post_id = await posts.add(tx, zone=zone, trace_id=draft.trace_id, draft_id=draft_id, source=source, source_revision=draft.revision)
    if post_id is None:
        return await posts.of_draft(tx, draft_id)
    for language, text in draft.texts.items():
        await posts.write_variant(tx, post_id, Content(network=Network.X, language=language, text=text))
    # These words are the machine's still: whoever has pressed the button has written nothing yet.
    await editing.edited(tx, hand.thing, post_id, by=None, cause=hand.cause)
    return post_id


async def begin_freely(tx: Transaction, hand: Hand, language: Language, *, zone: str) -> UUID:
    """Return a new post with an empty variant in one language."""
    post_id = await posts.add(tx, zone=zone, trace_id=hand.cause.trace_id)
    assert post_id is not None
    await posts.write_variant(tx, post_id, Content(network=Network.X, language=language, text=""))
    await _is_written(tx, hand, post_id)
    return post_id


async def write(tx: Transaction, hand: Hand, post_id: UUID, name: str, written: Written) -> None:
    """Write one variant; raises NoPostError, LeftError, ChangedError and RoleNeededError."""
    post = await _held(tx, post_id)
    variant = post.variants.get(name)
    if variant is None:
        raise NoPostError(NoPostError.__doc__)
    if variant.sha256 != written.seen:
        raise ChangedError(ChangedError.__doc__)
    await posts.write_variant(tx, post_id, replace(variant, text=written.text, pictures=written.pictures))
    await _is_written(tx, hand, post_id, changed=name)


async def add_variant(tx: Transaction, hand: Hand, post_id: UUID, network: Network, language: Language) -> None:
    """Add an empty variant in another language or for another network; one that is there stays as it is. Raises NoPostError."""
    post = await _held(tx, post_id)
    if network not in FITS:
        raise NoPostError(NoPostError.__doc__)
    content = Content(network=network, language=language, text="")
    if content.name in post.variants:
        return
    # The pictures speak for themselves; what they show has to be said again in the other language.
    await posts.write_variant(tx, post_id, content)
    await _is_written(tx, hand, post_id)


async def remove_variant(tx: Transaction, hand: Hand, post_id: UUID, name: str) -> None:
    """Take a variant out of a post; raises NoPostError, LeftError and OnlyVariantError."""
    post = await _held(tx, post_id)
    if name not in post.variants:
        raise NoPostError(NoPostError.__doc__)
    if len(post.variants) == 1:
        raise OnlyVariantError(OnlyVariantError.__doc__)
    await posts.remove_variant(tx, post_id, post.variants[name])
    await _is_written(tx, hand, post_id, changed=name)


async def schedule(tx: Transaction, hand: Hand, post_id: UUID, wish: Wish) -> None:
    """Set when a post is to leave and when it must not any more, and keep who did; an approval of its words stays.

    Raises NoPostError, LeftError where all of it has left, PastError, EndsBeforeItLeavesError, QuietError, and ValueError for no zone.
    """
    post = await _held(tx, post_id)
    known = (await ledger.of_posts(tx, [post_id])).get(post_id, {})
    if all(name in known and known[name].fixed for name in post.variants):
        raise LeftError(LeftError.__doc__)
    planned, expires_at, now = wish.planned, wish.expires_at, clock.now()
    if (planned and planned.instant < now - LATE) or (expires_at and expires_at <= now):
        raise PastError(PastError.__doc__)
    if planned and expires_at and expires_at <= planned.instant:
        raise EndsBeforeItLeavesError(EndsBeforeItLeavesError.__doc__)
    if wish == post.wish:
        return
    if planned:
        await quiet.check(tx, post, max(planned.instant, now))
    await posts.write_wish(tx, post_id, wish)
    await _is_written(tx, hand, post_id)
    decided = DecisionMade(
        who=hand.by.id, what=SCHEDULE, about=ABOUT, title=post.title, address=(await _matter_address(tx, hand.thing, post_id))
    )
    await outbox.put(tx, decided, subject=str(post_id), cause=hand.cause)


async def _fixed_variants(tx: Transaction, post_id: UUID) -> Sequence[str]:
    """Return the variants that have left or may have."""
    return [name for name, known in (await ledger.of_posts(tx, [post_id])).get(post_id, {}).items() if known.fixed]


async def _held(tx: Transaction, post_id: UUID) -> Post:
    post = await posts.find(tx, post_id) if await posts.hold(tx, post_id) else None
    if post is None:
        raise NoPostError(NoPostError.__doc__)
    return post


async def _is_written(tx: Transaction, hand: Hand, post_id: UUID, *, changed: str = "") -> None:
    await editing.edited(tx, hand.thing, post_id, by=hand.by, cause=hand.cause)
    # Only now: from here on the approval is held, and nothing more of this post can begin to leave.
    if changed in await _fixed_variants(tx, post_id):
        raise LeftError(LeftError.__doc__)
    await planning.follow(tx, post_id, cause=hand.cause)


async def _matter_address(tx: Transaction, thing: Thing, post_id: UUID) -> str:
    matter = await thing.read(tx, post_id)
    assert matter is not None
    return matter.address
