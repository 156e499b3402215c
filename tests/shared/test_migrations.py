"""Schemas: made from nothing, made twice, made from several places at once, and equal to what the code expects."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from services.calendar.store import tables as calendar
from services.desk import trail  # noqa: F401  # its table is one of desk's
from services.desk.awaiting import store as awaiting
from services.intake.store import tables as intake
from services.newsletter.subscribing import tables as subscribing
from services.owners import OWNERS
from services.pledges.store import tables as pledges
from services.social.store import tables as social
from shared import heard, inbox, outbox, parking, tasks
from shared.approval import store as approvals
from shared.auth import people
from shared.db import Database, metadata
from shared.mail.queue import store as mails
from shared.migrations import migrate
from shared.pauses import (
    quiet,  # noqa: F401  # its table is one of the senders'
    switch,
)
from shared.pauses import store as pauses

OWN: dict[str, tuple[MetaData, ...]] = {
    "desk": (awaiting.awaited.metadata, mails.TABLES, switch.TABLES),  # with the tables of people and of the trail
    "intake": (intake.TABLES, mails.TABLES, people.TABLES, tasks.TABLES),
    "pledges": (pledges.TABLES, mails.TABLES, people.TABLES, tasks.TABLES),
    "calendar": (calendar.TABLES, mails.TABLES, people.TABLES, tasks.TABLES),
    "newsletter": (
        subscribing.wishes.metadata,
        approvals.TABLES,
        tasks.TABLES,
        mails.TABLES,
        pauses.TABLES,
        heard.TABLES,
        people.TABLES,
    ),
    "social": (social.TABLES, approvals.TABLES, tasks.TABLES, pauses.TABLES, heard.TABLES, people.TABLES),
}


def expected(service: str) -> MetaData:
    whole = metadata()
    for tables in (outbox.TABLES, inbox.TABLES, parking.TABLES, *OWN[service]):
        for table in tables.tables.values():
            table.to_metadata(whole)
    return whole


@pytest.mark.parametrize("service", OWNERS)
async def test_the_migrated_schema_is_what_the_code_expects(database_url: str, service: str) -> None:
    await migrate(database_url, [service])
    database = Database(database_url, service)

    def differences(connection: Connection) -> Sequence[Any]:
        options = {"compare_type": True, "version_table": "schema_version"}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), expected(service)))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_migrating_twice_and_from_several_places_at_once_is_harmless(database_url: str) -> None:
    await asyncio.gather(*(migrate(database_url, OWNERS) for _ in range(4)))
    await migrate(database_url, OWNERS)
    for service in OWNERS:
        database = Database(database_url, service)
        assert await database.answers()
        await database.close()
