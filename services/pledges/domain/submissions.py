"""A pledge that came in: who may decide on it, and what a person should look at before. No I/O."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.pledges.domain.pledges import Facts, Pledge, PledgeError, Standing
from shared.trace import Cause


class SubmissionState(StrEnum):
    """Where a submission stands."""

    RECEIVED = "received"
    QUESTION = "question"  # the reviewers asked its sender something
    ACCEPTED = "accepted"
    DECLINED = "declined"


OPEN = frozenset({SubmissionState.RECEIVED, SubmissionState.QUESTION})
"""States in which a submission awaits a decision."""


class AlreadyDecidedError(PledgeError):
    """Somebody has decided on this already; look at what they decided before deciding otherwise."""


class OwnWorkError(PledgeError):
    """Who entered something for somebody else may not be the one who accepts it; another moderator can."""


class DoubtsError(PledgeError):
    """Something about this pledge should be looked at first; say that you have."""


@dataclass(frozen=True, kw_only=True)
class StoredSubmission:
    """A submission as it is kept."""

    id: UUID
    reference: str
    language: str
    channel: str
    partner: str | None
    entered_by: str | None
    public: Mapping[str, Any]
    internal: Mapping[str, Any]
    files: Sequence[Mapping[str, Any]]
    answers: Sequence[Mapping[str, Any]]
    contact_sealed: bytes
    event_id: UUID
    trace_id: str
    received_at: datetime
    state: SubmissionState
    reason: str | None  # why it was declined, or the question
    decision_revision: int  # of the last decision told; 0 before the first
    decided_at: datetime | None
    decided_by_name: str | None
    revision: int  # of the door's last word
    later: Sequence[Mapping[str, Any]]  # what the door told after the decision: the fields of WORDS, and when; oldest first

    @property
    def is_open(self) -> bool:
        """Whether it awaits a decision."""
        return self.state in OPEN

    @property
    def cause(self) -> Cause:
        """The cause of what a decision tells: the event that told of the submission."""
        return Cause(id=str(self.event_id), trace_id=self.trace_id)


WORDS = ("public", "internal", "files", "answers")
"""What a sender says: the fields that a decision rests on."""


def says_more(submission: StoredSubmission, word: Mapping[str, Any]) -> bool:
    """Say whether a word of the door, which came after the decision, says anything else than the last one that is kept."""
    last = submission.later[-1] if submission.later else {name: getattr(submission, name) for name in WORDS}
    return any(word[name] != last[name] for name in WORDS)


def said_later(submission: StoredSubmission, word: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a later word has otherwise than what was decided on: fields that differ, and answers and files that are new."""
    differing = {
        name: {field: value for field, value in word[name].items() if getattr(submission, name).get(field) != value}
        for name in ("public", "internal")
    }
    return differing | {name: [one for one in word[name] if one not in getattr(submission, name)] for name in ("answers", "files")}


def check_may_decide(submission: StoredSubmission, who: str, *, accept: bool = False) -> None:
    """Return where this person may decide; raises AlreadyDecidedError, and OwnWorkError for who would `accept` what they entered."""
    if not submission.is_open:
        raise AlreadyDecidedError(AlreadyDecidedError.__doc__)
    if accept and submission.entered_by == who:
        raise OwnWorkError(OwnWorkError.__doc__)


# ---- what a person should see before accepting ----


class Doubt(StrEnum):
    """What may be wrong with a pledge although its form is filled in well."""

    REFUGEES = "refugees"  # its words are about refugees or asylum seekers, whose pledges are made under another compact
    MATCH_UNKNOWN = "match-unknown"  # no pledge has the number that it names
    MATCH_WITHDRAWN = "match-withdrawn"
    MATCH_TITLE = "match-title"  # the pledge of that number bears another title
    ALIKE = "alike"  # the register may have it already; a joint pledge is recorded once


@dataclass(frozen=True, kw_only=True)
class Doubtful:
    """A doubt with what it rests on."""

    doubt: Doubt
    words: Sequence[str] = ()  # of the text
    pledges: Sequence[Pledge] = ()


# Word stems in the six languages in which people write to us.
_REFUGEE_WORDS = re.compile(
    r"\b(?:refugees?|asylum|réfugié\w*|demandeu\w+ d['’]asile|droit d['’]asile|refugiad\w+|solicitantes? de asilo|asilo)\b"
    r"|\b\w*لاجئ\w*|\b\w*اللجوء\b|\bбежен\w+|\bубежищ\w+|难民|庇护",
    re.IGNORECASE,
)


def words_about_refugees(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the words of these texts that speak of refugees or asylum, each once, as they were written.

    No such word makes a pledge a wrong one: one for migrants may name both. A person decides.
    """
    found = (match.group() for text in texts for match in _REFUGEE_WORDS.finditer(unicodedata.normalize("NFC", text)))
    return tuple(dict.fromkeys(found))


def doubts_of(facts: Facts, matched_title: str | None, *, matched: Pledge | None, alike: Sequence[Pledge]) -> Sequence[Doubtful]:
    """Return what a person should look at: `matched` is the pledge of the number that it names, `alike` what looks the same."""
    found = []
    if words := words_about_refugees([*facts.title.values(), *facts.description.values(), *facts.participants]):
        found.append(Doubtful(doubt=Doubt.REFUGEES, words=words))
    if facts.matched_number is not None:
        found += _doubts_of_match(matched_title, matched)
    if alike:
        found.append(Doubtful(doubt=Doubt.ALIKE, pledges=alike))
    return found


def _doubts_of_match(title: str | None, matched: Pledge | None) -> Sequence[Doubtful]:
    if matched is None:
        return [Doubtful(doubt=Doubt.MATCH_UNKNOWN)]
    if matched.facts.standing is Standing.WITHDRAWN:
        return [Doubtful(doubt=Doubt.MATCH_WITHDRAWN, pledges=[matched])]
    if title is not None and _plain(title) not in {_plain(one) for one in matched.facts.title.values()}:
        return [Doubtful(doubt=Doubt.MATCH_TITLE, pledges=[matched])]
    return []


def _plain(title: str) -> str:
    """Return a title without what two people write differently: capitals, accents, signs and spaces."""
    letters = unicodedata.normalize("NFKD", title).casefold()
    return "".join(sign for sign in letters if sign.isalnum())


_NUMBER = re.compile(r"p[\s-]*0*([0-9]{1,9})", re.IGNORECASE)


def number_as_written(text: str) -> str:
    """Return a pledge's number as the register writes it (P-0042), however it was typed; what is no number stays as it is."""
    found = _NUMBER.fullmatch(text.strip())
    return f"P-{int(found.group(1)):04d}" if found else text.strip()
