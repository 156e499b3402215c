"""A PostgreSQL role for each service: what it may, what it may not, and a password that changes."""

from collections.abc import Iterator
from secrets import token_hex

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from shared.embedded.postgres import EmbeddedPostgres
from shared.migrations import migrate, roles
from shared.testing.databases import ask, run_apart

REFUSED = asyncpg.exceptions.InsufficientPrivilegeError


@pytest.fixture
def intake_url(database_url: str, postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a role that nobody has made yet."""
    name = f"intake_{token_hex(4)}"
    yield make_url(database_url).set(username=name, password="first pass/word").render_as_string(hide_password=False)
    if run_apart(ask(database_url, "SELECT true FROM pg_roles WHERE rolname = $1", name)):
        run_apart(ask(database_url, f"GRANT {name} TO CURRENT_USER"))
        run_apart(ask(database_url, f"DROP OWNED BY {name}"))
        run_apart(ask(database_url, f"DROP ROLE {name}"))


async def test_role_reads_and_writes_rows_of_its_own_schema_and_does_nothing_else(database_url: str, intake_url: str) -> None:
    await migrate(database_url, ["intake", "pledges"])
    await roles.grant(database_url, {"intake": intake_url, "pledges": database_url})
    assert (await ask(intake_url, "SELECT count(*) FROM intake.outbox"))[0][0] == 0
    await ask(intake_url, "INSERT INTO intake.inbox SELECT * FROM intake.inbox")
    await ask(intake_url, "DELETE FROM intake.outbox")
    for refused in (
        "CREATE TABLE intake.mine (x int)",
        "DROP TABLE intake.outbox",
        "SELECT * FROM pledges.outbox",
        "UPDATE intake.schema_version SET version_num = 'x'",
        "CREATE SCHEMA mine",
    ):
        with pytest.raises(REFUSED):
            await ask(intake_url, refused)


@pytest.mark.docker
async def test_another_password_takes_effect_and_none_is_kept_in_clear(real_database_url: str) -> None:
    await migrate(real_database_url, ["intake"])
    role = f"intake_{token_hex(4)}"
    first, second = (
        make_url(real_database_url).set(username=role, password=password).render_as_string(hide_password=False)
        for password in ("first pass/word", "another")
    )
    try:
        await roles.grant(real_database_url, {"intake": first})
        await ask(first, "SELECT count(*) FROM intake.outbox")
        await roles.grant(real_database_url, {"intake": second})
        await ask(second, "SELECT count(*) FROM intake.outbox")
        with pytest.raises(asyncpg.exceptions.InvalidPasswordError):
            await ask(first, "SELECT 1")
        kept = (await ask(real_database_url, "SELECT rolpassword FROM pg_authid WHERE rolname = $1", role))[0]["rolpassword"]
        assert kept.startswith("SCRAM-SHA-256$4096:")
    finally:
        await ask(real_database_url, f"DROP OWNED BY {role}")
        await ask(real_database_url, f"DROP ROLE {role}")


async def test_owner_who_may_make_no_role_is_told_what_somebody_else_has_to_run(database_url: str, intake_url: str) -> None:
    await migrate(database_url, ["intake"])
    owner = f"owner_{token_hex(4)}"
    await ask(database_url, f"CREATE ROLE {owner} LOGIN")
    try:
        poor = make_url(database_url).set(username=owner).render_as_string(hide_password=False)
        with pytest.raises(roles.RightsError, match=r"CREATE ROLE intake_\w+ LOGIN PASSWORD"):
            await roles.grant(poor, {"intake": intake_url})
    finally:
        await ask(database_url, f"DROP ROLE {owner}")
