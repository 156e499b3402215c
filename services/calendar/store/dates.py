"""Dates, kept: added, moved, cancelled, reworded, found."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from services.calendar.domain.dates import Description, Move, NewDate, StoredDate, sequence_after, slugs_for
from services.calendar.domain.whens import columns_of, when_of
from services.calendar.store.tables import dates, moves
from shared.db import Transaction
from shared.events.base import Source
from shared.events.codes import DateKind, DateStatus, Language, Principle, Region, SourceKind
from shared.events.times import When

WHEN: TypeAdapter[When] = TypeAdapter(When)
_LISTS = ("regions", "countries", "objectives", "principles", "lead", "participants", "links")
_WORDS = ("language", "title", "summary", "place", "entity", *_LISTS, "theme", "priority")
Words = Mapping[Language, str]
_SAME = (
    *("id", "public", "submission_id", "import_key", "yearly", "follows", "days_before", "plan", "done_on"),
    *("cancelled_because", "historic", "synthetic", "source_address", "trace_id"),
)
_STORED = ("slug", "sequence", "revision", "done_note", "cancelled_at", "created_at", "updated_at")


def date_of(row: Row[Any]) -> StoredDate:
    """Return the date that a row of the table `dates` holds."""
    kept: dict[str, Any] = dict(row._mapping)  # noqa: SLF001  # the documented way to a row's columns by name
    words = {name: kept[name] for name in _WORDS} | {name: tuple(kept[name]) for name in _LISTS}
    words["regions"] = tuple(map(Region, kept["regions"]))
    words["principles"] = tuple(map(Principle, kept["principles"]))
    source = Source(kind=SourceKind(kept["source_kind"]), id=kept["source_id"]) if kept["source_kind"] else None
    same = {name: kept[name] for name in (*_SAME, *_STORED)}
    return StoredDate(
        kind=DateKind(kept["kind"]),
        status=DateStatus(kept["status"]),
        description=Description(**words),
        when=when_of(kept),
        source=source,
        **same,
    )


def _described(description: Description) -> dict[str, Any]:
    words: dict[str, Any] = {name: getattr(description, name) for name in _WORDS}
    lists = {name: list(words[name]) for name in _LISTS}
    return words | lists | {"title": dict(description.title), "summary": dict(description.summary)}


async def add(tx: Transaction, new: NewDate, *, at: datetime) -> StoredDate:
    """Return a date that now stands in the calendar, under an address that stays.

    A second date of the same source, submission or import key is refused by the database; look for the first one before.
    """
    values = {
        **{name: getattr(new, name) for name in _SAME},
        **_described(new.description),
        **columns_of(new.when),
        "kind": new.kind.value,
        "status": new.status.value,
        "source_kind": new.source.kind.value if new.source else None,
        "source_id": new.source.id if new.source else None,
        "sequence": 0,
        "revision": 0,
        "cancelled_at": at if new.status is DateStatus.CANCELLED else None,
        "created_at": at,
        "updated_at": at,
    }
    for slug in slugs_for(new):
        row = insert(dates).values(**values, slug=slug).on_conflict_do_nothing(index_elements=[dates.c.slug]).returning(dates)
        if (kept := (await tx.execute(row)).one_or_none()) is not None:
            return date_of(kept)
    raise LookupError(f"no address is free for the date {new.id}, though its id is its own")


# ---- changes; each takes a date that is held, and returns it as it is now ----


async def move(
    tx: Transaction,
    found: StoredDate,
    when: When,
    *,
    at: datetime,
    by: str | None = None,
    because: Words | None = None,
    days_before: int | None = None,
    historic: bool | None = None,
) -> StoredDate:
    """Return a date at another time; when it was before stays visible. `days_before` is of a deadline that goes on following."""
    was = insert(moves).values(
        date_id=found.id,
        sequence=found.sequence,
        was=found.when.model_dump(mode="json"),
        moved_at=at,
        moved_by=by,
        because=dict(because) if because else None,
    )
    await tx.execute(was)
    return await _write(
        tx,
        found,
        at=at,
        **columns_of(when),
        sequence=sequence_after(found.sequence, moved=True),
        days_before=found.days_before if days_before is None else days_before,
        historic=found.historic if historic is None else historic,
    )


async def cancel(tx: Transaction, found: StoredDate, *, at: datetime, because: Words | None = None) -> StoredDate:
    """Return a date that does not take place; it stays visible as cancelled."""
    return await _write(
        tx,
        found,
        at=at,
        status=DateStatus.CANCELLED.value,
        sequence=sequence_after(found.sequence, status_changed=True),
        cancelled_at=at,
        cancelled_because=dict(because) if because else None,
    )


async def confirm(tx: Transaction, found: StoredDate, *, at: datetime) -> StoredDate:
    """Return a date that takes place after all, or for certain now."""
    return await _write(
        tx,
        found,
        at=at,
        status=DateStatus.CONFIRMED.value,
        sequence=sequence_after(found.sequence, status_changed=found.status is not DateStatus.CONFIRMED),
        cancelled_at=None,
        cancelled_because=None,
    )


async def reword(
    tx: Transaction,
    found: StoredDate,
    description: Description,
    *,
    at: datetime,
    plan: Mapping[str, Any] | None,
    source_address: str | None,
    public: bool,
    synthetic: bool | None = None,
) -> StoredDate:
    """Return a date with other words; its address, UID and SEQUENCE stay."""
    return await _write(
        tx,
        found,
        at=at,
        **_described(description),
        plan=None if plan is None else dict(plan),
        source_address=source_address,
        public=public,
        synthetic=found.synthetic if synthetic is None else synthetic,
    )


async def mark_done(tx: Transaction, found: StoredDate, *, done_on: date | None, note: Words | None, at: datetime) -> StoredDate:
    """Return a date that was done on a day, or with None is not done after all."""
    return await _write(tx, found, at=at, done_on=done_on, done_note=dict(note) if note else None)


async def note_source(tx: Transaction, found: StoredDate, *, historic: bool) -> StoredDate:
    """Return a date of whose source newer word has come: whether that is of the past."""
    return found if found.historic == historic else await _write(tx, found, at=found.updated_at, historic=historic)


async def count_told(tx: Transaction, found: StoredDate) -> StoredDate:
    """Return a date of which one more event is being told; the revision of that event is the one that it now has."""
    revision = (
        await tx.execute(update(dates).where(dates.c.id == found.id).values(revision=dates.c.revision + 1).returning(dates.c.revision))
    ).scalar_one()
    return replace(found, revision=revision)


async def _write(tx: Transaction, found: StoredDate, *, at: datetime, **values: Any) -> StoredDate:
    done = await tx.execute(update(dates).where(dates.c.id == found.id).values(**values, updated_at=at).returning(dates))
    return date_of(done.one())


# ---- finding ----


async def hold(tx: Transaction, date_id: UUID) -> StoredDate | None:
    """Return a date that nobody else changes until `tx` ends, or None where there is none."""
    return await _one(tx, select(dates).where(dates.c.id == date_id).with_for_update())


async def find(tx: Transaction, date_id: UUID) -> StoredDate | None:
    """Return a date, public or not, or None where there is none."""
    return await _one(tx, select(dates).where(dates.c.id == date_id))


async def by_slug(tx: Transaction, slug: str) -> StoredDate | None:
    """Return a date by the last part of its address, public or not (`shown` says), or None where there is none."""
    return await _one(tx, select(dates).where(dates.c.slug == slug))


async def of_source(tx: Transaction, source: Source, kind: DateKind) -> StoredDate | None:
    """Return the date of a source, held, or None where it has none of this kind."""
    here = (dates.c.source_kind == source.kind.value) & (dates.c.source_id == source.id) & (dates.c.kind == kind.value)
    return await _one(tx, select(dates).where(here).with_for_update())


async def of_import(tx: Transaction, keys: Sequence[str]) -> Mapping[str, StoredDate]:
    """Return the dates with these import keys, held, by their keys."""
    found = await tx.execute(select(dates).where(dates.c.import_key.in_(keys)).order_by(dates.c.id).with_for_update())
    return {str(row.import_key): date_of(row) for row in found}


async def years_of(tx: Transaction, yearly: str) -> Sequence[StoredDate]:
    """Return every year's instance of a named day, held, earliest first."""
    found = await tx.execute(select(dates).where(dates.c.yearly == yearly).order_by(dates.c.first_day, dates.c.id).with_for_update())
    return [date_of(row) for row in found]


async def newest_of_years(tx: Transaction) -> Sequence[StoredDate]:
    """Return of each named day that comes again its instance of the last year that there is."""
    known = select(dates).where(dates.c.yearly.is_not(None)).order_by(dates.c.yearly, dates.c.first_day.desc())
    return [date_of(row) for row in await tx.execute(known.ext(distinct_on(dates.c.yearly)))]


async def years_on_leap_days(tx: Transaction) -> Collection[str | None]:
    """Return which named days that come again have an instance that begins on 29 February."""
    begins = func.to_char(dates.c.first_day, "MM-DD")
    found = await tx.execute(select(dates.c.yearly).where(dates.c.yearly.is_not(None), begins == "02-29").distinct())
    return frozenset(found.scalars())


async def following(tx: Transaction, date_id: UUID, *, held: bool = False) -> Sequence[StoredDate]:
    """Return what follows a meeting, earliest first, cancelled ones too."""
    query = select(dates).where(dates.c.follows == date_id).order_by(dates.c.first_day, dates.c.id)
    return [date_of(row) for row in await tx.execute(query.with_for_update() if held else query)]


async def moves_of(tx: Transaction, date_id: UUID) -> Sequence[Move]:
    """Return when a date was before, latest move first."""
    found = await tx.execute(select(moves).where(moves.c.date_id == date_id).order_by(moves.c.sequence.desc()))
    return [
        Move(sequence=row.sequence, was=_when(row.was), moved_at=row.moved_at, moved_by=row.moved_by, because=row.because) for row in found
    ]


def _when(was: Mapping[str, Any]) -> When:
    return WHEN.validate_python(was)


async def _one(tx: Transaction, query: Select[Any]) -> StoredDate | None:
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else date_of(row)
