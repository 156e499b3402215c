"""What people do to an issue: its days, languages, subject and blocks. Nobody's words are lost where two write at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Row, func, insert, select, update

from services.newsletter.compose import blocks
from services.newsletter.compose.blocks import Block
from services.newsletter.domain.items import ItemState
from services.newsletter.issues import holding, quiet
from services.newsletter.issues.opening import GATHER
from services.newsletter.issues.rules import Dates, IssueError, NotOfferedError, ReasonError, Rule, UnknownIssueError, check_languages
from services.newsletter.issues.tables import issue_blocks, issue_rule, issues
from services.newsletter.store import hold_pool, pool_items
from shared import clock, tasks, wall_clock
from shared.actors import Actor
from shared.approval.rules import EDITORS, RoleNeededError
from shared.approval.things import Thing
from shared.db import Transaction
from shared.events.codes import Language, TaskEnd
from shared.events.texts import Line
from shared.ids import new_id
from shared.trace import Cause

_LINE: TypeAdapter[str] = TypeAdapter(Line)
_WORDS = ("subject", "preheader")


class ChangedMeanwhileError(IssueError):
    """Somebody else saved this while you wrote; nothing of yours is kept yet. Compare, then save again."""

    slug = "changed"

    def __init__(self, now: Row[Any]) -> None:
        super().__init__(revision=now.revision)
        self.now = now


@dataclass(frozen=True, kw_only=True)
class Texts:
    """What stands above the blocks of an issue."""

    languages: tuple[Language, ...]
    fallback: Language
    subject: Mapping[Language, str]
    preheader: Mapping[Language, str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """When one issue closes and goes."""

    dates: Dates
    zone: str
    remind_days: int
    valid_hours: int


async def set_rule(tx: Transaction, rule: Rule, seen: int, *, by: Actor) -> None:
    """Change the standing rule, for issues that open from now on; raises ChangedMeanwhileError, DatesError, LanguagesError."""
    _check_may_edit(by)
    rule.check()
    now = (await tx.execute(select(issue_rule).with_for_update())).one()
    if now.revision != seen:
        raise ChangedMeanwhileError(now)
    values = {
        "closes_day": rule.closes_day,
        "sends_day": rule.sends_day,
        "months_later": rule.months_later,
        "sends_at": rule.sends_at,
        "remind_days": rule.remind_days,
        "valid_hours": rule.valid_hours,
        "languages": list(rule.languages),
        "revision": seen + 1,
        "changed_by": by.id,
        "changed_at": clock.now(),
    }
    await tx.execute(update(issue_rule).values(values))


async def set_plan(tx: Transaction, thing: Thing, issue_id: UUID, plan: Plan, seen: int, *, by: Actor, cause: Cause) -> None:
    """Change when one issue closes and goes; a reminder that was for another day is taken back.

    What is scheduled already goes at the hour that was scheduled. Raises ChangedMeanwhileError, UnknownIssueError, UnderWayError, and
    QuietError for a day on which nothing is sent.
    """
    await quiet.check(tx, wall_clock.plan(plan.dates.sends_at, plan.zone).instant)
    values = {
        "closes_on": plan.dates.closes_on,
        "sends_at": plan.dates.sends_at,
        "zone": plan.zone,
        "remind_days": plan.remind_days,
        "valid_hours": plan.valid_hours,
    }
    issue = await _write(tx, thing, issue_id, values, seen, by=by, cause=cause)
    if issue.closes_on != plan.dates.closes_on:
        await tasks.close_task(tx, GATHER, str(issue_id), end=TaskEnd.WITHDRAWN, by=by.id, cause=cause)


async def set_texts(tx: Transaction, thing: Thing, issue_id: UUID, texts: Texts, seen: int, *, by: Actor, cause: Cause) -> None:
    """Change languages, subject and preheader of an issue; raises LanguagesError, otherwise as `set_plan`."""
    check_languages(texts.languages, texts.fallback)
    values = {
        "languages": list(texts.languages),
        "fallback": texts.fallback,
        "subject": dict(texts.subject),
        "preheader": dict(texts.preheader),
    }
    await _write(tx, thing, issue_id, values, seen, by=by, cause=cause)


async def add_block(tx: Transaction, thing: Thing, issue_id: UUID, content: Mapping[str, Any], *, by: Actor, cause: Cause) -> UUID:
    """Return the id of a new block at the end of an issue; `content` has no id yet.

    Raises ValidationError as `compose.blocks.parse`; otherwise as `set_plan`.
    """
    await holding.hold(tx, issue_id)
    block_id = new_id()
    block = blocks.parse({**content, "id": str(block_id)})
    last = select(func.coalesce(func.max(issue_blocks.c.place), 0) + 1).where(issue_blocks.c.issue_id == issue_id)
    await tx.execute(
        insert(issue_blocks).values(
            id=block_id, issue_id=issue_id, place=last.scalar_subquery(), content=blocks.dump(block), revision=1, changed_by=by.id
        )
    )
    await holding.changed(tx, thing, issue_id, by=by, cause=cause, wrote=True)
    return block_id


async def write_block(tx: Transaction, thing: Thing, issue_id: UUID, block: Block, seen: int, *, by: Actor, cause: Cause) -> None:
    """Change one block; raises ChangedMeanwhileError where it is not the one that was `seen`, otherwise as `set_plan`."""
    await holding.hold(tx, issue_id)
    now = await _block(tx, issue_id, UUID(block.id))
    if now.revision != seen:
        raise ChangedMeanwhileError(now)
    values = {"content": blocks.dump(block), "revision": seen + 1, "changed_by": by.id, "updated_at": func.now()}
    await tx.execute(update(issue_blocks).where(issue_blocks.c.id == now.id).values(values))
    await holding.changed(tx, thing, issue_id, by=by, cause=cause, wrote=values["content"] != now.content)


async def move_block(tx: Transaction, thing: Thing, issue_id: UUID, block_id: UUID, *, up: bool, by: Actor, cause: Cause) -> None:
    """Exchange a block with the one before or after it; at the end there is nothing to do."""
    await holding.hold(tx, issue_id)
    order = [row.id for row in await _kept(tx, issue_id)]
    if block_id not in order:
        raise UnknownIssueError
    place = order.index(block_id)
    other = place - 1 if up else place + 1
    if not 0 <= other < len(order):
        return
    order[place], order[other] = order[other], order[place]
    for number, one in enumerate(order, start=1):
        await tx.execute(update(issue_blocks).where(issue_blocks.c.id == one).values(place=number))
    await holding.changed(tx, thing, issue_id, by=by, cause=cause)


async def drop_block(tx: Transaction, thing: Thing, issue_id: UUID, block_id: UUID, because: str, *, by: Actor, cause: Cause) -> None:
    """Take a block out of the issue, with the reason; it is kept and can be restored. Raises ReasonError, otherwise as `set_plan`."""
    reason = _reason(because)
    await holding.hold(tx, issue_id)
    now = await _block(tx, issue_id, block_id)
    if now.dropped_at is not None:
        return
    dropped = {"dropped_at": func.now(), "dropped_by": by.id, "dropped_because": reason, "revision": now.revision + 1}
    await tx.execute(update(issue_blocks).where(issue_blocks.c.id == block_id).values(dropped))
    await holding.changed(tx, thing, issue_id, by=by, cause=cause)


async def restore_block(tx: Transaction, thing: Thing, issue_id: UUID, block_id: UUID, *, by: Actor, cause: Cause) -> None:
    """Put a dropped block back where it stood, as it was.

    Raises NotOfferedError where its item was withdrawn or is no longer in this issue; otherwise as `drop_block`.
    """
    await hold_pool(tx, alone=False)
    await holding.hold(tx, issue_id)
    now = await _block(tx, issue_id, block_id)
    if now.dropped_at is None:
        return
    if now.item_id is not None:
        item = (await tx.execute(select(pool_items).where(pool_items.c.id == now.item_id))).one()
        if item.issue_id != issue_id or item.state != ItemState.POOLED.value:
            raise NotOfferedError
    back = {"dropped_at": None, "dropped_by": None, "dropped_because": None, "revision": now.revision + 1}
    await tx.execute(update(issue_blocks).where(issue_blocks.c.id == block_id).values(back))
    await holding.changed(tx, thing, issue_id, by=by, cause=cause)


async def find_block(tx: Transaction, issue_id: UUID, block_id: UUID) -> Row[Any]:
    """Return one block of an issue, dropped or not; raises UnknownIssueError."""
    here = (issue_blocks.c.id == block_id) & (issue_blocks.c.issue_id == issue_id)
    row = (await tx.execute(select(issue_blocks).where(here))).one_or_none()
    if row is None:
        raise UnknownIssueError
    return row


async def _write(
    tx: Transaction, thing: Thing, issue_id: UUID, values: Mapping[str, Any], seen: int, *, by: Actor, cause: Cause
) -> Row[Any]:
    """Change the row of an issue and return it as it was."""
    _check_may_edit(by)
    now = await holding.hold(tx, issue_id)
    if now.revision != seen:
        raise ChangedMeanwhileError(now)
    more = {"revision": seen + 1, "changed_by": by.id, "updated_at": func.now()}
    await tx.execute(update(issues).where(issues.c.id == issue_id).values({**values, **more}))
    wrote = any(values[name] != getattr(now, name) for name in _WORDS if name in values)
    await holding.changed(tx, thing, issue_id, by=by, cause=cause, wrote=wrote)
    return now


async def _block(tx: Transaction, issue_id: UUID, block_id: UUID) -> Row[Any]:
    await find_block(tx, issue_id, block_id)
    return (await tx.execute(select(issue_blocks).where(issue_blocks.c.id == block_id).with_for_update())).one()


async def _kept(tx: Transaction, issue_id: UUID) -> Sequence[Row[Any]]:
    kept = select(issue_blocks).where(issue_blocks.c.issue_id == issue_id, issue_blocks.c.dropped_at.is_(None))
    return (await tx.execute(kept.order_by(issue_blocks.c.place, issue_blocks.c.id))).all()


def _reason(because: str) -> str:
    try:
        return _LINE.validate_python(because)
    except ValidationError as error:
        raise ReasonError from error


def _check_may_edit(by: Actor) -> None:
    if not by.holds(*EDITORS):
        raise RoleNeededError(EDITORS)
