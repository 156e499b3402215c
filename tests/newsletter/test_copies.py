"""A subscriber's copy as it leaves, and the addresses in it that nobody can make up."""

import email
import email.policy
from collections.abc import Mapping
from dataclasses import replace
from email.message import EmailMessage
from uuid import UUID

import dkim
import pytest

from services.newsletter.addresses import AddressBook
from services.newsletter.compose.variants import LEAVE, variants
from services.newsletter.copies import Copies
from services.newsletter.sending.rules import Claim, message_id
from shared.events.codes import Language
from shared.ids import new_id
from shared.mail.address import mailbox
from shared.mail.bodies import slot
from shared.mail.outgoing import Outgoing
from shared.mail.smtp import Envelope
from shared.vault import Vault, new_key
from tests.newsletter.editions import EDITION
from tests.shared.mail_keys import dns, signer

BOOK = AddressBook(Vault([new_key()]), b"k" * 32)
OUTGOING = Outgoing(sender=mailbox("Network <news@example.org>"), domain="example.org", signer=signer(), server=None)
CLAIM = Claim(
    issue_id=UUID(int=1),
    subscriber_id=UUID(int=2),
    epoch=1,
    approved_hash="",
    language="fr",
    domain="example.net",
    attempts=0,
    first_at=None,
    address="reader@example.net",
)
NAME = message_id(CLAIM.issue_id, CLAIM.subscriber_id, OUTGOING.domain)
VARIANT = {
    "subject": "Été 2026",
    "text": f"Bonjour\n\nSe désabonner : {slot(LEAVE)}\n",
    "html": f'<p lang="fr"><a href="{slot(LEAVE)}">x</a></p>',
}


async def written(claim: Claim = CLAIM, variant: Mapping[str, str] = VARIANT) -> tuple[Envelope, EmailMessage]:
    envelope = await Copies(BOOK, OUTGOING, "https://tidings.example.org").write(claim, variant, NAME)
    return envelope, email.message_from_bytes(envelope.message, policy=email.policy.default)


async def test_copy_is_signed_and_lets_its_reader_leave_with_one_click() -> None:
    envelope, message = await written()
    link = f"https://tidings.example.org/newsletter/u/{BOOK.leave_token(CLAIM.subscriber_id)}"
    assert (message["Message-ID"], message["To"], message["Subject"]) == (NAME, CLAIM.address, VARIANT["subject"])
    assert f"List-Unsubscribe: <{link}>".encode() in envelope.message
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert link in plain.get_content()
    assert f'href="{link}"' in rich.get_content()
    assert dkim.verify(envelope.message, dnsfunc=dns)


@pytest.mark.parametrize("language", EDITION.languages)
async def test_copy_of_a_real_issue_reads_in_every_language_as_it_was_approved(language: Language) -> None:
    made = variants(EDITION)[language]
    envelope, message = await written(replace(CLAIM, language=language), made)
    link = f"https://tidings.example.org/newsletter/u/{BOOK.leave_token(CLAIM.subscriber_id)}"
    # Raw, in one line and without an encoded word: else no program shows its button.
    assert envelope.message.count(f"\r\nList-Unsubscribe: <{link}>\r\n".encode()) == 1
    assert (message["Subject"], message["Content-Language"]) == (EDITION.subject[language], language)
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().replace("\r\n", "\n") == made["text"].replace(slot(LEAVE), link)
    assert rich.get_content().replace("\r\n", "\n") == made["html"].replace(slot(LEAVE), link)
    assert dkim.verify(envelope.message, dnsfunc=dns)


async def test_same_try_again_is_the_same_message_but_for_its_date() -> None:
    (_, one), (_, two) = await written(), await written(replace(CLAIM, epoch=2, attempts=1))
    assert one["Message-ID"] == two["Message-ID"]
    assert one["List-Unsubscribe"] == two["List-Unsubscribe"]


async def test_bounce_comes_back_to_its_own_mail() -> None:
    envelope, _ = await written()
    assert len(envelope.sender.partition("@")[0]) <= 64  # RFC 5321, section 4.5.3.1.1
    assert BOOK.bounced(envelope.sender) == NAME.strip("<>").partition("@")[0]
    assert BOOK.bounced(envelope.sender.upper()) == BOOK.bounced(envelope.sender)


@pytest.mark.parametrize("address", ["bounce+abc@example.org", "bounce+@example.org", "", "bounce+" + "a" * 48 + "@example.org"])
def test_made_up_bounce_is_nobodys(address: str) -> None:
    assert BOOK.bounced(address) is None


def test_link_to_leave_belongs_to_one_subscriber() -> None:
    subscriber = new_id()
    token = BOOK.leave_token(subscriber)
    assert BOOK.leaver(token) == subscriber
    other = BOOK.leave_token(new_id())
    of_another_key = AddressBook(Vault([new_key()]), b"x" * 32).leave_token(subscriber)
    for forged in (token[:-1], token + "a", other[:26] + token[26:], "", "é", "a" * 52, of_another_key):
        assert BOOK.leaver(forged) is None, forged
