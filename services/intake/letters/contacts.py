"""The person behind a submission, opened only to write to."""

import logging

import orjson

from services.intake.domain import NewSubmission, StoredSubmission
from shared.mail.address import Mailbox
from shared.vault import SealError, Vault

log = logging.getLogger(__name__)


def contact_of(vault: Vault, submission: NewSubmission | StoredSubmission) -> Mailbox | None:
    """Return who is to be written to, or None: nobody is known, the contact was erased, or its key is gone."""
    if not submission.contact_sealed:
        return None
    try:
        contact = orjson.loads(vault.open(submission.contact_sealed))["contact"]
    except SealError:
        log.error("the contact of submission %s cannot be opened: %s", submission.id, SealError.__doc__)  # noqa: TRY400  # says all there is
        return None
    return Mailbox(name=contact["name"], address=contact["mail"])
