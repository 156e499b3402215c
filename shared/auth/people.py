"""Who may not come in any more: each service's own table of people, kept by `person.changed.v1`, which voids tokens and gives no right."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, Boolean, Column, DateTime, Integer, Table, Text, func, select
from sqlalchemy.dialects.postgresql import insert

from shared.auth.tokens import Claims
from shared.db import Database, Transaction, metadata
from shared.events.codes import Role
from shared.events.desk import PersonChanged
from shared.listening import Received, each

TABLES = metadata()

people = Table(
    "people",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),  # to know whom to ask; a right comes from the token alone
    Column("languages", ARRAY(Text), nullable=False),
    Column("active", Boolean, nullable=False),  # false: may not sign in, and no token of theirs is taken
    Column("tokens_valid_from", DateTime(timezone=True), nullable=False),
    Column("revision", Integer, nullable=False),  # of the event that told it
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What this service was told of a person."""

    roles: frozenset[str]
    active: bool
    tokens_valid_from: datetime

    def takes(self, claims: Claims) -> bool:
        """Say whether a token of this person is still taken."""
        return self.active and claims.issued_at >= self.tokens_valid_from

    def may_hold(self, *roles: Role) -> bool:
        """Say whether a newer token may hold one of `roles`: worth asking desk for one."""
        return self.active and not self.roles.isdisjoint(roles)


async def standing_of(database: Database, person_id: str) -> Standing | None:
    """Return what the service of `database` was told of a person, or None where nothing was yet; desk's table has these columns too."""
    query = select(people.c.roles, people.c.active, people.c.tokens_valid_from).where(people.c.id == person_id)
    async with database.transaction() as tx:
        row = (await tx.execute(query)).one_or_none()
    return Standing(roles=frozenset(row.roles), active=row.active, tokens_valid_from=row.tokens_valid_from) if row else None


async def note_person(tx: Transaction, event: Received[PersonChanged]) -> None:
    """Keep what desk tells of a person; an older word than the one known changes nothing."""
    person = event.data
    values = {
        "name": person.name,
        "roles": [role.value for role in person.roles],
        "languages": list(person.languages),
        "active": person.active,
        "tokens_valid_from": person.tokens_valid_from,
        "revision": event.revision,
    }
    row = insert(people).values(id=event.subject, **values)
    await tx.execute(
        row.on_conflict_do_update(
            index_elements=[people.c.id], set_={**values, "updated_at": func.now()}, where=people.c.revision < event.revision
        )
    )


LISTENER = each(PersonChanged, note_person)
"""What every service but desk listens to beside its own."""
