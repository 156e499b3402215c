"""What the others are told of pledges: whole data each time, with a revision that counts up within the pledge."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from services.pledges.domain.pledges import Facts, Pledge, pledge_path
from services.pledges.domain.submissions import StoredSubmission
from shared import outbox
from shared.auth.tokens import Person
from shared.db import Transaction
from shared.events.codes import Language, PledgeState, Verdict
from shared.events.every import DecisionMade, SubmissionDecided
from shared.events.pledges import PledgeFulfilled, PledgePublished, PledgeUpdated, PledgeWithdrawn
from shared.outbox import Telling
from shared.trace import Cause

PLEDGE, CHAMPION = "pledge", "champion"
"""What a decision is about, in the audit trail."""


def whole_of(pledge: Pledge, public_url: str) -> dict[str, Any]:
    """Return what every event about a standing pledge says."""
    facts = pledge.facts
    money = None if facts.currency is None or facts.amount is None else {"currency": facts.currency, "amount": format(facts.amount, "f")}
    same = (
        "language title entity entity_type participants kinds way scope regions countries objectives principles start due state synthetic"
    )
    return {
        **{name: getattr(facts, name) for name in same.split()},
        "number": pledge.number,
        "text": facts.description,
        "money": money,
        "address": f"{public_url}{pledge_path(pledge.number)}",
    }


def published(pledge: Pledge, public_url: str, *, cause: Cause, historic: bool = False) -> Telling:
    """Return that a pledge stands on the register; of one that was corrected the same again, which its revision tells."""
    event = PledgePublished(**whole_of(pledge, public_url))
    return _telling(event, pledge, cause=cause, historic=historic)


def reported(
    before: Facts, pledge: Pledge, note: dict[str, str] | None, public_url: str, *, cause: Cause, historic: bool = False
) -> Telling:
    """Return that the owner of a pledge reported on it, or that it is fulfilled; `before` is how it stood until then."""
    facts = pledge.facts
    whole = {**whole_of(pledge, public_url), "note": note or None}
    spoken_of = facts.reported_on or facts.published_on
    if facts.state is PledgeState.FULFILLED:
        evidence = facts.evidence[0] if facts.evidence and facts.evidenced else None
        event: Any = PledgeFulfilled(**whole, fulfilled=spoken_of, evidence=evidence)
    else:
        event = PledgeUpdated(**whole, was=before.state, reported=spoken_of)
    return _telling(event, pledge, cause=cause, historic=historic)


def withdrawn(pledge: Pledge, *, cause: Cause) -> Telling:
    """Return that a pledge no longer stands on the register."""
    return _telling(PledgeWithdrawn(number=pledge.number, reason=pledge.facts.withdrawn_because), pledge, cause=cause)


def _telling(event: Any, pledge: Pledge, *, cause: Cause, historic: bool = False) -> Telling:
    return Telling(data=event, subject=str(pledge.id), cause=cause, revision=pledge.revision, historic=historic)


async def tell(tx: Transaction, *tellings: Telling) -> None:
    """Put these into the outbox, in this order."""
    await outbox.put_all(tx, tellings)


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What the reviewers say of a submission, in words for its sender."""

    verdict: Verdict
    language: Language  # of the reason
    reason: str | None = None
    became: str | None = None
    address: str | None = None


async def tell_decided(tx: Transaction, submission: StoredSubmission, decided: Decided, revision: int) -> None:
    """Tell the door what was decided on a submission."""
    event = SubmissionDecided(**vars(decided))
    await outbox.put(tx, event, subject=str(submission.id), cause=submission.cause, revision=revision)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a person of the team decided about a pledge, or about the record of a champion country."""

    what: str
    by: Person
    title: Any
    content: Any  # exactly what was decided on
    page: str  # where the team sees it
    reason: str | None = None
    about: str = PLEDGE


async def tell_decision(tx: Transaction, decision: Decision, *, subject: UUID, cause: Cause) -> None:
    """Tell the audit trail that a person decided something."""
    content = orjson.dumps(decision.content, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    event = DecisionMade(
        who=decision.by.id,
        what=decision.what,
        about=decision.about,
        title=decision.title,
        content_hash=hashlib.sha256(content).hexdigest(),
        reason=decision.reason,
        address=decision.page,
    )
    await outbox.put(tx, event, subject=str(subject), cause=cause)
