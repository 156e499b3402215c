"""Real things on a system that runs, made through its public doors, so that every page has something to show."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from aiokafka import AIOKafkaProducer

from services.calendar.importing import OWN
from services.owners import OWNERS
from shared import clock
from shared.db import Database
from shared.events import registry
from shared.events.kinds import KINDS
from shared.events.kinds.pledge import PledgeSubmission
from shared.ids import new_id
from shared.operations import base_of
from tests.flows.running import Running, tidings, until
from tests.flows.test_confirmation import send_form
from tests.social.ledger import put
from tests.social.x_sandbox import words

TITLES = (
    {"en": "One-stop office for newcomers", "fr": "Guichet unique pour les nouveaux arrivants"},
    {"en": "Training consular staff before they are posted abroad", "ar": "تدريب الموظفين القنصليين قبل إيفادهم"},
    {"en": "Community listening circles"},
)


def make(system: Running, var: Path) -> Mapping[str, str]:
    """Return the addresses, and the parts of addresses, by which `visits` reaches pages."""
    run = json.loads((var / "run.json").read_text())
    receipts = [_practice(system, number, titles) for number, titles in enumerate(TITLES)]
    asyncio.run(_posts(run["database"]))
    asyncio.run(_unreadable(run["kafka"]))
    found = {"receipt": receipts[0], "review_open": f"/intake/review/{receipts[1]}", "sandbox": run["networks"]["x"] + "/"}
    with httpx.Client(base_url=system.address, headers={"origin": system.address}, follow_redirects=True, timeout=60) as public:
        found["track"] = send_form(public, "amina@example.org").url.path
        [mail] = until(lambda: public.get("/demo/mails.json", params={"to": "amina@example.org"}).json()["mails"])
        found["confirm"] = mail["links"][0].removeprefix(system.address)
    added = tidings(var, "person", "add", "ines@example.org", "--role", "moderator", "--role", "approver", "--json")
    assert added.returncode == 0, added.stderr
    system.links["Ines"] = json.loads(added.stdout)["address"]
    with system.staff("Alex") as staff:
        for receipt, what, reason in ((receipts[0], "accept", ""), (receipts[2], "decline", "Please tell us what came of it.")):
            done = staff.post(f"/intake/review/{receipt}/{what}", data={"reason": reason, "language": "en"})
            assert done.status_code == 200, done.text
        found["review"] = f"/intake/review/{receipts[2]}"
        found["practice"] = _link(staff, "/practices/", r"/practices/[a-z0-9-]+")
        found["person"] = _link(staff, "/desk/people/", r"/desk/people/[0-9a-f-]{36}")
        found["partner"] = _link(staff, "/intake/partners/", r"/intake/partners/[0-9a-f-]{36}")
        found["revoke"] = _link(staff, found["partner"], r"/intake/partners/[^\"]+/revoke")
        until(lambda: "One-stop office" in staff.get("/newsletter/pool").text)
        found |= _incoming(system) | _post(staff) | _bulletin(system, staff)
        found |= _calendar(staff, var) | _reviewed(system, staff) | _dates(system, staff) | _pledges(system, staff)
        for scope, where in (("all", "/desk/sending"), ("social/x", "/social/pauses"), ("newsletter", "/newsletter/pauses")):
            staff.post(where, data={"scope": scope, "reason": "A wrong link", "until": ""})
        for service in OWNERS:
            base = base_of(service)
            address = _link(staff, f"{base}/operations", rf"{base}/operations/parked/[^\"/]+")
            found[f"parked:{base}"] = address.rpartition("/")[2]
    found["sign_in"] = system.links["Noor"].removeprefix(system.address)
    return found


def _reviewed(system: Running, staff: httpx.Client) -> dict[str, str]:
    """Have a Talk announced and moved, one held and one cancelled; statements published, one of them corrected; something waiting."""
    moved, held, cancelled, waiting = (_talk(system, number, days) for number, days in enumerate((40, -20, 60, 90)))
    statement, blog, contribution = (_sent(system, kind, f"msg-{kind}-{number}", data) for number, (kind, data) in enumerate(_TEXTS))
    for one in (moved, held, cancelled, statement, blog):
        assert staff.post(f"/intake/review/{one}/accept").status_code == 200
    later = (clock.now() + timedelta(days=47)).date().isoformat()
    changes = (
        (moved, "move", {"first": later, "hour": "14:00", "until": "16:30", "zone": "Africa/Casablanca"}),
        (
            held,
            "outcome",
            {"summary.en": "Three federations agreed on one contract.", "links": "https://example.org/film The film"},
        ),
        (cancelled, "cancel", {"because": "The hall is closed after the storm.", "language": "en"}),
    )
    for one, verb, said in changes:
        assert staff.post(f"/intake/review/{one}/{verb}", data=said).status_code == 200
    return {
        "talk": _link(staff, f"/intake/review/{moved}", rf"{system.address}/talks/[a-z0-9-]+").removeprefix(system.address),
        "talk_held": _link(staff, f"/intake/review/{held}", rf"{system.address}/talks/[a-z0-9-]+").removeprefix(system.address),
        "talk_cancelled": _link(staff, f"/intake/review/{cancelled}", rf"{system.address}/talks/[a-z0-9-]+").removeprefix(system.address),
        "news_item": _link(staff, f"/intake/review/{statement}", rf"{system.address}/news/[a-z0-9-]+").removeprefix(system.address),
        "review_talk": f"/intake/review/{moved}",
        "review_held": f"/intake/review/{held}",
        "review_news": f"/intake/review/{statement}",
        "review_waiting": f"/intake/review/{waiting}",
        "review_contribution": f"/intake/review/{contribution}",
    }


_TEXTS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("news", {"text": dict.fromkeys(("en", "fr"), "# What we ask\n\nOpen **every** service.\n\n- to all\n- at once\n\n> We were heard.")}),
    ("news", {"kind": "blog", "title": {"ar": "رسالة من الميدان"}, "language": "ar", "text": {"ar": "كتبت هذه الرسالة من الميدان."}}),
    ("contribution", {}),
)


def _talk(system: Running, number: int, days: int) -> str:
    first = (clock.now() + timedelta(days=days)).date().isoformat()
    titles = {"en": f"Fair recruitment across one border, part {number + 1}", "ar": "التوظيف المنصف عبر الحدود"}
    summary = dict.fromkeys(titles, "Employers, unions and consulates of two countries compare how recruitment fees were ended.")
    when = {"precision": "day", "first": first, "last": first}
    data = {"title": titles, "summary": summary, "when": when, "registration": "https://example.org/register"}
    return _sent(system, "talk", f"msg-talk-{number}", data)


def _sent(system: Running, kind: str, message: str, data: Mapping[str, Any]) -> str:
    """The receipt of the example of a kind, some of its fields changed."""
    model = KINDS[kind]
    body = {"type": model.type, "timestamp": "2026-11-01T09:00:00+00:00", "data": {**model.example, **data}}
    answer = system.send(body, message)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["receipt"])


def _pledges(system: Running, staff: httpx.Client) -> dict[str, str]:
    """Have two pledges come in: one is published and reported on by its owner's link, the other has doubts that somebody must look at."""
    first, second = (_pledge(system, number) for number in range(2))
    until(lambda: staff.get(f"/pledges/review/{first}").status_code == 200)
    accepted = staff.post(f"/pledges/review/{first}/accept")
    assert accepted.status_code == 200, accepted.text
    manage = _link(staff, f"/pledges/review/{first}", r"/pledges/manage/P-[0-9]+")
    headers = {"origin": system.address}
    with httpx.Client(base_url=system.address, headers=headers, follow_redirects=True, timeout=60) as public:
        asked = public.post("/pledges/update", data={"number": manage.rpartition("/")[2], "mail": "lucia@example.org"})
        assert asked.status_code == 200, asked.text
        [mail] = until(lambda: _mails(system, "lucia@example.org"))
        update = urlsplit(next(link for link in mail["links"] if "/pledges/update/" in link)).path
        said = {
            "state": "in-progress",
            "reported_on": "2026-06-01",
            "language": "en",
            "note": "The law is before parliament.",
            "progress": "17",
        }
        sent = public.post(update, data={**said, "evidence-1": "https://example.org/law"})
        assert sent.status_code == 200, sent.text
    return {
        "pledge_review": f"/pledges/review/{second}",
        "pledge_report": _link(staff, "/pledges/reports/", r"/pledges/reports/[0-9a-f-]{36}"),
        "pledge_manage": manage,
        "pledge": manage.replace("/manage/", "/"),
        "pledge_update": update,
    }


def _pledge(system: Running, number: int) -> str:
    """Send the example of a pledge; the second one looks as if it stood on the register already."""
    body = {"type": "pledge.submitted", "timestamp": "2026-11-01T09:00:00+00:00", "data": dict(PledgeSubmission.example)}
    answer = system.send(body, f"pledge-{number}")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["receipt"])


def _post(staff: httpx.Client) -> dict[str, str]:
    """Take up what the machine drafted, and submit it."""
    take_up = until(lambda: re.search(r'action="(/social/drafts/[0-9a-f-]+/post)"', staff.get("/social/drafts").text))
    post = staff.post(take_up.group(1)).url.path
    _decide(staff, post, "submit")
    return {"post": post}


def _bulletin(system: Running, staff: httpx.Client) -> dict[str, str]:
    """Have an issue sent to one reader, another asked to confirm, and the next issue with a block of its own."""
    confirmed, asked = (_asked_to_confirm(system, address) for address in ("reader@example.org", "asked@example.org"))
    assert httpx.post(confirmed, headers={"origin": system.address}, follow_redirects=True).status_code == 200
    sent = _link(staff, "/newsletter/issues/", r"/newsletter/issues/[0-9a-f-]{36}")
    assert staff.post(f"{sent}/cut").status_code == 200
    _decide(staff, sent, "submit")
    with system.staff("Ines") as approver:
        _decide(approver, sent, "approve")
        hour = {"sends_at": clock.now().strftime("%Y-%m-%dT%H:%M"), "zone": "UTC", "valid_hours": "48"}
        assert approver.post(f"{sent}/schedule", data=hour).status_code == 200
    [copy] = until(lambda: [mail for mail in _mails(system, "reader@example.org") if "One-stop office" in mail["text"]])
    [leave] = {urlsplit(link).path for link in copy["links"] if "/newsletter/u/" in link}
    archived = _link(staff, "/newsletter/archive/", r"/newsletter/archive/[^\"?.]+")
    subscriber = staff.post("/newsletter/subscribers/find", data={"address": "reader@example.org"}).url.path
    issue = until(lambda: [one for one in _issues(staff) if one != sent])[0]
    made = staff.post(f"{issue}/blocks", data={"kind": "text", "text-en": "What comes next.", "text-fr": "La suite."})
    block = re.search(rf'href="({issue}/blocks/[0-9a-f-]{{36}})"', made.text)
    assert block, made.text
    return {
        "issue": issue,
        "block": block.group(1),
        "sent_issue": sent,
        "leave": leave,
        "archived": archived,
        "subscriber": subscriber,
        "bulletin_confirm": urlsplit(asked).path,
    }


def _calendar(staff: httpx.Client, var: Path) -> dict[str, str]:
    """Have the work plan and the named days taken in."""
    for sheet, path in OWN.items():
        taken = tidings(var, "import", sheet.value, str(path), "--historic")
        assert taken.returncode == 0, taken.stderr
    return {
        "date": _link(staff, "/calendar/", r"/calendar/[a-z0-9-]+-\d{4}"),
        "month": staff.get("/calendar/month/").url.path,
    }


def _dates(system: Running, staff: httpx.Client) -> dict[str, str]:
    """Enter a committee's meeting, which has its deadline by itself, move it, and have somebody suggest the same day."""
    day = clock.now().date() + timedelta(days=90)
    form = {"kind": "steering-committee", "language": "en", "title.en": "Steering Committee, 12th meeting", "public": "yes"}
    meeting = staff.post("/calendar/manage/new", data={**form, "precision": "day", "first-1": day.isoformat()}).url.path
    deadline = _link(staff, meeting, r"/calendar/manage/[0-9a-f-]{36}")
    later = (day + timedelta(days=7)).isoformat()
    moved = staff.post(f"{meeting}/move", data={"precision": "day", "first-1": later, "because.en": "The room is taken."})
    assert moved.status_code == 200, moved.text
    body = {
        "type": "date.suggested",
        "timestamp": "2026-11-01T09:00:00+00:00",
        "data": {
            "language": "en",
            "title": {"en": "12th meeting of the Steering Committee", "ar": "الاجتماع الثاني عشر للجنة التوجيهية"},
            "kind": "meeting",
            "when": {"precision": "day", "first": later, "last": later},
            "entity": "Example University",
            "entity_type": "academia",
            "countries": ["NP"],
            "contact": {"name": "Dana Example", "mail": "dana@example.org"},
        },
    }
    answer = system.send(body, "msg-date")
    assert answer.status_code == 202, answer.text
    suggestion = f"/calendar/review/{answer.json()['receipt']}"
    until(lambda: staff.get(suggestion).status_code == 200)
    return {"meeting": meeting, "deadline": deadline, "suggestion": suggestion}


def _issues(staff: httpx.Client) -> Sequence[str]:
    return re.findall(r'href="(/newsletter/issues/[0-9a-f-]{36})"', staff.get("/newsletter/issues/").text)


def _asked_to_confirm(system: Running, address: str) -> str:
    headers = {"origin": system.address}
    with httpx.Client(base_url=system.address, headers=headers, follow_redirects=True, timeout=60) as public:
        version = re.search(r'name="version" value="([^"]+)"', public.get("/newsletter/subscribe").text)
        assert version
        data = {"address": address, "language": "en", "version": version.group(1)}
        assert public.post("/newsletter/subscribe", data=data).status_code == 200
    [mail] = until(lambda: _mails(system, address))
    return str(next(link for link in mail["links"] if "/newsletter/confirm/" in link))


def _mails(system: Running, address: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = httpx.get(f"{system.address}/demo/mails.json", params={"to": address}).json()["mails"]
    return found


def _decide(person: httpx.Client, address: str, action: str) -> None:
    seen = re.findall(r'name="seen" value="([^"]*)"', person.get(address).text)[-1]
    decided = person.post(f"{address}/decisions", data={"action": action, "seen": seen})
    assert decided.status_code == 200, decided.text


def _incoming(system: Running) -> dict[str, str]:
    """Make an enquiry that awaits an answer, and a practice with a question, which its sender sees on the tracking page."""
    answers = [
        system.send({"type": kind.type, "timestamp": "2026-11-01T09:00:00+00:00", "data": dict(kind.example)}, f"msg-{kind.kind_name}")
        for kind in (KINDS["enquiry"], KINDS["practice"])
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    enquiry, practice = (answer.json() for answer in answers)
    with system.staff("Alex") as staff:
        asked = staff.post(
            f"/intake/review/{practice['receipt']}/ask", data={"question": "Who measures the waiting time?", "language": "en"}
        )
        assert asked.status_code == 200, asked.text
    return {"enquiry": f"/intake/enquiries/{enquiry['receipt']}", "question": urlsplit(practice["status_url"]).path}


def _practice(system: Running, number: int, titles: Mapping[str, str]) -> str:
    body = {
        "type": "practice.submitted",
        "timestamp": "2026-11-01T09:00:00+00:00",
        "data": {
            "language": "en",
            "title": titles,
            "summary": dict.fromkeys(titles, "One office brings registration, language classes and advice under one roof."),
            "entity": "Example City",
            "entity_type": "local-authority",
            "countries": ["PT"],
            "objectives": [15, 16],
            "principles": ["people-centred"],
            "links": [{"address": "https://example.org/office", "label": "The office’s own page"}],
            "remarks": "Photographs can be sent on request.",
            "contact": {"name": "Amina Example", "mail": "amina@example.org"},
        },
    }
    answer = system.send(body, f"msg-{number}")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["receipt"])


def _link(staff: httpx.Client, page: str, pattern: str) -> str:
    found = until(lambda: re.search(rf'href="({pattern})"', staff.get(page).text.partition("<main")[2]))
    return str(found.group(1))


async def _posts(url: str) -> None:
    database = Database(url, "social")
    await put(database, words("Safe and orderly"))
    await put(database, words("One office brings registration, language classes and advice under one roof."), due_in=timedelta(days=2))
    await database.close()


async def _unreadable(kafka: str) -> None:
    """Tell each service something that it cannot read, so that it sets it aside."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for event_type in ("person.changed.v1", "decision.made.v1"):
        for topic in registry.TOPICS_OF[event_type]:
            headers = [("ce_type", event_type.encode()), ("ce_id", str(new_id()).encode()), ("ce_subject", b"somebody")]
            await producer.send_and_wait(topic, b"\xffnot json", key=b"somebody", headers=headers)
    await producer.stop()
