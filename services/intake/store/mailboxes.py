"""Where enquiries go: the mailboxes that an admin has confirmed, and what became of the mails to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, String, cast, delete, select
from sqlalchemy.dialects.postgresql import insert

from services.intake.domain import SubmissionState
from services.intake.store.tables import mailboxes, submissions
from shared.auth.tokens import Person
from shared.db import Transaction
from shared.mail.queue.store import MailState, mails
from shared.vault import Vault

_LOST = (MailState.REFUSED.value, MailState.EXPIRED.value)


async def confirm(tx: Transaction, vault: Vault, initiative: str, address: str, *, by: Person, at: datetime) -> None:
    """Let enquiries about an initiative go to a mailbox."""
    values = {
        "initiative": initiative,
        "address_sealed": vault.seal(address.encode()),
        "confirmed_by": by.id,
        "confirmed_by_name": by.name,
        "confirmed_at": at,
    }
    await tx.execute(insert(mailboxes).values(**values).on_conflict_do_update(index_elements=["initiative"], set_=values))


async def remove(tx: Transaction, initiative: str) -> bool:
    """Let enquiries about an initiative await a moderator again; say whether they went to a mailbox before."""
    return bool((await tx.execute(delete(mailboxes).where(mailboxes.c.initiative == initiative))).rowcount)


async def of(tx: Transaction, vault: Vault, initiative: str) -> str | None:
    """Return the confirmed mailbox of an initiative, or None."""
    sealed = (await tx.execute(select(mailboxes.c.address_sealed).where(mailboxes.c.initiative == initiative))).scalar_one_or_none()
    return vault.open(sealed).decode() if sealed is not None else None


async def confirmed(tx: Transaction, vault: Vault) -> Mapping[str, Mapping[str, Any]]:
    """Return the confirmed mailboxes by initiative: address, who confirmed it and when."""
    rows = (await tx.execute(select(mailboxes))).all()
    return {
        row.initiative: {"address": vault.open(row.address_sealed).decode(), "by": row.confirmed_by_name, "at": row.confirmed_at}
        for row in rows
    }


async def lost(tx: Transaction, purpose: str, limit: int) -> Sequence[Row[tuple[UUID]]]:
    """Return the enquiries that count as passed on though their mail never reached a mailbox, and which no other process has in hand."""
    gone = select(mails.c.id).where(mails.c.about == cast(submissions.c.id, String), mails.c.purpose == purpose, mails.c.state.in_(_LOST))
    query = select(submissions.c.id).where(
        submissions.c.kind == "enquiry",
        submissions.c.state == SubmissionState.ACCEPTED.value,
        submissions.c.reason.is_(None),
        submissions.c.decided_by.is_(None),
        gone.exists(),
    )
    return (await tx.execute(query.limit(limit).with_for_update(skip_locked=True))).all()
