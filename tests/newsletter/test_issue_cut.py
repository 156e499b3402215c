"""An issue opens once a month by itself; the cut takes what waits, once and whole, however many are at it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import orjson
import pytest
from sqlalchemy import func, select, text, update

from services.newsletter.issues import cutting, editing
from services.newsletter.issues.rules import AlreadyCutError, NotOfferedError
from services.newsletter.issues.tables import issues
from services.newsletter.jobs import open_and_cut
from services.newsletter.store import hold_pool, save_item
from shared import clock
from shared.db import Database
from shared.events.codes import Level
from shared.migrations import migrate
from tests.newsletter.issue_items import (
    CAUSE,
    NOVEMBER,
    PUBLIC_URL,
    THING,
    WRITER,
    ZONE,
    approved,
    arrives,
    blocks_of,
    cut,
    issue_of,
    item,
    opened,
    pool_of,
    told,
)
from tests.shared.approval_items import waits_for_lock


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, ["newsletter"])
    made = Database(database_url, "newsletter", pool_size=20)
    yield made
    await made.close()


def at(monkeypatch: pytest.MonkeyPatch, year: int, month: int, day: int, hour: int = 12) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(year, month, day, hour, tzinfo=UTC))


async def numbers(database: Database) -> list[tuple[str, int, bool]]:
    async with database.transaction() as tx:
        rows = await tx.execute(select(issues).order_by(issues.c.serial))
        return [(row.number, row.serial, row.cut_at is not None) for row in rows]


async def test_issue_opens_once_however_often_and_wherever_the_job_runs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 2026, 11, 5)
    await asyncio.gather(*(open_and_cut(database, ZONE, PUBLIC_URL) for _ in range(12)))
    await open_and_cut(database, ZONE, PUBLIC_URL)
    assert await numbers(database) == [("2026-11", 1, False)]
    async with database.transaction() as tx:
        row = (await tx.execute(select(issues))).one()
    assert (row.closes_on, row.sends_at, row.zone) == (date(2026, 11, 20), datetime(2026, 12, 1, 9), ZONE)  # noqa: DTZ001  # a time on the wall
    assert row.subject["fr"].endswith("novembre 2026")


async def test_service_that_was_off_over_the_months_change_cuts_late_and_opens_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, 2026, 11, 5)
    await open_and_cut(database, ZONE, PUBLIC_URL)
    await arrives(database, item())
    at(monkeypatch, 2026, 12, 3)
    await open_and_cut(database, ZONE, PUBLIC_URL)
    assert await numbers(database) == [("2026-11", 1, True), ("2026-12", 2, False)]
    (pooled,) = await pool_of(database)
    assert (await issue_of(database, pooled.issue_id)).number == "2026-11"


async def test_closing_day_ends_with_the_midnight_of_the_zone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 2026, 11, 20, hour=22)  # 23:00 in Zurich
    await open_and_cut(database, ZONE, PUBLIC_URL)
    await open_and_cut(database, ZONE, PUBLIC_URL)
    assert await numbers(database) == [("2026-11", 1, False)]
    at(monkeypatch, 2026, 11, 20, hour=23)  # midnight there
    await open_and_cut(database, ZONE, PUBLIC_URL)
    assert await numbers(database) == [("2026-11", 1, True), ("2026-12", 2, False)]


async def test_people_are_reminded_once_and_the_cut_ends_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 2026, 11, 16)
    await open_and_cut(database, ZONE, PUBLIC_URL)
    assert await told(database, "task.opened.v1") == []
    at(monkeypatch, 2026, 11, 17)
    for _ in range(3):
        await open_and_cut(database, ZONE, PUBLIC_URL)
    assert len(await told(database, "task.opened.v1")) == 1
    at(monkeypatch, 2026, 11, 21)
    await open_and_cut(database, ZONE, PUBLIC_URL)
    assert len(await told(database, "task.closed.v1")) == 1
    kinds = ["gather-issue", "finish-issue"]
    assert [kind for row in await told(database, "task.opened.v1") for kind in kinds if f'"{kind}"' in row.body] == kinds


async def test_cut_takes_all_that_waits_by_level_and_leaves_what_is_withdrawn(database: Database) -> None:
    await arrives(database, item("a"), item("b", level=Level.GLOBAL), item("c", level=Level.REGIONAL), item("d"))
    async with database.transaction() as tx:
        await save_item(tx, item("d", revision=2, withdrawn="No."))
    issue = await opened(database)
    assert await cut(database, issue, WRITER) == 3
    assert [block.content["source_id"] for block in await blocks_of(database, issue)] == ["b", "c", "a"]
    assert [(one.source_id, one.issue_id) for one in await pool_of(database)] == [("a", issue), ("b", issue), ("c", issue), ("d", None)]
    assert (await issue_of(database, issue)).cut_by == WRITER.id


async def test_cuts_at_once_of_one_issue_are_one(database: Database) -> None:
    await arrives(database, *(item(f"practice-{number}") for number in range(20)))
    issue = await opened(database)
    ends = await asyncio.gather(*(cut(database, issue) for _ in range(10)), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["AlreadyCutError"] * 9 + ["int"]
    assert len(await blocks_of(database, issue)) == 20


async def test_item_that_comes_during_the_cut_waits_and_goes_to_the_next_issue(database: Database) -> None:
    await arrives(database, item("early"))
    issue = await opened(database)
    async with database.transaction() as tx:
        assert await cutting.cut(tx, THING, issue, by=None, cause=CAUSE) == 1
        coming = asyncio.create_task(arrives(database, item("late")))
        await waits_for_lock(database)
        assert not coming.done()
    await coming
    assert [(one.source_id, one.issue_id) for one in await pool_of(database)] == [("early", issue), ("late", None)]
    following = await opened(database, date(2026, 12, 1))
    assert await cut(database, following) == 1


async def test_item_on_its_way_when_the_cut_begins_is_in(database: Database) -> None:
    issue = await opened(database)
    async with database.transaction() as tx:
        await hold_pool(tx, alone=False)
        await save_item(tx, item("on its way"))
        cutting_now = asyncio.create_task(cut(database, issue))
        await waits_for_lock(database)
    assert await cutting_now == 1


@pytest.mark.timeout(300)
async def test_of_many_items_and_cuts_at_once_nothing_is_lost_or_doubled(database: Database) -> None:
    months = [date(2026, month, 1) for month in range(1, 7)]
    found = [await opened(database, month) for month in months]

    async def bring(writer: int) -> None:
        for number in range(25):
            # Two writers bring each source, one of them a later revision: corrections and cuts meet at the same rows.
            await arrives(database, item(f"{writer // 2}-{number}", revision=1 + writer % 2 + 2 * number % 2, title=f"{writer}"))

    async def cut_each() -> None:
        for issue in found[:-1]:
            await asyncio.sleep(0.05)
            try:
                await cut(database, issue)
            except AlreadyCutError:
                continue

    await asyncio.gather(*(bring(writer) for writer in range(6)), cut_each(), cut_each())
    await cut(database, found[-1])
    pool = await pool_of(database)
    assert all(one.issue_id is not None for one in pool)
    placed = [block.item_id for issue in found for block in await blocks_of(database, issue)]
    assert len(placed) == len(set(placed)) == len(pool)
    for issue in found:
        mine = {one.id for one in pool if one.issue_id == issue}
        assert {block.item_id for block in await blocks_of(database, issue)} == mine


async def test_item_left_to_the_next_issue_is_not_taken_by_this_cut(database: Database) -> None:
    kept, left = await arrives(database, item("a"), item("b"))
    issue = await opened(database)
    async with database.transaction() as tx:
        await cutting.move_out(tx, THING, left, issue, by=WRITER, cause=CAUSE)
    assert await cut(database, issue) == 1
    async with database.transaction() as tx:
        await cutting.move_out(tx, THING, kept, issue, by=WRITER, cause=CAUSE)
    (block,) = await blocks_of(database, issue)
    assert block.dropped_at is not None
    following = await opened(database, date(2026, 12, 1))
    assert await cut(database, following) == 2
    async with database.transaction() as tx:
        await cutting.move_in(tx, THING, kept, issue, by=WRITER, cause=CAUSE)
    assert [one.dropped_at is None for one in await blocks_of(database, issue)] == [True]
    assert [one.dropped_at is None for one in await blocks_of(database, following)].count(True) == 1


async def test_correction_follows_where_nobody_has_written_and_level_by_hand_stays(database: Database) -> None:
    (one,) = await arrives(database, item())
    issue = await opened(database)
    await cut(database, issue)
    async with database.transaction() as tx:
        await cutting.set_level(tx, THING, one, Level.GLOBAL, by=WRITER, cause=CAUSE)
        (block,) = (await tx.execute(text("SELECT * FROM issue_blocks"))).all()
        mine = {**block.content, "title": {**block.content["title"], "fr": "Mes mots"}}
        await tx.execute(text("UPDATE issue_blocks SET content = CAST(:content AS jsonb)"), {"content": orjson.dumps(mine).decode()})
    await arrives(database, item(revision=2, title="Corrected"))
    (block,) = await blocks_of(database, issue)
    assert block.content["title"] == {"en": "Corrected", "fr": "Mes mots"}
    assert (block.content["level"], block.source_revision) == ("global", 2)


async def test_item_that_comes_back_says_what_its_source_says_now(database: Database) -> None:
    (one,) = await arrives(database, item())
    issue = await opened(database)
    await cut(database, issue)
    async with database.transaction() as tx:
        (block,) = (await tx.execute(text("SELECT * FROM issue_blocks"))).all()
        mine = {**block.content, "title": {**block.content["title"], "fr": "Mes mots"}}
        await tx.execute(text("UPDATE issue_blocks SET content = CAST(:content AS jsonb)"), {"content": orjson.dumps(mine).decode()})
        await cutting.move_out(tx, THING, one, issue, by=WRITER, cause=CAUSE)
    await arrives(database, item(revision=2, title="Corrected"))
    async with database.transaction() as tx:
        await cutting.move_in(tx, THING, one, issue, by=WRITER, cause=CAUSE)
    (block,) = await blocks_of(database, issue)
    assert block.content["title"] == {"en": "Corrected", "fr": "Mes mots"}
    assert (block.source_revision, block.dropped_at) == (2, None)


async def test_correction_and_a_person_who_moves_the_item_do_not_wait_for_each_other(database: Database) -> None:
    issue = await approved(database)
    (here,) = await pool_of(database)

    async def move() -> None:
        async with database.transaction() as tx:
            await cutting.move_out(tx, THING, here.id, issue, by=WRITER, cause=CAUSE)

    async with database.transaction() as tx:
        await hold_pool(tx, alone=False)
        assert await save_item(tx, item(revision=2, title="Corrected")) == here.id
        moving = asyncio.create_task(move())
        await waits_for_lock(database)
        await cutting.follow_item(tx, THING, here.id, by=None, cause=CAUSE)
    await moving
    (after,) = await pool_of(database)
    assert (after.revision, after.issue_id, after.left_out_of) == (2, None, issue)


async def test_withdrawn_source_takes_its_item_out_and_voids_the_approval(database: Database) -> None:
    issue = await approved(database)
    async with database.transaction() as tx:
        await hold_pool(tx, alone=False)
        gone = await save_item(tx, item(revision=2, withdrawn="Its figures were wrong."))
        assert gone is not None
        await cutting.follow_item(tx, THING, gone, by=None, cause=CAUSE)
    (block,) = await blocks_of(database, issue)
    assert (block.dropped_because, block.dropped_by) == ("Its figures were wrong.", None)
    with pytest.raises(NotOfferedError):
        async with database.transaction() as tx:
            await editing.restore_block(tx, THING, issue, block.id, by=WRITER, cause=CAUSE)
    with pytest.raises(NotOfferedError):
        async with database.transaction() as tx:
            await cutting.move_in(tx, THING, gone, issue, by=WRITER, cause=CAUSE)
    async with database.transaction() as tx:
        state = (await tx.execute(text("SELECT state FROM approvals"))).scalar_one()
    assert state == "draft"


async def test_month_has_one_issue_even_without_the_lock(database: Database) -> None:
    first = await opened(database)
    with pytest.raises(AssertionError):
        await opened(database)
    async with database.transaction() as tx:
        assert (await tx.execute(select(func.count()).select_from(issues))).scalar_one() == 1
        await tx.execute(update(issues).values(month=NOVEMBER))
    assert (await issue_of(database, first)).number == "2026-11"
