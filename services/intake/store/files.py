"""The files that come with submissions, by the hash of their bytes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, String, and_, cast, delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.intake.domain import SubmissionState
from services.intake.store.tables import contributions, files, followed, promotions, submissions, talks
from shared.db import Transaction
from shared.files.documents import Document

_PUBLIC_KINDS = ("pledge",)
"""Kinds whose file stands beside what is published; that of others only where what became of them can be seen, see `_shown`."""


async def keep(tx: Transaction, document: Document, at: datetime) -> None:
    """Keep the bytes of a document; once, however often they come."""
    row = insert(files).values(sha256=document.sha256, media_type=document.media_type, data=document.data, kept_at=at)
    await tx.execute(row.on_conflict_do_update(index_elements=["sha256"], set_={"kept_at": at}))


def _with(sha256: str) -> Any:
    return submissions.c.files.contains(cast([{"sha256": sha256}], JSONB))


def _shown() -> Any:
    """Return the condition that everybody may have the files of a submission: it stands accepted, and so does what shows them.

    That is a pledge itself; of a Talk the team says so; a contribution is public once an issue prints it, and what was asked to be promoted
    once a post has said it.
    """
    followed_by = [
        select(followed.c.thing_id)
        .join(record, cast(record.c.id, String) == followed.c.source_id)
        .where(record.c.submission_id == submissions.c.id, followed.c.kind == kind, followed.c.stands, followed.c.address != "")
        .exists()
        for record, kind in ((contributions, "issue"), (promotions, "post"))
    ]
    note = select(talks.c.id).where(talks.c.submission_id == submissions.c.id, talks.c.shows_note).exists()
    return and_(submissions.c.state == SubmissionState.ACCEPTED.value, or_(submissions.c.kind.in_(_PUBLIC_KINDS), note, *followed_by))


async def are_public(tx: Transaction, submission_id: UUID) -> bool:
    """Say whether everybody may have the files that came with a submission."""
    return (await tx.execute(select(submissions.c.id).where(submissions.c.id == submission_id, _shown()))).first() is not None


async def find(tx: Transaction, sha256: str, *, public: bool) -> Row[Any, Any] | None:
    """Return bytes and name of a file, or None; where it is for the `public`, only if what it came with was accepted and shows it."""
    query = (
        select(files.c.data, submissions.c.files.label("told"))
        .join(submissions, _with(sha256))
        .where(files.c.sha256 == sha256, *([_shown()] if public else []))
        .order_by(submissions.c.received_at)
        .limit(1)
    )
    return (await tx.execute(query)).one_or_none()


async def forget_unused(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete files that came before a moment and that no submission names any more, `limit` at most; returns how many went."""
    named = select(literal(1)).where(
        submissions.c.files.contains(func.jsonb_build_array(func.jsonb_build_object("sha256", files.c.sha256)))
    )
    old = select(files.c.sha256).where(files.c.kept_at < before, ~named.exists()).limit(limit)
    return (await tx.execute(delete(files).where(files.c.sha256.in_(old)))).rowcount
