"""What the words of subscribing mean, and what follows from them; no I/O."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.newsletter.sending.rules import SubscriberState


class Act(StrEnum):
    """What a receipt is of."""

    ASKED = "asked"  # somebody typed the address into the form
    CONFIRMED = "confirmed"  # its owner pressed the button that the mail led to
    CHANGED = "changed"  # another language
    PAUSED = "paused"
    RESUMED = "resumed"
    LEFT = "left"
    ERASED = "erased"
    IMPORTED = "imported"
    SUPPRESSED = "suppressed"
    LIFTED = "lifted"  # a suppression was taken back; consent was not given by that


class Source(StrEnum):
    """By which way an act came."""

    FORM = "form"  # the public form, where anybody may type any address
    LINK = "link"  # a link that only mails to this address carry
    ONE_CLICK = "one-click"  # the mail program's own button (RFC 8058)
    IMPORT = "import"
    STAFF = "staff"


class Because(StrEnum):
    """Why an address must not be written to."""

    ERASED = "erased"  # its owner had it erased
    COMPLAINT = "complaint"  # was reported as spam
    DEAD = "dead"  # nobody is reached there
    REQUEST = "request"  # its owner asked us never to write again


STAFF_REASONS = (Because.REQUEST, Because.COMPLAINT, Because.DEAD)
"""The reasons that a person of the team can name; erasing is a step of its own."""


class Purpose(StrEnum):
    """What somebody asks for, to be done by a link in a mail."""

    SUBSCRIBE = "subscribe"
    LINK = "link"  # the way to their preferences
    ERASE = "erase"


class WishState(StrEnum):
    """Where a wish stands."""

    ASKED = "asked"  # kept; nobody has looked yet whose address it is
    MAILED = "mailed"  # a mail with a link that confirms it is on its way
    ANSWERED = "answered"  # nothing is left to confirm
    CONFIRMED = "confirmed"
    VOID = "void"  # overtaken by another act of the same person
    EXPIRED = "expired"


class Mail(StrEnum):
    """Which mail answers a wish."""

    CONFIRM = "confirm"  # press a button to subscribe
    KNOWN = "known"  # you are subscribed already; this is the way to your preferences
    LINK = "link"
    ERASE = "erase"  # press a button to be erased
    NONE = "none"


CONFIRM_FOR = timedelta(days=7)
ERASE_FOR = timedelta(days=1)
PAUSE_MONTHS = (1, 3, 6)
_MONTH = timedelta(days=30)

# Whoever knows an address can have mails sent to it; this bounds how many, whatever number of clients they come from.
MAILS_A_DAY = 8
# To an address that was erased or thought dead, since it became so: its owner may ask twice, and nobody else must pester them.
MAILS_A_DAY_WHERE_UNWELCOME = 2
MAILS_WITHIN = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of an address."""

    state: SubscriberState
    because: Because | None = None  # only while suppressed
    paused_until: datetime | None = None

    def is_paused(self, now: datetime) -> bool:
        """Whether issues pass this subscriber by for a while."""
        return self.state is SubscriberState.CONFIRMED and self.paused_until is not None and self.paused_until > now

    @property
    def never_by_form(self) -> bool:
        """Whether the owner has told us, or the reader's mail provider for them, never to write: anybody could be typing at a form."""
        return self.because in {Because.COMPLAINT, Because.REQUEST}


def mail_for(purpose: Purpose, standing: Standing | None, mailed_lately: int) -> Mail:
    """Return which mail answers a wish.

    `standing` is None for an address that nobody knows; `mailed_lately` counts what it was already sent within MAILS_WITHIN,
    since it was suppressed where it is.
    """
    if mailed_lately >= MAILS_A_DAY or (standing is not None and standing.never_by_form):
        return Mail.NONE
    state = SubscriberState.UNCONFIRMED if standing is None else standing.state
    if state is SubscriberState.SUPPRESSED:
        # Erased, or thought dead: its owner may have changed their mind.
        wanted = purpose is Purpose.SUBSCRIBE and mailed_lately < MAILS_A_DAY_WHERE_UNWELCOME
        return Mail.CONFIRM if wanted else Mail.NONE
    match purpose:
        case Purpose.SUBSCRIBE:
            return Mail.KNOWN if state is SubscriberState.CONFIRMED else Mail.CONFIRM
        case Purpose.LINK:
            return Mail.NONE if state is SubscriberState.UNCONFIRMED else Mail.LINK
        case Purpose.ERASE:
            return Mail.NONE if state is SubscriberState.UNCONFIRMED else Mail.ERASE


def lasts(purpose: Purpose) -> timedelta:
    """Return for how long a wish can be confirmed."""
    return ERASE_FOR if purpose is Purpose.ERASE else CONFIRM_FOR


def pause_until(months: int, now: datetime) -> datetime:
    """Return when a pause of so many months ends; raises ValueError for a number that is not offered."""
    if months not in PAUSE_MONTHS:
        raise ValueError(f"a pause of {months} months is not offered; take one of {PAUSE_MONTHS}")
    return now + months * _MONTH


def new_token() -> str:
    """Return what stands in a link that acts once: 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """Return what is kept of such a link."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def masked(address: str) -> str:
    """Return an address by which its owner knows it and nobody else learns it: `a…@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}" if domain else ""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One act, as it is kept; nothing in it says whose address it was."""

    subscriber_id: UUID
    act: Act
    source: Source
    language: str  # of the bulletin, from then on
    by: str = ""  # id of the person of the team who did it
    version: str = ""  # of the words shown
    words: str = ""  # exactly as they were shown
    words_language: str = ""
    note: str = ""  # the reason, or where an import says that the consent comes from
    given_at: datetime | None = None  # when the consent was given, where that was before an import
    client: bytes = b""  # keyed hash of the network that asked, where somebody may later say it was not them
