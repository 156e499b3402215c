"""Does anything wait for a person's word: what is set aside for good, what a restore holds, and what nobody knows the end of?"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from shared.db import engine_of
from shared.doctor.databases import seen
from shared.doctor.findings import Finding, Grade, Question, ok
from shared.settings import Settings, database_of

PART = "waiting"


@dataclass(frozen=True, kw_only=True)
class Undecided:
    """One kind of thing that waits in a service's schema until a person decides."""

    table: str
    where: str  # SQL, of that table and words of ours alone
    what: str  # what it is, after its number
    do: str
    grade: Grade = Grade.WARNING


EVERYWHERE = (
    Undecided(
        table="parked",
        where="state = 'dead'",
        what="events are tried no more",
        do="Look, then redrive or discard them: `tidings events parked`, and docs/do/deliveries.md.",
        grade=Grade.WRONG,
    ),
    Undecided(
        table="mails",
        where="state = 'held'",
        what="mails to single people are held since a restore",
        do="Release or drop them: `tidings mails held`, and docs/do/back-up-and-restore.md.",
    ),
)
"""What a schema may have, whatever service it is."""


def questions(settings: Settings, services: Sequence[str], own: Sequence[tuple[str, Undecided]]) -> Sequence[Question]:
    """Return what is to be asked of each service's schema; `own` is what services have beside what all of them have."""
    do = "Is the database running, and is TIDINGS_DATABASE right?"

    def question(service: str) -> Question:
        wanted = (*EVERYWHERE, *(one for of, one in own if of == service))
        return Question(part=PART, what=service, ask=lambda: _ask(database_of(settings, service), service, wanted), do=do)

    return [question(service) for service in services]


async def _ask(url: str, service: str, wanted: Sequence[Undecided]) -> Sequence[Finding]:
    engine, found = engine_of(url), list[Finding]()
    try:
        async with engine.connect() as connection:
            if not (await seen(connection)).get(service):
                return []  # another role's, or not there: the line of the schema says so
            for one in wanted:
                table = f"{service}.{one.table}"
                if not (await connection.execute(text("SELECT to_regclass(:table) IS NOT NULL"), {"table": table})).scalar_one():
                    continue
                count = (await connection.execute(text(f"SELECT count(*) FROM {table} WHERE {one.where}"))).scalar_one()  # noqa: S608
                if count:
                    found.append(Finding(part=PART, what=service, grade=one.grade, found=f"{count} {one.what}", do=one.do))
    finally:
        await engine.dispose()
    return found or [ok(PART, service, "nothing waits for a person's word")]
