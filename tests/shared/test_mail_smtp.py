"""One connection to a mail server: what each answer means, and that nobody is told a mail is known to be unsent when it is not."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as SmtpdEnvelope
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared import clock
from shared.mail.outcome import LONGEST_REPLY, Accepted, Deferred, Fault, Outcome, Phase, Refused, Slows, Uncertain, queue_id
from shared.mail.server import Encryption, MailServer
from shared.mail.smtp import Connection, Envelope, Patience, ServerTroubleError
from tests.shared.mail_server import DROPS, HANGS, Answer, ScriptedServer, says, scripted

MAIL = Envelope(sender="bounce+x@example.org", recipient="reader@example.net", message=b"Subject: x\r\n\r\n.one\r\ntwo\r\n")
# What takes 10 minutes in life takes a second here; the proportions stay.
QUICK = Patience(connect=20, command=20, data=20, dot=1.0)


@asynccontextmanager
async def connected(server: ScriptedServer, *, patience: Patience = QUICK, cap: int = 100) -> AsyncIterator[Connection]:
    connection = Connection(server.address, hello="sender.example.org", patience=patience, cap=cap)
    try:
        yield connection
    finally:
        await connection.close()


class Begun:
    """Counts how often the first byte was about to leave, and looks that it had not."""

    def __init__(self, server: ScriptedServer) -> None:
        self.times = 0
        self._server = server
        server.began.clear()

    async def __call__(self) -> None:
        await asyncio.sleep(0.01)
        assert not self._server.began.is_set() or self.times
        self.times += 1


async def outcome_of(server: ScriptedServer, mail: Envelope = MAIL) -> tuple[Outcome, int]:
    begun = Begun(server)
    async with connected(server) as connection:
        return await connection.send(mail, begun), begun.times


async def test_accepted_mail_is_told_with_its_queue_id_and_came_whole() -> None:
    async with scripted() as server:
        outcome, begun = await outcome_of(server)
        assert outcome == Accepted(code=250, reply="2.0.0 Ok: queued as 4F1A2B3C", queue_id="4F1A2B3C")
        assert begun == 1
        assert server.messages == [b"Subject: x\r\n\r\n..one\r\ntwo\r\n"]
        assert server.heard[:4] == [
            "EHLO sender.example.org",
            f"MAIL FROM:<{MAIL.sender}> SIZE=25",
            f"RCPT TO:<{MAIL.recipient}>",
            "DATA",
        ]


async def test_bare_line_ends_cannot_end_a_message_early() -> None:
    async with scripted() as server:
        mail = Envelope(sender="a@example.org", recipient="b@example.org", message=b"x\n.\nMAIL FROM:<evil@example.org>\r.\r\nend")
        outcome, _ = await outcome_of(server, mail)
        assert isinstance(outcome, Accepted)
        assert server.messages == [b"x\r\n..\r\nMAIL FROM:<evil@example.org>\r\n..\r\nend\r\n"]


D, R, U, A = Deferred, Refused, Uncertain, Accepted
CASES = [
    # what the server does, at which step; what becomes of it; was the message begun; what slows or is at fault
    ("421 at MAIL", "MAIL", says("421 4.3.2 Closing", drops=True), D, 0, Slows.SERVER),
    ("421 after the dot", "DOT", says("421 4.3.2 Going down", drops=True), D, 1, Slows.SERVER),
    ("450 greylisted", "RCPT", says("450 4.7.1 Greylisted, try again in 300 seconds"), D, 0, Slows.DOMAIN),
    ("450 mailbox busy", "RCPT", says("450 4.2.1 Mailbox busy"), D, 0, Slows.NOTHING),
    ("451 after the dot", "DOT", says("451 4.3.0 Try again later"), D, 1, Slows.NOTHING),
    ("452 no room", "RCPT", says("452 4.3.1 Insufficient system storage"), D, 0, Slows.NOTHING),
    ("452 at DATA", "DATA", says("452 4.5.3 Too many"), D, 0, Slows.NOTHING),
    ("454 throttled after the dot", "DOT", says("454 Throttling failure: Maximum sending rate exceeded."), D, 1, Slows.SERVER),
    ("451 policy", "RCPT", says("451 4.7.28 Unusual rate of mail"), D, 0, Slows.DOMAIN),
    ("550 nobody there", "RCPT", says("550 5.1.1 User unknown"), R, 0, Fault.ADDRESS),
    ("550 without more", "RCPT", says("550 No such user here"), R, 0, Fault.ADDRESS),
    ("550 as outlook.com says it", "RCPT", says("550 5.5.0 Requested action not taken: mailbox unavailable"), R, 0, Fault.ADDRESS),
    ("550 policy at RCPT", "RCPT", says("550 5.7.1 Blocked by list"), R, 0, Fault.POLICY),
    ("550 authentication of the domain", "DOT", says("550 5.7.515 Access denied"), R, 1, Fault.POLICY),
    ("550 content after the dot", "DOT", says("550 5.6.0 Bad header"), R, 1, Fault.MESSAGE),
    ("553 sender at MAIL", "MAIL", says("553 5.1.8 Sender domain does not exist"), R, 0, Fault.POLICY),
    ("553 mailbox name", "RCPT", says("553 5.1.3 Mailbox name not allowed"), R, 0, Fault.ADDRESS),
    ("554 policy after the dot", "DOT", says("554 5.7.1 Spam"), R, 1, Fault.POLICY),
    ("554 without more after the dot", "DOT", says("554 Transaction failed"), R, 1, Fault.POLICY),
    ("554 no recipients", "RCPT", says("554 5.1.1 Address rejected"), R, 0, Fault.ADDRESS),
    ("556 domain takes no mail", "RCPT", says("556 5.1.10 Null MX"), R, 0, Fault.ADDRESS),
    ("552 mailbox full", "RCPT", says("552 5.2.2 Mailbox full"), D, 0, Slows.NOTHING),
    ("552 mailbox full after the dot", "DOT", says("552 5.2.2 Over quota"), D, 1, Slows.NOTHING),
    ("552 mailbox full in words", "DOT", says("552 Requested mail action aborted: exceeded storage allocation"), D, 1, Slows.NOTHING),
    ("552 too large", "DOT", says("552 5.3.4 Message too big for system"), R, 1, Fault.MESSAGE),
    ("552 too large at MAIL", "MAIL", says("552 message size exceeds fixed maximum message size"), R, 0, Fault.MESSAGE),
    ("552 too large for the mailbox", "RCPT", says("552 5.2.3 Message exceeds administrative limit"), R, 0, Fault.MESSAGE),
    ("552 too many recipients", "RCPT", says("552 Too many recipients"), D, 0, Slows.NOTHING),
    ("503 out of step", "RCPT", says("503 Bad sequence of commands"), D, 0, Slows.NOTHING),
    ("500 after the dot", "DOT", says("500 Error"), R, 1, Fault.POLICY),
    ("599 unknown code of class 5", "DOT", says("599 5.7.0 No"), R, 1, Fault.POLICY),
    ("499 unknown code of class 4", "DOT", says("499 Maybe"), D, 1, Slows.NOTHING),
    ("classes that disagree", "RCPT", says("450 5.7.1 Come back"), D, 0, Slows.NOTHING),
    (
        "several lines, refused",
        "RCPT",
        says("550-5.1.1 The account\n550-5.1.1 that you tried\n550 5.1.1 is gone"),
        R,
        0,
        Fault.ADDRESS,
    ),
    ("several lines, accepted", "DOT", says("250-2.0.0 Taken\n250 2.0.0 id=1abc-defg"), A, 1, None),
    ("251 after the dot", "DOT", says("251 Will forward"), A, 1, None),
    ("slow 250", "DOT", says("250 2.0.0 Ok: queued as 77AA88BB", after_seconds=0.15), A, 1, None),  # 90 s of 600
    ("no 250 in time", "DOT", HANGS, U, 1, None),
    ("link dropped after the dot", "DOT", DROPS, U, 1, None),
    ("half a line after the dot", "DOT", Answer(says=b"250 2.0.0 O", drops=True), U, 1, None),
    ("garbage after the dot", "DOT", says("\x00\xff<html>"), U, 1, None),
    ("354 after the dot", "DOT", says("354 Go on"), U, 1, None),
    ("a code that is none after the dot", "DOT", says("999 What"), U, 1, None),
    ("garbage at RCPT", "RCPT", says("<html>\x00\xff"), D, 0, Slows.NOTHING),
    ("354 at RCPT", "RCPT", says("354 Go on"), D, 0, Slows.NOTHING),
    ("250 at DATA", "DATA", says("250 Ok"), D, 0, Slows.NOTHING),
    ("link dropped at MAIL", "MAIL", DROPS, D, 0, Slows.NOTHING),
    ("link dropped at RCPT", "RCPT", DROPS, D, 0, Slows.NOTHING),
    ("link dropped at DATA", "DATA", DROPS, D, 0, Slows.NOTHING),
]


@pytest.mark.parametrize(("step", "answer", "kind", "begun", "detail"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
async def test_each_answer_ends_where_it_belongs(
    step: str, answer: Answer, kind: type[Outcome], begun: int, detail: Slows | Fault | None
) -> None:
    async with scripted(**{step: answer}) as server:
        outcome, times = await outcome_of(server)
        assert (type(outcome), times) == (kind, begun), outcome
        if isinstance(outcome, Deferred):
            assert outcome.slows is detail
        if isinstance(outcome, Refused):
            assert outcome.fault is detail
        assert outcome.phase == Phase(step.lower())


# More than a socket takes at once, so that the last line cannot be on its way when the server cuts.
HUGE = Envelope(sender="a@example.org", recipient="b@example.org", message=(b"x" * 998 + b"\r\n") * 20_000)
NO_LIMIT = says("250 mx.example.org")


async def test_link_dropped_before_the_last_line_is_known_to_be_unsent() -> None:
    async with scripted(EHLO=NO_LIMIT) as server:
        server.cuts_with = b""
        outcome, begun = await outcome_of(server, HUGE)
    assert isinstance(outcome, Deferred), outcome
    assert (outcome.phase, begun, server.messages) == (Phase.DATA, 1, [])


async def test_refusal_in_mid_message_is_heard() -> None:
    async with scripted(EHLO=NO_LIMIT) as server:
        server.cuts_with = b"552 5.3.4 Too much\r\n"
        outcome, _ = await outcome_of(server, HUGE)
    assert isinstance(outcome, Refused), outcome
    assert (outcome.phase, outcome.fault) == (Phase.DATA, Fault.MESSAGE)


async def test_nothing_leaves_when_what_must_come_first_fails() -> None:
    async def fails() -> None:
        raise RuntimeError("the ledger is away")

    async with scripted() as server, connected(server) as connection:
        with pytest.raises(RuntimeError, match="ledger"):
            await connection.send(MAIL, fails)
        assert not connection.is_open
        assert isinstance(await connection.send(MAIL, Begun(server)), Accepted)
        assert len(server.messages) == 1


@pytest.mark.parametrize(
    ("step", "answer", "phase"),
    [
        pytest.param("greeting", says("554 5.7.1 You are on a list"), Phase.CONNECT, id="unwelcome"),
        pytest.param("greeting", DROPS, Phase.CONNECT, id="dropped at once"),
        pytest.param("greeting", says("HTTP/1.1 400 Bad Request"), Phase.CONNECT, id="no mail server"),
        pytest.param("EHLO", says("421 4.7.0 Too many connections"), Phase.EHLO, id="too many of us"),
        pytest.param("MAIL", says("530 5.7.0 Authentication required"), Phase.MAIL, id="sign in first"),
    ],
)
async def test_trouble_with_the_server_is_no_fault_of_a_recipient(step: str, answer: Answer, phase: Phase) -> None:
    async with scripted(**{step: [answer]}) as server, connected(server) as connection:
        with pytest.raises(ServerTroubleError) as raised:
            await connection.send(MAIL, Begun(server))
        assert raised.value.phase is phase
        assert isinstance(await connection.send(MAIL, Begun(server)), Accepted)  # and it heals by itself


async def test_server_without_starttls_is_refused_where_it_is_required() -> None:
    async with scripted() as server:
        connection = Connection(replace(server.address, encryption=Encryption.STARTTLS), hello="x.example.org", patience=QUICK)
        with pytest.raises(ServerTroubleError, match="STARTTLS"):
            await connection.open()
        assert not connection.is_open


async def test_server_that_knows_no_ehlo_is_spoken_to_plainly() -> None:
    async with scripted(EHLO=says("502 5.5.1 What?")) as server:
        outcome, _ = await outcome_of(server)
        assert isinstance(outcome, Accepted)
        assert server.heard[1] == "HELO sender.example.org"


async def test_link_is_used_again_reset_after_a_refusal_and_renewed_at_its_cap() -> None:
    async with scripted(RCPT=[says("550 5.1.1 Unknown")]) as server, connected(server, cap=3) as connection:
        begun = Begun(server)
        kinds = [type(await connection.send(MAIL, begun)) for _ in range(4)]
        assert kinds == [Refused, Accepted, Accepted, Accepted]
        assert server.links == 2
        verbs = [line.split()[0] for line in server.heard]
        assert verbs[:5] == ["EHLO", "MAIL", "RCPT", "RSET", "MAIL"]
        assert verbs[verbs.index("QUIT") :][:2] == ["QUIT", "EHLO"]


async def test_link_that_was_closed_while_it_rested_is_opened_again_without_a_word() -> None:
    async with scripted() as server, connected(server) as connection:
        assert isinstance(await connection.send(MAIL, Begun(server)), Accepted)
        server.answers["MAIL"] = [says("421 4.4.2 Idle for too long", drops=True)]
        assert isinstance(await connection.send(MAIL, Begun(server)), Accepted)
        assert (server.links, len(server.messages)) == (2, 2)


async def test_a_link_in_doubt_is_never_used_again() -> None:
    async with scripted(DOT=[HANGS]) as server, connected(server) as connection:
        assert isinstance(await connection.send(MAIL, Begun(server)), Uncertain)
        assert not connection.is_open
        assert isinstance(await connection.send(MAIL, Begun(server)), Accepted)
        assert server.links == 2


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        pytest.param(Envelope(sender="a@b.org", recipient="x@y.org>\r\nRCPT TO:<z@y.org", message=b"x"), 553, id="commands smuggled"),
        pytest.param(Envelope(sender="a@b.org", recipient="nobody", message=b"x"), 553, id="no address"),
        pytest.param(Envelope(sender="a@b.org", recipient="jürg@y.org", message=b"x"), 553, id="beyond ASCII"),
        pytest.param(Envelope(sender="a@b.org", recipient="x@y.org", message=b"x" * 100_001), 552, id="larger than the server says"),
    ],
)
async def test_what_the_server_could_only_refuse_is_not_offered(mail: Envelope, code: int) -> None:
    async with scripted() as server:
        outcome, begun = await outcome_of(server, mail)
        assert isinstance(outcome, Refused)
        assert (outcome.code, begun) == (code, 0)
        assert [line.split()[0] for line in server.heard[:2]] in (["EHLO"], ["EHLO", "QUIT"])


async def test_replies_are_kept_fit_to_be_stored() -> None:
    async with scripted(RCPT=says("550 5.1.1 \x00bad\xff" + "x" * 5000)) as server:
        outcome, _ = await outcome_of(server)
    assert isinstance(outcome, Refused)
    assert len(outcome.reply) <= LONGEST_REPLY
    assert "\x00" not in outcome.reply
    outcome.reply.encode("utf-8")  # no lone surrogates


async def test_a_cancelled_send_drops_the_link() -> None:
    async with scripted(DOT=[HANGS]) as server, connected(server, patience=Patience()) as connection:
        task = asyncio.create_task(connection.send(MAIL, Begun(server)))
        async with asyncio.timeout(60):
            await server.began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not connection.is_open


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("2.0.0 Ok: queued as 4F1A2B", "4F1A2B"),
        ("OK id=1tXyZ-000abc-12", "1tXyZ-000abc-12"),
        ("2.0.0 4AMAbcDe012345 Message accepted for delivery", "4AMAbcDe012345"),
        ("Ok 0100018c-aaaa-bbbb-cccc-000000", "0100018c-aaaa-bbbb-cccc-000000"),
        ("2.6.0 <abc@example.org> Queued mail for delivery", ""),
        ("Ok", ""),
    ],
)
def test_queue_id_is_found(reply: str, expected: str) -> None:
    assert queue_id(reply) == expected


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key, that only who is told trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
async def test_link_is_encrypted_and_the_certificate_is_checked(certificate: Path, encryption: Encryption) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    seen: list[bytes] = []

    class Taking:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: SmtpdEnvelope) -> str:  # noqa: N802
            assert session.ssl or encryption is Encryption.TLS
            assert isinstance(envelope.content, bytes)
            seen.append(envelope.content)
            return "250 2.0.0 Ok: queued as 4F1A2B3C"

    begun_in_clear = encryption is Encryption.STARTTLS
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(Taking(), tls_context=context if begun_in_clear else None, require_starttls=begun_in_clear),
        "127.0.0.1",
        ssl=None if begun_in_clear else context,
    )
    server = MailServer(host="localhost", port=listening.sockets[0].getsockname()[1], encryption=encryption)

    async def nothing() -> None:
        """Keep nothing."""

    try:
        with pytest.raises(ServerTroubleError, match="certificate"):
            await Connection(server, hello="x.example.org", patience=QUICK).open()
        trusting = Connection(server, hello="x.example.org", patience=QUICK, tls=ssl.create_default_context(cafile=certificate))
        assert isinstance(await trusting.send(MAIL, nothing), Accepted)
        await trusting.close()
    finally:
        listening.close()
        await listening.wait_closed()
    assert [message.count(b".one") for message in seen] == [1]
