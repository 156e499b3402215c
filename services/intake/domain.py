"""The rules of intake: how a submission is named, what it may become and who may say so. No I/O."""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from shared.events.codes import Channel, Language, Service
from shared.events.every import DecisionMade, SubmissionDecided
from shared.events.intake import PracticePublished, SubmissionReceived
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


DECIDED_HERE = frozenset({"practice"})
"""Kinds on which intake decides today; the others that it is to review wait for their part."""
OPEN = frozenset({SubmissionState.RECEIVED, SubmissionState.QUESTION})
"""States in which a submission awaits a decision."""


class PracticeState(StrEnum):
    """Where a practice stands."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class IntakeError(Exception):
    """Something that intake was asked to do cannot be done."""


class UnknownSubmissionError(IntakeError):
    """No submission has this id here; if the database was restored, restore one that holds it, then redrive."""


class AlreadyDecidedError(IntakeError):
    """Somebody has decided on this submission already; look at what they decided before deciding otherwise."""

    def __init__(self, state: SubmissionState) -> None:
        super().__init__(self.__doc__)
        self.state = state


class ReviewedElsewhereError(IntakeError):
    """Intake does not decide on this kind; the service that reviews it does, and tells intake."""


class ReviewedHereError(IntakeError):
    """Another service told a decision on a kind that intake reviews itself; an event never gives that right."""


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

    @property
    def title(self) -> Mapping[str, str]:
        """What it is called, per language."""
        return title_of(self.public, self.internal, self.language)

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

    @property
    def title(self) -> Mapping[str, str]:
        """What it is called, per language."""
        return title_of(self.public, self.internal, self.language)

    @property
    def confirm_until(self) -> datetime:
        """Until when its sender may confirm it."""
        return confirm_until(self.received_at)

    @property
    def is_open(self) -> bool:
        """Whether it awaits a decision."""
        return self.state in OPEN

    @property
    def is_reviewed_here(self) -> bool:
        """Whether intake decides on it, now or with a later part."""
        return reviewer_of(self.kind) is Service.INTAKE


@dataclass(frozen=True, kw_only=True)
class NewPractice:
    """A practice about to be published."""

    id: UUID
    submission_id: UUID
    language: str
    title: Mapping[str, str]
    summary: Mapping[str, str]
    text: Mapping[str, str] | None
    entity: str
    entity_type: str
    countries: list[str]
    objectives: list[int]
    principles: list[str]
    links: list[Mapping[str, Any]]
    published_at: datetime


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided on a submission."""

    state: SubmissionState
    reason: str | None = None
    reason_language: str | None = None
    address: str | None = None
    revision: int = 0  # of the event that told it; 0 for a decision made here


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
SLUG_CHARACTERS = 60


def new_reference(kind: str, received_at: datetime, *, digits: int = REFERENCE_DIGITS) -> str:
    """Return a reference that people can read out on the telephone: PR-2026-7F3K."""
    return f"{PREFIXES[kind]}-{received_at.year}-{''.join(secrets.choice(_DIGITS) for _ in range(digits))}"


def new_token() -> str:
    """Return the last part of a tracking page's address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def slug_of(title: Mapping[str, str], language: str) -> str:
    """Return the words of a title as an address has them, from the English title where there is one; empty for other scripts."""
    letters = unicodedata.normalize("NFKD", title.get("en") or title[language]).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", letters))
    return slug if len(slug) <= SLUG_CHARACTERS else slug[: SLUG_CHARACTERS + 1].rpartition("-")[0] or slug[:SLUG_CHARACTERS]


def slugs_for(practice: NewPractice, reference: str) -> tuple[str, ...]:
    """Return the addresses that a practice may have, best first; the last one is its own alone."""
    slug, own = slug_of(practice.title, practice.language), reference.lower()
    return (slug, f"{slug}-{own}") if slug else (own,)


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
) -> NewSubmission:
    """Return what is kept of a submission: its fields by who may see them, the contact encrypted."""
    parts = submission.split()
    return NewSubmission(
        id=receipt,
        kind=submission.kind_name,
        channel=channel,
        partner_id=partner_id,
        language=submission.language,
        public=parts.public,
        internal=parts.internal,
        contact_sealed=seal(orjson.dumps(parts.contact)),
        token=new_token(),
        received_at=received_at,
    )


def received_event(new: NewSubmission | StoredSubmission, reference: str) -> SubmissionReceived:
    """Return what the others are told of it; the contact travels, encrypted, only to a service that has to mail the person."""
    travels = reviewer_of(new.kind) is not Service.INTAKE
    language: Any = new.language  # the model reads what the database gave back
    return SubmissionReceived(
        kind=new.kind,
        reference=reference,
        language=language,
        channel=Channel(new.channel),
        partner=str(new.partner_id) if new.partner_id else None,
        public=new.public,
        internal=new.internal,
        contact=new.contact_sealed.decode("ascii") if travels else None,
    )


# ---- decisions ----


def check_may_decide(submission: StoredSubmission, *, wanted: SubmissionState) -> None:
    """Return where a colleague may bring a practice into the state `wanted`.

    Raises ReviewedElsewhereError for a kind that is not decided on here, AlreadyDecidedError where somebody was quicker.
    """
    if submission.kind not in DECIDED_HERE:
        raise ReviewedElsewhereError(ReviewedElsewhereError.__doc__)
    ready = submission.state is SubmissionState.ACCEPTED if wanted is SubmissionState.WITHDRAWN else submission.is_open
    if not ready:
        raise AlreadyDecidedError(submission.state)


def told_decision(submission: StoredSubmission, told: SubmissionDecided, revision: int) -> Decision | None:
    """Return what another service decided, or None where something newer is already known.

    Raises ReviewedHereError for a kind that no other service may decide on.
    """
    if submission.is_reviewed_here:
        raise ReviewedHereError(ReviewedHereError.__doc__)
    if revision < submission.decision_revision:
        return None
    return Decision(
        state=SubmissionState(told.verdict.value),
        reason=told.reason,
        reason_language=told.language if told.reason else None,
        address=told.address,
        revision=revision,
    )


def practice_from(submission: StoredSubmission, *, practice_id: UUID, at: datetime) -> NewPractice:
    """Return the practice that an accepted submission becomes."""
    public = submission.public
    return NewPractice(
        id=practice_id,
        submission_id=submission.id,
        language=submission.language,
        title=public["title"],
        summary=public["summary"],
        text=public.get("text"),
        entity=public["entity"],
        entity_type=public["entity_type"],
        countries=list(public.get("countries", ())),
        objectives=list(public.get("objectives", ())),
        principles=list(public.get("principles", ())),
        links=list(public.get("links", ())),
        published_at=at,
    )


def published_event(practice: NewPractice, address: str) -> PracticePublished:
    """Return what the others are told of a published practice."""
    # The model reads what the database gave back; the types of both are the model's business.
    fields: dict[str, Any] = {name: value for name, value in vars(practice).items() if name in PracticePublished.model_fields}
    return PracticePublished(**fields, address=address)


def decision_made(submission: StoredSubmission, decision: Decision, *, who: str, page: str) -> DecisionMade:
    """Return what the audit trail is told of a decision on a submission; `page` is where the team sees it."""
    title: Any = submission.title  # the model reads what the database gave back
    content = orjson.dumps([submission.public, submission.internal], option=orjson.OPT_SORT_KEYS)
    return DecisionMade(
        who=who,
        what=_DECIDED[decision.state],
        about=submission.kind,
        title=title,
        content_hash=hashlib.sha256(content).hexdigest(),
        reason=decision.reason,
        address=page,
    )


_DECIDED = {
    SubmissionState.ACCEPTED: "accept",
    SubmissionState.DECLINED: "decline",
    SubmissionState.WITHDRAWN: "withdraw",
    SubmissionState.QUESTION: "ask",
}


def submission_cause(submission: StoredSubmission) -> Cause:
    """Return the cause of what a decision tells: the event that told of the submission, in the trace of its receipt."""
    return Cause(id=str(submission.event_id), trace_id=submission.id.hex)
