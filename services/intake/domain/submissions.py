"""The rules of submissions: how one is named, what it may become and who may say so."""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from shared.events.codes import Channel, Language, Service
from shared.events.intake import SubmissionReceived
from shared.events.kinds import KINDS
from shared.events.kinds.parts import Submission
from shared.trace import Cause


class SubmissionState(StrEnum):
    """Where a submission stands, as its sender sees it."""

    UNCONFIRMED = "unconfirmed"  # came by a form; its sender has not yet shown that the mail address is theirs
    EXPIRED = "expired"  # nobody confirmed it in time
    RECEIVED = "received"
    QUESTION = "question"  # the reviewers asked something
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # was accepted, and no longer stands


REVIEWED_AT: Mapping[Service, str] = {Service.CALENDAR: "/calendar/review/", Service.PLEDGES: "/pledges/review/"}
"""Where the other services decide on what they review: the page of a submission is this with its id."""
TWO_PERSONS = frozenset({"news"})
"""Kinds that are said in the Network's own name: who wrote them last does not publish them."""
OPEN = frozenset({SubmissionState.RECEIVED, SubmissionState.QUESTION})
"""States in which a submission awaits a decision."""


class CameBy(StrEnum):
    """How something reached the colleague who enters it."""

    MAIL = "mail"
    NOTE_VERBALE = "note-verbale"
    TELEPHONE = "telephone"


class IntakeError(Exception):
    """Something that intake was asked to do cannot be done."""


class UnknownSubmissionError(IntakeError):
    """No submission has this id here; if the database was restored, restore one that holds it, then redrive."""


@dataclass(frozen=True, kw_only=True)
class NewSubmission:
    """Something that has come in and is about to be kept."""

    id: UUID  # the receipt; its digits are the trace id of everything that follows from it
    kind: str  # the word for it: practice
    channel: Channel
    partner_id: UUID | None  # empty where the public sent it
    language: Language
    public: Mapping[str, Any]
    internal: Mapping[str, Any]
    contact_sealed: bytes
    token: str  # of the tracking page; nobody can guess it
    received_at: datetime
    files: Sequence[Mapping[str, Any]] = ()  # sha256, name, media_type and size of each file that came with it
    entered_by: str | None = None  # id of the colleague who entered it for somebody; empty for other channels
    entered_by_name: str | None = None
    came_by: str | None = None  # how it reached the colleague: a word of CameBy
    came_on: date | None = None
    came_from: str | None = None  # who sent it, in the colleague's words

    @property
    def title(self) -> Mapping[str, str]:
        """What it is called, per language."""
        return title_of(self.public, self.internal, self.language)

    @property
    def hands(self) -> frozenset[str]:
        """The ids of those who may not be the one to accept it."""
        return frozenset({self.entered_by} if self.entered_by else ())

    @property
    def cause(self) -> Cause:
        """The cause of everything that follows from it."""
        return Cause.start(self.id)


@dataclass(frozen=True, kw_only=True)
class StoredSubmission:
    """A submission as it is kept."""

    id: UUID
    kind: str
    channel: str
    partner_id: UUID | None
    language: str
    reference: str
    public: Mapping[str, Any]
    internal: Mapping[str, Any]
    contact_sealed: bytes
    contact_confirmed_at: datetime | None  # empty until the person has answered a mail of ours
    state: SubmissionState
    reason: str | None  # why it was declined or withdrawn, or the question
    reason_language: str | None
    address: str | None  # where it is published
    event_id: UUID | None  # of its submission.received event; empty until it has been told of
    decision_revision: int  # of the last decision that another service told; 0 before the first
    token: str
    received_at: datetime
    decided_at: datetime | None
    decided_by_name: str | None  # of the person who decided here; the team sees it, the sender does not
    draft: Mapping[str, Any] | None  # the public fields as a colleague has changed them; empty once they are published
    edited_by: str | None  # id of the person who changed them last
    edited_by_name: str | None
    edited_at: datetime | None
    files: Sequence[Mapping[str, Any]]  # sha256, name, media_type and size of each file that came with it
    answers: Sequence[Mapping[str, Any]]  # what its sender answered: question, text and answered_at, oldest first
    became: str | None  # id of the pledge or date that another service made of it
    entered_by: str | None  # id of the colleague who entered it for somebody; empty for other channels
    entered_by_name: str | None
    came_by: str | None  # how it reached the colleague: a word of CameBy
    came_on: date | None
    came_from: str | None  # who sent it, in the colleague's words

    @property
    def title(self) -> Mapping[str, str]:
        """What it is called, per language, as a colleague has changed it where one has."""
        return title_of(self.words, self.internal, self.language)

    @property
    def confirm_until(self) -> datetime:
        """Until when its sender may confirm it."""
        return confirm_until(self.received_at)

    @property
    def is_open(self) -> bool:
        """Whether it awaits a decision."""
        return self.state in OPEN

    @property
    def hands(self) -> frozenset[str]:
        """The ids of those who may not be the one to accept it."""
        return frozenset(hand for hand in (self.entered_by, self.edited_by if self.kind in TWO_PERSONS else None) if hand is not None)

    @property
    def words(self) -> Mapping[str, Any]:
        """Its public fields, as a colleague has changed them where one has."""
        return self.draft or self.public

    @property
    def fingerprint(self) -> str:
        """What a person has read of it who decides now: another one once its words were changed, or its sender has answered."""
        return hashlib.sha256(orjson.dumps([self.words, self.answers], option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def told_revision(self) -> int:
        """The revision of its last submission.received event: each answer is told again."""
        return 1 + len(self.answers)

    @property
    def may_be_written_to(self) -> bool:
        """Whether its contact is one that we know to be real: the person confirmed it, or a partner that we know named it."""
        return bool(self.contact_sealed) and (self.contact_confirmed_at is not None or self.channel == Channel.WEBHOOK)

    @property
    def is_reviewed_here(self) -> bool:
        """Whether intake decides on it, now or with a later part."""
        return reviewer_of(self.kind) is Service.INTAKE

    @property
    def reviewed_at(self) -> str:
        """The path of the page on which another service decides on it; empty where that is ours, or it has not been handed on."""
        at = REVIEWED_AT.get(reviewer_of(self.kind))
        return f"{at}{self.id}" if at and self.state not in {SubmissionState.UNCONFIRMED, SubmissionState.EXPIRED} else ""


# ---- names ----

PREFIXES: Mapping[str, str] = {
    "practice": "PR",
    "talk": "TK",
    "pledge": "PL",
    "date": "DT",
    "news": "NW",
    "contribution": "CT",
    "promotion": "PM",
    "enquiry": "EN",
}
"""How the reference of each kind begins."""

# Crockford's: without I, L, O and U, which are misread, and which make words.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_DIGITS = 4  # a million for each kind and year; another digit whenever the one that was drawn is taken
TOKEN_BYTES = 24


def new_reference(kind: str, received_at: datetime, *, digits: int = REFERENCE_DIGITS) -> str:
    """Return a reference that people can read out on the telephone: PR-2026-7F3K."""
    return f"{PREFIXES[kind]}-{received_at.year}-{''.join(secrets.choice(_DIGITS) for _ in range(digits))}"


def new_token() -> str:
    """Return the last part of a tracking page's address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


# ---- what comes in ----

CONFIRM_DAYS = 7
"""How long the sender of a form may take to confirm the mail address."""


def confirm_until(received_at: datetime) -> datetime:
    """Return until when a submission of this moment may be confirmed."""
    return received_at + timedelta(days=CONFIRM_DAYS)


def token_hash(token: str) -> str:
    """Return what is kept of the token in a confirmation mail: with it nobody can confirm."""
    return hashlib.sha256(token.encode()).hexdigest()


def title_of(public: Mapping[str, Any], internal: Mapping[str, Any], language: str) -> Mapping[str, str]:
    """Return what a submission is called, per language; of an enquiry, which has no title for the public, its subject line."""
    title: Mapping[str, str] = public["title"] if "title" in public else {language: internal["subject"]}
    return title


def reviewer_of(kind: str) -> Service:
    """Return the service that decides on a kind."""
    return KINDS[kind].reviewed_by


def take_in(
    submission: Submission,
    *,
    receipt: UUID,
    channel: Channel,
    received_at: datetime,
    seal: Callable[[bytes], bytes],
    partner_id: UUID | None = None,
    files: Sequence[Mapping[str, Any]] = (),
    **entered: Any,
) -> NewSubmission:
    """Return what is kept of a submission: its fields by who may see them, the contact encrypted.

    `entered` says who entered it and how it reached that person, where a colleague did.
    """
    parts = submission.split()
    return NewSubmission(
        id=receipt,
        kind=submission.kind_name,
        channel=channel,
        partner_id=partner_id,
        language=submission.language,
        public=parts.public,
        internal=parts.internal,
        contact_sealed=seal(orjson.dumps(parts.contact)) if parts.contact else b"",
        token=new_token(),
        received_at=received_at,
        files=files,
        **entered,
    )


def received_event(new: NewSubmission | StoredSubmission, reference: str) -> SubmissionReceived:
    """Return what the others are told of it; the contact travels, encrypted, only to a service that has to mail the person."""
    travels = reviewer_of(new.kind) is not Service.INTAKE
    language: Any = new.language  # the model reads what the database gave back
    answers: Any = new.answers if isinstance(new, StoredSubmission) else ()
    files: Any = [{**file, "service": Service.INTAKE} for file in new.files]
    return SubmissionReceived(
        kind=new.kind,
        reference=reference,
        language=language,
        channel=Channel(new.channel),
        partner=str(new.partner_id) if new.partner_id else None,
        entered_by=new.entered_by,
        public=new.public,
        internal=new.internal,
        contact=new.contact_sealed.decode("ascii") if travels and new.contact_sealed else None,
        files=files,
        answers=answers,
    )
