"""Putting a one-off mail into the queue."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import orjson

from shared import clock
from shared.db import Transaction
from shared.ids import new_id
from shared.mail.address import Mailbox
from shared.mail.message import Content, message_id_of, prepare
from shared.mail.outgoing import Outgoing
from shared.mail.queue import holding, store
from shared.trace import trace_id_var
from shared.vault import Vault


@dataclass(frozen=True, kw_only=True)
class OneOff:
    """A mail to one person about one thing."""

    purpose: str  # what it is for: confirm-address
    about: str  # the id of its subject
    to: Mailbox
    content: Content  # without slots
    expires_at: datetime  # from then on it would be of no use, and is not sent
    reply_to: Mailbox | None = None  # whom an answer reaches; the sender's own address where empty
    decided_at: datetime | None = None  # when what it answers was asked, told or due; None: now, by somebody who waits for it


class Mails:
    """Makes the mails of a service: keeps them encrypted, and writes them when they are sent."""

    def __init__(self, vault: Vault, outgoing: Outgoing) -> None:
        self.outgoing = outgoing
        self._vault = vault

    async def put(self, tx: Transaction, mail: OneOff, *, mail_id: UUID | None = None) -> UUID:
        """Return the id of a mail that will be handed over once `tx` has committed; never if it does not.

        What was decided before this database was put back from a backup may have left before it was lost, and is held for a person's word.
        `mail_id` is that id where rows that name it were written before. Raises HeaderError or SlotError for texts that no mail can carry.
        """
        mail_id, now = mail_id or new_id(), clock.now()
        self._written(
            mail_id, mail.to, mail.content, now, mail.reply_to
        )  # what cannot be written is refused here, where somebody can do something
        # With the trace of what decided it, so that the line of its end can be found with those of its beginning.
        texts = {"to": asdict(mail.to), "content": asdict(mail.content), "trace": trace_id_var.get()}
        if mail.reply_to:
            texts["reply_to"] = asdict(mail.reply_to)
        sealed = self._vault.seal(orjson.dumps(texts))
        held = mail.decided_at is not None and await holding.was_restored_since(tx, clock.check_aware(mail.decided_at))
        await store.insert_mail(
            tx,
            mail_id=mail_id,
            purpose=mail.purpose,
            about=mail.about,
            sealed=sealed,
            now=now,
            expires_at=clock.check_aware(mail.expires_at),
            held=held,
        )
        return mail_id

    def open(self, mail: store.Due) -> tuple[str, bytes]:
        """Return the recipient's address and the whole message; raises SealError where the key is gone."""
        found = orjson.loads(self._vault.open(mail.sealed))
        to = Mailbox(**found["to"])
        reply_to = Mailbox(**found["reply_to"]) if "reply_to" in found else None
        return to.address, self._written(mail.id, to, Content(**found["content"]), mail.created_at, reply_to)

    def trace_of(self, mail: store.Due) -> str:
        """Return the trace id of what a mail was decided in; empty where none was. Raises SealError where the key is gone."""
        return str(orjson.loads(self._vault.open(mail.sealed)).get("trace", ""))

    def _written(self, mail_id: UUID, to: Mailbox, content: Content, at: datetime, reply_to: Mailbox | None) -> bytes:
        out = self.outgoing
        prepared = prepare(content, sender=out.sender, domain=out.domain, reply_to=reply_to)
        return prepared.fill(to=to, date=at, message_id=message_id_of(f"mail/{mail_id}", out.domain), signer=out.signer)
