"""What owners report, and the links by which they do."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update

from services.pledges.domain.reports import Report, Verdict, link_ends, token_hash
from services.pledges.store.tables import reports, update_links
from shared import clock
from shared.auth.tokens import Person
from shared.db import Transaction
from shared.events.codes import Channel, PledgeState

_REPORT = tuple(reports.c[name] for name in Report.__dataclass_fields__)


async def keep(tx: Transaction, several: Sequence[Report]) -> None:
    """Keep reports."""
    if several:
        await tx.execute(insert(reports), [_row(report) for report in several])


async def find(tx: Transaction, report_id: UUID, *, lock: bool = False) -> Report | None:
    """Return a report, or None where there is none with this id; with `lock` nobody else can decide on it until the transaction ends."""
    query = select(*_REPORT).where(reports.c.id == report_id)
    row = (await tx.execute(query.with_for_update() if lock else query)).one_or_none()
    return report_in(row) if row else None


async def of_pledge(tx: Transaction, pledge_id: UUID, *, verdict: Verdict | None = None) -> Sequence[Report]:
    """Return the reports on a pledge, oldest first: all, or those with a verdict."""
    query = select(*_REPORT).where(reports.c.pledge_id == pledge_id).order_by(reports.c.reported_on, reports.c.sent_at, reports.c.id)
    if verdict is not None:
        query = query.where(reports.c.verdict == verdict.value)
    return [report_in(row) for row in await tx.execute(query)]


async def waiting(tx: Transaction, *, limit: int) -> Sequence[Report]:
    """Return reports that await a moderator, the oldest first."""
    query = select(*_REPORT).where(reports.c.verdict.is_(None)).order_by(reports.c.sent_at, reports.c.id)
    return [report_in(row) for row in await tx.execute(query.limit(limit))]


async def waiting_on(tx: Transaction, pledge_id: UUID) -> Sequence[Report]:
    """Return the reports on a pledge that await a moderator, the oldest first."""
    query = select(*_REPORT).where(reports.c.pledge_id == pledge_id, reports.c.verdict.is_(None))
    return [report_in(row) for row in await tx.execute(query.order_by(reports.c.sent_at, reports.c.id))]


async def decide(tx: Transaction, report_id: UUID, verdict: Verdict, reason: str | None, *, by: Person) -> None:
    """Write down what a moderator said."""
    await tx.execute(
        update(reports)
        .where(reports.c.id == report_id)
        .values(verdict=verdict.value, reason=reason, decided_at=clock.now(), decided_by=by.id, decided_by_name=by.name)
    )


def report_in(row: Row[Any]) -> Report:
    """Return the report that stands in a row."""
    values: dict[str, Any] = {name: getattr(row, name) for name in Report.__dataclass_fields__}
    return Report(
        **{
            **values,
            "state": PledgeState(row.state),
            "evidence": tuple(row.evidence),
            "channel": Channel(row.channel),
            "verdict": Verdict(row.verdict) if row.verdict else None,
        }
    )


def _row(report: Report) -> dict[str, Any]:
    return {
        **vars(report),
        "state": report.state.value,
        "evidence": list(report.evidence),
        "note": dict(report.note),
        "channel": report.channel.value,
        "verdict": report.verdict.value if report.verdict else None,
    }


# ---- links ----


async def add_link(tx: Transaction, pledge_id: UUID, token: str) -> datetime:
    """Let whoever holds `token` report on a pledge, and return until when."""
    now = clock.now()
    until = link_ends(now)
    await tx.execute(insert(update_links).values(token_hash=token_hash(token), pledge_id=pledge_id, made_at=now, valid_until=until))
    return until


async def pledge_of_link(tx: Transaction, token: str) -> UUID | None:
    """Return the pledge on which a link lets its holder report, None where it is no link or its time is over."""
    query = select(update_links.c.pledge_id).where(update_links.c.token_hash == token_hash(token), update_links.c.valid_until > clock.now())
    found: UUID | None = (await tx.execute(query)).scalar_one_or_none()
    return found


async def note_used(tx: Transaction, token: str) -> None:
    """Write down when a link was last used."""
    await tx.execute(update(update_links).where(update_links.c.token_hash == token_hash(token)).values(used_at=clock.now()))


async def count_links_since(tx: Transaction, pledge_id: UUID, since: datetime) -> int:
    """Return how many links on a pledge were made since a moment."""
    query = select(func.count()).where(update_links.c.pledge_id == pledge_id, update_links.c.made_at >= since)
    count: int = (await tx.execute(query)).scalar_one()
    return count


async def end_links(tx: Transaction, pledge_id: UUID) -> int:
    """Let no link that was mailed so far lead to a pledge any more; returns how many there were."""
    return (await tx.execute(delete(update_links).where(update_links.c.pledge_id == pledge_id))).rowcount


async def forget_links(tx: Transaction, before: datetime) -> int:
    """Delete links whose time was over before a moment; returns how many went."""
    return (await tx.execute(delete(update_links).where(update_links.c.valid_until < before))).rowcount
