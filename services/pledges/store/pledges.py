"""Pledges: published under a number, changed by a new version of the whole, found again.

Every change appends a whole row to `versions` and makes the row of `pledges` equal to it, in one transaction. Nothing of a version is
ever changed, and a version never stands from a day before the version that it follows: what the register showed of a past day stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Row, func, insert, literal_column, select, update

from services.pledges.domain.pledges import (
    FINISHED,
    FIRST_REVISION,
    YELLOW_AFTER_YEARS,
    Change,
    Facts,
    NewPledge,
    Pledge,
    Standing,
    Version,
    number_of,
    years_after,
)
from services.pledges.store.tables import numbers, pledges, versions
from shared import clock
from shared.db import Transaction
from shared.events.codes import PledgeState

FACTS = tuple(field.name for field in fields(Facts))
"""The columns that a pledge has in common with each of its versions."""
_LISTS = ("participants", "kinds", "countries", "regions", "objectives", "principles", "links", "evidence")
_TEXTS = ("title", "description")


def values_of(facts: Facts) -> dict[str, Any]:
    """Return the values of the columns of these facts."""
    values = {name: getattr(facts, name) for name in FACTS}
    return {
        **values,
        **{name: list(values[name]) for name in _LISTS},
        **{name: dict(values[name]) for name in _TEXTS},
        "standing": facts.standing.value,
        "state": facts.state.value,
    }


def facts_in(row: Row[Any]) -> Facts:
    """Return the facts that stand in a row of pledges or of versions."""
    values: dict[str, Any] = {name: getattr(row, name) for name in FACTS}
    values.update({name: tuple(values[name]) for name in _LISTS})
    return Facts(**{**values, "standing": Standing(values["standing"]), "state": PledgeState(values["state"])})


def pledge_in(row: Row[Any]) -> Pledge:
    """Return the pledge that stands in a row of pledges."""
    own = (field.name for field in fields(Pledge) if field.name != "facts")
    return Pledge(facts=facts_in(row), **{name: getattr(row, name) for name in own})


def version_in(row: Row[Any]) -> Version:
    """Return the version that stands in a row of versions."""
    own = (field.name for field in fields(Version) if field.name not in {"facts", "change"})
    return Version(facts=facts_in(row), change=Change(row.change), **{name: getattr(row, name) for name in own})


@dataclass(frozen=True, kw_only=True)
class Past:
    """A version of a pledge that an import brings with it."""

    facts: Facts
    change: Change
    stands_from: date


async def draw_numbers(tx: Transaction, many: int) -> Sequence[str]:
    """Return as many new numbers; what was drawn is never drawn again, whatever becomes of the transaction."""
    drawn = await tx.execute(select(numbers.next_value()).select_from(func.generate_series(1, many)))
    return [number_of(one) for one in drawn.scalars()]


async def publish(tx: Transaction, new: NewPledge, *, by: str | None) -> Pledge:
    """Return a pledge that now stands on the register, from today, under the next number; `by` is the id of the person."""
    past = Past(facts=new.facts, change=Change.PUBLISHED, stands_from=clock.now().date())
    [number] = await draw_numbers(tx, 1)
    return (await publish_all(tx, [(number, new, [past])], by=by))[0]


async def publish_all(tx: Transaction, several: Sequence[tuple[str, NewPledge, Sequence[Past]]], *, by: str | None) -> Sequence[Pledge]:
    """Return pledges that now stand on the register, each under its number with the versions of its past, oldest first.

    `new.facts` count for nothing here: the last version says how a pledge stands.
    """
    now, kept, past = clock.now(), [], []
    for number, new, history in several:
        made = Pledge(
            id=new.id,
            number=number,
            submission_id=new.submission_id,
            import_key=new.import_key,
            import_hash=new.import_hash,
            facts=history[-1].facts,
            revision=FIRST_REVISION + len(history) - 1,
            contact_sealed=new.contact_sealed,
            reminded_at=None,
            trace_id=new.trace_id,
            created_at=now,
            updated_at=now,
        )
        kept.append(made)
        stands_from = date.min
        for revision, one in enumerate(history, start=FIRST_REVISION):
            stands_from = max(stands_from, one.stands_from)
            version = Version(
                pledge_id=new.id,
                number=number,
                revision=revision,
                facts=one.facts,
                change=one.change,
                stands_from=stands_from,
                recorded_at=now,
                changed_by=by,
            )
            past.append(_version_row(version))
    if kept:
        await tx.execute(insert(pledges), [_pledge_row(pledge) for pledge in kept])
        await tx.execute(insert(versions), past)
    return kept


async def change(tx: Transaction, pledge: Pledge, facts: Facts, what: Change, *, by: str | None, stands_from: date | None = None) -> Pledge:
    """Return a pledge as it stands with these facts, which are its newest version; lock it before (`lock`).

    The version stands from today, or from `stands_from`; never from before the version that it follows.
    """
    now = clock.now()
    latest = await tx.execute(select(func.max(versions.c.stands_from)).where(versions.c.pledge_id == pledge.id))
    version = Version(
        pledge_id=pledge.id,
        number=pledge.number,
        revision=pledge.revision + 1,
        facts=facts,
        change=what,
        stands_from=max(latest.scalar_one(), stands_from or now.date()),
        recorded_at=now,
        changed_by=by,
    )
    await tx.execute(insert(versions), _version_row(version))
    done = await tx.execute(
        update(pledges)
        .where(pledges.c.id == pledge.id, pledges.c.revision == pledge.revision)
        .values(**values_of(facts), revision=version.revision, updated_at=now)
        .returning(*pledges.c)
    )
    return pledge_in(done.one())


async def set_contact(tx: Transaction, pledge_id: UUID, contact_sealed: bytes) -> None:
    """Let a pledge have another contact; that is nothing of what is public, so it makes no version."""
    await tx.execute(update(pledges).where(pledges.c.id == pledge_id).values(contact_sealed=contact_sealed, updated_at=clock.now()))


async def note_reminded(tx: Transaction, pledge_id: UUID, at: datetime) -> None:
    """Write down when its owner was asked for a word."""
    await tx.execute(update(pledges).where(pledges.c.id == pledge_id).values(reminded_at=at))


async def find(tx: Transaction, pledge_id: UUID) -> Pledge | None:
    """Return a pledge, withdrawn or not, or None where none has this id."""
    row = (await tx.execute(select(pledges).where(pledges.c.id == pledge_id))).one_or_none()
    return pledge_in(row) if row else None


async def lock(tx: Transaction, pledge_id: UUID) -> Pledge | None:
    """Return a pledge that nobody else can change until the transaction ends, or None; waits for who is changing it."""
    row = (await tx.execute(select(pledges).where(pledges.c.id == pledge_id).with_for_update())).one_or_none()
    return pledge_in(row) if row else None


async def by_number(tx: Transaction, number: str) -> Pledge | None:
    """Return the pledge of a number, withdrawn or not, or None where there is none."""
    if not number.isascii() or "\0" in number:  # no number of ours, and not all of it is text to the database
        return None
    row = (await tx.execute(select(pledges).where(pledges.c.number == number))).one_or_none()
    return pledge_in(row) if row else None


async def by_submission(tx: Transaction, submission_id: UUID) -> Pledge | None:
    """Return the pledge that a submission became, or None."""
    row = (await tx.execute(select(pledges).where(pledges.c.submission_id == submission_id))).one_or_none()
    return pledge_in(row) if row else None


async def by_import_keys(tx: Transaction, keys: Iterable[str]) -> Mapping[str, Pledge]:
    """Return the pledges that an import knows by these keys, locked until the transaction ends."""
    query = select(pledges).where(pledges.c.import_key.in_(list(keys))).order_by(pledges.c.id).with_for_update()
    return {str(row.import_key): pledge_in(row) for row in await tx.execute(query)}


async def by_import_key(tx: Transaction, key: str) -> Pledge | None:
    """Return the pledge that an import knows by this key, or None."""
    return (await by_import_keys(tx, [key])).get(key)


async def names_known(tx: Transaction, names: Iterable[str]) -> set[str]:
    """Return which of these are numbers of pledges, or keys that an import knows them by."""
    wanted = list(names)
    query = select(pledges.c.number, pledges.c.import_key).where(pledges.c.number.in_(wanted) | pledges.c.import_key.in_(wanted))
    return {name for row in await tx.execute(query) for name in row if name in wanted}


async def set_import_hash(tx: Transaction, pledge_id: UUID, import_hash: str) -> None:
    """Write down the row as which a pledge was taken last."""
    await tx.execute(update(pledges).where(pledges.c.id == pledge_id).values(import_hash=import_hash))


async def silent(tx: Transaction, today: date) -> Sequence[UUID]:
    """Return pledges whose owners may have to be asked for a word: what the database can tell of it."""
    # As `Facts.last_word_on` has it; PostgreSQL passes over what is empty.
    last_word = func.greatest(pledges.c.reported_on, pledges.c.published_on, type_=Date)
    query = (
        select(pledges.c.id)
        .where(
            pledges.c.standing == Standing.PUBLISHED.value,
            ~pledges.c.synthetic,
            func.length(pledges.c.contact_sealed) > 0,
            pledges.c.state.not_in([state.value for state in FINISHED]),
            (last_word <= years_after(today, -YELLOW_AFTER_YEARS)) | ((pledges.c.due < today) & (last_word <= pledges.c.due)),
        )
        .order_by(pledges.c.number)
    )
    found: Sequence[UUID] = (await tx.execute(query)).scalars().all()
    return found


async def matching(tx: Transaction, number: str) -> Sequence[Pledge]:
    """Return the pledges on the register that match the one of this number, in the order of their numbers."""
    query = select(pledges).where(pledges.c.matched_number == number, pledges.c.standing == Standing.PUBLISHED.value)
    return [pledge_in(row) for row in await tx.execute(query.order_by(pledges.c.number))]


async def alike(tx: Transaction, facts: Facts, *, limit: int = 10) -> Sequence[Pledge]:
    """Return pledges on the register that may be the same as these facts: of the same title, or of one party on one of the objectives.

    A joint pledge is recorded once, by one of its parties; so who takes part counts as who pledges.
    """
    parties = [name.casefold() for name in (facts.entity, *facts.participants)]
    same_title = (
        select(literal_column("1"))
        .select_from(func.jsonb_each_text(pledges.c.title).table_valued("key", "value", name="said"))
        .where(literal_column("lower(said.value)").in_([text.casefold() for text in facts.title.values()]))
        .exists()
    )
    taking_part = (
        select(literal_column("1"))
        .select_from(func.unnest(pledges.c.participants).table_valued("name", name="party"))
        .where(literal_column("lower(party.name)").in_(parties))
        .exists()
    )
    same_party = func.lower(pledges.c.entity).in_(parties) | taking_part
    query = (
        select(pledges)
        .where(
            pledges.c.standing == Standing.PUBLISHED.value,
            same_title | (same_party & pledges.c.objectives.bool_op("&&")(list(facts.objectives))),
        )
        .order_by(same_title.desc(), pledges.c.number.desc())
        .limit(limit)
    )
    return [pledge_in(row) for row in await tx.execute(query)]


def _version_row(version: Version) -> dict[str, Any]:
    own = {name: getattr(version, name) for name in ("pledge_id", "number", "revision", "stands_from", "recorded_at", "changed_by")}
    return {**own, **values_of(version.facts), "change": version.change.value}


def _pledge_row(pledge: Pledge) -> dict[str, Any]:
    own = {field.name: getattr(pledge, field.name) for field in fields(Pledge) if field.name != "facts"}
    return {**own, **values_of(pledge.facts)}
