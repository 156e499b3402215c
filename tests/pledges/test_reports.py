"""Owners report by a mailed link; what they say waits for a moderator, is public then, and is shown apart from what shows it."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.pledges import jobs
from services.pledges.domain.pledges import Pledge, Standing
from services.pledges.domain.reports import LINK_DAYS, Reason, is_to_remind, occasion_of
from services.pledges.letters import UPDATE, Mail
from services.pledges.reminding import remind
from services.pledges.reporting import REPORTS, WAITING_MAX
from services.pledges.reviewing import Reviewing, locked
from services.pledges.store import history, pledges
from services.pledges.web import update_ask
from shared import clock
from shared.events.codes import PledgeState, Role
from shared.events.pledges import PledgeFulfilled, PledgeUpdated
from shared.i18n import LANGUAGES, look_up
from shared.service import Job
from shared.trace import Cause
from tests.intake.page import page
from tests.people import ALEX, somebody
from tests.pledges.pledges_app import OWNER, PUBLIC_URL, STAFF, Register, client_of, day, letters_of, some_facts

NEW = {"name": "Amal Example", "mail": "amal@example.org", "reason": "The contact has left the ministry."}


async def asked(register: Register, reader: httpx.AsyncClient, pledge: Pledge, mail: str = OWNER) -> None:
    """Ask for a link, as an owner does."""
    answer = await reader.post(UPDATE, data={"number": pledge.number, "mail": mail})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{UPDATE}/sent")


async def link_in(register: Register, place: int = -1) -> str:
    """The path of the link in a mail, the last one where none is named."""
    text_ = (await register.mails())[place]["content"]["text"]
    [path] = re.findall(rf"^{PUBLIC_URL}({UPDATE}/\S+)$", text_, re.MULTILINE)
    return str(path)


async def linked(register: Register, reader: httpx.AsyncClient, **changes: Any) -> tuple[Pledge, str]:
    """A pledge, and the path of a link on it."""
    pledge = await register.publish(**changes)
    await asked(register, reader, pledge)
    return pledge, await link_in(register)


def said(**changes: str) -> dict[str, str]:
    """A form as an owner fills it in."""
    today = clock.now().date().isoformat()
    filled = {"state": "in-progress", "reported_on": today, "progress": "17", "language": "en", "note": "The law is before parliament."}
    return {**filled, "evidence-1": "https://example.org/law", **changes}


async def waiting(register: Register) -> str:
    """The path of the one report that waits."""
    [task] = await register.tasks()
    assert task.kind == "review-report"
    return str(task.facts["address"]).removeprefix(PUBLIC_URL)


# ---- links ----


async def test_a_link_goes_to_the_kept_contact_only_and_the_answer_is_the_same_for_all(
    register: Register, reader: httpx.AsyncClient
) -> None:
    pledge = await register.publish()
    answers = []
    for number, mail in [
        (pledge.number, OWNER),
        (pledge.number, "stranger@example.org"),
        ("P-9999", OWNER),
        ("nonsense", OWNER),
        (f" {pledge.number.lower()} ", OWNER.upper()),
    ]:
        answer = await reader.post(UPDATE, data={"number": number, "mail": mail})
        answers.append((answer.status_code, answer.headers["location"], answer.text))
    assert len(set(answers)) == 1
    assert [mail["to"]["address"] for mail in await register.mails()] == [OWNER, OWNER]
    page(await reader.get(answers[0][1]))


async def test_no_link_for_a_withdrawn_pledge_or_one_without_contact(register: Register, reader: httpx.AsyncClient) -> None:
    await asked(register, reader, await register.publish(standing=Standing.WITHDRAWN))
    await asked(register, reader, await register.publish(contact=False))
    assert await register.mails() == []


async def test_nobody_fills_a_mailbox_by_asking(register: Register, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    pledge = await register.publish()
    for _ in range(update_ask.MAILS):
        await asked(register, reader, pledge)
    refused = await reader.post(UPDATE, data={"number": pledge.number, "mail": OWNER})
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    assert len(await register.mails()) == update_ask.MAILS
    # Another process has buckets of its own; the database counts for all of them.
    monkeypatch.setattr(update_ask, "LINKS_A_DAY", 0)
    other = await register.publish()
    async with client_of(register.app) as another:
        await another.post(UPDATE, data={"number": other.number, "mail": "b@example.org"})
    assert len(await register.mails()) == update_ask.MAILS


async def test_what_is_typed_wrong_is_named(reader: httpx.AsyncClient) -> None:
    found = page(await reader.post(UPDATE, data={"number": "", "mail": "nobody"}), 422)
    assert {one["href"] for one in found.all("a") if one.get("href", "").startswith("#")} >= {"#number", "#mail"}


async def test_a_link_is_kept_hashed_and_works_until_it_ends(register: Register, reader: httpx.AsyncClient) -> None:
    pledge, path = await linked(register, reader)
    token = path.removeprefix(f"{UPDATE}/")
    [kept] = await register.rows("SELECT * FROM update_links")
    assert token.encode() not in kept.token_hash
    assert kept.valid_until - kept.made_at == timedelta(days=LINK_DAYS)
    for progress in ("17", "18"):
        assert "Ending recruitment fees" in page(await reader.get(path)).text
        assert (await reader.post(path, data=said(progress=progress))).status_code == 303
    assert "noindex" in (await reader.get(path)).text
    assert (await reader.get(path)).headers["cache-control"] == "no-store"
    await register.rows("UPDATE update_links SET valid_until = now() RETURNING pledge_id")
    page(await reader.get(path), 410)
    page(await reader.post(path, data=said()), 410)
    page(await reader.get(f"{UPDATE}/{'x' * 32}"), 410)
    assert len(await register.rows("SELECT id FROM reports")) == 2
    assert pledge == await register.pledge(pledge.number)


# ---- reports ----


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_form_speaks_four_languages_and_works_without_javascript(
    register: Register, reader: httpx.AsyncClient, language: str
) -> None:
    _, path = await linked(register, reader)
    found = page(await reader.get(f"{path}?lang={language}"))
    assert found.one("html")["lang"] == language
    assert len(found.all("input", type="radio", name="state")) == len(PledgeState)
    page(await reader.get(f"{UPDATE}?lang={language}"))


async def test_a_report_waits_and_is_public_once_a_moderator_has_taken_it(
    register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    pledge, path = await linked(register, reader)
    assert (await reader.post(path, data=said())).status_code == 303
    page(await reader.get(f"{path}/sent"))
    assert await register.pledge(pledge.number) == pledge
    assert await register.told() == []
    report = await waiting(register)
    assert "The law is before parliament." in page(await staff.get(report)).text
    assert pledge.number in page(await staff.get(REPORTS)).text
    assert (await staff.post(f"{report}/accept")).status_code == 303
    now = await register.pledge(pledge.number)
    assert (now.facts.state, now.facts.progress, now.facts.reported_on) == (PledgeState.IN_PROGRESS, "17", clock.now().date())
    assert (now.facts.evidence, now.facts.evidenced) == (("https://example.org/law",), False)
    [told] = await register.told()
    assert (told.type, told.subject, told.revision) == ("pledge.updated.v1", str(pledge.id), 2)
    event = PledgeUpdated.model_validate(told.data)
    assert (event.was.value, event.state.value, event.note) == ("not-started", "in-progress", {"en": "The law is before parliament."})
    assert await register.tasks() == []
    [decision] = await register.decisions()
    assert (decision.what, decision.who) == ("accept-report", ALEX.id)
    page(await staff.post(f"{report}/accept"), 409)
    page(await staff.post(f"{report}/decline", data={"reason": "No."}), 409)


async def test_two_moderators_at_once_make_one_version(register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient) -> None:
    pledge, path = await linked(register, reader)
    await reader.post(path, data=said())
    report = await waiting(register)
    answers = await asyncio.gather(*(staff.post(f"{report}/accept") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    assert (await register.pledge(pledge.number)).revision == 2
    assert len(await register.told()) == 1


async def test_what_is_claimed_and_what_is_shown_stand_apart(
    register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    pledge, path = await linked(register, reader)
    await reader.post(path, data=said(state="fulfilled"))
    await staff.post(f"{await waiting(register)}/accept")
    claimed = await register.pledge(pledge.number)
    assert (claimed.facts.claimed, claimed.facts.evidenced) == (PledgeState.FULFILLED, False)
    page(await staff.get(f"/pledges/manage/{pledge.number}"))
    assert (await staff.post(f"/pledges/manage/{pledge.number}/evidence")).status_code == 303
    shown = await register.pledge(pledge.number)
    assert (shown.facts.claimed, shown.facts.evidenced_on) == (PledgeState.FULFILLED, clock.now().date())
    page(await staff.post(f"/pledges/manage/{pledge.number}/evidence"), 409)
    first, second = [(row.type, row.revision, PledgeFulfilled.model_validate(row.data).evidence) for row in await register.told()]
    assert first == ("pledge.fulfilled.v1", 2, None)
    assert second == ("pledge.fulfilled.v1", 3, "https://example.org/law")
    async with register.database.transaction() as tx:
        assert [one.change.value for one in await history.versions_of(tx, pledge.id)] == ["published", "reported", "evidenced"]


async def test_a_moderator_may_say_on_accepting_that_the_evidence_shows_it(
    register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    pledge, path = await linked(register, reader)
    await reader.post(path, data=said())
    await staff.post(f"{await waiting(register)}/accept", data={"evidenced": "yes"})
    assert (await register.pledge(pledge.number)).facts.evidenced
    # A new word is a new claim: what showed the last one shows nothing of it. And without evidence nothing is shown.
    await reader.post(path, data=said(state="fulfilled", **{"evidence-1": ""}))
    await staff.post(f"{await waiting(register)}/accept", data={"evidenced": "yes"})
    assert not (await register.pledge(pledge.number)).facts.evidenced


async def test_a_report_that_is_not_taken_changes_nothing_and_its_owner_reads_why(
    register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    pledge, path = await linked(register, reader, language="fr", title={"fr": "Fin des frais"}, description={"fr": "x"})
    await reader.post(path, data=said())
    report = await waiting(register)
    page(await staff.post(f"{report}/decline", data={"reason": ""}), 422)
    assert (await staff.post(f"{report}/decline", data={"reason": "Le lien ne mène nulle part."})).status_code == 303
    assert await register.pledge(pledge.number) == pledge
    assert await register.told() == []
    mail = (await register.mails())[-1]
    assert (mail["to"]["address"], mail["content"]["language"]) == (OWNER, "fr")
    assert "Le lien ne mène nulle part." in mail["content"]["text"]
    page(await reader.get(await link_in(register)))
    assert [decision.reason for decision in await register.decisions()] == ["Le lien ne mène nulle part."]


async def test_an_older_report_taken_later_is_kept_and_undoes_nothing(
    register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    pledge, path = await linked(register, reader, published_on=day("2020-01-01"))
    await reader.post(path, data=said(state="fulfilled"))
    await staff.post(f"{await waiting(register)}/accept")
    await reader.post(path, data=said(state="planning", reported_on="2021-01-01"))
    report = await waiting(register)
    assert "changes nothing else" in page(await staff.get(report)).text
    assert (await staff.post(f"{report}/accept")).status_code == 303
    assert (await register.pledge(pledge.number)).facts.state is PledgeState.FULFILLED
    assert len(await register.told()) == 1
    assert [row.verdict for row in await register.rows("SELECT verdict FROM reports")] == ["accepted", "accepted"]


async def test_a_report_of_a_day_before_the_pledge_was_published_makes_a_new_pledge_not_an_old_one(
    register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient, program: httpx.AsyncClient
) -> None:
    pledge, path = await linked(register, reader, published_on=clock.now().date(), due=clock.now().date() + timedelta(days=500))
    spoken_of = (clock.now().date() - timedelta(days=400)).isoformat()
    assert (await reader.post(path, data=said(reported_on=spoken_of))).status_code == 303
    assert (await staff.post(f"{await waiting(register)}/accept")).status_code == 303
    [told] = await register.told()
    assert told.data["reported"] == spoken_of, "what is told is the day of which the report speaks"
    for light, found in (("green", [pledge.number]), ("yellow", [])):
        listed = (await program.get("/pledges/api/v1/pledges", params={"freshness": light})).json()
        assert [one["number"] for one in listed["pledges"]] == found, light
    assert look_up("en", "pledge.freshness.green")[0] in page(await reader.get(f"/pledges/{pledge.number}")).text
    asked_before = len(await register.mails())
    assert await remind(register.database, letters_of(register)) == 0
    assert len(await register.mails()) == asked_before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"state": "done"}, "state"),
        ({"state": ""}, "state"),
        ({"reported_on": "2099-01-01"}, "reported_on"),
        ({"reported_on": "yesterday"}, "reported_on"),
        ({"evidence-2": "javascript:alert(1)"}, "evidence-2"),
        ({"state": "superseded"}, "superseded_by"),
        ({"state": "superseded", "superseded_by": "P-9999"}, "superseded_by"),
        ({"state": "superseded", "superseded_by": "P-0001"}, "superseded_by"),
        ({"language": "xx"}, "language"),
    ],
    ids=str,
)
async def test_a_wrong_report_names_its_field_and_keeps_what_was_typed(
    register: Register, reader: httpx.AsyncClient, changes: dict[str, str], field: str
) -> None:
    _, path = await linked(register, reader)
    found = page(await reader.post(path, data=said(**changes)), 422)
    assert found.all("a", href=f"#{field}"), found.text
    assert "The law is before parliament." in found.text
    assert await register.tasks() == []


async def test_a_successor_is_named_by_its_number(register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient) -> None:
    pledge, path = await linked(register, reader)
    successor = await register.publish(title={"en": "The next one"})
    await reader.post(path, data=said(state="superseded", superseded_by="p2"))
    await staff.post(f"{await waiting(register)}/accept")
    now = await register.pledge(pledge.number)
    assert (now.facts.state, now.facts.superseded_by) == (PledgeState.SUPERSEDED, successor.number)


async def test_whoever_holds_a_link_cannot_fill_the_moderators_list(register: Register, reader: httpx.AsyncClient) -> None:
    _, path = await linked(register, reader)
    answers = [(await reader.post(path, data=said(progress=f"{number} per cent"))).status_code for number in range(WAITING_MAX + 1)]
    assert answers == [303] * WAITING_MAX + [429]
    assert len(await register.tasks()) == WAITING_MAX


async def test_a_report_that_waits_when_its_pledge_is_withdrawn_awaits_nobody_and_says_why(
    register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    pledge, path = await linked(register, reader)
    await reader.post(path, data=said())
    taken = await waiting(register)
    await staff.post(f"{taken}/accept")
    await reader.post(path, data=said(state="fulfilled"))
    report = await waiting(register)
    assert (await staff.post(f"/pledges/manage/{pledge.number}/withdraw", data={"because": "Made twice."})).status_code == 303
    assert await register.tasks() == []
    [closed] = await register.rows("SELECT body::jsonb AS data FROM outbox WHERE type = 'task.closed.v1' AND body::jsonb->>'end' <> 'done'")
    assert closed.data == {"kind": "review-report", "end": "withdrawn", "by": STAFF.id}
    found = page(await staff.get(f"{report}?lang=en"))
    assert look_up("en", "staff.report.withdrawn")[0] in found.text
    assert "Made twice." in found.text
    assert not found.all("form", action=f"{report}/accept")
    assert report not in page(await staff.get(REPORTS)).text
    page(await staff.post(f"{report}/accept"), 409)
    page(await staff.post(f"{report}/decline", data={"reason": "Too late."}), 409)
    # What was decided before stays as it was decided.
    assert look_up("en", "staff.report.accepted")[0] in page(await staff.get(f"{taken}?lang=en")).text
    assert [row.verdict for row in await register.rows("SELECT verdict FROM reports ORDER BY sent_at")] == ["accepted", "withdrawn"]


async def test_who_takes_a_report_waits_for_who_withdraws_its_pledge_and_neither_is_turned_away(
    register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    pledge, path = await linked(register, reader)
    await reader.post(path, data=said())
    report = await waiting(register)
    cause = Cause.start()
    async with asyncio.timeout(30), register.database.transaction() as tx:
        held = await locked(tx, pledge.number)
        accepting = asyncio.create_task(staff.post(f"{report}/accept"))
        while not await register.rows("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"):
            await asyncio.sleep(0.02)
        await Reviewing(public_url=PUBLIC_URL).withdraw(tx, held, "Made twice.", ALEX, cause=cause)
    assert (await accepting).status_code == 409
    assert [row.verdict for row in await register.rows("SELECT verdict FROM reports")] == ["withdrawn"]


async def test_a_report_that_is_sent_twice_waits_once(register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient) -> None:
    pledge, path = await linked(register, reader)
    answers = await asyncio.gather(*(reader.post(path, data=said()) for _ in range(3)))
    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {(303, f"{path}/sent")}
    assert (await staff.post(f"{await waiting(register)}/accept", data={"evidenced": "yes"})).status_code == 303
    assert len(await register.told()) == 1
    # What was decided on may be said again, and something else may be said beside what waits.
    await reader.post(path, data=said())
    await reader.post(path, data=said(state="fulfilled"))
    assert len(await register.tasks()) == 2
    assert (await register.pledge(pledge.number)).revision == 2


async def test_nothing_of_a_report_is_decided_without_a_moderator(register: Register, reader: httpx.AsyncClient) -> None:
    _, path = await linked(register, reader)
    await reader.post(path, data=said())
    report = await waiting(register)
    for verb in ("accept", "decline"):
        assert (await reader.post(f"{report}/{verb}", data={"reason": "no"})).status_code == 401
    async with client_of(register.app, person=somebody(Role.APPROVER)) as approver:
        assert (await approver.post(f"{report}/accept")).status_code == 403
    assert await waiting(register) == report


# ---- another contact ----


async def test_another_contact_is_written_to_and_the_old_links_die(
    register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    pledge, old = await linked(register, reader)
    address = f"/pledges/manage/{pledge.number}"
    page(await staff.post(f"{address}/contact", data={**NEW, "mail": "nobody"}), 422)
    page(await staff.post(f"{address}/contact", data={**NEW, "reason": ""}), 422)
    async with client_of(register.app, person=somebody(Role.ADMIN)) as admin:
        assert (await admin.post(f"{address}/contact", data=NEW)).status_code == 303
        assert NEW["mail"] in page(await admin.get(address)).text
        page_of_trail = (await admin.post(f"{address}/withdraw", data={"because": "x"})).status_code
    assert page_of_trail == 403
    page(await reader.get(old), 410)
    assert (await register.mails())[-1]["to"]["address"] == NEW["mail"]
    page(await reader.get(await link_in(register)))
    await asked(register, reader, pledge)
    assert len(await register.mails()) == 2, "who was the contact before is none any more"
    [decision] = await register.decisions()
    assert (decision.what, decision.reason) == ("reassign", NEW["reason"])
    told = await register.rows("SELECT body FROM outbox")
    assert all(NEW["mail"] not in row.body and NEW["name"] not in row.body for row in told)
    assert (await register.pledge(pledge.number)).facts == pledge.facts


# ---- reminders ----

TODAY = day("2026-11-29")


@pytest.mark.parametrize(
    ("why", "changes", "expected"),
    [
        ("spoke this year", {"reported_on": day("2025-11-30")}, None),
        ("silent for a year", {"reported_on": day("2025-11-29")}, (Reason.SILENT, "2026-11-29")),
        ("silent for three", {"reported_on": day("2023-06-01")}, (Reason.SILENT, "2026-06-01")),
        ("never spoke", {"published_on": day("2024-01-31")}, (Reason.SILENT, "2026-01-31")),
        ("reported of a day long before it was pledged", {"reported_on": day("2020-01-01"), "published_on": day("2025-12-31")}, None),
        ("due has passed", {"reported_on": day("2026-03-01"), "due": day("2026-06-30")}, (Reason.DUE, "2026-07-01")),
        ("due is today", {"reported_on": day("2026-03-01"), "due": TODAY}, None),
        ("spoke after it was due", {"reported_on": day("2026-08-01"), "due": day("2026-06-30")}, None),
        ("fulfilled", {"reported_on": day("2020-01-01"), "state": PledgeState.FULFILLED}, None),
        ("discontinued", {"reported_on": day("2020-01-01"), "state": PledgeState.DISCONTINUED}, None),
        ("superseded", {"reported_on": day("2020-01-01"), "state": PledgeState.SUPERSEDED}, None),
        ("withdrawn", {"reported_on": day("2020-01-01"), "standing": Standing.WITHDRAWN}, None),
        ("invented", {"reported_on": day("2020-01-01"), "synthetic": True}, None),
    ],
)
def test_when_an_owner_is_to_be_asked(why: str, changes: dict[str, Any], expected: tuple[Reason, str] | None) -> None:
    facts = replace(some_facts(published_on=day("2020-01-01"), due=day("2030-12-31")), **changes)
    occasion = occasion_of(facts, TODAY)
    assert (None if occasion is None else (occasion.reason, occasion.since.isoformat())) == expected, why
    if occasion is not None:
        assert is_to_remind(facts, occasion.since - timedelta(days=1), TODAY) == occasion
        assert is_to_remind(facts, occasion.since, TODAY) is None


async def test_owners_are_asked_once_on_each_occasion_in_the_language_of_the_pledge(register: Register, reader: httpx.AsyncClient) -> None:
    today = clock.now().date()
    old: dict[str, Any] = {"published_on": today - timedelta(days=500), "due": today + timedelta(days=500)}
    silent = await register.publish(**old, language="ar", title={"ar": "إنهاء رسوم الاستقدام"}, description={"ar": "x"})
    await register.publish(due=today - timedelta(days=1), published_on=today - timedelta(days=100))
    others: list[dict[str, Any]] = [
        {"synthetic": True},
        {"state": PledgeState.FULFILLED},
        {"standing": Standing.WITHDRAWN},
        {"reported_on": today},
    ]
    for changes in others:
        await register.publish(**{**old, **changes})
    await register.publish(**old, contact=False)
    [job] = [one for one in register.service.jobs if isinstance(one, Job) and one.name == "reminders to owners"]
    await asyncio.gather(*(job.run(register.database) for _ in range(3)))
    mails = await register.mails()
    assert sorted(mail["content"]["language"] for mail in mails) == ["ar", "en"]
    assert {mail["to"]["address"] for mail in mails} == {OWNER}
    for place in range(2):
        page(await reader.get(await link_in(register, place)))
    await job.run(register.database)
    assert len(await register.mails()) == 2
    # A year later it is asked again.
    await register.rows("UPDATE pledges SET reminded_at = reminded_at - interval '400 days' WHERE id = :id RETURNING id", id=silent.id)
    assert await remind(register.database, letters_of(register)) == 1


async def test_links_that_ended_long_ago_go(register: Register, reader: httpx.AsyncClient) -> None:
    await linked(register, reader)
    assert await jobs.forget_links(register.database) == 0
    await register.rows("UPDATE update_links SET valid_until = now() - interval '91 days' RETURNING pledge_id")
    assert await jobs.forget_links(register.database) == 1


@pytest.mark.parametrize("mail", Mail)
@pytest.mark.parametrize("language", [*LANGUAGES, "zh"])
async def test_every_mail_can_be_written_in_every_language(register: Register, mail: Mail, language: str) -> None:
    pledge = await register.publish(language=language, title={language: "题 {braces} – title"}, description={language: "x"})
    async with register.database.transaction() as tx:
        assert await letters_of(register).write(tx, pledge, mail, reason="Because.")
    [written] = await register.mails()
    assert written["content"]["language"] == (language if language in LANGUAGES else "en")
    assert pledge.number in written["content"]["subject"]


async def test_a_contact_that_cannot_be_opened_stops_no_other(register: Register, staff: httpx.AsyncClient) -> None:
    today = clock.now().date()
    old: dict[str, Any] = {"published_on": today - timedelta(days=500), "due": today + timedelta(days=500)}
    lost = await register.publish(**old)
    await register.publish(**old)
    async with register.database.transaction() as tx:
        await pledges.set_contact(tx, lost.id, b"sealed by a key that is gone")
    assert await remind(register.database, letters_of(register)) == 1
    assert "TIDINGS_DATA_KEYS" in page(await staff.get(f"/pledges/manage/{lost.number}")).text
