"""What an approval of an issue is bound to: every letter that a reader of each language gets, who these readers are, and the sources."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from services.newsletter.compose import blocks
from services.newsletter.compose.blocks import Block
from services.newsletter.compose.edition import Edition, Month, NowhereWrittenError, missing
from services.newsletter.compose.variants import variant
from services.newsletter.issues.opening import PAGE, title_or_number
from services.newsletter.issues.rules import audience_of
from services.newsletter.issues.tables import issue_blocks, issues
from services.newsletter.sending.rules import ABOUT
from shared.approval import people
from shared.approval.content import Content
from shared.approval.rules import Action, ApprovalError, Step
from shared.approval.things import Matter, Thing
from shared.db import Transaction
from shared.events.base import Source
from shared.events.codes import SourceKind
from shared.events.times import Days, Due, TimeWithZone, is_zone
from shared.pauses.quiet import forbidding
from shared.wall_clock import plan

FOR_LEAVING = frozenset({Action.SUBMIT.value, Action.APPROVE.value, Action.BREAK_GLASS.value})


class StillGatheringError(ApprovalError):
    """This issue still gathers; make the cut first, so that what is read is what goes."""

    slug = "issue-gathers"


class UnfinishedError(ApprovalError):
    """Something that an issue needs is written in no language, or its subject lacks in one; write it, or take its block out."""

    slug = "issue-unfinished"
    status = 422


class EmptyIssueError(ApprovalError):
    """This issue says nothing: it has neither an item nor a text. Put one in, or withdraw it where nothing is to go out."""

    slug = "issue-empty"
    status = 422


def thing_of(public_url: str) -> Thing:
    """Return issues as a kind of thing that needs two persons."""

    async def read(tx: Transaction, item: UUID) -> Matter | None:
        issue = (await tx.execute(select(issues).where(issues.c.id == item))).one_or_none()
        if issue is None:
            return None
        edition, taken = await edition_of(tx, issue, public_url)
        return Matter(
            content=content_of(edition, issue, taken),
            title=title_or_number(issue),
            address=f"{public_url}{PAGE}{item}",
            due=_due(issue.sends_at, issue.zone),
        )

    return Thing(about=ABOUT, read=read, approvers=people.approvers)


async def edition_of(tx: Transaction, issue: Row[Any], public_url: str) -> tuple[Edition, Sequence[Row[Any]]]:
    """Return an issue as it is composed, and the rows of the blocks in it, in their order."""
    rows = [row for row in await all_blocks(tx, issue.id) if row.dropped_at is None]
    return edition_with(issue, [blocks.parse(row.content) for row in rows], public_url), rows


def edition_with(issue: Row[Any], kept: Sequence[Block], public_url: str) -> Edition:
    """Return an issue as it is composed of these blocks."""
    return Edition(
        issue_id=issue.id,
        number=issue.serial,
        month=Month(year=issue.month.year, month=issue.month.month),
        languages=tuple(issue.languages),
        subject=issue.subject,
        preheader=issue.preheader,
        blocks=kept,
        public_url=public_url,
    )


async def all_blocks(tx: Transaction, issue_id: UUID) -> Sequence[Row[Any]]:
    """Return every block of an issue in its order, those that were dropped among them."""
    query = select(issue_blocks).where(issue_blocks.c.issue_id == issue_id)
    return (await tx.execute(query.order_by(issue_blocks.c.place, issue_blocks.c.id))).all()


def content_of(edition: Edition, issue: Row[Any], taken: Sequence[Row[Any]]) -> Content:
    """Return what goes out, by language; while a text is written nowhere there is no mail yet, and its parts stand for it.

    `readers` are the languages of those who get the variant, `sources` what its items came from: a correction is another revision, and
    voids an approval even where people have worded the item themselves.
    """
    readers = audience_of(issue.languages, issue.fallback)
    sources = sorted(f"{row.content['source_kind']}/{row.content['source_id']}/{row.source_revision}" for row in taken if row.item_id)
    more = {"sources": sources}
    content: dict[str, Mapping[str, Any]] = {}
    for language in edition.languages:
        try:
            whole: Mapping[str, Any] = variant(edition, language)
        except NowhereWrittenError:
            whole = {"unfinished": [dict(edition.subject), dict(edition.preheader), *(row.content for row in taken)]}
        content[language] = {**whole, "readers": list(readers[language]), **more}
    return content


class EmbargoedError(ApprovalError):
    """Something in this issue may not be spoken of before its hour; leave it to a later issue, or let this one go later."""

    slug = "issue-embargoed"


async def check_whole(tx: Transaction, issue: Row[Any], step: Step, public_url: str) -> None:
    """Raise the ApprovalError of the first reason for which a step would let go what is not whole, or may not be spoken of by then."""
    if step.what not in FOR_LEAVING:
        return
    if issue.cut_at is None:
        raise StillGatheringError
    edition, taken = await edition_of(tx, issue, public_url)
    if all(block.kind in blocks.SILENT for block in edition.blocks):
        raise EmptyIssueError
    if any(lack.stops for lacks in missing(edition).values() for lack in lacks):
        raise UnfinishedError
    sources = sources_of(taken)
    quiet = await forbidding(tx, plan(issue.sends_at, issue.zone).instant, sources) if sources and is_zone(issue.zone) else None
    if quiet is not None and quiet.source is not None:
        raise EmbargoedError


def sources_of(taken: Sequence[Row[Any]]) -> tuple[Source, ...]:
    """Return what the items in an issue came from."""
    found = [Source(kind=SourceKind(row.content["source_kind"]), id=row.content["source_id"]) for row in taken if row.item_id]
    return tuple(dict.fromkeys(found))


def _due(sends_at: datetime, zone: str) -> Due:
    if is_zone(zone):
        return TimeWithZone(precision="time", starts=plan(sends_at, zone).instant, zone=zone)
    return Days(precision="day", first=sends_at.date(), last=sends_at.date())
