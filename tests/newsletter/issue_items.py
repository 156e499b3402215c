"""Issues on a database: items that arrive, people who write and decide."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from services.newsletter.domain.items import Item
from services.newsletter.issues import cutting, matter, opening
from services.newsletter.issues.rules import Rule, dates_of
from services.newsletter.issues.scheduling import follow_decision
from services.newsletter.issues.tables import issue_blocks, issues
from services.newsletter.store import hold_pool, pool_items, save_item
from shared.approval import deciding
from shared.approval.content import Fingerprint, fingerprint
from shared.approval.deciding import Decided
from shared.approval.rules import Act, Action
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.codes import Level, Role
from shared.ids import new_id
from shared.outbox import outbox
from shared.trace import Cause
from tests.people import somebody

PUBLIC_URL = "http://127.0.0.1:8000"
ZONE = "Europe/Zurich"
THING = matter.thing_of(PUBLIC_URL)
CAUSE = Cause.start()
WRITER = somebody(Role.DRAFTER, name="Ana Writer")
APPROVER = somebody(Role.APPROVER, name="Bo Approver")
NOVEMBER = date(2026, 11, 1)


def item(
    source: str = "practice-1",
    *,
    revision: int = 1,
    level: Level = Level.NATIONAL,
    title: str = "One desk for newcomers",
    withdrawn: str | None = None,
) -> Item:
    """Return something for the pool, written in two languages; `withdrawn` is why its source no longer stands."""
    return Item(
        source_kind="practice",
        source_id=source,
        label="practice",
        event_id=new_id(),
        trace_id=new_id().hex,
        told_at=datetime(2026, 11, 3, tzinfo=UTC),
        revision=revision,
        language="en",
        title={"en": title, "fr": f"{title} (fr)"},
        summary={"en": "Everything under one roof.", "fr": "Tout sous un même toit."},
        entity="City of Example",
        level=level,
        countries=["FR"],
        objectives=[4],
        address="https://tidings.example.org/practices/one-desk",
        withdrawn_because=withdrawn,
    )


async def arrives(database: Database, *items: Item) -> list[UUID]:
    """Have items come into the pool as the handler brings them, and return the ids of those that changed something."""
    found = []
    async with database.transaction() as tx:
        await hold_pool(tx, alone=False)
        for one in items:
            made = await save_item(tx, one)
            if made is None:
                continue
            await cutting.follow_item(tx, THING, made, by=None, cause=CAUSE)
            found.append(made)
    return found


async def opened(database: Database, month: date = NOVEMBER, rule: Rule | None = None) -> UUID:
    """Return the id of a new issue."""
    rule = rule or Rule()
    async with database.transaction() as tx:
        made = await opening.open_issue(tx, month, rule, dates_of(rule, month), ZONE)
    assert made is not None
    return made


async def cut(database: Database, issue: UUID, by: Person | None = None) -> int:
    """Make the cut of an issue."""
    async with database.transaction() as tx:
        return await cutting.cut(tx, THING, issue, by=by, cause=CAUSE)


async def seen(database: Database, issue: UUID) -> Fingerprint:
    """Return the fingerprint of what a page would show."""
    async with database.transaction() as tx:
        found = await THING.read(tx, issue)
    assert found is not None
    return fingerprint(found.content)


async def does(database: Database, issue: UUID, action: Action, by: Person) -> Decided:
    """Have a person act on what stands there now, with all that follows."""
    act = Act(action=action, by=by, seen=await seen(database, issue), reason="Because.")
    async with database.transaction() as tx:
        decided = await deciding.decide(tx, THING, issue, act, cause=CAUSE)
        await follow_decision(tx, THING, issue, decided, PUBLIC_URL, cause=CAUSE)
        return decided


async def approved(database: Database) -> UUID:
    """Return an issue of one item that one person has submitted and another approved."""
    await arrives(database, item())
    issue = await opened(database)
    await cut(database, issue)
    await does(database, issue, Action.SUBMIT, WRITER)
    await does(database, issue, Action.APPROVE, APPROVER)
    return issue


async def issue_of(database: Database, issue: UUID) -> Row[Any]:
    """Return the row of an issue."""
    async with database.transaction() as tx:
        return (await tx.execute(select(issues).where(issues.c.id == issue))).one()


async def blocks_of(database: Database, issue: UUID) -> Sequence[Row[Any]]:
    """Return the blocks of an issue in their order, dropped ones too."""
    async with database.transaction() as tx:
        return (await tx.execute(select(issue_blocks).where(issue_blocks.c.issue_id == issue).order_by(issue_blocks.c.place))).all()


async def pool_of(database: Database) -> Sequence[Row[Any]]:
    """Return the pool."""
    async with database.transaction() as tx:
        return (await tx.execute(select(pool_items).order_by(pool_items.c.source_id))).all()


async def told(database: Database, event_type: str) -> Sequence[Row[Any]]:
    """Return what was told of a type, in its order."""
    async with database.transaction() as tx:
        return (await tx.execute(select(outbox).where(outbox.c.type == event_type).order_by(outbox.c.seq))).all()
