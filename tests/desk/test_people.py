"""People, as an admin manages them: what changes, what is told, and who is out from then on."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from services.desk import store
from services.desk.domain import LastAdminError, MailTakenError, Wish
from services.desk.jobs import TELL_AGAIN_DAYS, tell_again
from services.social.handlers import listens_at
from shared.auth import people
from shared.broker import TOPIC_DAYS
from shared.consumer import Consumer
from shared.db import Database
from shared.events.codes import Role
from shared.events.desk import PersonChanged
from shared.events.registry import TOPICS_OF
from shared.i18n import LANGUAGES
from shared.migrations import migrate
from shared.trace import Cause
from tests.desk.desk_app import Desk
from tests.desk.wire import records_of
from tests.shared.web_app import Page

PEOPLE = "/desk/people/"
ADDED = {"name": "Noor Example", "mail": "Noor@Example.org", "roles": ["moderator", "drafter"], "languages": ["ar", "en"]}


async def told(desk: Desk, person_id: str) -> list[PersonChanged]:
    rows = await desk.rows(
        "SELECT body, revision FROM outbox WHERE subject = :id AND type = 'person.changed.v1' ORDER BY seq", id=person_id
    )
    assert [row.revision for row in rows] == list(range(1, len(rows) + 1))
    return [PersonChanged.model_validate_json(row.body) for row in rows]


async def id_of(desk: Desk, mail: str) -> str:
    return str((await desk.rows("SELECT id FROM people WHERE mail = :mail", mail=mail))[0].id)


async def test_an_added_person_is_told_without_the_mail_address(desk: Desk) -> None:
    async with desk.browser(await desk.add()) as admin:
        answer = await admin.post(PEOPLE, data=ADDED)
        person_id = await id_of(desk, "noor@example.org")
        assert (answer.status_code, answer.headers["location"]) == (303, PEOPLE + person_id)
        shown = Page((await admin.get(PEOPLE + person_id)).text).text
    assert "Noor Example" in shown
    (event,) = await told(desk, person_id)
    assert (event.id, event.name, event.active) == (person_id, "Noor Example", True)
    assert (event.roles, event.languages) == ((Role.DRAFTER, Role.MODERATOR), ("en", "ar"))
    assert "example.org" not in event.model_dump_json().lower()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"name": ""}, 422, id="no name"),
        pytest.param({"mail": "nowhere"}, 422, id="no mail address"),
        pytest.param({"roles": []}, 422, id="no role"),
        pytest.param({"roles": ["emperor"]}, 422, id="no such role"),
        pytest.param({"languages": ["tlh"]}, 422, id="no such language"),
        pytest.param({"mail": "ALEX@example.org"}, 409, id="an address that is taken"),
    ],
)
async def test_what_is_wrong_is_shown_and_nothing_is_kept(desk: Desk, changes: dict[str, object], status: int) -> None:
    async with desk.browser(await desk.add()) as admin:
        answer = await admin.post(PEOPLE, data={**ADDED, **changes})
    page = Page(answer.text)
    assert (answer.status_code, page.faults) == (status, [])
    assert "field--wrong" in answer.text
    assert len(await desk.rows("SELECT 1 FROM people")) == 1
    assert len(await desk.rows("SELECT 1 FROM outbox WHERE type = 'person.changed.v1'")) == 1


async def test_a_partners_role_is_not_given_by_hand(desk: Desk) -> None:
    async with desk.browser(await desk.add()) as admin:
        await admin.post(PEOPLE, data={**ADDED, "roles": ["partner", "drafter"]})
    assert [row.roles for row in await desk.rows("SELECT roles FROM people WHERE mail LIKE 'noor%'")] == [["drafter"]]


async def test_a_role_that_is_taken_away_cuts_off_older_tokens_and_a_role_that_is_given_does_not(desk: Desk) -> None:
    noor = await desk.add(Role.DRAFTER, mail="noor@example.org", name="Noor")
    async with desk.browser(await desk.add()) as admin:
        await admin.post(PEOPLE + noor.id, data={"name": "Noor", "roles": ["drafter", "approver"]})
        await admin.post(PEOPLE + noor.id, data={"name": "Noor", "roles": ["approver"]})
        await admin.post(PEOPLE + noor.id, data={"name": "Noor", "roles": ["approver"]})  # nothing new
        await admin.post(PEOPLE + noor.id, data={"name": "Noor N.", "roles": ["approver"]})
    first, given, taken, renamed = await told(desk, noor.id)
    assert first.tokens_valid_from == given.tokens_valid_from < taken.tokens_valid_from == renamed.tokens_valid_from
    assert (taken.roles, renamed.name) == ((Role.APPROVER,), "Noor N.")


async def test_a_disabled_person_is_out_and_may_be_let_in_again(desk: Desk) -> None:
    noor = await desk.add(Role.DRAFTER, mail="noor@example.org", name="Noor")
    async with desk.browser(await desk.add()) as admin, desk.browser(noor) as theirs:
        theirs.follow_redirects = True
        assert (await theirs.get("/desk/")).status_code == 200
        await admin.post(f"{PEOPLE}{noor.id}/disable")
        assert (await theirs.get("/desk/")).status_code == 401
        await admin.post(f"{PEOPLE}{noor.id}/enable")
        assert (await theirs.get("/desk/")).status_code == 401  # the session is gone for good
    async with desk.browser(noor) as again:
        assert (await again.get("/desk/")).status_code == 200
    assert [event.active for event in await told(desk, noor.id)] == [True, False, True]


async def test_an_admin_signs_somebody_out_everywhere(desk: Desk) -> None:
    noor = await desk.add(Role.DRAFTER, mail="noor@example.org", name="Noor")
    async with desk.browser(await desk.add()) as admin, desk.browser(noor) as theirs:
        await admin.post(f"{PEOPLE}{noor.id}/sign-out-everywhere")
        theirs.follow_redirects = True
        assert (await theirs.get("/desk/")).status_code == 401
        assert (await admin.get("/desk/")).status_code == 200


@pytest.mark.parametrize("verb", ["/disable", ""])
async def test_somebody_can_always_manage_people(desk: Desk, verb: str) -> None:
    alex = await desk.add()
    async with desk.browser(alex) as admin:
        answer = await admin.post(f"{PEOPLE}{alex.id}{verb}", data={"name": "Alex", "roles": ["drafter"]})
        assert answer.status_code == 409
        assert "last person who may manage people" in Page(answer.text).text
        await desk.add(mail="noor@example.org")
        assert (await admin.post(f"{PEOPLE}{alex.id}{verb}", data={"name": "Alex", "roles": ["drafter"]})).status_code == 303


async def test_two_admins_who_disable_each_other_at_once_leave_one(desk: Desk) -> None:
    alex, noor = await desk.add(), await desk.add(mail="noor@example.org")

    async def disable(person_id: str) -> bool:
        try:
            async with desk.database.transaction() as tx:
                await store.change_person(tx, person_id, Wish(active=False), by="test", cause=Cause.start())
        except LastAdminError:
            return False
        return True

    assert sorted(await asyncio.gather(disable(alex.id), disable(noor.id))) == [False, True]


async def test_of_two_who_add_the_same_address_at_once_one_counts(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.add() for _ in range(4)), return_exceptions=True)
    assert len([one for one in answers if isinstance(one, MailTakenError)]) == 3


@pytest.mark.parametrize("person", ["nobody", "01a201de-e267-7642-ae52-efd2c8a660c5", "%00"])
async def test_an_unknown_person_is_not_found(desk: Desk, person: str) -> None:
    async with desk.browser(await desk.add()) as admin:
        assert (await admin.get(PEOPLE + person)).status_code in {404, 422}
        for verb in ("disable", "enable", "sign-out-everywhere"):
            assert (await admin.post(f"{PEOPLE}{person}/{verb}")).status_code in {404, 422}


async def test_an_auditor_sees_people_and_no_button(desk: Desk) -> None:
    alex = await desk.add()
    async with desk.browser(await desk.add(Role.AUDITOR, mail="sam@example.org")) as auditor:
        for path in (PEOPLE, PEOPLE + alex.id):
            page = Page((await auditor.get(path)).text)
            assert "Alex Example" in page.text
            assert [form["action"] for form in page.all("form")] == ["/desk/sign-out"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_are_sound_markup_and_show_names_as_text(desk: Desk, language: str) -> None:
    nasty = await desk.add(Role.DRAFTER, mail="n@example.org", name="</bdi><script>alert(1)</script>")
    async with desk.browser(await desk.add()) as admin:
        for path in (PEOPLE, PEOPLE + nasty.id, "/desk/me", "/desk/"):
            answer: httpx.Response = await admin.get(f"{path}?lang={language}")
            page = Page(answer.text)
            assert (path, answer.status_code, page.faults, page.all("script")) == (path, 200, [], [])
            ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
            assert len(ids) == len(set(ids))


async def test_everybody_is_told_of_again_before_a_topic_forgets_them(desk: Desk, database_url: str) -> None:
    """A service that begins after a person was made, and after the topic has forgotten that, still comes to know them."""
    old, young = await desk.add(mail="old@example.org", name="Old"), await desk.add(mail="young@example.org", name="Young")
    assert await tell_again(desk.database) == 0
    week = timedelta(days=TELL_AGAIN_DAYS, seconds=1)
    await desk.rows("UPDATE outbox SET time = time - cast(:week AS interval) WHERE subject = :id RETURNING id", week=week, id=old.id)
    assert [await tell_again(desk.database) for _ in range(2)] == [1, 0]
    assert TELL_AGAIN_DAYS + 1 < TOPIC_DAYS, "told again in time, whatever day the job looks"

    await migrate(database_url, ["social"])
    social = Database(database_url, "social")
    records = await records_of(desk.database)
    changed = [record for record in records if dict(record.headers)["ce_type"] == b"person.changed.v1"]
    assert [record.key.decode() for record in changed if record.key] == [old.id, young.id, old.id]
    outcome = await Consumer("social", social, listens_at("http://127.0.0.1:8000"), TOPICS_OF).take(changed[1:])  # the first is forgotten
    assert {what for _, what in outcome.taken} == {"handled"}
    async with social.transaction() as tx:
        known = (await tx.execute(select(people.people.c.id, people.people.c.name).order_by(people.people.c.name))).all()
    await social.close()
    assert [tuple(row) for row in known] == [(old.id, "Old"), (young.id, "Young")]
