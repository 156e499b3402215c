"""The cut: what waits in the pool goes into an issue, all at once; and items moved in or out by hand, corrected or withdrawn."""

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import Row, func, insert, select, update

from services.newsletter.compose import blocks
from services.newsletter.domain.items import ItemState
from services.newsletter.issues import holding, opening
from services.newsletter.issues.rules import AlreadyCutError, NotOfferedError, UnknownIssueError, is_to_be_cut
from services.newsletter.issues.tables import issue_blocks, issues
from services.newsletter.store import hold_pool, pool_items
from shared import tasks
from shared.actors import Actor
from shared.approval.rules import State
from shared.approval.things import Thing
from shared.db import Transaction
from shared.events.codes import Level, Role, SourceKind, TaskEnd
from shared.events.times import Days, When
from shared.ids import new_id
from shared.tasks import Task
from shared.trace import Cause

log = logging.getLogger(__name__)

_LEVELS = list(Level)
_WHEN: TypeAdapter[When] = TypeAdapter(When)


async def due(tx: Transaction, now: datetime, zone: str) -> Sequence[UUID]:
    """Return the issues whose closing day is over and whose cut is not made, oldest first."""
    gathering = await tx.execute(select(issues).where(issues.c.cut_at.is_(None)).order_by(issues.c.month))
    today = now.astimezone(ZoneInfo(zone)).date()
    return [row.id for row in gathering if is_to_be_cut(row.closes_on, today)]


async def cut(tx: Transaction, thing: Thing, issue_id: UUID, *, by: Actor | None, cause: Cause) -> int:
    """Give every item that waits to an issue, and return how many; `by` is None for the clock.

    One statement takes them, while nobody brings items: what has arrived by then is in, what arrives later goes to the next issue.
    One of which no block can be made waits on in the pool, and the log says why.
    Raises UnknownIssueError, UnderWayError, and AlreadyCutError for whoever comes second.
    """
    await hold_pool(tx, alone=True)
    issue = await holding.hold(tx, issue_id)
    if issue.cut_at is not None:
        raise AlreadyCutError
    taken = await tx.execute(
        update(pool_items)
        .where(
            pool_items.c.issue_id.is_(None),
            pool_items.c.state == ItemState.POOLED.value,
            pool_items.c.left_out_of.is_distinct_from(issue_id),
        )
        .values(issue_id=issue_id)
        .returning(*pool_items.c)
    )
    found = taken.all()
    unset = [item.id for item in found if not _can_be_set(item)]
    if unset:
        await tx.execute(update(pool_items).where(pool_items.c.id.in_(unset)).values(issue_id=None))
    kept = [item for item in found if item.id not in unset]
    items = sorted(kept, key=_order)
    await _place(tx, issue_id, items, by)
    await tx.execute(update(issues).where(issues.c.id == issue_id).values(cut_at=func.now(), cut_by=by.id if by else None))
    await tasks.close_task(tx, opening.GATHER, str(issue_id), end=TaskEnd.DONE, by=by.id if by else None, cause=cause)
    after = await holding.changed(tx, thing, issue_id, by=by, cause=cause)
    if after.state is State.DRAFT:
        await ask_to_finish(tx, thing, issue, cause=cause)
    return len(items)


async def move_in(tx: Transaction, thing: Thing, item_id: UUID, issue_id: UUID, *, by: Actor, cause: Cause) -> None:
    """Put one item into an issue, out of whichever it was in.

    Raises UnknownIssueError, UnderWayError, and NotOfferedError for one whose source was withdrawn.
    """
    await hold_pool(tx, alone=True)
    item = await _held_item(tx, item_id)
    if item.state != ItemState.POOLED.value:
        raise NotOfferedError
    if item.issue_id == issue_id:
        return
    if item.issue_id is not None:
        await _take_out(tx, thing, item, by=by, cause=cause)
    await holding.hold(tx, issue_id)
    await tx.execute(update(pool_items).where(pool_items.c.id == item_id).values(issue_id=issue_id, left_out_of=None))
    item = (await tx.execute(select(pool_items).where(pool_items.c.id == item_id))).one()
    await _place(tx, issue_id, [item], by)
    await holding.changed(tx, thing, issue_id, by=by, cause=cause)


async def move_out(tx: Transaction, thing: Thing, item_id: UUID, issue_id: UUID, *, by: Actor, cause: Cause) -> None:
    """Leave one item to the issue after this one, whether it is in it already or its cut would take it; otherwise as `move_in`."""
    await hold_pool(tx, alone=True)
    item = await _held_item(tx, item_id)
    if item.issue_id == issue_id:
        await _take_out(tx, thing, item, by=by, cause=cause)
    elif item.issue_id is not None:
        return
    else:
        await holding.hold(tx, issue_id)
    await tx.execute(update(pool_items).where(pool_items.c.id == item_id).values(left_out_of=issue_id))


async def set_level(tx: Transaction, thing: Thing, item_id: UUID, level: Level | None, *, by: Actor, cause: Cause) -> None:
    """Say how far an item reaches, in place of what was worked out; None goes back to that. A correction of the source keeps it."""
    await hold_pool(tx, alone=True)
    item = await _held_item(tx, item_id)
    if item.issue_id is not None:
        await holding.hold(tx, item.issue_id)
    values = {"level_by_hand": level.value if level else None}
    await tx.execute(update(pool_items).where(pool_items.c.id == item_id).values(values))
    if item.issue_id is not None:
        await follow_item(tx, thing, item_id, by=by, cause=cause)


async def follow_item(tx: Transaction, thing: Thing, item_id: UUID, *, by: Actor | None, cause: Cause) -> None:
    """Bring the block of an item in line with it: corrected where nobody has touched its texts, dropped where its source is withdrawn.

    An issue that leaves or has left stays as it was approved. Whatever changes here voids an approval.
    """
    item = (await tx.execute(select(pool_items).where(pool_items.c.id == item_id))).one()
    if item.issue_id is None or await holding.has_begun(tx, item.issue_id):
        return
    await holding.hold(tx, item.issue_id)
    here = (issue_blocks.c.issue_id == item.issue_id) & (issue_blocks.c.item_id == item_id)
    block = (await tx.execute(select(issue_blocks).where(here).with_for_update())).one_or_none()
    if block is None:
        return
    values = _in_line(block, item, by)
    if item.state == ItemState.WITHDRAWN.value and block.dropped_at is None:
        values |= {"dropped_at": func.now(), "dropped_by": None, "dropped_because": item.withdrawn_because}
    await tx.execute(update(issue_blocks).where(issue_blocks.c.id == block.id).values(values))
    await holding.changed(tx, thing, item.issue_id, by=by, cause=cause)


def _in_line(block: Row[Any], item: Row[Any], by: Actor | None) -> dict[str, Any]:
    """Return the values of a block that bring it in line with its item as it is now."""
    return {
        "content": followed(block.content, block.source or {}, content_of(item, block.id)),
        "source": _texts(item),
        "source_revision": item.revision,
        "revision": block.revision + 1,
        "changed_by": by.id if by else None,
        "updated_at": func.now(),
    }


def followed(content: Mapping[str, Any], taken: Mapping[str, Any], fresh: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a block's content brought in line with its item: its facts, and each text that still stands as it was taken over."""
    after = dict(fresh)
    for name in blocks.TEXT_FIELDS["item"]:
        was, now, new = taken.get(name, {}), content.get(name, {}), fresh.get(name, {})
        languages = {*was, *now, *new}
        texts = {language: (new if now.get(language) == was.get(language) else now).get(language) for language in languages}
        after[name] = {language: text for language, text in texts.items() if text is not None}
    return blocks.dump(blocks.parse(after))


def content_of(item: Row[Any], block_id: UUID) -> Mapping[str, Any]:
    """Return the content of the block that an item gives."""
    return blocks.dump(
        blocks.parse(
            {
                "kind": "item",
                "id": str(block_id),
                **_texts(item),
                "entity": item.entity,
                "level": level_of(item).value,
                "source_kind": item.source_kind,
                "source_id": item.source_id,
                "label": item.label,
                "when": item.when,
                "place": item.place,
                "credit": item.credit,
                "address": item.address,
            }
        )
    )


def _can_be_set(item: Row[Any]) -> bool:
    try:
        content_of(item, item.id)
    except ValueError:  # pydantic's too
        log.exception("item %s cannot be set and stays in the pool", item.id)
        return False
    return True


def _order(item: Row[Any]) -> tuple[object, ...]:
    """Return by what items are sorted: the widest first, what is told before dates, and dates by their first day."""
    day = _WHEN.validate_python(item.when).first_day if item.source_kind == SourceKind.DATE.value and item.when else date.min
    return _LEVELS.index(level_of(item)), item.source_kind == SourceKind.DATE.value, day, item.told_at, item.id


def level_of(item: Row[Any]) -> Level:
    """Return how far an item reaches: as a person said, else as was worked out."""
    return Level(item.level_by_hand or item.level)


def _texts(item: Row[Any]) -> Mapping[str, Mapping[str, str]]:
    return {"title": dict(item.title), "summary": dict(item.summary)}


async def _held_item(tx: Transaction, item_id: UUID) -> Row[Any]:
    # Who brings items locks an item before its issue, and here it is the other way round: so the pool is held alone.
    found = (await tx.execute(select(pool_items.c.issue_id).where(pool_items.c.id == item_id))).one_or_none()
    if found is None:
        raise UnknownIssueError
    if found.issue_id is not None:
        await holding.hold(tx, found.issue_id)
    item = (await tx.execute(select(pool_items).where(pool_items.c.id == item_id).with_for_update())).one()
    if item.issue_id != found.issue_id:
        raise AlreadyCutError
    return item


async def _take_out(tx: Transaction, thing: Thing, item: Row[Any], *, by: Actor, cause: Cause) -> None:
    here = (issue_blocks.c.issue_id == item.issue_id) & (issue_blocks.c.item_id == item.id)
    dropped = {"dropped_at": func.now(), "dropped_by": by.id, "dropped_because": None, "updated_at": func.now()}
    await tx.execute(update(issue_blocks).where(here, issue_blocks.c.dropped_at.is_(None)).values(dropped))
    await tx.execute(update(pool_items).where(pool_items.c.id == item.id).values(issue_id=None))
    await holding.changed(tx, thing, item.issue_id, by=by, cause=cause)


async def _place(tx: Transaction, issue_id: UUID, items: Sequence[Row[Any]], by: Actor | None) -> None:
    """Append the blocks of these items; one that was taken out before comes back as it was left, but for what its source has corrected."""
    last = select(func.coalesce(func.max(issue_blocks.c.place), 0)).where(issue_blocks.c.issue_id == issue_id)
    place = int((await tx.execute(last)).scalar_one())
    here = (issue_blocks.c.issue_id == issue_id) & issue_blocks.c.item_id.in_([item.id for item in items])
    before = {block.item_id: block for block in await tx.execute(select(issue_blocks).where(here))}
    for number, item in enumerate(items, start=place + 1):
        if (block := before.get(item.id)) is not None:
            back = {**_in_line(block, item, by), "dropped_at": None, "dropped_by": None, "dropped_because": None}
            await tx.execute(update(issue_blocks).where(issue_blocks.c.id == block.id).values(back))
            continue
        block_id = new_id()
        new = insert(issue_blocks).values(
            id=block_id,
            issue_id=issue_id,
            item_id=item.id,
            place=number,
            content=content_of(item, block_id),
            source=_texts(item),
            source_revision=item.revision,
            revision=1,
            changed_by=by.id if by else None,
        )
        await tx.execute(new)


async def ask_to_finish(tx: Transaction, thing: Thing, issue: Row[Any], *, cause: Cause) -> None:
    """Ask drafters to write an issue that is cut, and submit it."""
    matter = await thing.read(tx, issue.id)
    assert matter is not None
    day = issue.sends_at.date()
    due_by = matter.due or Days(precision="day", first=day, last=day)
    task = Task(kind=holding.FINISH, subject=str(issue.id), role=Role.DRAFTER, title=matter.title, address=matter.address, due=due_by)
    await tasks.open_task(tx, task, cause=cause)
