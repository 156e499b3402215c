"""An issue to be sent to so many subscribers, and senders on it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from services.newsletter.addresses import AddressBook, domain_of, open_book
from services.newsletter.sending import issues
from services.newsletter.sending.issues import standing
from services.newsletter.sending.rules import ABOUT, Claim, Standing, SubscriberState, content_hash
from services.newsletter.sending.sender import Pace, Sender
from services.newsletter.sending.tables import attempts, audience, subscribers
from shared import clock
from shared.approval import store as approvals
from shared.approval.content import fingerprint
from shared.approval.rules import State
from shared.db import Database, Transaction, is_away
from shared.ids import new_id
from shared.mail.server import MailServer
from shared.mail.smtp import Envelope, Patience
from shared.vault import Vault

QUICK = Pace(look_seconds=0.05, seen_seconds=0.3, dead_seconds=2.5, trouble_seconds=0.05, stop_seconds=5.0)
HELLO = "news.example.org"
VARIANTS: Mapping[str, Any] = {"en": {"subject": "News", "text": "Good news."}, "fr": {"subject": "Nouvelles", "text": "Bonnes nouvelles."}}


async def open_book_again(database: Database, vault: Vault) -> AddressBook:
    """Return the address book, however often the database goes away meanwhile."""
    while True:
        try:
            async with database.transaction() as tx:
                return await open_book(tx, vault)
        except Exception as error:
            if not is_away(error):
                raise
            await asyncio.sleep(0.05)


async def sender_on(
    database: Database, vault: Vault, server: MailServer, *, pace: Pace = QUICK, patience: Patience | None = None
) -> Sender:
    """Return a sender, with a plain way of writing copies."""
    book = await open_book_again(database, vault)
    return Sender(database, server, name="test", hello=HELLO, open_address=book.open, write=write_copy, pace=pace, patience=patience)


async def write_copy(claim: Claim, variant: Any, message_id: str) -> Envelope:
    """Return a copy that says to whom it goes and in which language."""
    message = f"Message-ID: {message_id}\r\nTo: {claim.address}\r\nSubject: {variant['subject']}\r\n\r\n{variant['text']}\r\n"
    return Envelope(sender=f"bounce@{HELLO}", recipient=claim.address, message=message.encode())


async def subscribe(
    database: Database, vault: Vault, addresses: Sequence[str], *, language: str = "en", state: SubscriberState = SubscriberState.CONFIRMED
) -> dict[str, UUID]:
    """Keep subscribers and return their ids by address."""
    async with database.transaction() as tx:
        book = await open_book(tx, vault)
        rows: list[dict[str, Any]] = [
            {
                "id": new_id(),
                "address": book.seal(address),
                "address_hash": book.hash(address),
                "domain": domain_of(address),
                "language": language,
                "state": state.value,
            }
            for address in addresses
        ]
        for start in range(0, len(rows), 1000):
            await tx.execute(insert(subscribers), rows[start : start + 1000])
    return {address: row["id"] for address, row in zip(addresses, rows, strict=True)}


async def approve(tx: Transaction, issue: UUID, variants: Mapping[str, Any] = VARIANTS) -> None:
    """Have these variants stand as approved, as two persons would have left them."""
    held = await approvals.hold(tx, ABOUT, issue)
    standing = replace(held.standing, state=State.APPROVED, fingerprint=fingerprint(variants))
    await approvals.save(tx, held, standing)


async def send_now(database: Database, *, expires_in: timedelta = timedelta(days=3)) -> UUID:
    """Schedule an issue for this moment, freeze its audience and return its id."""
    issue = new_id()
    async with database.transaction() as tx:
        now = clock.now()
        await approve(tx, issue)
        await issues.schedule(
            tx,
            issue,
            variants=VARIANTS,
            approved_hash=content_hash(VARIANTS),
            fallback="en",
            starts_at=now - timedelta(seconds=1),
            expires_at=now + expires_in,
        )
        assert await issues.begin_due(tx) == [issue]
    return issue


async def standing_of(database: Database, issue: UUID) -> Standing:
    """Return how far an issue has come; the equation is looked at every time."""
    async with database.transaction() as tx:
        found = await standing(tx, issue)
    assert found is not None
    assert found.holds, found
    return found


async def rows_of(database: Database, issue: UUID) -> Sequence[Any]:
    """Return the audience of an issue."""
    async with database.transaction() as tx:
        return (await tx.execute(select(audience).where(audience.c.issue_id == issue))).all()


async def attempts_of(database: Database, subscriber: UUID) -> Sequence[Any]:
    """Return what was tried for a subscriber, oldest first."""
    async with database.transaction() as tx:
        asked = select(attempts).where(attempts.c.subscriber_id == subscriber).order_by(attempts.c.epoch, attempts.c.at)
        return (await tx.execute(asked)).all()
