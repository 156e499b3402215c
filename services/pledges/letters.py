"""The mails to owners of pledges, each with a link by which they report; nothing in them was typed by whoever asked for it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from services.pledges.domain.pledges import Pledge
from services.pledges.domain.reports import new_token
from services.pledges.store import reports
from shared import i18n
from shared.db import Transaction
from shared.mail.address import AddressError, Mailbox
from shared.mail.letter import Link, letter
from shared.mail.message import Content
from shared.mail.queue.put import Mails, OneOff
from shared.vault import Vault
from shared.web.pages import localize, plain

UPDATE = "/pledges/update"
"""The page on which an owner asks for a link; a link is this with its token."""


class Mail(StrEnum):
    """Why an owner is written to."""

    ASKED = "asked"  # somebody gave the number and their address
    SILENT = "silent"  # no word for a year
    DUE = "due"  # the day has passed
    DECLINED = "declined"  # their report was not taken
    REASSIGNED = "reassigned"  # they look after the pledge from now on


def sealed_contact(vault: Vault, name: str, mail: str) -> bytes:
    """Return a contact as it is kept, which is as the door keeps it."""
    return vault.seal(orjson.dumps({"contact": {"name": name, "mail": mail}}))


class Letters:
    """Writes to owners."""

    def __init__(self, mails: Mails, vault: Vault, *, public_url: str, zone: str) -> None:
        """`zone` is the one in which days begin and end in a mail."""
        self._mails = mails
        self._vault = vault
        self._public_url = public_url
        self._zone = zone

    def opened(self, contact_sealed: bytes) -> tuple[str, str] | None:
        """Return name and mail address of a contact as it is kept, None where nobody is known; raises SealError."""
        if not contact_sealed:
            return None
        found: dict[str, Any] = orjson.loads(self._vault.open(contact_sealed))
        contact = found.get("contact") or {}
        return (str(contact.get("name", "")), str(contact["mail"])) if contact.get("mail") else None

    def sealed(self, name: str, mail: str) -> bytes:
        """Return a contact as it is kept."""
        return sealed_contact(self._vault, name, mail)

    async def write(self, tx: Transaction, pledge: Pledge, mail: Mail, *, reason: str = "", decided_at: datetime | None = None) -> bool:
        """Write to the owner, with a fresh link, in the language of the pledge; returns False where nobody can be written to.

        `decided_at` is when the occasion for it arose, where nobody has just asked for it.
        Raises SealError where the contact cannot be opened.
        """
        contact = self.opened(pledge.contact_sealed)
        if contact is None:
            return False
        try:
            to = Mailbox(address=contact[1])
        except AddressError:  # what an import brought; nobody can mail it
            return False
        token = new_token()
        until = await reports.add_link(tx, pledge.id, token)
        content = self._content(pledge, mail, token, until, reason)
        about, purpose = str(pledge.id), f"pledge-{mail.value}"
        one = OneOff(purpose=purpose, about=about, to=to, content=content, expires_at=until, decided_at=decided_at)
        await self._mails.put(tx, one)
        return True

    def _content(self, pledge: Pledge, mail: Mail, token: str, until: datetime, reason: str) -> Content:
        facts = pledge.facts
        language = facts.language if facts.language in i18n.LANGUAGES else i18n.DEFAULT
        title = plain(localize(facts.title, language))
        last, due = i18n.day(facts.last_word_on, language), i18n.day(facts.due, language)
        blocks = (
            i18n.translate(language, f"pledge.mail.{mail.value}.what", number=pledge.number, title=title, last=last, due=due),
            *((reason,) if reason else ()),
            i18n.translate(language, "pledge.mail.do", moment=i18n.moment(until, language, self._zone)),
            Link(words=i18n.translate(language, "pledge.mail.link"), address=f"{self._public_url}{UPDATE}/{token}"),
            Link(words=i18n.translate(language, "pledge.mail.again"), address=f"{self._public_url}{UPDATE}"),
        )
        return letter(language, i18n.translate(language, f"pledge.mail.{mail.value}.subject", number=pledge.number), blocks)
