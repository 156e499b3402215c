"""One connection to the mail server, which always knows how far it has come.

aiosmtplib speaks the commands; the message itself is written here, because `started` has to be durable right before its first byte, and
because its last line (the dot) is what divides "certainly not taken" from "nobody knows".
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from aiosmtplib import SMTP, SMTPException, SMTPHeloError, SMTPResponseException
from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse

from shared.mail.outcome import Deferred, Fault, Outcome, Phase, Refused, Reply, Uncertain, judge, make_reply
from shared.mail.server import Encryption, MailServer

MESSAGES_PER_CONNECTION = 100  # then a new one: servers and balancers like an end, and many cut off after a hundred or so
DRAIN_LOOK_SECONDS = 0.002
QUIT_SECONDS = 5.0

_LINE_END = re.compile(rb"\r\n|\n|\r")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_CONTROL = re.compile(r"[\x00-\x20\x7f<>]")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds that each phase may take: those of RFC 5321, section 4.5.3.2. Shorter ones make uncertain what would have been known."""

    connect: float = 60.0
    command: float = 300.0  # greeting, EHLO, AUTH, MAIL, RCPT, DATA
    data: float = 180.0  # to be rid of the message, up to its last line
    dot: float = 600.0


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A mail as it is handed over, to one recipient."""

    sender: str  # where bounces go; empty for the null sender
    recipient: str
    message: bytes


class ServerTroubleError(Exception):
    """The mail server takes nothing from us now: it does not answer, or refuses us before a mail was named. No recipient is at fault."""

    def __init__(self, phase: Phase, reply: Reply) -> None:
        super().__init__(f"{phase.value}: {reply.code or ''} {reply.text}".replace(":  ", ": "))
        self.phase = phase
        self.reply = reply


class Connection:
    """A connection that opens itself when a mail is to be sent, and that is used by one task at a time.

    It is renewed after `cap` mails, and dropped when anything about it is in doubt.
    """

    def __init__(
        self,
        server: MailServer,
        *,
        hello: str,
        patience: Patience | None = None,
        cap: int = MESSAGES_PER_CONNECTION,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Take the server, the name by which we greet it, and how certificates are checked (as Python does, unless `tls` is given)."""
        self.server = server
        self.phase = Phase.CONNECT
        self._hello = hello
        self._patience = patience or Patience()
        self._cap = cap
        self._tls = tls
        self._smtp: SMTP | None = None
        self._sent = 0  # over this link

    @property
    def is_open(self) -> bool:
        """Whether the link stands, as far as this side knows."""
        return self._smtp is not None and self._smtp.is_connected

    async def open(self) -> None:
        """Connect, protect the link and sign in; does nothing where that is done. Raises ServerTroubleError."""
        if self.is_open:
            return
        self.drop()
        tls, server = self.server.encryption, self.server
        self._smtp = smtp = SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=self._hello,
            use_tls=tls is Encryption.TLS,
            start_tls=False,
            tls_context=self._tls,
            timeout=None,  # time-outs are ours: the library's way of making them can swallow a cancellation
        )
        self._sent = 0
        await self._enter(Phase.CONNECT, smtp.connect(), self._patience.connect)
        await self._greet(smtp)
        if tls is Encryption.STARTTLS:
            await self._enter(Phase.STARTTLS, smtp.starttls(), self._patience.command)
            await self._greet(smtp)  # what was said in clear counts no longer (RFC 3207, section 4.2)
        if server.user:
            await self._enter(Phase.AUTH, smtp.login(server.user, server.password), self._patience.command)

    async def _greet(self, smtp: SMTP) -> None:
        async def hello() -> SMTPResponse:
            try:
                return await smtp.ehlo()
            except SMTPHeloError as error:
                if error.code // 100 != 5 or not smtp.is_connected:
                    raise
                return await smtp.helo()

        await self._enter(Phase.EHLO, hello(), self._patience.command)

    async def _enter(self, phase: Phase, work: Awaitable[SMTPResponse], seconds: float) -> None:
        reply = await self._ask(phase, work, seconds)
        if reply.code // 100 != 2:
            self.drop()
            raise ServerTroubleError(phase, reply)

    async def send(self, mail: Envelope, before_first_byte: Callable[[], Awaitable[None]]) -> Outcome:
        """Return what became of handing over one mail; `before_first_byte` is awaited right before the message's first byte leaves.

        When `before_first_byte` raises, nothing of the message leaves, the link is dropped and the error rises. Raises
        ServerTroubleError when the server takes nothing from us. When the task is cancelled the link is dropped; had
        `before_first_byte` been called, it is then not known whether the server has the mail.
        """
        try:
            used = self.is_open
            await self.open()
            outcome = await self._hand_over(mail, before_first_byte)
            if used and isinstance(outcome, Deferred) and outcome.phase is Phase.MAIL and not self.is_open:
                # A link that rested was closed by the server: no news of this mail.
                await self.open()
                outcome = await self._hand_over(mail, before_first_byte)
        except BaseException:
            self.drop()
            raise
        self._sent += 1
        if self._sent >= self._cap:
            await self.close()
        return outcome

    async def _hand_over(self, mail: Envelope, before_first_byte: Callable[[], Awaitable[None]]) -> Outcome:
        smtp = self._smtp
        assert smtp is not None
        message = _with_crlf(mail.message)
        options, refusal = _options(smtp, mail, message)
        if refusal is not None:
            return refusal
        encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
        steps: tuple[tuple[Phase, int, Callable[[], Awaitable[SMTPResponse]]], ...] = (
            (Phase.MAIL, 2, lambda: smtp.mail(mail.sender, options=options, encoding=encoding)),
            (Phase.RCPT, 2, lambda: smtp.rcpt(mail.recipient, encoding=encoding)),
            (Phase.DATA, 3, lambda: smtp.execute_command(b"DATA")),
        )
        for phase, leads_on, say in steps:
            reply = await self._ask(phase, say(), self._patience.command)
            if reply.code // 100 == leads_on:
                continue
            if phase is Phase.MAIL and reply.code in {530, 535, 538}:  # sign in first; use TLS first
                self.drop()
                raise ServerTroubleError(phase, reply)
            if reply.code // 100 in {2, 3}:  # the server is elsewhere in the conversation than we are
                self.drop()
            return await self._end(phase, reply)
        await before_first_byte()
        return await self._write(smtp.protocol, _LEADING_DOT.sub(b"..", message))

    async def _write(self, protocol: SMTPProtocol | None, message: bytes) -> Outcome:
        """Write the message, then its last line, and read the answer."""
        if protocol is None:
            return await self._end(Phase.DATA, make_reply(0, "the link was dropped before the message began"))
        # Reading begins first: a server may refuse in mid message, and the library forgets what nobody has asked for.
        reading = asyncio.ensure_future(protocol.read_response())
        try:
            await asyncio.sleep(0)
            early = await self._ask(Phase.DATA, self._write_message(protocol, message, reading), self._patience.data)
            if early.text or early.code:
                self.drop()  # in the middle of a message there is no way back
                if early.code // 100 in {2, 3}:
                    return Uncertain(phase=Phase.DATA, why=f"{early.code} before the message had ended: {early.text}")
                return judge(Phase.DATA, early)
            return await self._end(Phase.DOT, await self._ask(Phase.DOT, self._write_dot(protocol, reading), self._patience.dot))
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError, SMTPException):
                await reading

    @staticmethod
    async def _write_message(protocol: SMTPProtocol, message: bytes, reading: "asyncio.Future[SMTPResponse]") -> SMTPResponse:
        """Return once the system has the whole message, with an empty answer; or the answer that came before that."""
        if not reading.done():
            protocol.write(message)
        transport = cast("asyncio.WriteTransport | None", protocol.transport)
        while not reading.done():
            if transport is None or not transport.get_write_buffer_size():
                await asyncio.sleep(0)  # what has already come in is seen before the last line goes out
                break
            await asyncio.sleep(DRAIN_LOOK_SECONDS)
        return await reading if reading.done() else SMTPResponse(0, "")

    @staticmethod
    async def _write_dot(protocol: SMTPProtocol, reading: "asyncio.Future[SMTPResponse]") -> SMTPResponse:
        protocol.write(b".\r\n")
        return await reading

    async def _ask(self, phase: Phase, work: Awaitable[SMTPResponse], seconds: float) -> Reply:
        """Return the answer; one of code 0 says what happened instead, and then the link is dropped."""
        self.phase = phase
        try:
            async with asyncio.timeout(seconds):
                response = await work
        except TimeoutError:
            answer, broken = make_reply(0, f"no answer within {seconds:g} s"), True
        except SMTPResponseException as error:
            answer = make_reply(error.code, error.message)
            broken = not answer.code
            if broken:
                answer = Reply(code=0, text=f"no SMTP answer: {answer.text}" if answer.text else "no SMTP answer")
        except (SMTPException, OSError) as error:
            answer, broken = make_reply(0, str(error) or type(error).__name__), True
        else:
            answer = make_reply(response.code, response.message)
            broken = bool(response.code) and not answer.code
            if broken:
                answer = Reply(code=0, text=f"no SMTP answer: {response.code} {answer.text}")
        if broken or answer.code == 421:  # with 421 the server says that it closes the link (RFC 5321, section 3.8)
            self.drop()
        return answer

    async def _end(self, phase: Phase, reply: Reply) -> Outcome:
        """Return what the answer makes of the mail, and leave the link ready for the next or dropped."""
        outcome = judge(phase, reply)
        if isinstance(outcome, Uncertain):
            self.drop()
        elif self.is_open and not (phase is Phase.DOT and reply.code // 100 == 2):
            assert self._smtp is not None
            cleared = await self._ask(phase, self._smtp.rset(), self._patience.command)
            if cleared.code // 100 != 2:
                self.drop()
        return outcome

    async def close(self) -> None:
        """Take leave of the server, within seconds, and close the link."""
        smtp, self._smtp = self._smtp, None
        if smtp is None or not smtp.is_connected:
            return
        try:
            with suppress(SMTPException, OSError):
                async with asyncio.timeout(QUIT_SECONDS):
                    await smtp.quit()
        finally:
            smtp.close()

    def drop(self) -> None:
        """Close the link at once and say nothing."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()


def _with_crlf(message: bytes) -> bytes:
    """Return the message with CRLF as its only line end, the last one included: a bare CR or LF has been used to smuggle mails."""
    lines = _LINE_END.sub(b"\r\n", message)
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


def _options(smtp: SMTP, mail: Envelope, message: bytes) -> tuple[list[str], Refused | None]:
    """Return the options of MAIL, and a refusal of our own for what this server could only refuse."""
    for address in filter(None, (mail.sender, mail.recipient)):
        if _CONTROL.search(address) or "@" not in address or not mail.recipient:
            return [], _refusal(553, "5.1.3 it is no mail address", Fault.ADDRESS)
    options: list[str] = []
    if smtp.supports_extension("size"):
        limit = smtp.esmtp_extensions.get("size", "")
        if limit.isdigit() and 0 < int(limit) < len(message):
            return [], _refusal(552, f"5.3.4 it has {len(message)} bytes and the server takes {limit} (RFC 1870)", Fault.MESSAGE)
        options.append(f"SIZE={len(message)}")
    if not message.isascii():
        if not smtp.supports_extension("8bitmime"):
            return [], _refusal(554, "5.6.3 it has eight-bit lines and the server takes seven (RFC 6152)", Fault.MESSAGE)
        options.append("BODY=8BITMIME")
    if not (mail.sender + mail.recipient).isascii():
        if not smtp.supports_extension("smtputf8"):
            return [], _refusal(553, "5.6.7 the server takes no addresses beyond ASCII (RFC 6531)", Fault.ADDRESS)
        options.append("SMTPUTF8")
    return options, None


def _refusal(code: int, text: str, fault: Fault) -> Refused:
    return Refused(phase=Phase.MAIL, code=code, reply=text, fault=fault)
