"""Subscribers and the receipts of what they did, as functions on a transaction. Every act writes its receipt beside it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.newsletter.addresses import AddressBook, domain_of
from services.newsletter.sending.rules import SubscriberState
from services.newsletter.sending.tables import subscribers
from services.newsletter.subscribing.rules import Act, Because, Receipt, Source, Standing, WishState, pause_until
from services.newsletter.subscribing.tables import receipts, wishes
from shared import clock
from shared.db import Transaction
from shared.ids import new_id


async def by_hash(tx: Transaction, address_hash: bytes, *, lock: bool = False) -> Row[Any] | None:
    """Return the subscriber of an address, or None; `lock` keeps others from deciding about them meanwhile."""
    asked = select(subscribers).where(subscribers.c.address_hash == address_hash)
    row: Row[Any] | None = (await tx.execute(asked.with_for_update() if lock else asked)).one_or_none()
    return row


async def by_id(tx: Transaction, subscriber_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    """Return a subscriber, or None."""
    asked = select(subscribers).where(subscribers.c.id == subscriber_id)
    row: Row[Any] | None = (await tx.execute(asked.with_for_update() if lock else asked)).one_or_none()
    return row


def standing(row: Row[Any] | None) -> Standing | None:
    """Return where a subscriber stands; None for nobody."""
    if row is None:
        return None
    because = Because(row.suppressed_because) if row.suppressed_because else None
    return Standing(state=SubscriberState(row.state), because=because, paused_until=row.paused_until)


async def note(tx: Transaction, receipt: Receipt, *, at: datetime | None = None) -> None:
    """Keep one receipt."""
    values = asdict(receipt) | {"act": receipt.act.value, "source": receipt.source.value}
    await tx.execute(insert(receipts).values(id=new_id(), at=at or clock.now(), **values))


async def meet(tx: Transaction, address_hash: bytes, language: str) -> Row[Any]:
    """Return the subscriber of an address, locked; one who is new stands there as unconfirmed, and their address only in the wish."""
    new = {
        "id": new_id(),
        "address": b"",
        "address_hash": address_hash,
        "domain": "",
        "language": language,
        "state": SubscriberState.UNCONFIRMED.value,
    }
    await tx.execute(insert(subscribers).values(new).on_conflict_do_nothing())
    found = await by_hash(tx, address_hash, lock=True)
    assert found is not None
    return found


async def confirm(tx: Transaction, row: Row[Any], *, book: AddressBook, address: str, receipt: Receipt) -> None:
    """Write to somebody from now on, in `receipt.language`, at the address to which their link was mailed."""
    values = {
        "address": book.seal(address),
        "domain": domain_of(address),
        "language": receipt.language,
        "state": SubscriberState.CONFIRMED.value,
        "suppressed_because": "",
        "paused_until": None,
    }
    await _set(tx, row.id, values)
    await end_wishes(tx, row.address_hash)
    await note(tx, receipt)


async def leave(tx: Transaction, row: Row[Any], *, source: Source, words: tuple[str, str] = ("", ""), client: bytes = b"") -> bool:
    """Write to somebody no more; returns whether they were still written to. Copies of an issue under way stop here too."""
    await end_wishes(tx, row.address_hash)
    if row.state not in {SubscriberState.CONFIRMED.value, SubscriberState.UNCONFIRMED.value}:
        return False
    await _set(tx, row.id, {"state": SubscriberState.UNSUBSCRIBED.value, "paused_until": None})
    await note(tx, _receipt(row, Act.LEFT, source, words=words[0], words_language=words[1], client=client))
    return True


async def change_language(tx: Transaction, row: Row[Any], language: str, *, words: tuple[str, str]) -> bool:
    """Send somebody the bulletin in another language; returns whether that is a change."""
    if row.language == language or row.state == SubscriberState.SUPPRESSED.value:
        return False
    await _set(tx, row.id, {"language": language})
    changed = _receipt(row, Act.CHANGED, Source.LINK, words=words[0], words_language=words[1], note=f"{row.language} → {language}")
    await note(tx, replace(changed, language=language))
    return True


async def pause(tx: Transaction, row: Row[Any], months: int, *, words: tuple[str, str]) -> bool:
    """Let issues pass somebody by for a while; returns whether they are written to at all."""
    if row.state != SubscriberState.CONFIRMED.value:
        return False
    until = pause_until(months, clock.now())
    await _set(tx, row.id, {"paused_until": until})
    await note(tx, _receipt(row, Act.PAUSED, Source.LINK, words=words[0], words_language=words[1], note=until.date().isoformat()))
    return True


async def resume(tx: Transaction, row: Row[Any], *, words: tuple[str, str]) -> bool:
    """End a pause before its time; returns whether there was one."""
    if row.state != SubscriberState.CONFIRMED.value or row.paused_until is None:
        return False
    await _set(tx, row.id, {"paused_until": None})
    await note(tx, _receipt(row, Act.RESUMED, Source.LINK, words=words[0], words_language=words[1]))
    return True


async def erase(
    tx: Transaction, row: Row[Any], *, source: Source, by: str = "", reason: str = "", words: tuple[str, str] = ("", "")
) -> bool:
    """Erase an address and keep its keyed hash, so that no import brings it back; returns whether there was anything to erase.

    Why somebody must never be written to outlives the address: who complained stays out, however often they ask to be erased.
    """
    await end_wishes(tx, row.address_hash)
    found = standing(row)
    assert found is not None
    if found.state is SubscriberState.SUPPRESSED and not row.address:
        return False
    because = found.because if found.because is not None and found.never_by_form else Because.ERASED
    values = {
        "address": b"",
        "domain": "",
        "state": SubscriberState.SUPPRESSED.value,
        "suppressed_because": because.value,
        "paused_until": None,
    }
    await _set(tx, row.id, values)
    await note(tx, _receipt(row, Act.ERASED, source, by=by, note=reason, words=words[0], words_language=words[1]))
    return True


async def suppress(tx: Transaction, row: Row[Any], because: Because, *, by: str, reason: str) -> None:
    """Write to an address no more, for a reason that is not its owner's button; the last reason that was named stands."""
    await end_wishes(tx, row.address_hash)
    values = {"state": SubscriberState.SUPPRESSED.value, "suppressed_because": because.value, "paused_until": None}
    await _set(tx, row.id, values)
    await note(tx, _receipt(row, Act.SUPPRESSED, Source.STAFF, by=by, note=f"{because.value}: {reason}"))


async def lift(tx: Transaction, row: Row[Any], *, by: str, reason: str) -> bool:
    """Take a suppression back; returns whether there was one. Nobody is written to by that: the owner may sign up again, and confirm."""
    if row.suppressed_because in {"", Because.ERASED.value}:
        return False
    if row.address:
        values: dict[str, Any] = {"state": SubscriberState.UNSUBSCRIBED.value, "suppressed_because": ""}
    else:
        values = {"suppressed_because": Because.ERASED.value}
    await _set(tx, row.id, values)
    await note(tx, _receipt(row, Act.LIFTED, Source.STAFF, by=by, note=reason))
    return True


async def end_wishes(tx: Transaction, address_hash: bytes) -> None:
    """Let nothing that was asked for an address before be confirmed any more, and erase the address from it."""
    done = {"state": WishState.VOID.value, "address": b"", "ended_at": clock.now()}
    still = wishes.c.state.in_([WishState.ASKED.value, WishState.MAILED.value])
    await tx.execute(update(wishes).where(wishes.c.address_hash == address_hash, still).values(done))


async def history(tx: Transaction, subscriber_id: UUID) -> Sequence[Row[Any]]:
    """Return somebody's receipts, latest first."""
    asked = select(receipts).where(receipts.c.subscriber_id == subscriber_id)
    return (await tx.execute(asked.order_by(receipts.c.at.desc(), receipts.c.id.desc()))).all()


async def has_confirmed(tx: Transaction, subscriber_ids: Collection[UUID]) -> set[UUID]:
    """Return who of these has confirmed by a link of ours."""
    asked = select(receipts.c.subscriber_id).where(receipts.c.subscriber_id.in_(subscriber_ids), receipts.c.act == Act.CONFIRMED.value)
    return set((await tx.execute(asked)).scalars())


async def counts(tx: Transaction) -> Sequence[Row[Any]]:
    """Return how many there are of each state (`paused` and the reason of a suppression told apart) and language."""
    paused = (subscribers.c.state == SubscriberState.CONFIRMED.value) & (subscribers.c.paused_until > func.now())
    state = case((paused, "paused"), else_=subscribers.c.state).label("state")
    asked = select(state, subscribers.c.suppressed_because.label("because"), subscribers.c.language, func.count().label("people"))
    return (await tx.execute(asked.group_by(state, subscribers.c.suppressed_because, subscribers.c.language))).all()


async def forget_unconfirmed(tx: Transaction, limit: int) -> int:
    """Delete up to `limit` who never confirmed and have no open wish; returns how many went. Their receipts name nobody any more."""
    still = select(wishes.c.id).where(
        wishes.c.address_hash == subscribers.c.address_hash, wishes.c.state.in_([WishState.ASKED.value, WishState.MAILED.value])
    )
    old = select(subscribers.c.id).where(subscribers.c.state == SubscriberState.UNCONFIRMED.value, ~still.exists())
    done = await tx.execute(subscribers.delete().where(subscribers.c.id.in_(old.limit(limit).with_for_update(skip_locked=True))))
    return done.rowcount


def _receipt(row: Row[Any], act: Act, source: Source, **more: Any) -> Receipt:
    return Receipt(subscriber_id=row.id, act=act, source=source, language=row.language, **more)


async def _set(tx: Transaction, subscriber_id: UUID, values: dict[str, Any]) -> None:
    await tx.execute(update(subscribers).where(subscribers.c.id == subscriber_id).values(values | {"updated_at": func.now()}))
