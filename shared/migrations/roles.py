"""A PostgreSQL role for each service that has one: made where it is missing, and let at the rows of its own schema and no further.

The owner, whose URL is TIDINGS_DATABASE, makes and changes tables; a service's role reads and writes their rows. Nobody but the owner
touches the note of which version a schema has.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from secrets import token_bytes

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import engine_of, sqlstate
from shared.migrations import LOCK

_REFUSED = "42501"  # insufficient_privilege
_ROUNDS = 4096  # as PostgreSQL itself has it


class RightsError(Exception):
    """The owner may not make a role; the message says what somebody who may has to run."""


async def grant(url: str, roles: Mapping[str, str]) -> None:
    """Make the roles in `roles` (service -> its URL) and give each the rights on its schema; raises RightsError.

    A password in a URL becomes that of its role, so that another one takes effect by a migration. URLs of the owner are passed over.
    """
    engine, owner = engine_of(url), make_url(url).username
    try:
        for service, role_url in roles.items():
            wanted = make_url(role_url)
            if not wanted.username or wanted.username == owner:
                continue
            async with engine.begin() as connection:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
                await _make(connection, wanted.username, str(wanted.password or ""))
                await _let_in(connection, wanted.username, service)
    finally:
        await engine.dispose()


async def _make(connection: AsyncConnection, role: str, password: str) -> None:
    known = (await connection.execute(text("SELECT true FROM pg_roles WHERE rolname = :role"), {"role": role})).first()
    try:
        async with connection.begin_nested():
            if known is None:
                await _run(connection, "format('CREATE ROLE %I LOGIN', CAST(:role AS text))", role=role)
            if password:
                # What PostgreSQL keeps and nothing more: a statement that fails stands in the server's log.
                change = "format('ALTER ROLE %I LOGIN PASSWORD %L', CAST(:role AS text), CAST(:kept AS text))"
                await _run(connection, change, role=role, kept=_kept(password, token_bytes(16)))
    except DBAPIError as error:
        if sqlstate(error) != _REFUSED:
            raise
        if known is None:
            raise RightsError(
                f"The role {role} is missing and the owner of TIDINGS_DATABASE may not make one. Have somebody who may run: "
                f"CREATE ROLE {role} LOGIN PASSWORD '…'"
            ) from error  # a role that is there may well belong to somebody else, password and all


async def _let_in(connection: AsyncConnection, role: str, service: str) -> None:
    for right in (
        "GRANT CONNECT ON DATABASE %3$I TO %1$I",
        "GRANT USAGE ON SCHEMA %2$I TO %1$I",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %2$I TO %1$I",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %2$I TO %1$I",
        "REVOKE INSERT, UPDATE, DELETE ON %2$I.schema_version FROM %1$I",
    ):
        await _run(
            connection, f"format('{right}', CAST(:role AS text), CAST(:schema AS text), current_database())", role=role, schema=service
        )


async def _run(connection: AsyncConnection, statement: str, **names: str) -> None:
    """Run a statement whose names PostgreSQL itself has quoted."""
    made = (await connection.execute(text(f"SELECT {statement}"), names)).scalar_one()
    await connection.exec_driver_sql(made)


def _kept(password: str, salt: bytes) -> str:
    """Return what PostgreSQL keeps of a password (SCRAM-SHA-256, RFC 5802)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    server = hmac.digest(salted, b"Server Key", "sha256")
    stored = hashlib.sha256(client).digest()
    return f"SCRAM-SHA-256${_ROUNDS}:{b64encode(salt).decode()}${b64encode(stored).decode()}:{b64encode(server).decode()}"
