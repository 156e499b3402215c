"""Each subscriber's copy of an issue: the approved variant of their language, prepared once and filled for one reader at a time."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from services.newsletter.addresses import AddressBook
from services.newsletter.compose.variants import LEAVE
from services.newsletter.sending.rules import Claim
from shared import clock
from shared.mail.message import Content, Leaving, MailingList, Prepared, prepare
from shared.mail.outgoing import Outgoing
from shared.mail.smtp import Envelope

# Variants in memory: every language of an issue, and of the issues before and after it.
_PREPARED = 32


class Copies:
    """Writes copies; its `write` is what a Sender needs."""

    def __init__(self, book: AddressBook, outgoing: Outgoing, public_url: str) -> None:
        self._book = book
        self._outgoing = outgoing
        self._public_url = public_url
        self._list = MailingList(
            id=f"newsletter.{outgoing.domain}",
            name=outgoing.sender.name,
            help=f"{public_url}/newsletter/",
            archive=f"{public_url}/newsletter/archive/",
        )
        self._prepared = lru_cache(maxsize=_PREPARED)(self._prepare)

    async def write(self, claim: Claim, variant: Mapping[str, Any], message_id: str) -> Envelope:
        """Return the copy of one subscriber; `variant` is as `compose.variants` makes it; without `html` it goes as text alone."""
        address = f"{self._public_url}/newsletter/u/{self._book.leave_token(claim.subscriber_id)}"
        message = self._prepared(claim.language, variant["subject"], variant["text"], variant.get("html")).fill(
            to=claim.address,
            date=clock.now(),
            message_id=message_id,
            leaving=Leaving(address=address),
            slots={LEAVE: address},
            signer=self._outgoing.signer,
        )
        sender = self._book.bounce_address(message_id, self._outgoing.domain)
        return Envelope(sender=sender, recipient=claim.address, message=message)

    def _prepare(self, language: str, subject: str, text: str, html: str | None) -> Prepared:
        content = Content(language=language, subject=subject, text=text, html=html)
        return prepare(content, sender=self._outgoing.sender, domain=self._outgoing.domain, mailing_list=self._list)
