"""People of the tests: tokens of their own key, for apps that read with its public half, and the guard that their routers need."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import text

from shared.auth import people
from shared.auth.cookies import Cookies
from shared.auth.require import STAFF
from shared.auth.tokens import Kind, Person, Signer, Verifier, new_key_pair
from shared.db import Database
from shared.events.codes import Role
from shared.ids import new_id

SIGNER = Signer([new_key_pair().private])
VERIFIER = Verifier(SIGNER.public_keys)
EVERY_ROLE = frozenset(STAFF) - {Role.AUDITOR}


def somebody(*roles: Role, name: str = "Alex Example") -> Person:
    """Return a person with these roles; with all that change something, where none is named."""
    return Person(id=str(new_id()), name=name, roles=frozenset(roles) or EVERY_ROLE, languages=("en",))


ALEX = somebody()
"""Whoever signs in where a test does not care who it is."""


def cookies_of(person: Person = ALEX, public_url: str = "http://127.0.0.1:8000") -> Mapping[str, str]:
    """Return the cookies of a browser in which `person` is signed in."""
    return {Cookies.at(public_url).token: SIGNER.sign(person, kind=Kind.PERSON, valid_for=timedelta(minutes=15))}


def bearer_of(person: Person = ALEX) -> Mapping[str, str]:
    """Return the header that a program of `person` brings."""
    return {"Authorization": f"Bearer {SIGNER.sign(person, kind=Kind.API, valid_for=timedelta(days=1))}"}


@asynccontextmanager
async def people_of(url: str, service: str = "intake") -> AsyncIterator[Database]:
    """Give a service's database that has nothing but the table of people, empty."""
    database = Database(url, service)
    async with database.transaction() as tx:
        await tx.execute(text(f"CREATE SCHEMA {service}"))
        await tx.run_sync(people.TABLES.create_all)
    yield database
    await database.close()
