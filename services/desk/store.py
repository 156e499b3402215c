"""People, their sign-in links and sessions: tables and queries, as functions on a transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    any_,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.desk.domain import (
    SESSION_LASTS,
    SESSION_RESTS,
    Change,
    LinkOverError,
    MailTakenError,
    Secret,
    StoredPerson,
    UnknownPersonError,
    Wish,
    change,
    in_order,
    languages_in_order,
    person_changed,
    person_decided,
    session_is_over,
)
from shared import clock, outbox
from shared.db import Transaction, metadata
from shared.events.codes import Language, Role
from shared.events.desk import PersonChanged
from shared.ids import new_id
from shared.trace import Cause

TABLES = metadata()

people = Table(
    "people",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("mail", Text, nullable=False, unique=True),  # in lower case
    Column("name", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("languages", ARRAY(Text), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("demo", Boolean, nullable=False),
    Column("tokens_valid_from", DateTime(timezone=True), nullable=False),
    Column("revision", Integer, nullable=False),  # of what was told last
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("signed_in_at", DateTime(timezone=True)),
)

sign_in_links = Table(
    "sign_in_links",
    TABLES,
    Column("hash", LargeBinary, primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), nullable=False, index=True),
    Column("wanted", Text, nullable=False),  # path of the page on which the link lands
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False, index=True),
    Column("used_at", DateTime(timezone=True)),
)

sessions = Table(
    "sessions",
    TABLES,
    Column("hash", LargeBinary, primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), nullable=False, index=True),
    Column("began_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True), nullable=False),
)
Index("sessions_used_at_idx", sessions.c.used_at)

BY_COMMAND = "tidings person"
"""Who decided, where whoever may run commands did: the machine knows no name for them."""

# Any number: who takes an admin's right away waits for the other who does, so that not both find the other one still there.
_ADMINS_LOCK = 7_310_002


# ---- people ----


async def add_person(
    tx: Transaction,
    *,
    mail: str,
    name: str,
    roles: Sequence[Role],
    languages: Sequence[Language] = (),
    demo: bool = False,
    by: str = BY_COMMAND,
    cause: Cause | None = None,
) -> StoredPerson:
    """Return the person now kept and told; `by` is the id of the admin who adds them. Raises MailTakenError."""
    now = clock.now()
    person = StoredPerson(
        id=str(new_id()),
        mail=mail.lower(),
        name=name,
        roles=in_order(roles),
        languages=languages_in_order(languages),
        active=True,
        demo=demo,
        tokens_valid_from=now,
        revision=1,
        made_at=now,
        signed_in_at=None,
    )
    row = insert(people).values(**_values(person), id=person.id, mail=person.mail, demo=demo, revision=1, made_at=now)
    if (await tx.execute(row.on_conflict_do_nothing().returning(people.c.id))).first() is None:
        raise MailTakenError(MailTakenError.__doc__)
    cause = cause or Cause.start()
    await outbox.put(tx, person_changed(person), subject=person.id, cause=cause)
    await outbox.put(tx, person_decided(person, who=by, what="add"), subject=person.id, cause=cause)
    return person


async def change_person(tx: Transaction, person_id: str, wish: Wish, *, by: str, cause: Cause) -> Change:
    """Return what a wish made of a person, kept and told; raises UnknownPersonError, LastAdminError, NoRoleError."""
    await tx.execute(select(func.pg_advisory_xact_lock(_ADMINS_LOCK)))
    before = await _locked(tx, person_id)
    others = select(func.count()).where(people.c.id != person_id, people.c.active, literal(Role.ADMIN.value) == any_(people.c.roles))
    done = change(before, wish, now=clock.now(), other_admins=int((await tx.execute(others)).scalar_one()))
    if done.changed:
        done = replace(done, after=await _keep(tx, done.after, cause))
        what = "change" if before.active == done.after.active else "enable" if done.after.active else "disable"
        await outbox.put(tx, person_decided(done.after, who=by, what=what), subject=person_id, cause=cause)
    if done.signs_out:
        await _end_sessions(tx, person_id)
    return done


async def sign_out_everywhere(tx: Transaction, person_id: str, *, by: str, cause: Cause) -> None:
    """Void every token, session and link of a person; they may sign in again. Raises UnknownPersonError."""
    before = await _locked(tx, person_id)
    after = await _keep(tx, replace(before, tokens_valid_from=clock.now()), cause)
    await outbox.put(tx, person_decided(after, who=by, what="sign-out-everywhere"), subject=person_id, cause=cause)
    await _end_sessions(tx, person_id)


async def find_person(tx: Transaction, person_id: str) -> StoredPerson | None:
    """Return a person by id."""
    return _person((await tx.execute(select(people).where(people.c.id == person_id))).one_or_none())


async def person_by_mail(tx: Transaction, mail: str) -> StoredPerson | None:
    """Return a person by mail address, however its letters are written."""
    return _person((await tx.execute(select(people).where(people.c.mail == mail.lower()))).one_or_none())


async def list_people(tx: Transaction) -> Sequence[StoredPerson]:
    """Return everybody, those who may sign in first, by name."""
    rows = (await tx.execute(select(people).order_by(~people.c.active, people.c.name, people.c.id))).all()
    return [person for row in rows if (person := _person(row)) is not None]


async def _locked(tx: Transaction, person_id: str) -> StoredPerson:
    found = _person((await tx.execute(select(people).where(people.c.id == person_id).with_for_update())).one_or_none())
    if found is None:
        raise UnknownPersonError(UnknownPersonError.__doc__)
    return found


async def tell_again(tx: Transaction, before: datetime) -> int:
    """Tell again, in the same revision, of everybody of whom nothing was told since `before`; returns how many."""
    told = select(outbox.outbox.c.id).where(
        outbox.outbox.c.type == PersonChanged.type, outbox.outbox.c.subject == people.c.id, outbox.outbox.c.time >= before
    )
    silent = select(people).where(~told.exists()).order_by(people.c.id).with_for_update(skip_locked=True)
    found = [person for row in await tx.execute(silent) if (person := _person(row)) is not None]
    cause = Cause.start()
    await outbox.put_all(
        tx, [outbox.Telling(data=person_changed(one), subject=one.id, cause=cause, revision=one.revision) for one in found]
    )
    return len(found)


async def _keep(tx: Transaction, person: StoredPerson, cause: Cause) -> StoredPerson:
    newer = replace(person, revision=person.revision + 1)
    await tx.execute(update(people).where(people.c.id == newer.id).values(**_values(newer), revision=newer.revision))
    await outbox.put(tx, person_changed(newer), subject=newer.id, cause=cause, revision=newer.revision)
    return newer


def _values(person: StoredPerson) -> dict[str, Any]:
    return {
        "name": person.name,
        "roles": [role.value for role in person.roles],
        "languages": list(person.languages),
        "active": person.active,
        "tokens_valid_from": person.tokens_valid_from,
    }


def _person(row: Row[Any] | None) -> StoredPerson | None:
    if row is None:
        return None
    return StoredPerson(
        id=row.id,
        mail=row.mail,
        name=row.name,
        roles=in_order(map(Role, row.roles)),
        languages=languages_in_order(row.languages),
        active=row.active,
        demo=row.demo,
        tokens_valid_from=row.tokens_valid_from,
        revision=row.revision,
        made_at=row.made_at,
        signed_in_at=row.signed_in_at,
    )


# ---- sign-in links ----


async def add_link(tx: Transaction, person_id: str, *, wanted: str, lasts: timedelta) -> Secret:
    """Return the last part of a new link's address; only its hash is kept."""
    secret, now = Secret.new(), clock.now()
    await tx.execute(insert(sign_in_links).values(hash=secret.hash, person_id=person_id, wanted=wanted, made_at=now, ends_at=now + lasts))
    return secret


async def person_of_link(tx: Transaction, secret: Secret) -> StoredPerson:
    """Return whom a link would sign in, and change nothing: programs that scan mails follow links too. Raises LinkOverError."""
    found = await tx.execute(select(people).join(sign_in_links).where(*_good(secret)))
    person = _person(found.one_or_none())
    if person is None:
        raise LinkOverError(LinkOverError.__doc__)
    return person


async def use_link(tx: Transaction, secret: Secret) -> tuple[StoredPerson, str]:
    """Use a link up and return whom it signs in and where it lands; of two uses at once one counts. Raises LinkOverError."""
    used = update(sign_in_links).where(*_good(secret), people.c.id == sign_in_links.c.person_id).values(used_at=clock.now())
    row = (await tx.execute(used.returning(sign_in_links.c.person_id, sign_in_links.c.wanted))).one_or_none()
    person = await find_person(tx, row.person_id) if row is not None else None
    if row is None or person is None:
        raise LinkOverError(LinkOverError.__doc__)
    return person, str(row.wanted)


def _good(secret: Secret) -> tuple[Any, ...]:
    links = sign_in_links.c
    return links.hash == secret.hash, links.used_at.is_(None), links.ends_at > clock.now(), people.c.active


# ---- sessions ----


async def begin_session(tx: Transaction, person_id: str) -> Secret:
    """Return what the session's cookie holds; only its hash is kept."""
    secret, now = Secret.new(), clock.now()
    await tx.execute(insert(sessions).values(hash=secret.hash, person_id=person_id, began_at=now, used_at=now))
    await tx.execute(update(people).where(people.c.id == person_id).values(signed_in_at=now))
    return secret


async def use_session(tx: Transaction, secret: Secret) -> StoredPerson | None:
    """Return whose session it is, and note that it is in use; None where it is over or its person may not sign in."""
    row = (await tx.execute(select(sessions).where(sessions.c.hash == secret.hash).with_for_update())).one_or_none()
    now = clock.now()
    if row is None or session_is_over(row.began_at, row.used_at, now):
        return None
    person = await find_person(tx, row.person_id)
    if person is None or not person.active:
        return None
    await tx.execute(update(sessions).where(sessions.c.hash == secret.hash).values(used_at=now))
    return person


async def end_session(tx: Transaction, secret: Secret) -> None:
    """End one session."""
    await tx.execute(delete(sessions).where(sessions.c.hash == secret.hash))


async def count_sessions(tx: Transaction, person_id: str) -> int:
    """Return in how many browsers a person is signed in."""
    now = clock.now()
    alive = (sessions.c.used_at > now - SESSION_RESTS) & (sessions.c.began_at > now - SESSION_LASTS)
    return int((await tx.execute(select(func.count()).where(sessions.c.person_id == person_id, alive))).scalar_one())


async def _end_sessions(tx: Transaction, person_id: str) -> None:
    await tx.execute(delete(sessions).where(sessions.c.person_id == person_id))
    await tx.execute(delete(sign_in_links).where(sign_in_links.c.person_id == person_id))


async def forget_over(tx: Transaction, before: datetime) -> int:
    """Delete links and sessions that ended before then, and return how many."""
    gone = await tx.execute(delete(sign_in_links).where(sign_in_links.c.ends_at < before))
    over = (sessions.c.used_at < before - SESSION_RESTS) | (sessions.c.began_at < before - SESSION_LASTS)
    return int(gone.rowcount + (await tx.execute(delete(sessions).where(over))).rowcount)
