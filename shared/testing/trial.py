"""A trial service: the smallest thing that tells and listens, to prove and to measure the way from outbox to effect.

Its teller is a schema with an outbox, its listener a schema with an inbox and a table of effects. The events are real ones, practices
published; their `revision` counts up within a subject, so that order can be checked, and a unique index says "once".
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, Integer, Table, Text, Uuid, bindparam, func, insert, select, text

from shared import clock
from shared.db import Database, Transaction, metadata
from shared.events.intake import PracticePublished
from shared.ids import new_id
from shared.listening import Listeners, Received, batch, each, listeners
from shared.migrations.backbone import statements
from shared.outbox import Telling, put_all
from shared.parking import StoredRecord
from shared.trace import Cause

TELLER = "trial_teller"
LISTENER = "trial_listener"
TOPIC = "trial.v1"
TYPE = PracticePublished.type
KNOWN: Mapping[str, frozenset[str]] = {TYPE: frozenset({TOPIC})}

TABLES = metadata()
effects = Table(
    "effects",
    TABLES,
    Column("place", BigInteger, Identity(always=True), primary_key=True),  # the order in which effects came about
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("subject", Text, nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
)

PRACTICE = PracticePublished.model_validate(
    {
        "language": "en",
        "title": {"en": "A one-stop desk for newcomers", "fr": "Un guichet unique pour les nouveaux arrivants"},
        "summary": {"en": "Registration, language courses and work permits under one roof. " * 6},
        "entity": "Example City",
        "entity_type": "local-authority",
        "countries": ["QM"],
        "objectives": [4, 15, 16],
        "principles": ["people-centred"],
        "address": "https://tidings.example.org/practices/one-stop-desk",
    }
)
POISON_ENTITY = "Poison"
"""A trial listener refuses a practice of this entity."""


class PoisonError(Exception):
    """The trial listener refuses this event, as a bug in a handler would."""


def practice(*, poison: bool = False) -> PracticePublished:
    """Return a practice of about nine hundred bytes as JSON."""
    return PRACTICE.model_copy(update={"entity": POISON_ENTITY}) if poison else PRACTICE


# Built once: building a statement costs a hot handler as much as running it.
_LAST = select(func.max(effects.c.number)).where(effects.c.subject == bindparam("of"))
_EFFECT = insert(effects)


async def take_one(tx: Transaction, event: Received[PracticePublished]) -> None:
    """Read the subject's last effect and write this one's: one SELECT and one INSERT, as a small handler of ours does."""
    if event.data.entity == POISON_ENTITY:
        raise PoisonError(event.subject)
    await tx.execute(_LAST, {"of": event.subject})
    await tx.execute(_EFFECT, {"event_id": event.id, "subject": event.subject, "number": event.revision, "told_at": event.time})


async def take_many(tx: Transaction, events: Sequence[Received[PracticePublished]]) -> None:
    """Write the effects of a list of events by one statement."""
    if any(event.data.entity == POISON_ENTITY for event in events):
        raise PoisonError("one of a list")
    await tx.execute(
        text(
            "INSERT INTO effects (event_id, subject, number, told_at)"
            " SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:subjects AS text[]), CAST(:numbers AS int[]), CAST(:times AS timestamptz[]))"
        ),
        {
            "ids": [event.id for event in events],
            "subjects": [event.subject for event in events],
            "numbers": [event.revision for event in events],
            "times": [event.time for event in events],
        },
    )


LISTENS: Listeners = listeners(each(PracticePublished, take_one))
LISTENS_TO_LISTS: Listeners = listeners(batch(PracticePublished, take_many))


async def make_schemas(url: str) -> None:
    """Make both schemas, empty, in the database at `url`."""
    for schema in (TELLER, LISTENER):
        database = Database(url, schema)
        async with database.transaction() as tx:
            await tx.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
            await tx.execute(text(f"CREATE SCHEMA {schema}"))
            for statement in statements():
                await tx.execute(text(statement))
            if schema == LISTENER:
                await tx.run_sync(TABLES.create_all)
        await database.close()


def tellings(numbers: Mapping[str, int], poison: Sequence[tuple[str, int]] = ()) -> list[Telling]:
    """Return one telling for each subject, with its number as revision."""
    return [
        Telling(
            data=practice(poison=(subject, number) in poison),
            subject=subject,
            cause=Cause.start(),
            revision=number,
        )
        for subject, number in numbers.items()
    ]


class Teller:
    """Tells numbered events about subjects; remembers what it has told."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.told: dict[str, int] = {}  # subject -> the last number told

    async def tell(self, subjects: Sequence[str], *, poison: Sequence[tuple[str, int]] = ()) -> Sequence[UUID]:
        """Put one event about each subject, in one transaction, and return the ids."""
        numbers = {subject: self.told.get(subject, 0) + 1 for subject in subjects}
        async with self.database.transaction() as tx:
            ids = await put_all(tx, tellings(numbers, poison))
        self.told.update(numbers)
        return ids

    @property
    def count(self) -> int:
        """How many events have been told."""
        return sum(self.told.values())


async def count_effects(database: Database) -> int:
    """Return how many effects there are."""
    async with database.transaction() as tx:
        return int((await tx.execute(select(func.count()).select_from(effects))).scalar_one())


async def faults(database: Database, told: Mapping[str, int]) -> list[str]:
    """Return what is wrong with the effects against what was told: lost, doubled, out of order; empty when all is well."""
    async with database.transaction() as tx:
        rows: Sequence[Any] = (await tx.execute(select(effects.c.subject, effects.c.number).order_by(effects.c.place))).all()
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row.subject, []).append(row.number)
    wrong = []
    for subject, last in told.items():
        numbers = found.pop(subject, [])
        if sorted(numbers) != list(range(1, last + 1)):
            lost = sorted(set(range(1, last + 1)) - set(numbers))
            doubled = len(numbers) - len(set(numbers))
            wrong.append(f"{subject}: told 1 to {last}, effects {len(numbers)}, lost {lost[:10]}, doubled {doubled}")
        elif numbers != sorted(numbers):
            wrong.append(f"{subject}: out of order: {numbers[:20]}")
    wrong += [f"{subject}: effects of events never told" for subject in found]
    return wrong


def subjects(count: int) -> list[str]:
    """Return `count` names of subjects."""
    return [f"practice-{number:04d}" for number in range(count)]


def record(
    subject: str,
    number: int,
    *,
    offset: int,
    partition: int = 0,
    event_id: UUID | None = None,
    poison: bool = False,
    value: bytes | None = b"",
    replace: Mapping[str, bytes | None] | None = None,
) -> StoredRecord:
    """Return a record as Kafka would hand it over; `value` and `replace` put something odd in the place of body and headers."""
    body = practice(poison=poison).model_dump_json().encode() if value == b"" else value
    headers: dict[str, bytes | None] = {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": str(event_id or new_id()).encode(),
        "ce_source": b"/intake",
        "ce_type": TYPE.encode(),
        "ce_subject": subject.encode(),
        "ce_time": clock.now().isoformat().encode(),
        "ce_cause": b"a-receipt",
        "ce_revision": str(number).encode(),
        "traceparent": Cause.start().traceparent.encode(),
    }
    return StoredRecord(
        topic=TOPIC,
        partition=partition,
        offset=offset,
        key=subject.encode(),
        value=body,
        headers=list((headers | dict(replace or {})).items()),
    )
