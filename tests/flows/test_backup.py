"""A backup put back after all was lost: what came in is there, what was sent stays sent, what was to leave waits for a person."""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from services.demo.walk import incoming, outgoing
from services.demo.walk.browser import Browser, WalkError
from services.demo.walk.journal import until
from services.demo.walk.people import ALEX, NOOR, Partner, sign_in
from services.demo.walk.system import found_at
from services.demo.walk.walk import Walk, begun
from shared import clock
from tests.flows.running import Running, running, tidings

KIND = "practice.submitted"


def publish(walk: Walk, what: str) -> tuple[str, Mapping[str, Any]]:
    """Bring a practice in and publish it; return its title and what the door answered."""
    answer = incoming.send(walk, KIND, what)
    incoming.review(walk, "practice", what, answer)
    return walk.found[f"{KIND} title"], answer


def issues_in_inbox(walk: Walk) -> int:
    """Return how many copies of an issue reached the reader."""
    return sum("/newsletter/u/" in mail["text"] for mail in walk.mails.to(walk.found["reader"]))


def posts_of(system: Running, title: str) -> int:
    return Browser(found_at(system.address).networks["x"]).open("/").words.count(title)


def standing(who: Browser, issue: str) -> dict[str, Any]:
    found: dict[str, Any] = who.open(f"/newsletter/sends/{issue.rpartition('/')[2]}.json").json["standing"]
    return found


def switch(walk: Walk, door: str, who: Browser) -> None:
    who.send(who.open("/desk/sending"), door, scope="all", reason="The backup is rehearsed.")


def begin(system: Running) -> Walk:
    walk = begun(found_at(system.address), print)
    incoming.enter(walk)
    incoming.make_partner(walk)
    outgoing.subscribe(walk)
    return walk


def plan_a_post(walk: Walk, title: str) -> None:
    draft = until(lambda: outgoing._draft_of(walk.alex, title), f"a draft about {title!r}")
    opened = walk.alex.post(draft)
    local = clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
    walk.alex.send(opened, "/schedule", local=local, zone="UTC")
    outgoing._submit_and_approve(walk, opened.path)


@pytest.mark.timeout(900)
def test_after_everything_is_lost_nothing_is_sent_again_and_what_was_to_leave_waits_for_a_person(var: Path) -> None:
    old, new, archive = var / "old", var / "new", var / "all.zip"
    old.mkdir()
    new.mkdir()
    with running(old) as system:
        walk = begin(system)
        first, _ = publish(walk, "a practice")
        outgoing.cut_issue(walk, [first])
        outgoing.release_issue(walk)
        outgoing.post(walk, "a practice", first)
        outgoing.read_mail(walk, [first])
        body = {**walk.example(KIND), "timestamp": "2026-01-01T00:00:00Z"}
        received = walk.partner.send(walk.anybody, body, "msg-kept")
        assert (issues_in_inbox(walk), posts_of(system, first)) == (1, 1)
        # From here on everything has its hour and nothing leaves, so that the backup finds it under way.
        switch(walk, "/desk/sending", walk.alex)
        until(lambda: all("rehearsed" in walk.alex.open(f"/{sender}/pauses").words for sender in ("newsletter", "social")), "both pauses")
        walk.mark += "b"
        second, _ = publish(walk, "another practice")
        outgoing.cut_issue(walk, [second])
        outgoing.release_issue(walk)
        issue = walk.found["issue"]
        plan_a_post(walk, second)
        until(lambda: standing(walk.alex, issue)["state"] == "sending", "the second issue under way")
        taken = tidings(old, "backup", str(archive), "--json")
        assert taken.returncode == 0, taken.stderr
        leaving = next(
            urlsplit(link).path for mail in walk.mails.to(walk.found["reader"]) for link in mail["links"] if "/newsletter/u/" in link
        )
        refused = tidings(old, "restore", str(archive))
        assert refused.returncode == 1
        assert "End it, then restore" in refused.stderr
    assert archive.stat().st_mode & 0o777 == 0o600
    keys = (old / "keys.json").read_bytes()
    shutil.rmtree(old)

    lost = tidings(new, "restore", str(archive))
    assert lost.returncode == 1
    assert "TIDINGS_DATA_KEYS" in lost.stderr
    assert not (new / "keys.json").exists(), "keys that open nothing are not made on the way"
    (new / "keys.json").write_bytes(keys)
    done = tidings(new, "restore", str(archive), "--json")
    assert done.returncode == 0, done.stderr
    restored = json.loads(done.stdout)
    assert {(one["kind"], one["service"]) for one in restored["held"]} >= {("issue", "newsletter"), ("post", "social")}
    assert restored["offered_again"] > 0
    twice = tidings(new, "restore", str(archive))
    assert twice.returncode == 1
    assert "put back here already, whole" in twice.stderr

    with running(new) as system:
        signed_out = Browser(system.address)
        signed_out.cookies = walk.alex.cookies
        assert "/desk/sign-in" in signed_out.look("/desk/people").body + signed_out.look("/desk/people").path
        mails = begun(found_at(system.address), print)
        mails.found = dict(walk.found)
        alex, noor = (sign_in(system.address, mails.mails, address) for address in (ALEX, NOOR))
        partner = Partner(door=f"{system.address}{urlsplit(walk.partner.door).path}", secret=walk.partner.secret)
        known = partner.send(signed_out, body, "msg-kept")
        assert (known["receipt"], known["duplicate"]) == (received["receipt"], True)
        with pytest.raises(WalkError, match="answers 409"):
            partner.send(signed_out, {**body, "timestamp": "2026-02-02T00:00:00Z"}, "msg-kept")
        assert signed_out.open(urlsplit(received["status_url"]).path).status == 200
        assert first in signed_out.open("/practices/").words
        assert signed_out.open(leaving).status == 200
        # Nothing is paused any more, and the clock has looked at all that waits: it asks people, and sends nothing.
        switch(walk, "/desk/sending/resume", alex)
        wanted = ("Say whether a held issue goes on", "Say what is to become of a post")
        until(lambda: all(one in noor.open("/desk/").words for one in wanted), "both questions")
        assert (standing(alex, issue)["state"], standing(alex, issue)["held_because"]) == ("held", "restored")
        assert "comes out of a backup" in noor.open(f"{issue}/sending").words
        assert "comes out of a backup" in noor.open("/social/deliveries").words
        assert (issues_in_inbox(mails), posts_of(system, second)) == (0, 0)
        noor.send(noor.open(f"{issue}/sending"), "/resume", valid_hours="24")
        until(lambda: issues_in_inbox(mails), "the second issue in the inbox")
        delivery = next(form for form in noor.open("/social/deliveries").forms if form.action.endswith("/again"))
        noor.post(delivery.action)
        until(lambda: posts_of(system, second), "the second post")
        until(lambda: standing(alex, issue)["state"] == "sent", "the end of the second issue")
        assert issues_in_inbox(mails) == 1
