"""Mails about what awaits people: to those who can act, once, as each has chosen; and what other services want said."""

import asyncio
import email
import email.policy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select, text, update

from services.desk.awaiting.letters import NAMED_MAX, WANTED
from services.desk.awaiting.mailing import StaffMails
from services.desk.domain import StoredPerson, Wish
from services.desk.handlers import LISTENS
from services.desk.store import change_person
from shared import clock
from shared.approval.telling import GLASS_BROKEN_MAIL
from shared.consumer import Consumer
from shared.db import Database
from shared.events.codes import Language, Role
from shared.events.every import MailWanted
from shared.events.registry import TOPICS_OF
from shared.mail.outgoing import outgoing
from shared.mail.queue import store as queue
from shared.mail.queue.put import Mails
from shared.mail.queue.store import MailState
from shared.settings import Settings
from shared.trace import Cause
from shared.vault import Vault, new_key
from tests.desk.desk_app import PUBLIC_URL, Desk
from tests.desk.test_awaiting import HREF, POST, approver, carry, closes, opens, social
from tests.desk.wire import records_of, tell
from tests.shared.web_app import Page

__all__ = ["social"]

MAILS = Mails(Vault([new_key()]), outgoing(Settings(smtp="smtp://127.0.0.1:1", mail_from="Tidings <t@example.org>", _env_file=None)))


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A mail in the queue, as its reader would see it."""

    to: str
    state: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        assert part is not None
        return str(part.get_content())


async def mailed(desk: Desk, state: MailState = MailState.WAITING) -> Sequence[Sent]:
    """The mails of desk's queue, the first first."""
    async with desk.database.transaction() as tx:
        rows = (await tx.execute(select(queue.mails).where(queue.mails.c.state == state.value).order_by(queue.mails.c.created_at))).all()
    found = []
    for row in rows:
        if row.sealed is None:
            found.append(Sent(to="", state=row.state, message=EmailMessage()))
            continue
        due = queue.Due(id=row.id, purpose=row.purpose, sealed=row.sealed, attempts=row.attempts, created_at=row.created_at)
        to, message = MAILS.open(due)
        parsed = email.message_from_bytes(message, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        found.append(Sent(to=to, state=row.state, message=parsed))
    return found


async def run(desk: Desk, *, zone: str = "Europe/Zurich") -> int:
    """Let the job look once."""
    return await StaffMails(MAILS, public_url=PUBLIC_URL, zone=zone).run(desk.database)


async def passes(desk: Desk, time: timedelta) -> None:
    """Let so much time go by since what was heard and mailed."""
    async with desk.database.transaction() as tx:
        await tx.execute(
            text("UPDATE awaited SET heard_at = heard_at - cast(:time AS interval), opened_at = opened_at - cast(:time AS interval)"),
            {"time": time},
        )
        await tx.execute(text("UPDATE notices SET at = at - cast(:time AS interval)"), {"time": time})


async def waits(desk: Desk, social: Database) -> None:
    """Bring desk what was told, and let the pause pass in which more may come."""
    await carry(desk, await records_of(social))
    await passes(desk, timedelta(seconds=10))


async def chooses(desk: Desk, person: StoredPerson, **form: str) -> None:
    async with desk.browser(person) as browser:
        answer = await browser.post("/desk/me/mails", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/me?saved=mails"), answer.text


async def speaking(desk: Desk, person: StoredPerson, *languages: Language) -> None:
    async with desk.database.transaction() as tx:
        await change_person(tx, person.id, Wish(languages=languages), by="test", cause=Cause.start())


async def test_a_mail_goes_to_those_who_can_act_and_to_nobody_else(desk: Desk, social: Database) -> None:
    ada, bo, gone = await approver(desk), await approver(desk, "Bo"), await approver(desk, "Gone")
    await approver(desk, "Olu", Role.DRAFTER, Role.MODERATOR, Role.OPERATOR, Role.ADMIN)
    await approver(desk, "Sam", Role.AUDITOR)
    async with desk.database.transaction() as tx:
        await change_person(tx, gone.id, Wish(active=False), by="test", cause=Cause.start())
    await opens(social, replace(POST, not_by=(bo.id,)))
    await carry(desk, await records_of(social))
    assert await run(desk) == 0, "something else may come in a moment"
    await passes(desk, timedelta(seconds=10))
    assert await run(desk) == 1
    (mail,) = await mailed(desk)
    assert (mail.to, mail.subject) == (ada.mail, "Approve a post: One desk <for> newcomers")
    assert f"{PUBLIC_URL}{HREF}" in mail.text
    links = [link["href"] for link in Page(mail.html).all("a")]
    assert links[0] == f"{PUBLIC_URL}{HREF}"
    assert not [link for link in links if "sign-in" in link], "a mail that is passed on must let nobody in"
    assert "<for>" not in mail.html


async def test_a_mail_goes_once_over_runs_processes_and_what_is_told_again(desk: Desk, social: Database) -> None:
    await approver(desk)
    await opens(social)
    await waits(desk, social)
    assert sum(await asyncio.gather(*(run(desk) for _ in range(4)))) == 1
    async with desk.database.transaction() as tx:
        await tx.execute(text("TRUNCATE inbox"))
    await opens(social, replace(POST, title={"en": "Corrected"}))
    for _ in range(2):
        await waits(desk, social)
        await passes(desk, timedelta(hours=1))
        assert await run(desk) == 0
    assert len(await mailed(desk)) == 1


async def test_what_comes_together_stands_in_one_mail_and_a_person_gets_one_a_minute(desk: Desk, social: Database) -> None:
    await approver(desk)
    for number in range(NAMED_MAX + 5):
        await opens(social, replace(POST, subject=f"post-{number}", title={"en": f"Post {number}"}))
    await waits(desk, social)
    assert await run(desk) == 1
    await opens(social, replace(POST, subject="another"))
    await waits(desk, social)
    assert await run(desk) == 0, "the last mail was ten seconds ago"
    await passes(desk, timedelta(seconds=60))
    assert await run(desk) == 1
    first, second = await mailed(desk)
    assert first.subject == "25 things await you"
    assert "And 5 more." in first.text
    assert first.text.count("Approve a post") == NAMED_MAX
    assert second.subject.startswith("Approve a post")


async def test_mails_speak_the_readers_language(desk: Desk, social: Database) -> None:
    await speaking(desk, await approver(desk), "ar", "ru")
    await speaking(desk, await approver(desk, "Bo"), "zh", "fr")
    chen = await approver(desk, "Chen")
    await chooses(desk, chen, rhythm="at-once", language="es")
    await opens(social)
    await waits(desk, social)
    assert await run(desk) == 3
    found = {mail.to: mail for mail in await mailed(desk)}
    arabic, french = found["ada@example.org"], found["bo@example.org"]
    assert found[chen.mail].message["Content-Language"] == "es", "whatever languages a person works in, they may choose"
    assert (arabic.message["Content-Language"], french.message["Content-Language"]) == ("ar", "fr")
    assert 'dir="rtl"' in arabic.html
    assert POST.title["ar"] in arabic.text
    assert "One desk" in french.text  # the work's own title, which has no French
    assert 'lang="en"' in french.html


async def test_a_mail_about_what_is_done_before_it_leaves_does_not_go(desk: Desk, social: Database) -> None:
    await approver(desk)
    await opens(social)
    await carry(desk, await records_of(social))
    await closes(social)
    await waits(desk, social)
    assert await run(desk) == 0


async def test_a_mail_in_the_queue_is_taken_back_and_names_the_rest_anew(desk: Desk, social: Database) -> None:
    await approver(desk)
    await opens(social)
    await opens(social, replace(POST, subject="other", title={"en": "The other"}))
    await waits(desk, social)
    assert await run(desk) == 1
    await closes(social)
    await waits(desk, social)
    assert [mail.state for mail in await mailed(desk, MailState.EXPIRED)] == ["expired"]
    await passes(desk, timedelta(minutes=1))
    assert await run(desk) == 1
    (mail,) = await mailed(desk)
    assert mail.subject == "Approve a post: The other"


async def test_a_mail_that_has_begun_to_leave_is_left_alone(desk: Desk, social: Database) -> None:
    await approver(desk)
    await opens(social)
    await waits(desk, social)
    assert await run(desk) == 1
    async with desk.database.transaction() as tx:
        await tx.execute(update(queue.mails).values(state=MailState.STARTED.value))
    await closes(social)
    await waits(desk, social)
    assert len(await mailed(desk, MailState.STARTED)) == 1


async def test_once_a_day_means_at_the_hour_and_only_where_something_is_new(desk: Desk, social: Database) -> None:
    ada = await approver(desk)
    # The hour that has just begun in this zone, wherever the test runs: what was heard an hour ago is due, what is heard now is not.
    await chooses(desk, ada, rhythm="daily", hour=str(clock.now().hour), zone="Africa/Abidjan")
    await opens(social)
    await waits(desk, social)
    async with desk.database.transaction() as tx:
        await tx.execute(text("UPDATE awaited SET heard_at = date_trunc('hour', now()) + interval '1 second'"))
    assert await run(desk) == 0
    await passes(desk, timedelta(hours=1))
    assert await run(desk) == 1
    assert await run(desk) == 0
    (mail,) = await mailed(desk)
    assert mail.subject == "Approve a post: One desk <for> newcomers"


async def test_who_wants_no_mails_gets_none_and_none_about_the_past_when_they_change_their_mind(desk: Desk, social: Database) -> None:
    ada = await approver(desk)
    await chooses(desk, ada, rhythm="never")
    await opens(social)
    await waits(desk, social)
    assert await run(desk) == 0
    await chooses(desk, ada, rhythm="at-once")
    assert await run(desk) == 0
    await opens(social, replace(POST, subject="new", title={"en": "New"}))
    await waits(desk, social)
    assert await run(desk) == 1
    assert [mail.subject for mail in await mailed(desk)] == ["Approve a post: New"]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        pytest.param({"rhythm": "hourly"}, "Choose one of these.", id="no such rhythm"),
        pytest.param({"rhythm": "daily", "hour": "24"}, "Choose one of these.", id="no such hour"),
        pytest.param({"rhythm": "daily", "language": "xx"}, "Choose one of these.", id="no such language"),
        pytest.param({"rhythm": "daily", "zone": "Mars/Olympus"}, "There is no such time zone.", id="no such zone"),
    ],
)
async def test_a_wrong_choice_comes_back_with_what_was_chosen(desk: Desk, form: Mapping[str, str], words: str) -> None:
    async with desk.browser(await approver(desk)) as browser:
        answer = await browser.post("/desk/me/mails", data=dict(form))
        page = Page(answer.text)
        assert answer.status_code == 422
        assert words in page.text
        if "zone" in form:
            assert [field["value"] for field in page.all("input") if field.get("name") == "zone"] == [form["zone"]]
        shown = Page((await browser.get("/desk/me?lang=ar")).text)
        assert shown.faults == []
        assert [field["value"] for field in shown.all("input") if "checked" in field] == ["at-once"]


# ---- what other services want said ----


@pytest.fixture
async def broken(desk: Desk, social: Database) -> tuple[StoredPerson, StoredPerson]:
    """Bo has broken the glass, and Ada, who wants no mails, is to know."""
    ada, bo = await approver(desk), await approver(desk, "Bo")
    await chooses(desk, ada, rhythm="never")
    facts = {"title": POST.title, "about": "post", "who": bo.id}
    wanted = MailWanted(person=ada.id, template=GLASS_BROKEN_MAIL, facts=facts, address=POST.address)
    await tell(social, wanted, subject=ada.id)
    await carry(desk, await records_of(social))
    return ada, bo


async def test_broken_glass_is_mailed_at_once_whatever_was_chosen(desk: Desk, broken: tuple[StoredPerson, StoredPerson]) -> None:
    ada, bo = broken
    assert sum(await asyncio.gather(*(run(desk) for _ in range(4)))) == 1
    assert await run(desk) == 0
    (mail,) = await mailed(desk)
    assert (mail.to, mail.subject) == (ada.mail, "Approved by one person alone: One desk <for> newcomers")
    assert bo.name in mail.text
    assert bo.id not in mail.text
    assert f"{PUBLIC_URL}{HREF}" in mail.text
    (row,) = await desk.rows("SELECT facts, address FROM mails_wanted")
    assert (row.facts, row.address) == (None, None)


async def test_what_is_told_again_is_mailed_once(desk: Desk, social: Database, broken: tuple[StoredPerson, StoredPerson]) -> None:
    assert await run(desk) == 1
    async with desk.database.transaction() as tx:
        await tx.execute(text("TRUNCATE inbox"))
    await carry(desk, await records_of(social))
    assert await run(desk) == 0


async def test_a_mail_without_a_text_or_a_fact_is_set_aside_where_an_operator_sees_it(desk: Desk, social: Database) -> None:
    ada = await approver(desk)
    await tell(social, MailWanted(person=ada.id, template="no-such-mail"), subject=ada.id)
    await tell(social, MailWanted(person="other", template=GLASS_BROKEN_MAIL, facts={"who": "bo"}), subject="other")
    outcome = await Consumer("desk", desk.database, LISTENS, TOPICS_OF).take(await records_of(social))
    assert {what for _, what in outcome.taken} == {"parked"}
    (first, second) = await desk.rows("SELECT error FROM parked ORDER BY id")
    assert "services/desk/templates/mails" in first.error
    assert "title" in second.error
    assert await run(desk) == 0


async def test_who_does_not_work_here_any_more_is_not_mailed(desk: Desk, broken: tuple[StoredPerson, StoredPerson]) -> None:
    async with desk.database.transaction() as tx:
        await change_person(tx, broken[0].id, Wish(active=False), by="test", cause=Cause.start())
    assert await run(desk) == 0
    assert await mailed(desk) == []
    assert [row.done_at is None for row in await desk.rows("SELECT done_at FROM mails_wanted")] == [False]


def test_every_mail_that_approvals_want_has_its_texts() -> None:
    assert GLASS_BROKEN_MAIL in WANTED


def test_without_a_mail_server_no_mail_is_written() -> None:
    nowhere = Mails(Vault([new_key()]), outgoing(Settings(_env_file=None)))
    assert StaffMails(nowhere, public_url=PUBLIC_URL, zone="UTC").jobs() == ()
    assert len(StaffMails(MAILS, public_url=PUBLIC_URL, zone="UTC").jobs()) == 1
