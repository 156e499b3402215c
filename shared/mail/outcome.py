"""What became of handing one mail to the mail server, and what a server's answer means (RFC 5321, 3463, 1870)."""

import re
from dataclasses import dataclass
from enum import StrEnum

LONGEST_REPLY = 500  # characters kept; an answer of more is not meant to be read


class Phase(StrEnum):
    """How far a conversation with the server had come."""

    CONNECT = "connect"  # TCP, TLS from the first byte, the greeting
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # the command, then the message up to its last line
    DOT = "dot"  # the line that ends the message has been written: the server may have it

    @property
    def about_us(self) -> bool:
        """Whether an answer in this phase speaks of us and says nothing of the recipient."""
        return self in {Phase.CONNECT, Phase.EHLO, Phase.STARTTLS, Phase.AUTH}


class Slows(StrEnum):
    """What should be sent more slowly because of a deferral."""

    NOTHING = "nothing"
    DOMAIN = "domain"  # the recipient's
    SERVER = "server"  # everything that goes this way


class Fault(StrEnum):
    """What a refusal is about."""

    ADDRESS = "address"  # nobody can be reached there
    MESSAGE = "message"  # this message, for its size or form
    POLICY = "policy"  # who sends, or what is thought of it; says nothing against the address


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The server has taken the mail upon itself; whether it arrives is another matter."""

    code: int
    reply: str
    queue_id: str  # the server's name for the mail, by which its log is searched; empty when it gave none
    phase: Phase = Phase.DOT


@dataclass(frozen=True, kw_only=True)
class Deferred:
    """The server has certainly not taken it and may later; nobody got anything."""

    phase: Phase
    code: int  # 0 when there was no answer
    reply: str  # or what happened instead of an answer
    slows: Slows = Slows.NOTHING


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The server will not take it, now or later."""

    phase: Phase
    code: int
    reply: str
    fault: Fault


@dataclass(frozen=True, kw_only=True)
class Uncertain:
    """The server may or may not have taken it: nobody on this side can know (RFC 1047). Never sent again by itself."""

    phase: Phase
    why: str


Outcome = Accepted | Deferred | Refused | Uncertain


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A server's answer; `text` is fit to be kept and shown."""

    code: int  # 0: none came, or none that can be read
    text: str  # the lines of the answer, or what happened instead of one

    @property
    def enhanced(self) -> tuple[int, int] | None:
        """Subject and detail of the enhanced status code (RFC 3463), where the answer has one of its own class."""
        found = re.match(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\S)", self.text)
        if found is None or int(found[1]) != self.code // 100:  # where the two disagree the reply code rules
            return None
        return int(found[2]), int(found[3])


def make_reply(code: int, text: str) -> Reply:
    """Return an answer with its text made fit to be kept: short, without control characters and without bytes that are no text."""
    clean = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    clean = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", clean).strip()
    return Reply(code=code if 200 <= code < 600 else 0, text=clean[:LONGEST_REPLY])


def judge(phase: Phase, reply: Reply) -> Outcome:
    """Return what `reply` makes of a mail in `phase`, for an answer that does not lead on to the next phase.

    Only the first digit and the enhanced code are relied on where they exist (RFC 5321, section 4.3.2: unknown codes count by
    their first digit). No readable answer is a deferral before the last line was written, and uncertain from then on.
    """
    kind = reply.code // 100
    if phase is Phase.DOT and kind == 2:
        return Accepted(code=reply.code, reply=reply.text, queue_id=queue_id(reply.text))
    if kind == 4 or (kind == 5 and _passes_with_time(phase, reply)):
        return Deferred(phase=phase, code=reply.code, reply=reply.text, slows=_slows(reply))
    if kind == 5:
        return Refused(phase=phase, code=reply.code, reply=reply.text, fault=_fault(phase, reply))
    why = reply.text or "no answer"
    if phase is Phase.DOT:
        return Uncertain(phase=phase, why=f"{reply.code} {why}" if reply.code else why)
    return Deferred(phase=phase, code=reply.code, reply=why)


def _slows(reply: Reply) -> Slows:
    # 421: the server closes for everybody. 454 outside STARTTLS is how relays by subscription say "too fast".
    if reply.code in {421, 454} or reply.enhanced in {(3, 2), (4, 5)}:  # not accepting now; congestion
        return Slows.SERVER
    if reply.enhanced is not None and reply.enhanced[0] == 7:  # greylisting, reputation, rate of this recipient's domain
        return Slows.DOMAIN
    return Slows.NOTHING


_FULL = re.compile(r"quota|full|storage|space|mailbox (?:size )?limit", re.IGNORECASE)
_TOO_LARGE = re.compile(r"(?:message|mail|size)\b.*(?:large|big|exceeds|maximum|too long)|too (?:large|big)", re.IGNORECASE)


def _passes_with_time(phase: Phase, reply: Reply) -> bool:
    """Say whether an answer of class 5 is a passing state all the same.

    A full mailbox is one: RFC 3463, section 3.3, wants X.2.2 treated as a persistent transient failure, since its owner can make
    room. So are too many recipients (X.5.3, and a bare 552 to RCPT: RFC 5321, section 4.5.3.1.10) and a sequence of commands that
    the server did not follow (500, 502, 503): that is the state of the link and says nothing of the mail.
    A message that is too large (X.3.4, X.2.3; RFC 1870, section 6) stays too large.
    """
    if reply.enhanced is not None:
        return reply.enhanced in {(2, 2), (5, 3)}
    if reply.code in {500, 502, 503} and phase is not Phase.DOT:
        return True
    if reply.code != 552:
        return False
    if _FULL.search(reply.text):
        return True
    return phase is Phase.RCPT and not _TOO_LARGE.search(reply.text)


# By subject of the enhanced code: addressing, mailbox, mail system, routing, protocol, content, security or policy (RFC 3463, 3).
_BY_SUBJECT = {1: Fault.ADDRESS, 2: Fault.ADDRESS, 4: Fault.ADDRESS, 6: Fault.MESSAGE}
_BY_CODE = {
    (1, 7): Fault.POLICY,  # the sender's address
    (1, 8): Fault.POLICY,
    (2, 3): Fault.MESSAGE,  # longer than this mailbox takes
    (3, 4): Fault.MESSAGE,  # longer than the system takes
    (6, 7): Fault.ADDRESS,  # it needs SMTPUTF8 (RFC 6531)
}


def _fault(phase: Phase, reply: Reply) -> Fault:
    enhanced = reply.enhanced
    if enhanced is not None and enhanced in _BY_CODE:
        return _BY_CODE[enhanced]
    if phase is Phase.MAIL:  # nobody but us has been named yet
        return Fault.MESSAGE if reply.code == 552 else Fault.POLICY
    if enhanced is not None and enhanced != (5, 0):  # "550 5.5.0 mailbox unavailable" is what outlook.com says of unknown people
        return _BY_SUBJECT.get(enhanced[0], Fault.POLICY)
    if phase is Phase.RCPT:
        return Fault.ADDRESS if reply.code in {501, 550, 551, 552, 553, 556} else Fault.POLICY
    return Fault.MESSAGE if reply.code == 552 else Fault.POLICY


_QUEUE_IDS = (
    re.compile(r"\bqueued (?:mail )?(?:as|for delivery as)[ :]*<?([\w.@+=-]{4,80})", re.IGNORECASE),  # Postfix and many more
    re.compile(r"\bid=([\w.@+=-]{4,80})", re.IGNORECASE),  # Exim
    re.compile(r"^(?:2\.\d\.\d )?([\w-]{8,80}) Message accepted for delivery", re.IGNORECASE),  # sendmail
    re.compile(r"^(?:2\.\d\.\d )?Ok:? ([\w-]{12,80})$", re.IGNORECASE),  # Amazon SES
)


def queue_id(reply: str) -> str:
    """Return the server's own name for a mail that it has accepted, or an empty string where its answer shows none."""
    for pattern in _QUEUE_IDS:
        if found := pattern.search(reply):
            return found[1].rstrip(".")
    return ""
