"""Partners and their keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.store.tables import partner_keys, partners, receipts
from services.intake.webhooks.keys import Key, KeyFault, PublicKey, generate_secret, read_key
from shared import clock
from shared.db import Transaction
from shared.ids import new_id
from shared.vault import Vault

# Fifty a second for each process: far above what an organisation has to tell, far below what one process takes.
RATE_PER_MINUTE = 3_000
# The moment of a key's last use tells whether it can be revoked; to the minute is enough, and saves a write each time.
USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class NewPartner:
    """A partner just made; the only time that its secret can be seen."""

    id: UUID
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class LiveKey:
    """A key that a partner may sign with, still sealed."""

    id: UUID
    sealed: bytes = field(repr=False)
    last_used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PartnerAtDoor:
    """A partner with its live keys, as one look brings them."""

    id: UUID
    rate_per_minute: int
    keys: tuple[LiveKey, ...]


# Put together once: asked with every webhook, and building it costs as much as asking.
_AT_DOOR = (
    select(partners.c.id, partners.c.rate_per_minute, partner_keys.c.id, partner_keys.c.sealed, partner_keys.c.last_used_at)
    .select_from(partners)
    .outerjoin(partner_keys, and_(partner_keys.c.partner_id == partners.c.id, partner_keys.c.revoked_at.is_(None)))
    .where(partners.c.id == bindparam("partner_id"))
    .order_by(partner_keys.c.created_at.desc())  # a partner that has a new key mostly signs with it
)


async def at_door(connection: AsyncConnection, partner_id: UUID) -> PartnerAtDoor | None:
    """Return a partner with its live keys, newest first, or None where there is no such partner."""
    rows = (await connection.execute(_AT_DOOR, {"partner_id": partner_id})).all()
    if not rows:
        return None
    keys = tuple(LiveKey(id=row[2], sealed=row[3], last_used_at=row[4]) for row in rows if row[2] is not None)
    return PartnerAtDoor(id=rows[0][0], rate_per_minute=rows[0][1], keys=keys)


def use_is_due(noted_at: datetime | None, now: datetime) -> bool:
    """Say whether the use of a key that was last noted at `noted_at` has to be noted again."""
    return noted_at is None or now - noted_at >= USE_NOTED_EVERY


async def note_use(tx: Transaction, key_id: UUID, now: datetime) -> None:
    """Note that a key was used; does not wait for somebody who is noting the same."""
    due = select(partner_keys.c.id).where(partner_keys.c.id == key_id).with_for_update(skip_locked=True).scalar_subquery()
    await tx.execute(update(partner_keys).where(partner_keys.c.id == due).values(last_used_at=now))


async def add_partner(
    tx: Transaction, vault: Vault, *, name: str, contact: str, rate_per_minute: int = RATE_PER_MINUTE, demo: bool = False
) -> NewPartner:
    """Return a new partner with its first secret; `contact` is a mail address, and is kept encrypted."""
    partner_id = new_id()
    await tx.execute(
        insert(partners).values(
            id=partner_id,
            name=name,
            contact_sealed=vault.seal(contact.encode()),
            rate_per_minute=rate_per_minute,
            demo=demo,
            created_at=clock.now(),
        )
    )
    return NewPartner(id=partner_id, secret=await add_secret(tx, vault, partner_id))


async def add_secret(tx: Transaction, vault: Vault, partner_id: UUID) -> str:
    """Return a new secret of a partner; it works beside the others until they are revoked."""
    secret = generate_secret()
    await _add_key(tx, vault, partner_id, kind="secret", text=secret)
    return secret


async def add_public_key(tx: Transaction, vault: Vault, partner_id: UUID, text: str) -> KeyFault | None:
    """Keep the public half of a key that the partner made itself (`whpk_…`), or return why that is no such key."""
    key = read_key("", text)
    if not isinstance(key, PublicKey):
        return key if isinstance(key, KeyFault) else KeyFault.NOT_A_PUBLIC_KEY
    await _add_key(tx, vault, partner_id, kind="public", text=text.strip())
    return None


async def _add_key(tx: Transaction, vault: Vault, partner_id: UUID, *, kind: str, text: str) -> None:
    await tx.execute(
        insert(partner_keys).values(id=new_id(), partner_id=partner_id, kind=kind, sealed=vault.seal(text.encode()), created_at=clock.now())
    )


async def revoke_key(tx: Transaction, partner_id: UUID, key_id: UUID) -> bool:
    """Let a key sign nothing from now on; returns whether it was live."""
    done = await tx.execute(
        update(partner_keys)
        .where(partner_keys.c.id == key_id, partner_keys.c.partner_id == partner_id, partner_keys.c.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(partner_keys.c.id)
    )
    return done.first() is not None


async def demo_partner_of(tx: Transaction) -> Row[Any] | None:
    """Return the partner of trial runs, locked, or None before there is one."""
    return (await tx.execute(select(partners).where(partners.c.demo).with_for_update())).one_or_none()


async def add_demo_partner(tx: Transaction, vault: Vault, *, name: str, contact: str) -> None:
    """Make the partner of trial runs unless somebody is making it or has made it; it has no key yet."""
    new = postgresql.insert(partners).values(
        id=new_id(),
        name=name,
        contact_sealed=vault.seal(contact.encode()),
        rate_per_minute=RATE_PER_MINUTE,
        demo=True,
        created_at=clock.now(),
    )
    await tx.execute(new.on_conflict_do_nothing(index_elements=[partners.c.demo], index_where=partners.c.demo))


async def keys_of(tx: Transaction, partner_id: UUID) -> Sequence[Row[Any]]:
    """Return all keys of a partner, live ones first, newest first."""
    order = (partner_keys.c.revoked_at.is_not(None), partner_keys.c.created_at.desc())
    return (await tx.execute(select(partner_keys).where(partner_keys.c.partner_id == partner_id).order_by(*order))).all()


async def find(tx: Transaction, partner_id: UUID) -> Row[Any] | None:
    """Return a partner, or None where there is no such partner."""
    return (await tx.execute(select(partners).where(partners.c.id == partner_id))).one_or_none()


async def listing(tx: Transaction) -> Sequence[Row[Any]]:
    """Return all partners by name, with the number of their live keys and the last use of any."""
    live = func.count(partner_keys.c.id).filter(partner_keys.c.revoked_at.is_(None))
    query = (
        select(partners, live.label("live_keys"), func.max(partner_keys.c.last_used_at).label("last_used_at"))
        .outerjoin(partner_keys, partner_keys.c.partner_id == partners.c.id)
        .group_by(partners.c.id)
        .order_by(func.lower(partners.c.name), partners.c.id)
    )
    return (await tx.execute(query)).all()


async def last_receipts(tx: Transaction, partner_id: UUID, limit: int = 10) -> Sequence[Row[Any]]:
    """Return what a partner sent last, newest first, by the difference of the clocks among other things."""
    columns = (receipts.c.id, receipts.c.type, receipts.c.dialect, receipts.c.received_at, receipts.c.skew_seconds)
    query: Select[Any] = select(*columns).where(receipts.c.partner_id == partner_id).order_by(receipts.c.received_at.desc()).limit(limit)
    rows: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return rows


def open_key(vault: Vault, key_id: UUID, sealed: bytes) -> Key:
    """Return a key ready to verify with; raises SealError where the data key that sealed it is gone."""
    key = read_key(str(key_id), vault.open(sealed).decode())
    assert not isinstance(key, KeyFault)  # it was read before it was kept
    return key
