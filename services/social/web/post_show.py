"""What the page of one post shows: its variants with their forms, when it leaves, what became of it, and what is to be decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.social.domain.content import Content
from services.social.domain.deliveries import State, WaitingFor
from services.social.domain.posts import Post
from services.social.networks.fitting import FITS, Fit
from services.social.posting.things import PATH
from services.social.store import deliveries as ledger
from services.social.store import drafts, posts
from services.social.store.deliveries import Known
from services.social.web.post_form import Filled, prefix_of
from shared import clock
from shared.actors import Actor
from shared.approval.rules import EDITORS
from shared.approval.things import Thing
from shared.approval.web import Looked, look_at
from shared.db import Transaction
from shared.i18n import CONTENT_LANGUAGES

# Where colleagues of the Network sit, by the hour they have in winter; any other zone of a post stands with them.
ZONES = (
    "America/New_York",
    "America/Santiago",
    "UTC",
    "Africa/Dakar",
    "Europe/Zurich",
    "Africa/Cairo",
    "Asia/Beirut",
    "Africa/Nairobi",
    "Africa/Addis_Ababa",
    "Asia/Bangkok",
    "Asia/Manila",
)
TONES: Mapping[State, str] = {State.PUBLISHED: "good", State.WAITING: "warning", State.CANCELLED: "neutral"}


@dataclass(frozen=True, kw_only=True)
class VariantView:
    """One variant on the page."""

    name: str
    prefix: str
    content: Content
    text: str  # as it was typed, where that could not be saved
    alternatives: Mapping[str, str]
    new_alternative: str
    length: int  # as its network counts
    limit: int
    over: int
    most_pictures: int
    seen: str
    meanwhile: bool  # somebody else has saved it while this person wrote; what they saved is shown beside what was typed
    fixed: bool  # it has left or may have
    delivery: Known | None
    tone: str
    why_key: str  # of the sentence why it waits for a person
    source_text: str  # what the machine drafts today in this language
    outdated: bool  # its words are older than what its source says now
    quiet_until: datetime | None  # its time came when nothing might be posted; it leaves then


@dataclass(frozen=True, kw_only=True)
class PostView:
    """A post on its page."""

    post: Post
    looked: Looked
    variants: Sequence[VariantView]
    may_edit: bool
    missing: Sequence[str]  # languages that it has no variant in
    draft_address: str
    draft: Any  # the machine's draft that it was begun from, with what was wished; None where people began it


async def view_of(tx: Transaction, thing: Thing, post_id: UUID, person: Actor, filled: Filled | None = None) -> PostView | None:
    """Return a post as its page shows it to a person, with what they have typed; None where there is none."""
    post = await posts.find(tx, post_id)
    looked = await look_at(tx, thing, post_id, person)
    if post is None or looked is None:
        return None
    known = (await ledger.of_posts(tx, [post_id])).get(post_id, {})
    draft = await drafts.of_id(tx, post.draft_id) if post.draft_id else None
    drafted: Mapping[str, str] = draft.texts if draft else {}
    return PostView(
        post=post,
        looked=looked,
        variants=[_variant(one, known.get(name), filled, drafted, name in post.outdated) for name, one in post.variants.items()],
        may_edit=person.holds(*EDITORS),
        missing=[language for language in CONTENT_LANGUAGES if f"x/{language}" not in post.variants],
        draft_address=f"/social/drafts#draft-{post.draft_id}" if post.draft_id else "",
        draft=draft,
    )


def _variant(content: Content, known: Known | None, filled: Filled | None, drafted: Mapping[str, str], outdated: bool) -> VariantView:
    fit: Fit = FITS[content.network]
    typed = filled if filled is not None and filled.name == content.name else None
    text = typed.text if typed else content.text
    length = fit.count(text)
    # Where it was saved meanwhile, what stands there now is shown with this answer; from here on that is what its writer has seen.
    meanwhile = typed is not None and typed.seen != content.sha256
    return VariantView(
        name=content.name,
        prefix=prefix_of(content.name),
        content=content,
        text=text,
        alternatives=typed.alternatives if typed else {one.sha256: one.alternative for one in content.pictures},
        new_alternative=typed.new_alternative if typed else "",
        length=length,
        limit=fit.limit,
        over=max(0, length - fit.limit),
        most_pictures=fit.most_pictures,
        seen=content.sha256,
        meanwhile=meanwhile,
        fixed=known is not None and known.fixed,
        delivery=known,
        tone=TONES.get(State(known.row.state), "info") if known else "neutral",
        why_key=WaitingFor(known.row.waiting_for).key if known and known.row.waiting_for else "",
        source_text=drafted.get(content.language, ""),
        outdated=outdated,
        quiet_until=known.row.quiet_until if known and known.row.state == State.SCHEDULED and _waits(known) else None,
    )


def _waits(known: Known) -> bool:
    return known.row.quiet_until is not None and known.row.quiet_until > clock.now()


def zones_with(zone: str) -> Sequence[tuple[str, str]]:
    """Return the zones that the form offers, by value and text, the post's own among them."""
    return [(one, one.replace("_", " ")) for one in dict.fromkeys((*ZONES, zone))]


def wall_clock(moment: datetime | None) -> str:
    """Return a time on the wall as the field of a form takes it; empty where there is none."""
    return moment.strftime("%Y-%m-%dT%H:%M") if moment else ""


def day_of(moment: datetime, zone: str) -> Any:
    """Return the day of an instant in a zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def address_of(post_id: UUID) -> str:
    """Return the page of a post."""
    return f"{PATH}/{post_id}"
