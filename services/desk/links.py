"""Sign-in links: their addresses, and the one place through which they are mailed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from services.desk import store
from services.desk.domain import LINK_LASTS, Secret, StoredPerson
from shared import clock, i18n
from shared.auth.cookies import SIGN_IN
from shared.db import Database, Transaction
from shared.mail.address import Mailbox
from shared.mail.letter import Link, letter
from shared.mail.queue.put import Mails, OneOff

START = "/desk/"
PURPOSE = "sign-in-link"


@dataclass(frozen=True, kw_only=True)
class MailedLink:
    """What the mail of a sign-in link says."""

    to: str = field(repr=False)
    name: str
    languages: tuple[str, ...]  # that the person works in; the mail is in the first that mails are written in
    address: str = field(repr=False)  # the link itself, never to be logged
    lasts: timedelta


MailLink = Callable[[Transaction, MailedLink], Awaitable[None]]
"""Puts one mail into the queue of `tx`; sends nothing itself, so that asking for a link takes no longer when the mail server is slow."""


def address_of(public_url: str, secret: Secret) -> str:
    """Return the address of a sign-in link."""
    return f"{public_url}{SIGN_IN}/{secret.text}"


async def mail_a_link(database: Database, mail_link: MailLink, *, public_url: str, mail: str, wanted: str) -> None:
    """Mail a link to the person of this address; nothing happens where there is none, or where they may not sign in."""
    async with database.transaction() as tx:
        person = await store.person_by_mail(tx, mail)
        if person is not None and person.active:
            secret = await store.add_link(tx, person.id, wanted=wanted, lasts=LINK_LASTS)
            await mail_link(tx, _mailed(person, address_of(public_url, secret)))


def mail_by(mails: Mails) -> MailLink:
    """Return what puts the mails of sign-in links into desk's queue of one-off mails."""

    async def put(tx: Transaction, link: MailedLink) -> None:
        language = next((language for language in link.languages if language in i18n.LANGUAGES), i18n.DEFAULT)
        words = partial(i18n.translate, language)
        blocks = (
            words("sign-in.letter.what", name=link.name, minutes=int(link.lasts.total_seconds() // 60)),
            Link(words=words("sign-in.letter.link"), address=link.address),
            words("sign-in.letter.not-asked"),
        )
        mail = OneOff(
            purpose=PURPOSE,
            about=PURPOSE,  # not the person: which of the team asked for a link, and how often, is nobody's business
            to=Mailbox(address=link.to, name=link.name),
            content=letter(language, words("sign-in.letter.subject"), blocks),
            expires_at=clock.now() + link.lasts,
        )
        await mails.put(tx, mail)

    return put


def _mailed(person: StoredPerson, address: str) -> MailedLink:
    return MailedLink(to=person.mail, name=person.name, languages=person.languages, address=address, lasts=LINK_LASTS)
