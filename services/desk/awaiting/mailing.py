"""The job that mails people: about tasks, at once or once a day as each has chosen; and what other services want said, always at once."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from services.desk import store as desk
from services.desk.awaiting import letters, store
from services.desk.awaiting.letters import Reader
from services.desk.awaiting.rules import Choice, Rhythm, mail_is_due
from services.desk.domain import StoredPerson
from shared import clock
from shared.db import Database, Transaction
from shared.ids import new_id
from shared.mail.address import Mailbox
from shared.mail.message import Content
from shared.mail.queue.put import Mails, OneOff
from shared.service import Job

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
PURPOSE = "awaits-you"
# By then the next mail, or the start page, says it better.
LASTS = timedelta(hours=20)
# What one person did alone must be known, however long a mail server is away.
WANTED_LASTS = timedelta(days=3)
_AT_A_TIME = 50


class StaffMails:
    """Puts mails to people who work here into desk's queue; any number of processes may do it at once."""

    def __init__(self, mails: Mails, *, public_url: str, zone: str) -> None:
        self._mails = mails
        self._public_url = public_url
        self._zone = zone

    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs; none without a mail server, so that whoever sets one up later gets one mail about what waits then."""
        if self._mails.outgoing.server is None:
            return ()
        return (Job(name="mails to the staff", every_seconds=LOOK_SECONDS, run=self.run),)

    async def run(self, database: Database) -> int:
        """Put every mail that is due and return how many."""
        count = await self._wanted(database)
        async with database.transaction() as tx:
            unmailed = await store.unmailed(tx)
        now = clock.now()
        for person_id, (choice, since) in unmailed.items():
            if mail_is_due(choice, since, zone=self._zone, now=now):
                async with database.transaction() as tx:
                    count += await self._about_tasks(tx, person_id, choice)
        return count

    async def _about_tasks(self, tx: Transaction, person_id: str, choice: Choice) -> int:
        person = await desk.find_person(tx, person_id)
        mail_id = new_id()
        if person is None or not (tasks := await store.claim(tx, person_id, mail_id)):
            return 0
        newest = max(task.opened_at for task in tasks)
        content = letters.about_tasks(self._reader(person, choice), tasks, public_url=self._public_url, daily=choice.rhythm is Rhythm.DAILY)
        await self._put(tx, person, content, purpose=PURPOSE, mail_id=mail_id, lasts=LASTS, decided_at=newest)
        return 1

    async def _wanted(self, database: Database) -> int:
        async with database.transaction() as tx:
            count = 0
            for row in await store.wanted(tx, _AT_A_TIME):
                person = await desk.find_person(tx, row.person_id)
                mail_id: UUID | None = None
                if person is None or not person.active:
                    log.warning("%s is wanted for %s, who does not work here any more", row.template, row.person_id)
                else:
                    mail_id = new_id()
                    facts = await self._facts(tx, row.facts)
                    reader = self._reader(person, await store.choice_of(tx, person.id))
                    content = letters.wanted(row.template, reader, facts, address=row.address, public_url=self._public_url)
                    await self._put(
                        tx,
                        person,
                        content,
                        purpose=row.template,
                        mail_id=mail_id,
                        lasts=WANTED_LASTS,
                        decided_at=row.told_at or row.heard_at,
                    )
                    count += 1
                await store.wanted_is_done(tx, row.event_id, mail_id)
            return count

    async def _facts(self, tx: Transaction, facts: dict[str, object]) -> dict[str, object]:
        """Return facts with the name of the person whose id is `who`: names do not travel, and desk knows them."""
        person = await desk.find_person(tx, str(facts["who"])) if "who" in facts else None
        return facts | ({"who": person.name} if person is not None else {})

    def _reader(self, person: StoredPerson, choice: Choice) -> Reader:
        return Reader(name=person.name, languages=person.languages, zone=choice.zone or self._zone, chosen=choice.language)

    async def _put(
        self,
        tx: Transaction,
        person: StoredPerson,
        content: Content,
        *,
        purpose: str,
        mail_id: UUID,
        lasts: timedelta,
        decided_at: datetime,
    ) -> None:
        mail = OneOff(
            purpose=purpose,
            about=str(mail_id),
            to=Mailbox(address=person.mail, name=person.name),
            content=content,
            expires_at=clock.now() + lasts,
            decided_at=decided_at,
        )
        await self._mails.put(tx, mail, mail_id=mail_id)
