"""Whom an approval concerns, from a service's own table of people: their names, and who may approve. It gives nobody a right."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import any_, select

from shared.approval.rules import Step
from shared.auth.people import people
from shared.db import Transaction
from shared.events.codes import Role


async def names_of(tx: Transaction, ids: Iterable[str | None]) -> Mapping[str, str]:
    """Return the names of people by id; who is not known here is missing."""
    wanted = sorted({one for one in ids if one})
    return {row.id: row.name for row in await tx.execute(select(people.c.id, people.c.name).where(people.c.id.in_(wanted)))}


async def names_in(tx: Transaction, steps: Sequence[Step], *others: str) -> Mapping[str, str]:
    """Return the names of all who took one of these steps, and of these others."""
    return await names_of(tx, [*(step.who for step in steps), *others])


async def approvers(tx: Transaction) -> Sequence[str]:
    """Return the ids of all who may sign in and hold the role of approver: the `approvers` of a Thing."""
    held = select(people.c.id).where(people.c.active, any_(people.c.roles) == Role.APPROVER.value)
    return list((await tx.execute(held.order_by(people.c.id))).scalars())
