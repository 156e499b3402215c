"""An issue on its pages: opened, closed, written in several languages by several people, decided on, scheduled."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import orjson
import pytest
from sqlalchemy import select, text

from services.newsletter.issues.tables import issue_blocks
from services.newsletter.sending.tables import sends
from shared import clock, tasks
from shared.approval.rules import Action
from shared.events.codes import Role
from shared.events.newsletter import IssueApproved
from shared.i18n import LANGUAGES, translate
from shared.mail.queue import store as mails
from tests.intake.page import Page, page
from tests.newsletter.issue_app import Newsletter, newsletter
from tests.newsletter.issue_items import APPROVER, WRITER, approved, arrives, blocks_of, cut, does, issue_of, item, opened, seen, told
from tests.people import somebody

BOTH = somebody(Role.DRAFTER, Role.APPROVER, name="Chen Both")
ISSUES = "/newsletter/issues/"


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Newsletter]:
    async with newsletter(database_url) as found:
        yield found


@pytest.fixture
async def writer(service: Newsletter) -> AsyncIterator[httpx.AsyncClient]:
    async with service.browser(WRITER) as client:
        yield client


@pytest.fixture
async def approver(service: Newsletter) -> AsyncIterator[httpx.AsyncClient]:
    async with service.browser(APPROVER) as client:
        yield client


async def ready(service: Newsletter) -> UUID:
    """Return an issue whose cut is made, of one item."""
    await arrives(service.database, item())
    issue = await opened(service.database)
    await cut(service.database, issue)
    return issue


async def shown(client: httpx.AsyncClient, issue: UUID) -> Page:
    return page(await client.get(f"{ISSUES}{issue}"))


async def act(client: httpx.AsyncClient, issue: UUID, action: str, reason: str = "Because.") -> httpx.Response:
    found = (await shown(client, issue)).values()
    return await client.post(f"{ISSUES}{issue}/decisions", data={"action": action, "seen": found.get("seen", ""), "reason": reason})


async def state_of(service: Newsletter, issue: UUID) -> str:
    async with service.database.transaction() as tx:
        return str((await tx.execute(text("SELECT state FROM approvals WHERE item = :id"), {"id": issue})).scalar_one())


def hour(at: str = "") -> dict[str, str]:
    return {"sends_at": at or f"{clock.now() + timedelta(days=9):%Y-%m-%dT09:00}", "zone": "Europe/Zurich", "valid_hours": "24"}


async def send_of(service: Newsletter, issue: UUID) -> object:
    async with service.database.transaction() as tx:
        return (await tx.execute(select(sends.c.state).where(sends.c.issue_id == issue))).scalar_one_or_none()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_of_an_issue_can_be_read_in_every_language(service: Newsletter, writer: httpx.AsyncClient, language: str) -> None:
    issue = await ready(service)
    (block,) = await blocks_of(service.database, issue)
    for path in (
        "",
        "rule",
        f"{issue}",
        f"{issue}/texts",
        f"{issue}/blocks/{block.id}",
        f"{issue}/blocks/new?kind=text",
        f"{issue}/preview/fr",
    ):
        found = page(await writer.get(f"{ISSUES}{path}", headers={"Accept-Language": language}))
        assert found.one("html")["lang"] == language
    page(await writer.get("/newsletter/pool", headers={"Accept-Language": language}))
    for kind in ("heading", "button", "divider"):
        page(await writer.get(f"{ISSUES}{issue}/blocks/new?kind={kind}"))


async def test_rule_is_changed_and_a_rule_that_cannot_be_comes_back_as_it_was_typed(service: Newsletter, writer: httpx.AsyncClient) -> None:
    typed = {"closes_day": "22", "sends_day": "3", "months_later": "1", "sends_at": "08:30", "remind_days": "2", "valid_hours": "24"}
    data = {**typed, "revision": "1", "languages": ["en", "ar"]}
    assert (await writer.post(f"{ISSUES}rule", data=data)).status_code == 303
    assert page(await writer.get(f"{ISSUES}rule")).values()["closes_day"] == "22"
    found = page(await writer.post(f"{ISSUES}rule", data={**data, "revision": "2", "sends_day": "99"}), 422)
    assert found.values()["sends_day"] == "99"
    page(await writer.post(f"{ISSUES}rule", data=data), 409)  # somebody else was there: revision 1 is gone


async def test_days_of_one_issue_are_changed_and_nonsense_comes_back(service: Newsletter, writer: httpx.AsyncClient) -> None:
    issue = await opened(service.database)
    days = {"closes_on": "2026-11-25", "sends_at": "2026-12-03T08:00", "zone": "Africa/Nairobi", "valid_hours": "12", "remind_days": "1"}
    assert (await writer.post(f"{ISSUES}{issue}/days", data={**days, "revision": "1"})).status_code == 303
    row = await issue_of(service.database, issue)
    assert (row.closes_on.isoformat(), row.sends_at.isoformat(), row.zone) == ("2026-11-25", "2026-12-03T08:00:00", "Africa/Nairobi")
    for wrong in ({"sends_at": "2026-11-20T08:00"}, {"zone": "Mars"}, {"closes_on": "soon"}, {"valid_hours": "0x"}):
        found = page(await writer.post(f"{ISSUES}{issue}/days", data={**days, "revision": "2", **wrong}), 422)
        assert found.values()[next(iter(wrong))] == next(iter(wrong.values()))


async def test_cut_is_made_by_a_button_once(service: Newsletter, writer: httpx.AsyncClient) -> None:
    await arrives(service.database, item("a"), item("b"))
    issue = await opened(service.database)
    assert (await writer.post(f"{ISSUES}{issue}/cut")).status_code == 303
    found = await shown(writer, issue)
    assert len(found.all("a", href="https://tidings.example.org/practices/one-desk")) == 2
    assert "City of Example" in found.text
    page(await writer.post(f"{ISSUES}{issue}/cut"), 409)


async def test_blocks_are_added_edited_moved_dropped_and_restored(service: Newsletter, writer: httpx.AsyncClient) -> None:
    issue = await ready(service)
    for kind, more in (
        ("heading", {"title.en": "News", "title.fr": "Actualités"}),
        ("button", {"label.en": "Read on", "label.fr": "Lire", "address": "https://example.org/"}),
    ):
        answer = await writer.post(f"{ISSUES}{issue}/blocks", data={"kind": kind, **more})
        assert answer.status_code == 303, answer.text
    first, heading, _ = await blocks_of(service.database, issue)
    assert (await writer.post(f"{ISSUES}{issue}/blocks/{heading.id}/move", data={"direction": "up"})).status_code == 303
    assert [row.content["kind"] for row in await blocks_of(service.database, issue)] == ["heading", "item", "button"]
    page(await writer.post(f"{ISSUES}{issue}/blocks/{first.id}/drop", data={"reason": "  "}), 422)
    await writer.post(f"{ISSUES}{issue}/blocks/{first.id}/drop", data={"reason": "Not <news>."})
    found = await shown(writer, issue)
    assert "Not <news>." in found.text
    await writer.post(f"{ISSUES}{issue}/blocks/{first.id}/restore")
    assert all(row.dropped_at is None for row in await blocks_of(service.database, issue))
    page(await writer.post(f"{ISSUES}{issue}/blocks", data={"kind": "button", "label.en": "x", "address": "javascript:alert(1)"}), 422)


async def test_second_of_two_editors_is_told_what_changed_and_loses_nothing(service: Newsletter, writer: httpx.AsyncClient) -> None:
    issue = await ready(service)
    (block,) = await blocks_of(service.database, issue)
    address = f"{ISSUES}{issue}/blocks/{block.id}"
    form = {"kind": "item", "revision": "1", "title.en": "First", "title.fr": "Premier", "summary.en": "", "summary.fr": ""}
    assert (await writer.post(address, data=form)).status_code == 303
    answer = await writer.post(address, data={**form, "title.en": "Second"})
    found = page(answer, 409)
    assert "First" in found.text
    assert (found.values()["title.en"], found.values()["revision"]) == ("Second", "2")
    (kept,) = await blocks_of(service.database, issue)
    assert kept.content["title"]["en"] == "First"
    assert (await writer.post(address, data={**form, "title.en": "Second", "revision": "2"})).status_code == 303
    above = {"revision": "1", "languages": ["en", "fr"], "fallback": "en", "subject.en": "S", "subject.fr": "T"}
    assert (await writer.post(f"{ISSUES}{issue}/texts", data=above)).status_code == 303
    found = page(await writer.post(f"{ISSUES}{issue}/texts", data={**above, "subject.en": "Mine"}), 409)
    assert found.values()["subject.en"] == "Mine"


async def test_texts_of_a_language_that_the_form_does_not_show_stay(service: Newsletter, writer: httpx.AsyncClient) -> None:
    issue = await ready(service)
    (block,) = await blocks_of(service.database, issue)
    async with service.database.transaction() as tx:
        content = orjson.dumps({**block.content, "title": {**block.content["title"], "ar": "عنوان"}}).decode()
        await tx.execute(text("UPDATE issue_blocks SET content = CAST(:c AS jsonb)"), {"c": content})
    form = {"kind": "item", "revision": "1", "title.en": "New", "title.fr": "Neuf"}
    await writer.post(f"{ISSUES}{issue}/blocks/{block.id}", data=form)
    (kept,) = await blocks_of(service.database, issue)
    assert kept.content["title"] == {"en": "New", "fr": "Neuf", "ar": "عنوان"}


async def test_language_that_lacks_something_is_named_and_a_subject_that_lacks_stops_it(
    service: Newsletter, writer: httpx.AsyncClient
) -> None:
    issue = await ready(service)
    above = {"revision": "1", "languages": ["en", "fr", "ar"], "fallback": "en", "subject.en": "News", "subject.fr": "Nouvelles"}
    assert (await writer.post(f"{ISSUES}{issue}/texts", data=above)).status_code == 303
    found = await shown(writer, issue)
    assert translate("en", "staff.issues.lacks.stops") in found.text
    answer = await act(writer, issue, "submit")
    assert translate("en", "staff.approval.refusal.issue-unfinished") in page(answer, 422).text
    above |= {"revision": "2", "subject.ar": "أخبار"}
    assert (await writer.post(f"{ISSUES}{issue}/texts", data=above)).status_code == 303
    assert (await act(writer, issue, "submit")).status_code == 303


async def test_issue_that_gathers_cannot_be_submitted(service: Newsletter, writer: httpx.AsyncClient) -> None:
    issue = await opened(service.database)
    assert translate("en", "staff.approval.refusal.issue-gathers") in page(await act(writer, issue, "submit"), 409).text
    assert await told(service.database, "decision.made.v1") == []


@pytest.mark.parametrize("alone", ["", "heading", "divider"])
async def test_issue_that_says_nothing_cannot_be_submitted(service: Newsletter, writer: httpx.AsyncClient, alone: str) -> None:
    issue = await opened(service.database)
    await cut(service.database, issue)
    if alone:
        form = {"kind": alone, "title.en": "This month", "title.fr": "Ce mois"}
        assert (await writer.post(f"{ISSUES}{issue}/blocks", data=form)).status_code == 303
    assert translate("en", "staff.approval.refusal.issue-empty") in page(await act(writer, issue, "submit"), 422).text
    assert await told(service.database, "decision.made.v1") == []


async def test_nobody_approves_their_own_work_by_page_or_program(service: Newsletter) -> None:
    issue = await ready(service)
    async with service.browser(BOTH) as both, service.program(BOTH) as program:
        assert (await act(both, issue, "submit")).status_code == 303
        page(await act(both, issue, "approve"), 403)
        address = f"/newsletter/api/v1/issues/{issue}/decisions"
        look = (await program.get(address)).json()
        assert "approve" not in look["offered"]
        answer = await program.post(address, json={"action": "approve", "seen": look["seen"]})
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "approval-own-work")
    assert await state_of(service, issue) == "submitted"


async def test_of_fifty_decisions_at_once_one_counts(service: Newsletter, writer: httpx.AsyncClient) -> None:
    issue = await ready(service)
    await act(writer, issue, "submit")
    fingerprint = (await seen(service.database, issue)).text
    people = [somebody(Role.APPROVER) for _ in range(50)]

    async def decide(number: int) -> int:
        async with service.program(people[number]) as program:
            action = ("approve", "reject", "request-changes")[number % 3]
            body = {"action": action, "seen": fingerprint, "reason": "Because."}
            answer = await program.post(f"/newsletter/api/v1/issues/{issue}/decisions", json=body)
            return answer.status_code

    answers = await asyncio.gather(*(decide(number) for number in range(50)))
    assert sorted(answers) == [200] + [409] * 49
    async with service.database.transaction() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM approval_steps"))).scalar_one() == 2


async def test_approved_issue_is_scheduled_by_wall_clock_and_told(service: Newsletter, approver: httpx.AsyncClient) -> None:
    issue = await approved(service.database)
    page(await approver.post(f"{ISSUES}{issue}/schedule", data=hour("2020-01-01T09:00")), 422)
    page(await approver.post(f"{ISSUES}{issue}/schedule", data={**hour(), "zone": "Nowhere/Land"}), 422)
    assert (await approver.post(f"{ISSUES}{issue}/schedule", data=hour("2027-03-28T02:30"))).status_code == 303
    found = await shown(approver, issue)
    assert translate("en", "wall-clock.gap") in found.text
    first, second = await told(service.database, "issue.approved.v1")
    assert (first.revision, second.revision) == (1, 2)
    event = IssueApproved.model_validate_json(second.body)
    assert event.planned is not None
    assert (event.planned.isoformat(), event.number, event.items) == ("2027-03-28T01:30:00+00:00", "2026-11", 1)
    assert str(event.address).endswith("/newsletter/archive/1")
    assert (await approver.post(f"{ISSUES}{issue}/unschedule")).status_code == 303
    assert await send_of(service, issue) is None
    async with service.database.transaction() as tx:
        assert [task.kind for task in await tasks.open_tasks(tx, str(issue))] == ["schedule-issue"]


async def test_program_schedules_as_a_page_does(service: Newsletter) -> None:
    issue = await ready(service)
    address = f"/newsletter/api/v1/issues/{issue}/schedule"
    body = {"at": "2027-10-31T02:30", "zone": "Europe/Zurich", "valid_hours": 24}
    async with service.program(WRITER) as program:
        assert (await program.post(address, json=body)).status_code == 409
        await does(service.database, issue, Action.SUBMIT, WRITER)
        await does(service.database, issue, Action.APPROVE, APPROVER)
        answer = await program.post(address, json=body)
    assert (answer.status_code, answer.json()["planned"], answer.json()["oddity"]) == (200, "2027-10-31T00:30:00Z", "overlap")


async def test_one_comma_after_approval_takes_an_issue_from_the_plan(
    service: Newsletter, writer: httpx.AsyncClient, approver: httpx.AsyncClient
) -> None:
    issue = await approved(service.database)
    await approver.post(f"{ISSUES}{issue}/schedule", data=hour())
    assert await send_of(service, issue) == "scheduled"
    (block,) = await blocks_of(service.database, issue)
    form = {"kind": "item", "revision": "1", "title.en": "One desk, for newcomers", "title.fr": block.content["title"]["fr"]}
    form |= {"summary.en": block.content["summary"]["en"], "summary.fr": block.content["summary"]["fr"]}
    assert (await writer.post(f"{ISSUES}{issue}/blocks/{block.id}", data=form)).status_code == 303
    assert (await state_of(service, issue), await send_of(service, issue)) == ("draft", None)
    page(await approver.post(f"{ISSUES}{issue}/schedule", data=hour()), 409)


async def test_approver_who_does_not_draft_changes_nothing(service: Newsletter, approver: httpx.AsyncClient) -> None:
    issue = await ready(service)
    (block,) = await blocks_of(service.database, issue)
    page(await approver.post(f"{ISSUES}{issue}/blocks/{block.id}/drop", data={"reason": "No."}), 403)
    page(await approver.post(f"{ISSUES}{issue}/blocks", data={"kind": "heading", "title.en": "x"}), 403)
    page(await approver.post(f"{ISSUES}rule", data={"revision": "1"}), 422)
    for door in ("out", "in"):
        answer = await approver.post(f"/newsletter/pool/{block.item_id}/{door}", data={"issue": str(issue)})
        assert answer.status_code == 403
    async with service.database.transaction() as tx:
        assert (await tx.execute(select(issue_blocks.c.dropped_at))).scalars().all() == [None]


async def test_item_is_moved_and_levelled_from_the_pool(service: Newsletter, writer: httpx.AsyncClient) -> None:
    issue = await ready(service)
    (block,) = await blocks_of(service.database, issue)
    assert (await writer.post(f"/newsletter/pool/{block.item_id}/level", data={"level": "global"})).status_code == 303
    assert (await blocks_of(service.database, issue))[0].content["level"] == "global"
    assert "2026-11" in page(await writer.get("/newsletter/pool")).text
    assert (await writer.post(f"/newsletter/pool/{block.item_id}/out", data={"issue": str(issue)})).status_code == 303
    assert (await blocks_of(service.database, issue))[0].dropped_at is not None
    assert (await writer.post(f"/newsletter/pool/{block.item_id}/in", data={"issue": str(issue)})).status_code == 303
    assert (await blocks_of(service.database, issue))[0].dropped_at is None


async def test_preview_shows_the_mail_in_a_frame_that_runs_nothing(service: Newsletter, writer: httpx.AsyncClient) -> None:
    issue = await ready(service)
    found = page(await writer.get(f"{ISSUES}{issue}/preview/fr"))
    frame = found.one("iframe")
    mail = await writer.get(frame["src"])
    assert "sandbox" in mail.headers["content-security-policy"]
    assert "script-src" not in mail.headers["content-security-policy"]
    assert "Tout sous un même toit." in mail.text
    assert "Tout sous un même toit." in (await writer.get(frame["src"].replace(".html", ".txt"))).text
    assert (await writer.get(f"{ISSUES}{issue}/preview/zh")).status_code == 404


async def test_test_mail_goes_to_who_asks_alone_says_that_it_is_one_and_counts_nowhere(
    service: Newsletter, writer: httpx.AsyncClient
) -> None:
    issue = await ready(service)
    address = f"{ISSUES}{issue}/preview/en/test"
    page(await writer.post(address), 422)  # signed in by a token that holds no address
    sealed = service.parts.vault.seal(b"ana@example.org").decode()
    async with service.browser(replace(WRITER, sealed_address=sealed)) as ana:
        assert (await ana.post(address, data={"address": "elsewhere@example.org"})).status_code == 303
        answers = [(await ana.post(address)).status_code for _ in range(12)]
    assert answers.count(429) >= 2
    async with service.database.transaction() as tx:
        mail, *further = (await tx.execute(select(mails.mails))).all()
        ledger = (await tx.execute(text("SELECT (SELECT count(*) FROM sends) + (SELECT count(*) FROM audience)"))).scalar_one()
    kept = orjson.loads(service.parts.vault.open(bytes(mail.sealed)))
    assert (mail.purpose, kept["to"]["address"], ledger) == ("issue-test", "ana@example.org", 0)
    assert kept["content"]["subject"].startswith("Test: ")
    assert WRITER.name in kept["content"]["text"]
    addressed = [orjson.loads(service.parts.vault.open(bytes(one.sealed)))["to"]["address"] for one in further]
    assert set(addressed) == {"ana@example.org"}
    decision, *_ = await told(service.database, "decision.made.v1")
    assert re.search("test-mail", decision.body)
    assert "ana@example.org" not in decision.body
