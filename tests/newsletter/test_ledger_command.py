"""`tidings why` and `tidings reconcile`: what became of one copy, and what a relay's log settles."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update
from typer.testing import CliRunner, Result

from services.__main__ import app as command_line
from services.newsletter.sending import evidence
from services.newsletter.sending.evidence import EvidenceError, Found
from services.newsletter.sending.rules import message_id
from services.newsletter.sending.tables import audience, subscribers
from shared.db import Database, Transaction
from shared.ids import new_id
from shared.testing.databases import run_apart
from shared.vault import Vault, new_key
from tests.newsletter.sending import send_now, subscribe

KEY = new_key()
VAULT = Vault([KEY])
DOMAIN = "tidings.localhost"
Tidings = Callable[..., Result]


@pytest.fixture
def tidings(database_url: str) -> Tidings:
    environment = {"TIDINGS_DATABASE": database_url, "TIDINGS_KAFKA": "127.0.0.1:1", "TIDINGS_DATA_KEYS": KEY}
    return lambda *arguments: CliRunner().invoke(command_line, arguments, env=environment)


@pytest.fixture
def issue(database_url: str) -> tuple[UUID, dict[str, UUID]]:
    """An issue that begins to go out to three readers, and their ids."""

    async def make() -> tuple[UUID, dict[str, UUID]]:
        database = Database(database_url, "newsletter")
        try:
            ids = await subscribe(database, VAULT, [f"{name}@example.net" for name in ("anna", "bela", "cleo")])
            return await send_now(database), {address.partition("@")[0]: one for address, one in ids.items()}
        finally:
            await database.close()

    return run_apart(make())


def within(url: str, work: Callable[[Transaction], Any]) -> Any:
    async def in_transaction() -> Any:
        database = Database(url, "newsletter")
        try:
            async with database.transaction() as tx:
                return await work(tx)
        finally:
            await database.close()

    return run_apart(in_transaction())


def write(url: str, table: Any, where: Any, **values: object) -> None:
    async def work(tx: Transaction) -> None:
        await tx.execute(update(table).where(where).values(values))

    within(url, work)


def states(url: str) -> dict[UUID, tuple[str, str]]:
    async def work(tx: Transaction) -> Any:
        return (await tx.execute(text("SELECT subscriber_id, state, reason FROM audience"))).all()

    return {row.subscriber_id: (row.state, row.reason) for row in within(url, work)}


# ---- why ----


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ("planned", "", "waits for its turn"),
        ("accepted", "", "The mail server took the copy"),
        ("deferred", "", "tried again on"),
        ("refused", "address", "nobody is reached at this address"),
        ("refused", "gave-up", "put the copy off for days"),
        ("excluded", "left", "unsubscribed after the audience was fixed"),
        ("excluded", "paused", "wanted no issue for a while"),
        ("excluded", "unconfirmed", "had not confirmed"),
        ("uncertain", "unanswered", "Nobody can know"),
        ("uncertain", "crashed", "Nobody can know"),
    ],
)
def test_why_answers_in_plain_words(
    tidings: Tidings, issue: tuple[UUID, dict[str, UUID]], database_url: str, state: str, reason: str, said: str
) -> None:
    issue_id, readers = issue
    write(database_url, audience, audience.c.subscriber_id == readers["anna"], state=state, reason=reason)
    answer = tidings("why", "Anna@example.net", str(issue_id))
    assert answer.exit_code == 0, answer.output
    assert said in answer.stdout.splitlines()[0]
    assert "Today: gets every issue." in answer.stdout
    found = json.loads(tidings("why", "anna@example.net", str(issue_id), "--json").stdout)
    assert (found["state"], found["reason"], found["subscriber"]) == (state, reason, str(readers["anna"]))
    assert said in found["said"][0]


def test_why_knows_nobody_no_issue_and_who_came_later(tidings: Tidings, issue: tuple[UUID, dict[str, UUID]], database_url: str) -> None:
    issue_id, readers = issue
    assert "is no subscriber" in tidings("why", "nobody@example.net", str(issue_id)).stdout
    assert "has not been scheduled" in tidings("why", "anna@example.net", str(new_id())).stdout
    write(database_url, audience, audience.c.subscriber_id == readers["anna"], subscriber_id=new_id())
    assert "was not a subscriber when" in tidings("why", "anna@example.net", str(issue_id)).stdout
    assert tidings("why", "anna", str(issue_id)).exit_code == 2
    missing = tidings("why", "anna@example.net", "1999-01")
    assert (missing.exit_code, "There is no issue 1999-01" in missing.stderr) == (1, True)


def test_why_names_pauses_held_issues_and_what_was_tried(tidings: Tidings, issue: tuple[UUID, dict[str, UUID]], database_url: str) -> None:
    issue_id, readers = issue

    async def work(tx: Transaction) -> None:
        await tx.execute(text("UPDATE sends SET state = 'held', held_because = 'refusals'"))
        await tx.execute(
            text(
                "INSERT INTO pauses (scope, origin, paused, reason, since, told_at, cause, trace_id)"
                " VALUES ('all', 'desk', true, 'Mourning.', now(), now(), 'c', 't')"
            )
        )
        await tx.execute(
            text(
                "INSERT INTO attempts (issue_id, subscriber_id, epoch, outcome, phase, code, reply, queue_id, message_id, sender)"
                " VALUES (:issue, :reader, 1, 'deferred', 'rcpt', 450, '4.2.1 Busy', '', '', :issue)"
            ),
            {"issue": issue_id, "reader": readers["anna"]},
        )

    within(database_url, work)
    write(database_url, subscribers, subscribers.c.id == readers["anna"], state="unsubscribed")
    said = tidings("why", "anna@example.net", str(issue_id)).stdout
    for words in ("The issue is held: the server refused", "Sending is paused since", "Mourning.", "put off, at rcpt: 450 4.2.1 Busy"):
        assert words in said, said
    assert said.splitlines()[-1] == "Today: unsubscribed."


# ---- reconcile ----

LOG = """\
Nov 22 06:00:00 relay postfix/smtpd[10]: connect from desk[192.0.2.1]
Nov 22 06:00:00 relay postfix/cleanup[11]: 4F1A2B3C4D: message-id=<{anna}>
Nov 22 06:00:00 relay postfix/qmgr[12]: 4F1A2B3C4D: from=<bounce@x.org>, size=900, nrcpt=1 (queue active)
Nov 22 06:00:01 relay postfix/smtp[13]: 4F1A2B3C4D: to=<anna@example.net>, relay=mx[1], delay=1, dsn=2.0.0, status=sent (250 2.0.0 Ok)
Nov 22 06:00:02 relay postfix-out/cleanup[11]: 5A1A2B3C4D: message-id=<{bela}>
Nov 22 06:00:02 relay postfix-out/qmgr[12]: 5A1A2B3C4D: from=<bounce@x.org>, size=900, nrcpt=1 (queue active)
Nov 22 06:00:03 relay postfix-out/smtp[13]: 5A1A2B3C4D: to=<b@example.net>, relay=mx[1], dsn=5.1.1, status=bounced \
(host mx[1] said: 550 5.1.1 <b@example.net>: no such user)
2026-11-22T06:00:04.1+01:00 relay postfix/cleanup[11]: 6B1A2B3C4D: message-id=<{cleo}>
2026-11-22T06:00:04.2+01:00 relay postfix/smtpd[10]: lost connection after DATA from desk[192.0.2.1]
"""


def named(issue: tuple[UUID, dict[str, UUID]]) -> dict[str, str]:
    return {name: message_id(issue[0], reader, DOMAIN).strip("<>") for name, reader in issue[1].items()}


def make_uncertain(url: str) -> None:
    write(url, audience, audience.c.epoch >= 0, state="uncertain", reason="unanswered", epoch=1)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_a_log_of_postfix_settles_what_it_shows_and_leaves_the_rest(
    tidings: Tidings, issue: tuple[UUID, dict[str, UUID]], database_url: str, tmp_path: Path, packed: bool
) -> None:
    make_uncertain(database_url)
    log = LOG.format(**named(issue)).encode()
    path = tmp_path / ("mail.log.gz" if packed else "mail.log")
    path.write_bytes(gzip.compress(log) if packed else log)
    before = states(database_url)
    dry = json.loads(tidings("reconcile", str(path), "--dry-run", "--json").stdout)
    assert states(database_url) == before
    real = json.loads(tidings("reconcile", str(path), "--json").stdout)
    assert real["copies"] == dry["copies"]
    assert real["counts"] == {"accepted": 1, "refused": 1, "uncertain": 1}
    expected = {"anna": ("accepted", ""), "bela": ("refused", "relay"), "cleo": ("uncertain", "unanswered")}
    assert states(database_url) == {issue[1][name]: state for name, state in expected.items()}
    again = tidings("reconcile", str(path))
    assert "accepted 0, refused 0, still uncertain 1" in again.stderr

    async def work(tx: Transaction) -> Any:
        return (await tx.execute(text("SELECT * FROM attempts ORDER BY outcome"))).all()

    accepted, refused = within(database_url, work)
    assert (accepted.phase, accepted.queue_id, accepted.reply) == ("log", "4F1A2B3C4D", "sent: 250 2.0.0 Ok")
    assert (refused.code, "example.net" in refused.reply, "(recipient)" in refused.reply) == (550, False, True)
    assert "the relay’s log" in tidings("why", "bela@example.net", str(issue[0])).stdout


@pytest.mark.parametrize("state", ["planned", "accepted", "excluded", "deferred", "refused"])
def test_only_what_is_uncertain_is_settled(
    tidings: Tidings, issue: tuple[UUID, dict[str, UUID]], database_url: str, tmp_path: Path, state: str
) -> None:
    write(database_url, audience, audience.c.epoch >= 0, state=state)
    path = tmp_path / "mail.log"
    path.write_text(LOG.format(**named(issue)))
    assert json.loads(tidings("reconcile", str(path), "--json").stdout)["copies"] == []
    assert {found for found, _ in states(database_url).values()} == {state}


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_plain_table_settles_too(
    tidings: Tidings, issue: tuple[UUID, dict[str, UUID]], database_url: str, tmp_path: Path, separator: str
) -> None:
    make_uncertain(database_url)
    names = named(issue)
    lines = ["Message-ID,Outcome,Reply", f"<{names['anna'].upper()}>,accepted,Ok", f"{names['bela']},refused,550 <b@x.org> gone"]
    path = tmp_path / "relay.csv"
    path.write_text("\ufeff" + "\n".join(lines).replace(",", separator), encoding="utf-8")
    assert json.loads(tidings("reconcile", str(path), "--json").stdout)["counts"] == {"accepted": 1, "refused": 1, "uncertain": 1}


@pytest.mark.parametrize("content", ["", "hello\n", "message_id,outcome\nx@y,maybe\n", "message_id,outcome\nx@y,accepted\nx@y,refused\n"])
def test_what_is_no_evidence_is_refused(content: str) -> None:
    with pytest.raises(EvidenceError):
        evidence.read(content.splitlines())


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        pytest.param(["qmgr[1]: ABCDEF: from=<>, size=1, nrcpt=1 (queue active)"], Found.ACCEPTED, id="in the queue"),
        pytest.param(["smtp[1]: ABCDEF: to=<a@b>, dsn=4.4.1, status=deferred (timed out)"], Found.ACCEPTED, id="put off by the next"),
        pytest.param(
            ["smtp[1]: ABCDEF: to=<a@b>, dsn=4.4.1, status=deferred (x)", "qmgr[1]: ABCDEF: from=<>, status=expired, returned to sender"],
            Found.REFUSED,
            id="expired",
        ),
        pytest.param(["cleanup[1]: ABCDEF: milter-reject: END-OF-MESSAGE from x[1]: 5.7.1 no"], Found.REFUSED, id="refused by a filter"),
        pytest.param(["qmgr[1]: FFFFFF: from=<>, size=1, nrcpt=1 (queue active)"], None, id="another mail"),
        pytest.param([], None, id="nothing more"),
    ],
)
def test_what_a_log_says_is_read_as_an_expert_would(lines: list[str], found: Found | None) -> None:
    log = ["Nov 22 06:00:00 h postfix/cleanup[1]: ABCDEF: message-id=<m1@x.org>", *(f"Nov 22 06:00:00 h postfix/{one}" for one in lines)]
    said = evidence.read(log)
    assert (said["m1"].found if "m1" in said else None) is found


def test_a_queue_id_that_is_used_again_is_another_mail() -> None:
    log = [
        "h postfix/cleanup[1]: ABCDEF: message-id=<m1@x.org>",
        "h postfix/cleanup[1]: ABCDEF: message-id=<m2@x.org>",
        "h postfix/qmgr[1]: ABCDEF: from=<>, size=1, nrcpt=1 (queue active)",
    ]
    assert set(evidence.read(log)) == {"m2"}
