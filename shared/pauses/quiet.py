"""Blackouts and embargoes of the calendar, as a sender keeps and heeds them. Functions on a transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, ColumnElement, DateTime, Index, Integer, Row, Table, Text, Uuid, and_, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from shared import i18n
from shared.db import Transaction
from shared.events.base import Source
from shared.events.calendar import DateCancelled, DateMoved, DatePublished
from shared.events.codes import DateKind, Language, SourceKind
from shared.heard import Told
from shared.pauses.store import TABLES, hold
from shared.pauses.stretches import FORBIDDING, stretch_of

quiet_times = Table(
    "quiet_times",
    TABLES,
    Column("date_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # blackout, embargo
    Column("title", JSONB, nullable=False),
    Column("begins", DateTime(timezone=True)),  # empty for an embargo: it is in force until its hour
    Column("ends", DateTime(timezone=True)),  # empty where it goes on without end
    Column("source_kind", Text),  # what an embargo is about
    Column("source_id", Text),
    Column("standing", Boolean, nullable=False),  # false once it is cancelled, or has become a date of another kind
    Column("revision", Integer, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Index("quiet_times_source_idx", "source_kind", "source_id"),
)


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """Time in which nothing leaves, or nothing about one source."""

    date_id: str
    kind: DateKind
    title: Mapping[Language, str]
    begins: datetime | None
    ends: datetime | None
    source: Source | None  # of an embargo

    @property
    def key(self) -> str:
        """Key of the sentence that says what must not be."""
        return f"quiet.{self.kind.value}" if self.ends else "quiet.without-end"

    def words(self, language: str, zone: str) -> Mapping[str, str]:
        """Return what fills the sentence of `key`: its title, and when it begins and ends as clocks of `zone` show."""
        titles: dict[str, str] = {str(one): text for one, text in self.title.items()}
        title = next((titles[one] for one in (language, "en", *titles) if one in titles), "")
        begins, ends = (i18n.moment(at, language, zone) if at else "" for at in (self.begins, self.ends))
        return {"title": title, "begins": begins, "until": ends}


async def heed(tx: Transaction, told: Told, zone: str) -> Quiet | None:
    """Keep what a date forbids as it stands now, and return it; None where it forbids nothing and never has.

    From then on nobody claims until `tx` ends, so that it is in force at once.
    """
    latest = told.last(DatePublished, DateMoved, DateCancelled)
    if latest is None:
        return None
    date = latest.data
    before = (await tx.execute(select(quiet_times).where(quiet_times.c.date_id == told.id))).one_or_none()
    if date.kind not in FORBIDDING and before is None:
        return None
    await hold(tx)
    if date.kind not in FORBIDDING:
        over = update(quiet_times).where(quiet_times.c.date_id == told.id).values(standing=False, revision=told.revision)
        return _quiet((await tx.execute(over.returning(*quiet_times.c))).one())
    stretch = stretch_of(date.kind, date.when, zone)
    values: dict[str, Any] = {
        "kind": date.kind.value,
        "title": dict(date.title),
        "begins": stretch.begins,
        "ends": stretch.ends,
        "source_kind": date.source.kind.value if date.source else None,
        "source_id": date.source.id if date.source else None,
        "standing": told.ended is None,
        "revision": told.revision,
        "event_id": latest.id,
    }
    new = insert(quiet_times).values(date_id=told.id, **values)
    kept = new.on_conflict_do_update(index_elements=["date_id"], set_=values).returning(*quiet_times.c)
    return _quiet((await tx.execute(kept)).one())


async def forbidding(tx: Transaction, at: datetime, sources: Collection[Source] = (), *, embargoes_alone: bool = False) -> Quiet | None:
    """Return what forbids that something about these sources leaves at an instant: of several the one that lasts longest.

    With `embargoes_alone` no blackout is asked for.

    Ask it on the transaction that claims, behind `store.paused`: then no blackout comes in between.
    """
    about = tuple_(quiet_times.c.source_kind, quiet_times.c.source_id).in_([(one.kind.value, one.id) for one in sources])
    embargo = and_(quiet_times.c.kind == DateKind.EMBARGO.value, about)
    blackout = quiet_times.c.kind == DateKind.BLACKOUT.value
    rows = await tx.execute(
        select(quiet_times)
        .where(quiet_times.c.standing, _covers(at), embargo if embargoes_alone else or_(blackout, embargo))
        .order_by(quiet_times.c.ends.desc().nulls_first(), quiet_times.c.date_id)
        .limit(1)
    )
    found = rows.first()
    return _quiet(found) if found else None


async def to_come(tx: Transaction, now: datetime) -> Sequence[Quiet]:
    """Return the blackouts that are not over, first come first."""
    coming = or_(quiet_times.c.ends.is_(None), quiet_times.c.ends > now)
    chosen = select(quiet_times).where(quiet_times.c.standing, coming, quiet_times.c.kind == DateKind.BLACKOUT.value)
    return [_quiet(row) for row in await tx.execute(chosen.order_by(quiet_times.c.begins, quiet_times.c.date_id))]


def _covers(at: datetime) -> ColumnElement[bool]:
    begun = or_(quiet_times.c.begins.is_(None), quiet_times.c.begins <= at)
    return and_(begun, or_(quiet_times.c.ends.is_(None), quiet_times.c.ends > at))


def _quiet(row: Row[Any]) -> Quiet:
    return Quiet(
        date_id=row.date_id,
        kind=DateKind(row.kind),
        title=row.title,
        begins=row.begins,
        ends=row.ends,
        source=Source(kind=SourceKind(row.source_kind), id=row.source_id) if row.source_kind else None,
    )
