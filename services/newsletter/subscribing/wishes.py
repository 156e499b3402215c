"""What is asked for by an address that anybody may have typed: kept alike, answered by a mail to its owner, done by the link in it."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update

from services.newsletter.addresses import AddressBook, Shelf
from services.newsletter.subscribing import letters, subscribers
from services.newsletter.subscribing.rules import (
    MAILS_WITHIN,
    Act,
    Mail,
    Purpose,
    Receipt,
    Source,
    WishState,
    lasts,
    mail_for,
    new_token,
    token_hash,
)
from services.newsletter.subscribing.tables import wishes
from shared import clock
from shared.db import Database, Transaction, is_away
from shared.ids import new_id
from shared.mail.address import Mailbox
from shared.mail.queue.put import Mails, OneOff

log = logging.getLogger(__name__)

_OPEN = (WishState.ASKED.value, WishState.MAILED.value)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks for."""

    purpose: Purpose
    address: str  # as `shared.mail.address.checked` gives it
    language: str  # of the bulletin; empty where it stays as it is
    page_language: str
    version: str = ""
    words: str = ""
    client: bytes = b""


async def keep(tx: Transaction, book: AddressBook, wish: Wish) -> UUID:
    """Keep a wish and return its id; does the same, and as much, whoever the address belongs to."""
    wish_id, now = new_id(), clock.now()
    await tx.execute(
        insert(wishes).values(
            id=wish_id,
            purpose=wish.purpose.value,
            state=WishState.ASKED.value,
            address=book.seal(wish.address),
            address_hash=book.hash(wish.address),
            language=wish.language,
            page_language=wish.page_language,
            version=wish.version,
            words=wish.words,
            client=wish.client,
            asked_at=now,
            until=now + lasts(wish.purpose),
        )
    )
    return wish_id


class Answering:
    """Looks whose address each wish names, and puts the mail that answers it; one for each process, any number at a time."""

    def __init__(self, mails: Mails, shelf: Shelf, *, public_url: str, zone: str) -> None:
        self._mails = mails
        self._shelf = shelf
        self._public_url = public_url
        self._zone = zone

    async def run(self, database: Database) -> int:
        """Answer every wish that waits and return how many those were."""
        done = 0
        book = await self._shelf.book()
        while True:
            async with database.transaction() as tx:
                wish = await _next(tx)
                if wish is None:
                    return done
                await self._answer(tx, book, wish)
            done += 1

    async def soon(self, database: Database) -> None:
        """Answer what waits, after the asker has had their page; what fails now is done by the next run."""
        try:
            await self.run(database)
        except Exception as error:
            if not is_away(error):
                log.exception("a wish could not be answered")

    async def _answer(self, tx: Transaction, book: AddressBook, wish: Row[Any]) -> None:
        purpose, language = Purpose(wish.purpose), wish.language
        # Whoever is new stands there from now on as unconfirmed, so that two wishes of one address wait for each other here.
        if purpose is Purpose.SUBSCRIBE:
            row: Row[Any] | None = await subscribers.meet(tx, wish.address_hash, language)
        else:
            row = await subscribers.by_hash(tx, wish.address_hash, lock=True)
        standing, since = subscribers.standing(row), clock.now() - MAILS_WITHIN
        if row is not None and standing is not None and standing.because is not None:
            since = max(since, row.updated_at)
        mail = mail_for(purpose, standing, await _mailed_since(tx, wish.address_hash, since))
        if row is not None and purpose is Purpose.SUBSCRIBE:
            await subscribers.note(tx, _asked(row, wish), at=wish.asked_at)
        if row is None or mail is Mail.NONE:
            await _end(tx, wish.id, WishState.ANSWERED, subscriber_id=row.id if row is not None else None)
            return
        address = book.open(bytes(wish.address))
        if mail in {Mail.CONFIRM, Mail.ERASE}:
            token = new_token()
            place = f"{self._public_url}{letters.CONFIRM}{token}"
            values: dict[str, Any] = {"state": WishState.MAILED.value, "subscriber_id": row.id, "token_hash": token_hash(token)}
            await tx.execute(update(wishes).where(wishes.c.id == wish.id).values(values))
        else:
            place = f"{self._public_url}{letters.PREFERENCES}{book.leave_token(row.id)}"
            await _end(tx, wish.id, WishState.ANSWERED, subscriber_id=row.id)
        text = letters.content(
            mail, language=wish.page_language, address=place, until=wish.until, bulletin=language or row.language, zone=self._zone
        )
        # By the wish, so that no more than one mail answers it, and the number of mails to an address can be counted.
        one = OneOff(
            purpose=f"subscribe-{mail.value}",
            about=str(wish.id),
            to=Mailbox(address=address),
            content=text,
            expires_at=wish.until,
            decided_at=wish.asked_at,
        )
        await self._mails.put(tx, one)
        await tx.execute(update(wishes).where(wishes.c.id == wish.id).values(mailed=True))


def _asked(row: Row[Any], wish: Row[Any]) -> Receipt:
    return Receipt(
        subscriber_id=row.id,
        act=Act.ASKED,
        source=Source.FORM,
        language=wish.language,
        version=wish.version,
        words=wish.words,
        words_language=wish.page_language,
        client=bytes(wish.client),
    )


async def _next(tx: Transaction) -> Row[Any] | None:
    asked = select(wishes).where(wishes.c.state == WishState.ASKED.value, wishes.c.until > clock.now()).order_by(wishes.c.asked_at)
    row: Row[Any] | None = (await tx.execute(asked.limit(1).with_for_update(skip_locked=True))).one_or_none()
    return row


async def _mailed_since(tx: Transaction, address_hash: bytes, since: datetime) -> int:
    asked = select(func.count()).where(wishes.c.address_hash == address_hash, wishes.c.mailed, wishes.c.asked_at > since)
    return int((await tx.execute(asked)).scalar_one())


async def _end(tx: Transaction, wish_id: UUID, state: WishState, **values: Any) -> None:
    done = {"state": state.value, "address": b"", "ended_at": clock.now()}
    await tx.execute(update(wishes).where(wishes.c.id == wish_id).values(done | values))


async def by_token(tx: Transaction, token: str, *, lock: bool = False) -> Row[Any] | None:
    """Return the wish that a mailed link confirms, or None."""
    asked = select(wishes).where(wishes.c.token_hash == token_hash(token))
    row: Row[Any] | None = (await tx.execute(asked.with_for_update() if lock else asked)).one_or_none()
    return row


def can_be_done(wish: Row[Any] | None) -> bool:
    """Say whether a link still acts."""
    return wish is not None and wish.state == WishState.MAILED.value and clock.now() < wish.until


async def done(tx: Transaction, wish_id: UUID) -> None:
    """Note that the link of a wish has done what it is for, and erase the address from it."""
    await _end(tx, wish_id, WishState.CONFIRMED)


async def expire(tx: Transaction) -> int:
    """Erase the address from what nobody confirmed in time; returns how many those were."""
    over = wishes.c.state.in_(_OPEN) & (wishes.c.until <= clock.now())
    values = {"state": WishState.EXPIRED.value, "address": b"", "ended_at": clock.now()}
    return (await tx.execute(update(wishes).where(over).values(values))).rowcount


async def forget(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete wishes asked for before a time that have ended, `limit` at most; returns how many went."""
    old = select(wishes.c.id).where(wishes.c.asked_at < before, wishes.c.state.not_in(_OPEN)).limit(limit)
    return (await tx.execute(delete(wishes).where(wishes.c.id.in_(old)))).rowcount
