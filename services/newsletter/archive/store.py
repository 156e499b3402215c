"""The archive's tables and queries, as functions on a transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Date, DateTime, ForeignKey, Index, Integer, Row, Table, Text, Uuid, func, select
from sqlalchemy.dialects.postgresql import insert

from services.newsletter.compose import plain
from services.newsletter.compose.edition import Month
from services.newsletter.compose.variants import Variant
from services.newsletter.store import TABLES
from shared import clock
from shared.db import Transaction
from shared.events.codes import LANGUAGES, Language

archived_issues = Table(
    "archived_issues",
    TABLES,
    Column("issue_id", Uuid, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("month", Date, nullable=False),  # its first day
    Column("sent_at", DateTime(timezone=True), nullable=False),  # when sending began
    Index("archived_issues_number_idx", "number", unique=True),
)

archived_variants = Table(
    "archived_variants",
    TABLES,
    Column("issue_id", Uuid, ForeignKey("archived_issues.issue_id", name="archived_variants_issue_id_fkey"), primary_key=True),
    Column("language", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("preheader", Text, nullable=False),
    Column("html", Text, nullable=False),  # the inside of a page
    Column("text", Text, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Archived:
    """An issue of the archive, as lists show it."""

    issue_id: UUID
    number: int
    month: Month
    sent_at: datetime
    subject: Mapping[Language, str]  # of each of its languages
    preheader: Mapping[Language, str]  # may be empty

    @property
    def address(self) -> str:
        """The path of its page."""
        return f"/newsletter/archive/{self.number}"


@dataclass(frozen=True, kw_only=True)
class ArchivedText:
    """An issue in one language."""

    html: str
    text: str


async def keep(tx: Transaction, *, issue_id: UUID, number: int, month: Month, variants: Mapping[str, Variant], sent_at: datetime) -> bool:
    """Put an issue into the archive when its sending begins; returns False where it is there already, and leaves that as it is.

    `variants` are those of `compose.variants`, as they were approved. Raises IntegrityError where another issue has the number.
    """
    values = {"issue_id": issue_id, "number": number, "month": month.first, "sent_at": clock.check_aware(sent_at)}
    new = insert(archived_issues).values(values).on_conflict_do_nothing(index_elements=["issue_id"]).returning(archived_issues.c.number)
    if (await tx.execute(new)).first() is None:
        return False
    rows = [
        {
            "issue_id": issue_id,
            "language": language,
            "subject": made["subject"],
            "preheader": made["preheader"],
            "html": made["web"],
            "text": made["text"].rpartition(plain.FOOT)[0],
        }
        for language, made in variants.items()
    ]
    await tx.execute(insert(archived_variants), rows)
    return True


async def newest(tx: Transaction, limit: int | None = None) -> Sequence[Archived]:
    """Return the issues, the newest first; all of them without a limit, for there are twelve a year."""
    chosen = select(archived_issues.c.issue_id).order_by(archived_issues.c.number.desc()).limit(limit)
    return await _issues(tx, archived_issues.c.issue_id.in_(chosen))


async def find(tx: Transaction, number: int) -> Archived | None:
    """Return the issue of this number, or None."""
    found = await _issues(tx, archived_issues.c.number == number)
    return found[0] if found else None


async def text_of(tx: Transaction, issue_id: UUID, language: Language) -> ArchivedText:
    """Return an issue in one of its languages; raises NoResultFound where it has none in that."""
    wanted = (archived_variants.c.issue_id == issue_id) & (archived_variants.c.language == language)
    found = (await tx.execute(select(archived_variants.c.html, archived_variants.c.text).where(wanted))).one()
    return ArchivedText(html=found.html, text=found.text)


async def neighbours(tx: Transaction, number: int) -> tuple[int | None, int | None]:
    """Return the numbers of the issues before and after this one."""
    at = archived_issues.c.number
    earlier = (await tx.execute(select(func.max(at)).where(at < number))).scalar_one()
    later = (await tx.execute(select(func.min(at)).where(at > number))).scalar_one()
    return earlier, later


async def _issues(tx: Transaction, wanted: ColumnElement[bool]) -> Sequence[Archived]:
    columns = (*archived_issues.c, archived_variants.c.language, archived_variants.c.subject, archived_variants.c.preheader)
    joined = archived_issues.join(archived_variants)
    rows = await tx.execute(select(*columns).select_from(joined).where(wanted).order_by(archived_issues.c.number.desc()))
    return [_issue(list(own)) for _, own in groupby(rows, key=lambda row: row.number)]


def _issue(rows: Sequence[Row[Any]]) -> Archived:
    first = rows[0]
    by_language = {row.language: row for row in rows}
    in_order = [language for language in LANGUAGES if language in by_language]
    return Archived(
        issue_id=first.issue_id,
        number=first.number,
        month=Month(year=first.month.year, month=first.month.month),
        sent_at=first.sent_at,
        subject={language: by_language[language].subject for language in in_order},
        preheader={language: by_language[language].preheader for language in in_order},
    )
