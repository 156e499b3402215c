"""Tasks as desk was told of them, who was mailed of which, and each person's choice: tables and queries, as functions on a transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

from services.desk.awaiting.rules import Awaited, Choice, Rhythm, Unmailed, due_at
from services.desk.store import TABLES, people
from shared import clock
from shared.db import Transaction
from shared.events.codes import Role, TaskEnd
from shared.events.every import MailWanted, TaskClosed, TaskOpened
from shared.events.times import Due
from shared.listening import Received
from shared.mail.queue.store import MailState, mails

_DUE: TypeAdapter[Due] = TypeAdapter(Due)

awaited = Table(
    "awaited",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("role", Text),  # empty, as what follows, where its closing was heard of first
    Column("title", JSONB(none_as_null=True)),
    Column("address", Text),
    Column("due", JSONB(none_as_null=True)),
    Column("due_at", DateTime(timezone=True)),  # only for the order: a day counts as over at midnight UTC
    Column("not_by", ARRAY(Text), nullable=False),
    Column("revision", Integer, nullable=False),  # of the task.opened that it is known by; 0 before the first
    Column("opened_at", DateTime(timezone=True)),
    Column("heard_at", DateTime(timezone=True), nullable=False),  # when desk heard of it first
    Column("closed_at", DateTime(timezone=True), index=True),
    Column("end", Text),
    Column("closed_by", Text),
)
Index("awaited_open_idx", awaited.c.role, awaited.c.heard_at, postgresql_where=awaited.c.closed_at.is_(None))
Index("awaited_closed_by_idx", awaited.c.closed_by, awaited.c.closed_at)

# Decides that nobody is mailed twice of one task; never a look before the insert, which two processes at once would both pass.
notices = Table(
    "notices",
    TABLES,
    Column("task_id", Text, ForeignKey("awaited.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("mail_id", Uuid, index=True),  # empty where the person wanted no mail of it
    Column("at", DateTime(timezone=True), nullable=False),
)
Index("notices_person_id_idx", notices.c.person_id, notices.c.at)

mail_choices = Table(
    "mail_choices",
    TABLES,
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("rhythm", Text, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("zone", Text),
    Column("language", Text),
)

mails_wanted = Table(
    "mails_wanted",
    TABLES,
    Column("event_id", Uuid, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("facts", JSONB(none_as_null=True)),  # empty once it is done
    Column("address", Text),
    Column("heard_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Column("mail_id", Uuid),  # empty where there was nobody to mail
    Column("told_at", DateTime(timezone=True)),  # when another service asked for it; empty in what older versions kept
)
Index("mails_wanted_open_idx", mails_wanted.c.heard_at, postgresql_where=mails_wanted.c.done_at.is_(None))

# An order only; who sees it reckons the day in the team's zone.
_ORDER_ZONE = "UTC"


# ---- what is told ----


_FACTS = ("kind", "role", "title", "address", "due", "due_at", "not_by", "revision")


def _opening() -> Insert:
    row = insert(awaited)
    told = row.excluded
    newer = {name: case((awaited.c.revision < told.revision, told[name]), else_=awaited.c[name]) for name in _FACTS}
    # A correction, too, says when it was told; the task waits since the first word of it.
    since = func.least(awaited.c.opened_at, told.opened_at)
    return row.on_conflict_do_update(index_elements=[awaited.c.id], set_={**newer, "opened_at": since})


# Made once: to make it takes as long as to run it, and every task of every service comes by here.
_OPENING = _opening()


async def open_task(tx: Transaction, event: Received[TaskOpened]) -> None:
    """Keep what was told of a task; an older word than the one known changes nothing, and one that was closed stays so."""
    task = event.data
    facts = {
        "kind": task.kind,
        "role": task.role.value,
        "title": dict(task.title),
        "address": task.address,
        "due": task.due.model_dump(mode="json") if task.due else None,
        "due_at": due_at(task.due, _ORDER_ZONE),
        "not_by": [one for one in (task.not_by, *task.nor_by) if one is not None],
        "revision": event.revision,
    }
    await tx.execute(_OPENING, {"id": event.subject, "opened_at": event.time, "heard_at": clock.now(), **facts})


async def close_task(tx: Transaction, event: Received[TaskClosed]) -> None:
    """Keep that a task awaits nobody any more, also where its opening has not been heard of."""
    ended = {"closed_at": event.time, "end": event.data.end.value, "closed_by": event.data.by}
    row = insert(awaited).values(id=event.subject, kind=event.data.kind, not_by=[], revision=0, heard_at=clock.now(), **ended)
    await tx.execute(row.on_conflict_do_update(index_elements=[awaited.c.id], set_=ended, where=awaited.c.closed_at.is_(None)))


async def take_mail_back(tx: Transaction, task_id: str) -> int:
    """End mails about a task that have not begun to leave, and return how many.

    The other tasks of such a mail count as not mailed again, so that the next mail names them.
    """
    about = select(notices.c.mail_id).where(notices.c.task_id == task_id, notices.c.mail_id.is_not(None))
    ended = await tx.execute(
        update(mails)
        .where(mails.c.id.in_(about), mails.c.state.in_((MailState.WAITING.value, MailState.HELD.value)))
        .values(state=MailState.EXPIRED.value, ended_at=clock.now(), sealed=None, answer="what it was about is done")
        .returning(mails.c.id)
    )
    taken = [row.id for row in ended]
    if taken:
        await tx.execute(delete(notices).where(notices.c.mail_id.in_(taken), notices.c.task_id != task_id))
    return len(taken)


async def want_mail(tx: Transaction, event: Received[MailWanted]) -> None:
    """Keep that a mail is wanted, once."""
    row = insert(mails_wanted).values(
        event_id=event.id,
        person_id=event.data.person,
        template=event.data.template,
        facts=event.data.model_dump(mode="json")["facts"],
        address=event.data.address,
        heard_at=clock.now(),
        told_at=event.time,
    )
    await tx.execute(row.on_conflict_do_nothing())


# ---- what awaits whom ----


def _open() -> Select[Any]:
    pressing_first = (awaited.c.due_at.asc().nulls_last(), awaited.c.opened_at, awaited.c.id)
    return select(awaited).where(awaited.c.closed_at.is_(None), awaited.c.role.is_not(None)).order_by(*pressing_first)


def _for(person_id: str, roles: Collection[Role]) -> ColumnElement[bool]:
    return awaited.c.role.in_([role.value for role in roles]) & ~(literal(person_id) == any_(awaited.c.not_by))


@dataclass(frozen=True, kw_only=True)
class Page:
    """Part of a list."""

    tasks: Sequence[Awaited]
    total: int


async def awaiting(tx: Transaction, person_id: str, roles: Collection[Role], *, limit: int, offset: int = 0) -> Page:
    """Return what awaits a person: what is due first, then what has waited longest."""
    return await _page(tx, _open().where(_for(person_id, roles)), limit, offset)


async def awaiting_others(tx: Transaction, person_id: str, roles: Collection[Role], *, limit: int, offset: int = 0) -> Page:
    """Return what awaits somebody, but not this person; in the same order."""
    return await _page(tx, _open().where(~_for(person_id, roles)), limit, offset)


async def own_work(tx: Transaction, person_id: str, *, limit: int) -> Page:
    """Return what awaits others because it is this person's own work; in the same order."""
    return await _page(tx, _open().where(literal(person_id) == any_(awaited.c.not_by)), limit, 0)


async def done_by(tx: Transaction, person_id: str, *, since: datetime, limit: int) -> Sequence[Awaited]:
    """Return what a person did since then, the last first."""
    done = (awaited.c.closed_by == person_id, awaited.c.closed_at >= since, awaited.c.role.is_not(None))
    query = select(awaited).where(*done, awaited.c.end == TaskEnd.DONE.value).order_by(awaited.c.closed_at.desc()).limit(limit)
    return [_awaited(row) for row in await tx.execute(query)]


async def _page(tx: Transaction, query: Select[Any], limit: int, offset: int) -> Page:
    rows = (await tx.execute(query.limit(limit).offset(offset))).all()
    total = int((await tx.execute(select(func.count()).select_from(query.order_by(None).subquery()))).scalar_one())
    return Page(tasks=[_awaited(row) for row in rows], total=total)


def _awaited(row: Row[Any]) -> Awaited:
    return Awaited(
        id=row.id,
        kind=row.kind,
        role=Role(row.role),
        title=row.title,
        address=row.address,
        due=_DUE.validate_python(row.due) if row.due else None,
        not_by=frozenset(row.not_by),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        end=TaskEnd(row.end) if row.end else None,
    )


# ---- choices ----


async def choice_of(tx: Transaction, person_id: str) -> Choice:
    """Return how a person wants to be mailed; at once, where they have not said."""
    row = (await tx.execute(select(mail_choices).where(mail_choices.c.person_id == person_id))).one_or_none()
    return _choice(row) if row is not None else Choice()


def _choice(row: Any) -> Choice:  # of either query, whose rows differ in length
    return Choice(rhythm=Rhythm(row.rhythm), hour=row.hour, zone=row.zone, language=row.language)


async def choose(tx: Transaction, person_id: str, choice: Choice) -> None:
    """Keep a person's choice; who wanted no mails before gets none about what already waited then."""
    before = await choice_of(tx, person_id)
    if before.rhythm is Rhythm.NEVER and choice.rhythm is not Rhythm.NEVER:
        seen = _unmailed_tasks().where(people.c.id == person_id).with_only_columns(awaited.c.id, people.c.id, literal(clock.now()))
        await tx.execute(insert(notices).from_select(["task_id", "person_id", "at"], seen).on_conflict_do_nothing())
    values = {"rhythm": choice.rhythm.value, "hour": choice.hour, "zone": choice.zone, "language": choice.language}
    row = insert(mail_choices).values(person_id=person_id, **values)
    await tx.execute(row.on_conflict_do_update(index_elements=[mail_choices.c.person_id], set_=values))


# ---- who is to be mailed ----


def _unmailed_tasks() -> Select[Any]:
    """Every pair of a person and a task that they may do and were not mailed of."""
    may = (awaited.c.role == any_(people.c.roles)) & ~(people.c.id == any_(awaited.c.not_by))
    mailed = select(notices.c.task_id).where(notices.c.task_id == awaited.c.id, notices.c.person_id == people.c.id).exists()
    return select(awaited).select_from(people.join(awaited, may)).where(awaited.c.closed_at.is_(None), people.c.active, ~mailed)


async def unmailed(tx: Transaction) -> Mapping[str, tuple[Choice, Unmailed]]:
    """Return, by the id of each active person whom something awaits that they were not mailed of, their choice and since when."""
    mailed_at = select(func.max(notices.c.at)).where(notices.c.person_id == people.c.id, notices.c.mail_id.is_not(None)).scalar_subquery()
    chosen = (mail_choices.c.rhythm, mail_choices.c.hour, mail_choices.c.zone, mail_choices.c.language)
    query = (
        _unmailed_tasks()
        .join(mail_choices, mail_choices.c.person_id == people.c.id, isouter=True)
        .where(or_(mail_choices.c.rhythm.is_(None), mail_choices.c.rhythm != Rhythm.NEVER.value))
        .with_only_columns(
            people.c.id,
            *chosen,
            func.min(awaited.c.heard_at).label("first_at"),
            func.max(awaited.c.heard_at).label("last_at"),
            mailed_at.label("mailed_at"),
        )
        .group_by(people.c.id, *chosen)
    )
    return {
        row.id: (
            _choice(row) if row.rhythm else Choice(),
            Unmailed(first_at=row.first_at, last_at=row.last_at, mailed_at=row.mailed_at),
        )
        for row in await tx.execute(query)
    }


async def first_unmailed(tx: Transaction, person_id: str) -> str:
    """Return the id of the task that somebody was not mailed of for longest; there is one."""
    query = _unmailed_tasks().where(people.c.id == person_id).order_by(awaited.c.heard_at, awaited.c.id).limit(1)
    return str((await tx.execute(query.with_only_columns(awaited.c.id))).scalar_one())


async def claim(tx: Transaction, person_id: str, mail_id: UUID) -> Sequence[Awaited]:
    """Return what a mail to a person is to name, which no other mail to them will: due first, then longest waiting.

    Until `tx` ends none of it can be closed, so that a closing finds the mail and can take it back.
    """
    query = _unmailed_tasks().where(people.c.id == person_id).with_for_update(of=awaited, read=True)
    tasks = {row.id: row for row in await tx.execute(query)}
    if not tasks:
        return ()
    now = clock.now()
    rows = [{"task_id": task, "person_id": person_id, "mail_id": mail_id, "at": now} for task in sorted(tasks)]
    taken = await tx.execute(insert(notices).values(rows).on_conflict_do_nothing().returning(notices.c.task_id))
    mine = [tasks[row.task_id] for row in taken]
    mine.sort(key=lambda row: (row.due_at is None, row.due_at or row.opened_at, row.opened_at))
    return [_awaited(row) for row in mine]


async def wanted(tx: Transaction, limit: int) -> Sequence[Row[Any]]:
    """Return mails that are wanted and not yet written, the first first, locked against another process."""
    open_ = select(mails_wanted).where(mails_wanted.c.done_at.is_(None)).order_by(mails_wanted.c.heard_at).limit(limit)
    return (await tx.execute(open_.with_for_update(skip_locked=True))).all()


async def wanted_is_done(tx: Transaction, event_id: UUID, mail_id: UUID | None) -> None:
    """Note that a mail that was wanted is in the queue, or that there was nobody to mail; what it was to say is erased."""
    await tx.execute(
        update(mails_wanted)
        .where(mails_wanted.c.event_id == event_id)
        .values(done_at=clock.now(), mail_id=mail_id, facts=None, address=None)
    )


# ---- what is kept ----


async def forget_closed(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete tasks that were closed before then, with who was mailed of them, `limit` at most; returns how many."""
    old = select(awaited.c.id).where(awaited.c.closed_at < before).limit(limit)
    return (await tx.execute(delete(awaited).where(awaited.c.id.in_(old)))).rowcount


async def forget_wanted(tx: Transaction, before: datetime) -> int:
    """Delete mails that were wanted and done before then; returns how many."""
    return (await tx.execute(delete(mails_wanted).where(mails_wanted.c.done_at < before))).rowcount
