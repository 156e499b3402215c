"""What happens once a submission is there to be read: its review is asked for, or an enquiry is passed on to those who answer."""

from services.intake.domain import Decision, NewSubmission, StoredSubmission, SubmissionState, submission_cause
from services.intake.letters.contacts import contact_of
from services.intake.letters.enquiries import PURPOSE, passed_on
from services.intake.store import mailboxes, reviews, submissions
from shared import clock
from shared.db import Database, Transaction
from shared.mail.queue.put import Mails
from shared.trace import Cause
from shared.vault import Vault

_CHUNK = 50


class Arrivals:
    """Brings submissions to those who decide on them."""

    def __init__(self, vault: Vault, mails: Mails, *, public_url: str) -> None:
        self._vault = vault
        self._mails = mails
        self._public_url = public_url

    async def received(self, tx: Transaction, submission: NewSubmission | StoredSubmission, reference: str, *, cause: Cause) -> None:
        """Let a submission await whom it concerns, in the transaction that has kept it."""
        if submission.kind == "enquiry" and await self._pass_on(tx, submission, reference):
            return
        await reviews.open_review(tx, submission, public_url=self._public_url, cause=cause)

    async def _pass_on(self, tx: Transaction, enquiry: NewSubmission | StoredSubmission, reference: str) -> bool:
        """Put the mail to the mailbox of its initiative; say whether there is one, and somebody whom it can answer."""
        to = await mailboxes.of(tx, self._vault, str(enquiry.internal["initiative"]))
        asker = contact_of(self._vault, enquiry)
        if to is None or asker is None:
            return False
        await self._mails.put(tx, passed_on(enquiry, reference, to=to, asker=asker))
        await submissions.decide(tx, enquiry.id, Decision(state=SubmissionState.ACCEPTED), clock.now())
        return True

    async def take_back_lost(self, database: Database) -> int:
        """Let enquiries await a moderator whose mail no mailbox took, and return how many that were."""
        found = 0
        while True:
            async with database.transaction() as tx:
                rows = await mailboxes.lost(tx, PURPOSE, _CHUNK)
                for row in rows:
                    await submissions.reopen(tx, row.id)
                    enquiry = await submissions.find(tx, row.id)
                    assert enquiry is not None  # it is locked
                    await reviews.open_review(tx, enquiry, public_url=self._public_url, cause=submission_cause(enquiry))
            found += len(rows)
            if len(rows) < _CHUNK:
                return found
