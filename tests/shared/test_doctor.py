"""The doctor: each part well, each part ailing, with what to do; no secret said, nothing sent, and nothing that hangs holds it up."""

import asyncio
import base64
import json
import ssl
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dns.reversename
import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.demo.sandbox.server import sandbox
from services.owners import OWNERS
from services.social import examining
from services.upkeep import UNDECIDED
from shared import clock
from shared.auth.tokens import new_key_pair
from shared.broker import Probe, TopicState
from shared.doctor import brokers, command, databases, mails, reached, secrets, undecided
from shared.doctor.findings import Finding, Grade, Question, answers, ok
from shared.embedded.kafka import EmbeddedKafka
from shared.events import registry
from shared.mail.dkim import read_key
from shared.mail.outgoing import outgoing
from shared.migrations import migrate
from shared.settings import Settings
from shared.testing.databases import ask
from shared.vault import Vault, new_key
from tests.flows.running import ROOT, environment
from tests.shared.certificates import Pair, authority, server
from tests.shared.mail_keys import SELECTOR, pem
from tests.shared.mail_server import HANGS, Answer, says, scripted
from tests.shared.name_server import Zone, name_server
from tests.social.x_sandbox import account_on

KEY = new_key()
ISSUE = "0199a000-0000-7000-8000-000000000007"
SECRET = "a-secret-that-nobody-says"
PEM = pem()
RECORD = (
    "v=DKIM1; k=rsa; p="
    + base64.b64encode(read_key(PEM).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
)
SMTP_HOST = "mail.example.org"
WELL: dict[tuple[str, str], Sequence[str]] = {
    ("example.org", "TXT"): ['"v=spf1 mx -all"', '"something-else=1"'],
    ("tests._domainkey.example.org", "TXT"): [f'"{RECORD[:200]}" "{RECORD[200:]}"'],
    ("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=none"'],
    ("example.org", "MX"): ["20 second.example.org.", "10 mx.example.org."],
    (SMTP_HOST, "A"): ["9.9.9.9"],
    ("9.9.9.9.in-addr.arpa", "PTR"): [f"{SMTP_HOST}."],
}


def settings_of(**given: Any) -> Settings:
    wanted = {"kafka": "127.0.0.1:1", "database": "postgresql://nobody@127.0.0.1:1/x", "mail_from": "Network <news@example.org>"}
    return Settings(**(wanted | {"_env_file": None} | given))


def graded(found: Sequence[Finding]) -> dict[str, Grade]:
    return {finding.what: finding.grade for finding in found}


async def all_of(questions: Sequence[Question], seconds: float = 20.0) -> Sequence[Finding]:
    found = await answers(questions, seconds)
    assert all(finding.do for finding in found if finding.grade is not Grade.OK), "whatever is not well says what to do"
    return found


# ---- the form of the answers ----


async def test_what_hangs_is_named_and_holds_up_no_other_answer() -> None:
    async def hang() -> Sequence[Finding]:
        await asyncio.Event().wait()
        return []

    async def fail() -> Sequence[Finding]:
        raise OSError(f"postgresql://me:{SECRET}@db")

    async def answer() -> Sequence[Finding]:
        return [ok("c", "third", "well")]

    asked = [
        Question(part="a", what="first", ask=hang, do="look"),
        Question(part="b", what="second", ask=fail, do="look"),
        Question(part="c", what="third", ask=answer, do="look"),
    ]
    async with asyncio.timeout(20):
        found = await answers(asked, 0.2)
    assert graded(found) == {"first": Grade.WRONG, "second": Grade.WRONG, "third": Grade.OK}
    assert SECRET not in str(found)
    assert "OSError" in str(found)


# ---- database ----


async def test_a_database_that_is_well_and_one_behind_ahead_and_empty(database_url: str) -> None:
    settings = settings_of(database=database_url)
    found = graded(await all_of(databases.questions(settings, OWNERS)))
    assert {found[f"schema {service}"] for service in OWNERS} == {Grade.WRONG}
    await migrate(database_url, OWNERS)
    assert set(graded(await all_of(databases.questions(settings, OWNERS))).values()) == {Grade.OK}
    await ask(database_url, "UPDATE desk.schema_version SET version_num = '0001'")
    await ask(database_url, "UPDATE intake.schema_version SET version_num = '9999'")
    found = graded(await all_of(databases.questions(settings, OWNERS)))
    assert (found["schema desk"], found["schema intake"], found["schema social"]) == (Grade.WRONG, Grade.WARNING, Grade.OK)


async def test_the_role_of_a_service_may_do_its_work_and_no_more(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate(database_url, ["desk", "intake"])
    role = f"desk_{database_url.rpartition('test_')[2][:12]}"
    await ask(database_url, f"CREATE ROLE {role} LOGIN")
    await ask(database_url, f"GRANT {role} TO CURRENT_USER")
    try:
        url = database_url.replace("tidings@", f"{role}@")
        monkeypatch.setenv("TIDINGS_DATABASE_DESK", url)
        settings = settings_of(database=database_url)

        async def grade() -> Finding:
            (found,) = [one for one in await all_of(databases.questions(settings, ["desk", "intake"])) if one.what == "role of desk"]
            return found

        assert (await grade()).grade is Grade.WRONG
        await ask(database_url, f"GRANT USAGE ON SCHEMA desk TO {role}")
        await ask(database_url, f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA desk TO {role}")
        assert (await grade()).grade is Grade.OK
        await ask(database_url, f"GRANT USAGE ON SCHEMA intake TO {role}")
        await ask(database_url, f"GRANT SELECT ON intake.partners TO {role}")
        assert "intake" in (await grade()).found
        await ask(database_url, f"REVOKE USAGE ON SCHEMA intake FROM {role}")
        monkeypatch.delenv("TIDINGS_DATABASE_DESK")
        own = settings_of(database=url)  # as in desk's own container
        found = await all_of([*databases.questions(own, ["desk", "intake"]), *secrets.questions(own, ["desk", "intake"], Vault([KEY]))])
        assert {finding.grade for finding in found} == {Grade.OK}, found
        monkeypatch.setenv("TIDINGS_DATABASE_DESK", url)
        await ask(database_url, f"GRANT USAGE ON SCHEMA intake TO {role}")
        assert (await grade()).grade is Grade.WARNING
    finally:
        await ask(database_url, f"DROP OWNED BY {role}")
        await ask(database_url, f"DROP ROLE {role}")


async def test_clocks_that_differ_are_named(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now
    for hours, grade in ((0, Grade.OK), (1, Grade.WRONG)):
        monkeypatch.setattr(clock, "now", lambda hours=hours: now() - timedelta(hours=hours))
        found = await all_of(databases.questions(settings_of(database=database_url), []))
        assert graded(found)["its clock"] is grade


async def test_a_database_that_is_away_says_so_without_its_password() -> None:
    settings = settings_of(database=f"postgresql://me:{SECRET}@127.0.0.1:1/x")
    found = await all_of([*databases.questions(settings, OWNERS), *secrets.questions(settings, OWNERS, Vault([KEY]))])
    assert {finding.grade for finding in found if finding.what != "signing keys"} == {Grade.WRONG}
    assert SECRET not in str(found)


# ---- keys ----


async def test_keys_that_open_what_is_kept_and_a_key_that_lacks(database_url: str) -> None:
    await migrate(database_url, OWNERS)
    for number, key in enumerate((KEY, new_key())):
        await ask(
            database_url,
            "INSERT INTO newsletter.subscribers (id, address, address_hash, domain, language, state)"
            f" VALUES (gen_random_uuid(), '\\x{Vault([key]).seal(b'a').hex()}', '\\x0{number}', 'example.org', 'en', 'confirmed')",
        )
        found = await all_of(secrets.questions(settings_of(database=database_url), OWNERS, Vault([KEY])))
        assert graded(found)["data keys"] is (Grade.WRONG if number else Grade.OK)
    assert "newsletter.subscribers.address: 1 of 2" in str(found)


async def test_signing_and_reading_keys_belong_together(database_url: str) -> None:
    ours, other = new_key_pair(), new_key_pair()
    for public, grade in ((ours.public, Grade.OK), (other.public, Grade.WRONG)):
        settings = settings_of(database=database_url, signing_key=[ours.private], verify_keys=[public])
        found = await all_of(secrets.questions(settings, [], Vault([KEY])))
        assert graded(found)["signing keys"] is grade
        assert ours.private not in str(found)


# ---- Kafka ----


async def test_topics_as_they_must_be_missing_and_too_narrow(kafka: EmbeddedKafka) -> None:
    probe = Probe(kafka.address)
    found = await all_of(brokers.questions(probe, OWNERS))
    assert {finding.grade for finding in found} == {Grade.OK}, found
    await probe.close()
    with EmbeddedKafka({"desk.v1": 1}) as narrow:
        probe = Probe(narrow.address)
        grades = graded(await all_of(brokers.questions(probe, OWNERS)))
        await probe.close()
    assert (grades["desk.v1"], grades["intake.v1"]) == (Grade.WARNING, Grade.WRONG)


@pytest.mark.parametrize(
    ("copies", "possible", "grade", "words"),
    [(3, 3, Grade.OK, "3 of 3"), (3, 2, Grade.WARNING, "start it again"), (1, 3, Grade.WARNING, "Raise its replication")],
    ids=["as many as there are brokers", "a broker is away", "too few"],
)
async def test_copies_of_a_topic_are_held_against_the_brokers_that_answer(copies: int, possible: int, grade: Grade, words: str) -> None:
    class Told(Probe):
        async def described(self, topics: Collection[str]) -> Mapping[str, TopicState]:
            state = TopicState(partitions=registry.PARTITIONS, copies=copies, kept_days=14.0, copies_possible=possible)
            return dict.fromkeys(topics, state)

    topics, _ = brokers.questions(Told("127.0.0.1:1"), OWNERS)
    for finding in await topics.ask():
        assert (finding.grade, words in f"{finding.found} {finding.do}") == (grade, True), finding


async def test_a_kafka_that_is_away_is_named() -> None:
    probe = Probe("127.0.0.1:1")
    assert {finding.grade for finding in await all_of(brokers.questions(probe, OWNERS))} == {Grade.WRONG}
    await probe.close()


# ---- mail and the DNS ----


@pytest.mark.parametrize(
    ("setting", "answers_", "grade", "words"),
    [
        pytest.param("smtp://127.0.0.1:{port}", {}, Grade.OK, "takes us in clear", id="well"),
        pytest.param("smtp://127.0.0.1:{port}", {"greeting": says("554 no")}, Grade.WRONG, "554", id="refuses"),
        pytest.param("smtp://127.0.0.1:{port}?starttls=required", {}, Grade.WRONG, "starttls", id="offers no TLS"),
        pytest.param(
            f"smtp://me:{SECRET}@127.0.0.1:{{port}}",
            {"EHLO": says("250-mx\n250 AUTH PLAIN"), "AUTH": says("535 5.7.8 no")},
            Grade.WRONG,
            "auth",
            id="refuses the password",
        ),
    ],
)
async def test_the_mail_server_is_greeted_and_sent_nothing(setting: str, answers_: Mapping[str, Answer], grade: Grade, words: str) -> None:
    async with scripted(**answers_) as server:
        settings = settings_of(smtp=setting.format(port=server.port))
        (found, *_) = await all_of(mails.questions(settings, outgoing(settings), await unasked(), rehearses=False)[:1])
        assert (found.grade, words in found.found.lower()) == (grade, True), found
        assert server.messages == []
        assert not any(line.startswith(("MAIL", "RCPT", "DATA")) for line in server.heard)
    assert SECRET not in str(found)


@pytest.mark.parametrize(("scheme", "option"), [("smtps", ""), ("smtp", "?starttls=required")], ids=["TLS", "STARTTLS"])
async def test_a_mail_server_with_a_certificate_takes_us_in_and_one_without_trust_is_wrong(
    scheme: str, option: str, var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = authority()
    context, met = tls_of(server(by), var), list[str]()

    class Taking:
        async def handle_MAIL(self, *_: object) -> str:  # noqa: N802
            met.append("MAIL")
            return "250 2.1.0 Ok"

    def signed_in(*given: Any) -> AuthResult:
        return AuthResult(success=bytes(given[-1].password) == SECRET.encode())

    def made() -> SMTP:
        in_clear = scheme == "smtp"
        tls = context if in_clear else None
        return SMTP(Taking(), tls_context=tls, require_starttls=in_clear, authenticator=signed_in, auth_require_tls=in_clear)

    listening = await asyncio.get_running_loop().create_server(made, "127.0.0.1", ssl=context if scheme == "smtps" else None)
    port = listening.sockets[0].getsockname()[1]
    settings = settings_of(smtp=f"{scheme}://me:{SECRET}@localhost:{port}{option}")
    try:
        for is_trusted, grade, words in ((False, Grade.WRONG, "certificate"), (True, Grade.OK, "TLS, signed in")):
            if is_trusted:
                (var / "authority.pem").write_text(by.certificate)
                monkeypatch.setenv("SSL_CERT_FILE", str(var / "authority.pem"))
            (found,) = await all_of(mails.questions(settings, outgoing(settings), await unasked(), rehearses=False)[:1])
            assert (found.grade, words in found.found) == (grade, True), found
            assert SECRET not in str(found)
    finally:
        listening.close()
        await listening.wait_closed()
    assert met == []


def tls_of(pair: Pair, var: Path) -> ssl.SSLContext:
    """Return how a server shows a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    (var / "server.pem").write_text(pair.key + pair.certificate)
    context.load_cert_chain(var / "server.pem")
    return context


async def unasked() -> Any:
    async with name_server({}) as names:
        return names


async def test_a_mail_server_that_hangs_is_named_in_time() -> None:
    async with scripted(greeting=HANGS) as server:
        settings = settings_of(smtp=f"smtp://127.0.0.1:{server.port}")
        (found,) = await all_of(mails.questions(settings, outgoing(settings), await unasked(), rehearses=False)[:1], 0.5)
    assert (found.grade, found.found) == (Grade.WRONG, "no answer within 0 s")


async def asked_dns(zone: Zone, **given: Any) -> dict[str, Finding]:
    wanted = {"smtp": f"smtp://{SMTP_HOST}", "dkim_selector": SELECTOR, "dkim_key": PEM.decode()}
    settings = settings_of(**(wanted | given))
    async with name_server(zone) as names:
        found = await all_of(mails.questions(settings, outgoing(settings), names, rehearses=False)[1:])
    return {finding.what: finding for finding in found}


async def test_a_domain_that_is_set_up_well_has_nothing_to_be_done() -> None:
    found = await asked_dns(WELL)
    assert {finding.grade for finding in found.values()} == {Grade.OK}, found
    assert set(found) == {"SPF", "DKIM", "DMARC", "bounces", "reverse name"}


@pytest.mark.parametrize(
    ("what", "grade", "name", "records"),
    [
        pytest.param("SPF", Grade.WRONG, ("example.org", "TXT"), [], id="no SPF"),
        pytest.param("SPF", Grade.WRONG, ("example.org", "TXT"), ['"v=spf1 mx -all"', '"v=spf1 a -all"'], id="two SPF"),
        pytest.param("SPF", Grade.WARNING, ("example.org", "TXT"), ['"v=spf1 +all"'], id="SPF for everybody"),
        pytest.param("DKIM", Grade.WRONG, ("tests._domainkey.example.org", "TXT"), [], id="no DKIM"),
        pytest.param("DKIM", Grade.WRONG, ("tests._domainkey.example.org", "TXT"), ['"v=DKIM1; k=rsa; p="'], id="a key revoked"),
        pytest.param("DKIM", Grade.WRONG, ("tests._domainkey.example.org", "TXT"), ['"v=DKIM1; k=rsa; p=MIIB"'], id="another key"),
        pytest.param("DMARC", Grade.WRONG, ("_dmarc.example.org", "TXT"), [], id="no DMARC"),
        pytest.param("bounces", Grade.WRONG, ("example.org", "MX"), [], id="no MX"),
        pytest.param("bounces", Grade.WRONG, ("example.org", "MX"), ["0 ."], id="takes no mail"),
        pytest.param("reverse name", Grade.WARNING, ("9.9.9.9.in-addr.arpa", "PTR"), [], id="no reverse name"),
        pytest.param("reverse name", Grade.WARNING, ("9.9.9.9.in-addr.arpa", "PTR"), ["elsewhere.example.net."], id="another's name"),
    ],
)
async def test_what_lacks_in_the_dns_is_named_and_nothing_else(
    what: str, grade: Grade, name: tuple[str, str], records: Sequence[str]
) -> None:
    found = await asked_dns({**WELL, name: records})
    assert {one for one, finding in found.items() if finding.grade is not Grade.OK} == {what}
    assert found[what].grade is grade


async def test_a_mail_server_that_has_an_ipv6_address_alone_is_judged_by_it() -> None:
    address = "2620:fe::9"
    reverse = dns.reversename.from_address(address).to_text().rstrip(".")
    zone = {**WELL, (SMTP_HOST, "A"): [], (SMTP_HOST, "AAAA"): ["2620:FE:0::9"], (reverse, "PTR"): [f"{SMTP_HOST}."]}
    found = await asked_dns(zone)
    assert {finding.grade for finding in found.values()} == {Grade.OK}, found
    assert address in found["reverse name"].found
    for smtp in (f"smtp://{SMTP_HOST}", f"smtp://[{address}]:25"):
        found = await asked_dns({**zone, (reverse, "PTR"): []}, smtp=smtp)
        assert (found["reverse name"].grade, found["reverse name"].found) == (Grade.WARNING, f"{address} has no name")


async def test_dmarc_of_a_domain_above_counts_and_unsigned_mails_are_told() -> None:
    zone = {**WELL, ("news.example.org", "TXT"): ['"v=spf1 -all"'], ("news.example.org", "MX"): ["10 mx.example.org."]}
    found = await asked_dns(zone, mail_from="news@news.example.org", dkim_selector=None, dkim_key=None)
    assert (found["DMARC"].grade, found["DKIM"].grade) == (Grade.OK, Grade.WARNING)


async def test_where_mails_stay_inside_the_dns_is_not_asked() -> None:
    settings = settings_of(smtp="demo")
    found = await all_of(mails.questions(settings, outgoing(settings), await unasked(), rehearses=True))
    assert [finding.part for finding in found] == ["mail"]


# ---- networks, room, address ----


async def test_x_says_whose_keys_these_are_and_refused_ones_are_named() -> None:
    async with sandbox() as network:
        account = account_on(network)
        given = {name: getattr(account, name) for name in ("consumer_key", "consumer_secret", "access_token", "access_token_secret")}
        for change, grade in (({}, Grade.OK), ({"access_token_secret": SECRET}, Grade.WRONG)):
            keys = {f"x_{name}": value for name, value in (given | change).items()}
            (found,) = await all_of(examining.questions(settings_of(networks="live", x_api_url=network.address, **keys)))
            assert found.grade is grade, found
            assert not any(value in str(found) for value in (given | change).values())
        assert network.timeline.posts == []
    (away,) = await all_of(examining.questions(settings_of(networks="live", x_api_url="http://127.0.0.1:1", **keys)))
    (none,) = await all_of(examining.questions(settings_of(networks="live")))
    assert (away.grade, none.grade) == (Grade.WRONG, Grade.WARNING)


async def test_a_full_disk_and_an_address_that_nobody_reaches_are_named(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large, small = 500 * 1024**3, 64 * 1024**2
    for total, free, grade in (
        (large, 10 * 1024**3, Grade.OK),
        (large, 1024**3, Grade.WARNING),
        (large, 1024**2, Grade.WRONG),
        (small, 60 * 1024**2, Grade.OK),
        (small, 1024**2, Grade.WRONG),
    ):
        monkeypatch.setattr("shutil.disk_usage", lambda _, total=total, free=free: SimpleNamespace(total=total, free=free))
        found = graded(await all_of(reached.questions(settings_of(var=var, public_url="http://127.0.0.1:1"))))
        assert (found["TIDINGS_VAR"], found["front page"]) == (grade, Grade.WRONG)


async def test_a_certificate_is_judged_by_who_vouches_for_it_and_how_long_it_is_good(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by = authority()
    (var / "authority.pem").write_text(by.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(var / "authority.pem"))
    cases = (
        ("good", server(by, days=60), Grade.OK, "good for 60 days"),
        ("not renewed", server(by, days=10), Grade.WARNING, "good for 10 days"),
        ("about to end", server(by, days=2), Grade.WRONG, "good for 2 days"),
        ("over", server(by, days=-1), Grade.WRONG, "expired"),
        ("another's", server(authority(), days=60), Grade.WRONG, "localhost: "),
    )
    for why, pair, grade, words in cases:
        listening = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", ssl=tls_of(pair, var))
        port = listening.sockets[0].getsockname()[1]
        asked = reached.questions(settings_of(var=var, public_url=f"https://localhost:{port}"))
        (found,) = await all_of([one for one in asked if one.what == "certificate"])
        listening.close()
        assert (found.grade, words in found.found) == (grade, True), (why, found)


async def test_an_address_of_ipv6_alone_is_reached(var: Path) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(answer, "::1")
    asked = reached.questions(settings_of(var=var, public_url=f"http://[::1]:{listening.sockets[0].getsockname()[1]}"))
    assert graded(await all_of(asked))["front page"] is Grade.OK
    listening.close()


# ---- what waits for a person ----


async def test_what_waits_for_a_persons_word_is_counted(database_url: str) -> None:
    await migrate(database_url, OWNERS)
    settings = settings_of(database=database_url)

    async def asked() -> Mapping[tuple[str, str], Grade]:
        found = await all_of(undecided.questions(settings, OWNERS, UNDECIDED))
        return {(finding.what, finding.found): finding.grade for finding in found if finding.grade is not Grade.OK}

    assert await asked() == {}
    held = "INSERT INTO intake.mails (id, purpose, about, sealed, state, attempts, created_at, next_at, expires_at, answer)"
    await ask(database_url, f"{held} VALUES (gen_random_uuid(), 'p', 'a', '', 'held', 0, now(), now(), now(), '')")
    dead = 'INSERT INTO desk.parked (event_id, type, subject, topic, partition, "offset", headers, trace_id, state, behind, error,'
    dead += " attempts, first_at, last_at, next_at)"
    dead += " VALUES (gen_random_uuid(), 't', 's', 'x', 0, 0, '[]', 't', 'dead', false, '', 9, now(), now(), now())"
    await ask(database_url, dead)
    sends = "INSERT INTO newsletter.sends (issue_id, variants, approved_hash, fallback, starts_at, expires_at, state, audience)"
    await ask(database_url, f"{sends} VALUES ('{ISSUE}', '{{}}', 'h', 'en', now(), now(), 'held', 1)")
    copies = "INSERT INTO newsletter.audience (issue_id, subscriber_id, language, domain, state, next_at, ended_at)"
    copies += f" SELECT '{ISSUE}', gen_random_uuid(), 'en', 'x', 'uncertain', now(), now() FROM generate_series(1, 40)"
    await ask(database_url, copies)
    posts = (
        "INSERT INTO social.deliveries (id, post_id, cause, trace_id, network, language, content, content_hash, local_time, zone, due_at,"
    )
    posts += " not_before, state, waiting_for) VALUES (gen_random_uuid(), gen_random_uuid(), 'c', 't', 'x', 'en', '{}', 'h', now(), 'UTC',"
    await ask(database_url, posts + " now(), now(), 'waiting', 'uncertain')")
    assert await asked() == {
        ("desk", "1 events are tried no more"): Grade.WRONG,
        ("intake", "1 mails to single people are held since a restore"): Grade.WARNING,
        ("newsletter", "1 issues are held"): Grade.WARNING,
        ("newsletter", "40 copies of issues are uncertain, and not sent again"): Grade.WARNING,
        ("social", "1 posts wait for a person"): Grade.WARNING,
    }


# ---- the command ----


def doctor(var: Path, **given: str) -> "subprocess.CompletedProcess[str]":
    settings = environment(var) | given
    run = [sys.executable, "-m", "services", "doctor", "--json"]
    return subprocess.run(run, cwd=ROOT, env=settings, capture_output=True, text=True, check=False, timeout=120)


def test_the_command_works_with_nothing_up_and_ends_with_one(var: Path) -> None:
    done = doctor(var, TIDINGS_DATABASE=f"postgresql://me:{SECRET}@127.0.0.1:1/x", TIDINGS_KAFKA="127.0.0.1:1", TIDINGS_DATA_KEYS=KEY)
    said = json.loads(done.stdout)
    assert (done.returncode, said["ok"]) == (1, False)
    assert {"database", "kafka", "mail", "keys", "waiting", "public", "networks"} <= {finding["part"] for finding in said["findings"]}
    for secret in (SECRET, KEY):
        assert secret not in done.stdout + done.stderr


async def test_a_running_system_is_examined_whole(database_url: str, kafka: EmbeddedKafka, var: Path) -> None:
    await migrate(database_url, OWNERS)
    settings = settings_of(database=database_url, kafka=kafka.address, data_keys=[KEY], var=var, smtp="demo")

    async def asked(**changes: Any) -> Sequence[Finding]:
        changed = settings.model_copy(update=changes)
        return await command.examine(changed, OWNERS, examining.questions, UNDECIDED, lambda _: True, await unasked())

    def wrong_ones(found: Sequence[Finding]) -> set[str]:
        return {finding.what for finding in found if finding.grade is Grade.WRONG}

    found = await asked()
    assert wrong_ones(found) == {"front page"}, found
    urgency = [Grade.WRONG, Grade.WARNING, Grade.OK]
    assert [finding.grade for finding in found] == sorted((finding.grade for finding in found), key=urgency.index)
    assert "TIDINGS_VAR" not in {finding.what for finding in found}, "nothing is kept there"
    await ask(database_url, "UPDATE social.schema_version SET version_num = '0001'")
    assert wrong_ones(await asked(kafka="127.0.0.1:1")) == {"front page", "schema social", "topics", "services keep up"}
