"""The mail that tells a sender what was decided, or what is asked: one for each decision, in the language of the submission."""

from datetime import timedelta

from sqlalchemy import Row

from services.intake.domain import StoredSubmission, SubmissionState
from services.intake.letters.contacts import contact_of
from services.intake.store import notices, submissions
from services.intake.store.submissions import TRACKING
from shared import clock, i18n
from shared.db import Database, Transaction
from shared.mail.address import Mailbox
from shared.mail.letter import Block, Link, letter
from shared.mail.queue.put import Mails, OneOff
from shared.trace import tracing
from shared.vault import Vault

PURPOSE = "decision"
# Later the tracking page says it as well; a mail server that is away for longer is not waited for.
_USEFUL = timedelta(days=7)
_CHUNK = 50


class Notices:
    """Writes them."""

    def __init__(self, vault: Vault, mails: Mails, *, public_url: str) -> None:
        self._vault = vault
        self._mails = mails
        self._public_url = public_url

    async def write(self, database: Database) -> int:
        """Put the mails of all decisions that wait into the queue, each once, and return how many were looked at."""
        looked_at = 0
        while True:
            async with database.transaction() as tx:
                rows = await notices.waiting(tx, _CHUNK)
                for row in rows:
                    was_mailed = await self._write(tx, row)
                    await notices.end(tx, row.id, at=clock.now(), was_mailed=was_mailed)
            looked_at += len(rows)
            if len(rows) < _CHUNK:
                return looked_at

    async def _write(self, tx: Transaction, notice: Row[tuple[object, ...]]) -> bool:
        found = await submissions.find(tx, notice.submission_id)
        # Whose address nobody has confirmed may be somebody else, who asked for nothing.
        to = contact_of(self._vault, found) if found and found.may_be_written_to else None
        if found is None or to is None:
            return False
        with tracing(found.id.hex):  # as the submission's own
            await self._mails.put(tx, self._mail(found, notice, to))
        return True

    def _mail(self, found: StoredSubmission, notice: Row[tuple[object, ...]], to: Mailbox) -> OneOff:
        language = found.language if found.language in i18n.LANGUAGES else i18n.DEFAULT
        state = SubmissionState(notice.state)
        topic = f"{state.value}-enquiry" if found.kind == "enquiry" else state.value

        def say(part: str) -> str:
            return i18n.translate(language, f"notice.{topic}.{part}", reference=found.reference)

        title = found.title.get(found.language) or next(iter(found.title.values()))
        blocks: list[Block] = [say("what"), i18n.translate(language, "notice.title", title=title)]
        if notice.reason:
            blocks.append(str(notice.reason))
        if notice.address:
            blocks.append(Link(words=i18n.translate(language, "notice.published"), address=str(notice.address)))
        words = i18n.translate(language, "notice.answer" if state is SubmissionState.QUESTION else "notice.follow")
        blocks.append(Link(words=words, address=f"{self._public_url}{TRACKING}{found.token}"))
        return OneOff(
            purpose=PURPOSE,
            about=str(found.id),
            to=to,
            content=letter(language, say("subject"), blocks),
            expires_at=clock.now() + _USEFUL,
            decided_at=notice.decided_at,
        )
