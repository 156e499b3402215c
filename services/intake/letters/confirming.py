"""The mail by which the sender of a form shows that the mail address is theirs."""

from services.intake.domain import NewSubmission, confirm_until
from shared import i18n
from shared.events.kinds.parts import Contact
from shared.mail.address import Mailbox
from shared.mail.letter import Link, letter
from shared.mail.queue.put import OneOff
from shared.web.pages import Pages

PURPOSE = "confirm-address"
CONFIRM = "/intake/confirm/"


def confirm_mail(new: NewSubmission, reference: str, contact: Contact, *, token: str, language: str, pages: Pages) -> OneOff:
    """Return the mail, in the language of the form's page; after seven days it would be of no use."""
    until = confirm_until(new.received_at)
    blocks = (
        # Nothing of what was typed: the form would be a way to send one's own words to anybody.
        i18n.translate(language, "confirm.mail.what", reference=reference),
        i18n.translate(language, "confirm.mail.do", moment=i18n.moment(until, language, pages.zone)),
        Link(words=i18n.translate(language, "confirm.mail.link"), address=f"{pages.public_url}{CONFIRM}{token}"),
        i18n.translate(language, "confirm.mail.not-mine"),
    )
    return OneOff(
        purpose=PURPOSE,
        about=str(new.id),
        to=Mailbox(address=contact.mail),
        content=letter(language, i18n.translate(language, "confirm.mail.subject", reference=reference), blocks),
        expires_at=until,
    )
