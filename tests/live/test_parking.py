"""Poison among thousands: its event and the later ones of its key wait, the others go on, and mended they come out in order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select, update

from shared import clock, parking
from shared.db import Transaction
from shared.events.intake import PracticePublished
from shared.listening import Listeners, Received, each, listeners
from shared.parking import MAX_ATTEMPTS, ParkedState, parked
from shared.testing import trial
from tests.live.flow import SUBJECTS, Flow, until

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live"), pytest.mark.timeout(1200)]

WAVES = 40
# Subject and number of the event that the handler refuses: in the middle, at the start and at the end of what is told.
POISON = [("practice-0007", 10), ("practice-0023", 25), ("practice-0042", 1), ("practice-0077", WAVES), ("practice-0091", 33)]
FINAL = "practice-0023"
"""Tried so often that it is dead, and a person has to redrive it."""


@dataclass
class Release:
    """The handler with a bug, and, once `mended`, without."""

    mended: bool = False

    def listens(self) -> Listeners:
        """Return the trial's listeners as this release has them."""
        return listeners(each(PracticePublished, self._take))

    async def _take(self, tx: Transaction, event: Received[PracticePublished]) -> None:
        await trial.take_one(tx, replace(event, data=trial.practice()) if self.mended else event)


async def make_due(flow: Flow, subject: str, *, attempts: int) -> None:
    """Let the oldest parked event of a subject have failed so often, and be tried now."""
    async with flow.listener.transaction() as tx:
        oldest = select(parked.c.id).where(parked.c.subject == subject).order_by(parked.c.id).limit(1).scalar_subquery()
        due = {"attempts": attempts, "next_at": clock.now() - timedelta(seconds=1)}
        await tx.execute(update(parked).where(parked.c.id == oldest).values(due))


def by_subject(rows: Sequence[Row[Any]]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.subject, []).append(row)
    return found


async def test_what_stands_behind_poison_comes_out_in_order_while_more_of_its_key_arrives(flow: Flow) -> None:
    release = Release()
    async with flow.relayed(), flow.heard(listens=release.listens()):
        await flow.tell(WAVES, poison=POISON)
        await flow.settled()

        waiting = by_subject(await flow.parked())
        assert {subject: len(rows) for subject, rows in waiting.items()} == {subject: WAVES - number + 1 for subject, number in POISON}
        for rows in waiting.values():
            assert not rows[0].behind
            assert rows[0].attempts >= 1
            assert rows[0].error == f"PoisonError: {rows[0].subject}"
            assert all(row.behind and row.attempts == 0 for row in rows[1:])
        handled = dict.fromkeys(SUBJECTS, WAVES) | {subject: number - 1 for subject, number in POISON}
        assert await trial.faults(flow.listener, handled) == []

        await make_due(flow, FINAL, attempts=MAX_ATTEMPTS - 1)

        async def dead() -> bool:
            return bool(by_subject(await flow.parked())[FINAL][0].state == ParkedState.DEAD)

        await until(dead, "the last try of the one that dies")

        async with flow.told():
            release.mended = True
            for subject, _ in POISON:
                if subject != FINAL:
                    await make_due(flow, subject, attempts=1)

            async def only_the_dead_key_waits() -> bool:
                return by_subject(await flow.parked()).keys() == {FINAL}

            await until(only_the_dead_key_waits, "the mended events handled")
            async with flow.listener.transaction() as tx:
                assert await parking.redrive(tx, by="a test") == 1

            async def nothing_waits() -> bool:
                return not await flow.parked()

            await until(nothing_waits, "the redriven event and those behind it handled")
        await flow.done()


async def test_poison_holds_nothing_up_for_the_other_subjects_when_lists_are_handled(flow: Flow) -> None:
    async with flow.relayed(), flow.heard(listens=trial.LISTENS_TO_LISTS):
        await flow.tell(WAVES, poison=POISON)
        await flow.settled()
    assert len(await flow.parked()) == sum(WAVES - number + 1 for _, number in POISON)
    handled = dict.fromkeys(SUBJECTS, WAVES) | {subject: number - 1 for subject, number in POISON}
    assert await trial.faults(flow.listener, handled) == []
