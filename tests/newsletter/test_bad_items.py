"""One item that cannot be set, or one issue that cannot be cut, holds up no other."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from services.newsletter.issues import cutting
from services.newsletter.issues.tables import issues
from services.newsletter.jobs import open_and_cut
from shared import clock
from shared.approval.things import Thing
from shared.db import Database, Transaction
from shared.migrations import migrate
from tests.newsletter.issue_items import NOVEMBER, PUBLIC_URL, ZONE, arrives, blocks_of, issue_of, item, opened, pool_of


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, ["newsletter"])
    made = Database(database_url, "newsletter")
    yield made
    await made.close()


async def test_item_that_cannot_be_set_waits_and_the_cut_takes_the_others(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 12, 20, tzinfo=UTC))
    await arrives(database, replace(item("practice-1"), summary={"en": "long " * 300}), item("practice-2"))
    issue = await opened(database)
    await open_and_cut(database, ZONE, PUBLIC_URL)
    assert (await issue_of(database, issue)).cut_at is not None
    assert [row.issue_id for row in await pool_of(database)] == [None, issue]
    assert [row.content["source_id"] for row in await blocks_of(database, issue)] == ["practice-2"]


async def test_issue_that_cannot_be_cut_holds_up_no_other(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 12, 20, tzinfo=UTC))
    bad, good = await opened(database, date(2026, 10, 1)), await opened(database, NOVEMBER)
    made = cutting.cut

    async def stumble(tx: Transaction, thing: Thing, issue_id: UUID, **more: Any) -> int:
        if issue_id == bad:
            await tx.execute(text("SELECT 1 / 0"))
        return await made(tx, thing, issue_id, **more)

    monkeypatch.setattr(cutting, "cut", stumble)
    await open_and_cut(database, ZONE, PUBLIC_URL)
    assert (await issue_of(database, good)).cut_at is not None
    async with database.transaction() as tx:
        assert (await tx.execute(select(func.count()).select_from(issues))).scalar_one() == 3  # the next one has opened
