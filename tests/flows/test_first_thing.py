"""The first thing through the wire, by the command that people run: a partner's webhook to everywhere it belongs."""

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import httpx

from services.intake.kinds.catalogue import body_of
from shared.events.kinds.practice import PracticeSubmission
from tests.flows.running import Running, running, tidings, until

TITLE = PracticeSubmission.example["title"]["en"]
BODY = body_of(PracticeSubmission, PracticeSubmission.example)


def accept(system: Running, receipt: str) -> None:
    with system.staff() as browser:
        assert TITLE in browser.get(f"/intake/review/{receipt}").text
        accepted = browser.post(f"/intake/review/{receipt}/accept")
        assert accepted.status_code == 200, accepted.text


def wait_for_pool_and_drafts(system: Running) -> None:
    with system.staff() as browser:
        until(lambda: TITLE in browser.get("/newsletter/pool").text and TITLE in browser.get("/social/drafts").text)
        for address, anchor in (("/newsletter/pool", "item-"), ("/social/drafts", "draft-")):
            page = browser.get(address).text
            assert len(set(re.findall(rf'id="({anchor}[^"]+)"', page))) == 1, address


def test_a_partners_practice_is_reviewed_published_pooled_and_drafted_once_though_the_system_is_killed(var: Path) -> None:
    with running(var) as system:
        sent = system.send(BODY, "msg_first")
        assert sent.status_code == 202, sent.text
        receipt, status_url = sent.json()["receipt"], sent.json()["status_url"]
        again = system.send(BODY, "msg_first")
        assert (again.status_code, again.json()["receipt"], again.json()["duplicate"]) == (202, receipt, True)
        assert httpx.get(status_url).status_code == 200
        accept(system, receipt)
        published = httpx.get(f"{system.address}/practices/")
        assert TITLE in published.text
        # Killed as soon as it is published: what is not yet in the pool must get there after the next start.
        assert system.end(signal.SIGKILL) == -signal.SIGKILL
    with running(var) as system:
        wait_for_pool_and_drafts(system)
        assert TITLE in httpx.get(f"{system.address}/practices/").text
        assert system.send(BODY, "msg_first").json()["duplicate"] is True
        with system.staff() as browser:
            story = browser.get(f"/newsletter/events/{receipt}.json", headers={"accept": "application/json"})
            told = browser.get(f"/intake/events/{receipt}.json", headers={"accept": "application/json"})
        assert "practice.published.v1" in story.text
        assert "practice.published.v1" in told.text
        assert "submission.received.v1" in told.text


def test_the_printed_line_sends_a_practice_that_is_followed_by_one_id_from_the_door_to_every_service(var: Path) -> None:
    with running(var) as system:
        done = subprocess.run(["sh", "-c", system.curl_line], capture_output=True, text=True, check=True, timeout=60)
        answer, status = done.stdout.rsplit("\n", 2)[0], done.stdout.strip().rsplit("\n", 1)[1]
        assert status == "202"
        assert json.loads(answer)["type"] == "practice.submitted"
        receipt = json.loads(answer)["receipt"]
        accept(system, receipt)
        wait_for_pool_and_drafts(system)

        wanted = {"POST /intake/webhooks/", *(f"{service} handled practice.published.v1" for service in ("newsletter", "social"))}

        def all_said() -> bool:
            lines = [line for line in system.said.splitlines() if f"trace={receipt.replace('-', '')}" in line]
            return all(any(words in line for line in lines) for words in wanted)

        until(all_said)  # what is handled shows on the pages a little before the log says so


def test_interrupting_ends_it_cleanly_within_ten_seconds_and_a_second_start_is_refused(var: Path) -> None:
    with running(var) as system:
        second = tidings(var, "all")
        assert second.returncode == 1
        assert "already runs on" in second.stderr
        listed = tidings(var, "events", "list", "--json", "--limit", "1000")
        assert listed.returncode == 0, listed.stderr
        # Of the people for trial runs, and of the lists that come along; nothing else happens by itself.
        told = {(row["service"], row["type"]) for row in json.loads(listed.stdout) if row["told"]}
        assert {one for one in told if one[0] not in {"calendar", "pledges"}} == {
            ("desk", "person.changed.v1"),
            ("desk", "decision.made.v1"),
        }
        added = tidings(var, "partner", "add", "Example Org", "--contact", "someone@example.org", "--json")
        assert json.loads(added.stdout)["secret"].startswith("whsec_")
        began = time.monotonic()
        assert system.end(signal.SIGINT) == 0
        assert time.monotonic() - began < 10
    gone = tidings(var, "events", "list")
    assert gone.returncode == 1
    assert "Nothing runs on" in gone.stderr


def test_commands_say_how_they_are_used(var: Path) -> None:
    for arguments in (["--help"], ["all", "--help"], ["events", "--help"], ["events", "discard", "--help"], ["partner", "add", "--help"]):
        assert tidings(var, *arguments).returncode == 0, arguments
    assert tidings(var, "nonsense").returncode == 2
    assert tidings(var, "events", "list", "--service", "nonsense").returncode == 2
    alone = tidings(var, "intake")
    assert alone.returncode == 1
    assert "tidings all" in alone.stderr
