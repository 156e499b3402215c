"""The mail that passes an enquiry on to the mailbox of its initiative; answers go straight to who asked."""

from datetime import timedelta

from services.intake.domain import NewSubmission, StoredSubmission
from shared import clock, i18n
from shared.mail.address import Mailbox
from shared.mail.letter import letter
from shared.mail.queue.put import OneOff
from shared.reference.initiatives import initiative

PURPOSE = "enquiry"
_USEFUL = timedelta(days=7)
_LANGUAGE = "en"  # of the words around the question; in which language a mailbox is read, nobody has said


def passed_on(enquiry: NewSubmission | StoredSubmission, reference: str, *, to: str, asker: Mailbox) -> OneOff:
    """Return the mail for a mailbox at `to`."""
    fields = enquiry.internal

    def say(part: str, **params: str) -> str:
        return i18n.translate(_LANGUAGE, f"enquiry.mail.{part}", n=None, **params)

    title = initiative(str(fields["initiative"])).title.in_(_LANGUAGE).text
    blocks = (
        say("what", initiative=title, reference=reference),
        say("from", name=asker.name, address=asker.address, language=i18n.language_name(enquiry.language, _LANGUAGE)),
        str(fields["subject"]),
        str(fields["question"]),
        say("reply"),
    )
    return OneOff(
        purpose=PURPOSE,
        about=str(enquiry.id),
        to=Mailbox(address=to),
        reply_to=asker,
        content=letter(_LANGUAGE, say("subject", reference=reference, subject=str(fields["subject"])), blocks),
        expires_at=clock.now() + _USEFUL,
    )
