"""GCM Talks: announced, corrected, moved, cancelled, and told as held with what came of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain import StoredSubmission, submission_cause
from services.intake.domain import talks as rules
from services.intake.domain.slugs import talk_path
from services.intake.domain.talks import StoredTalk, TalkState
from services.intake.store import talks
from shared import outbox
from shared.db import Transaction
from shared.events.intake import Talk
from shared.events.times import When
from shared.ids import new_id

FIRST_REVISION = 1


async def accept(tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str) -> str:
    """Announce a Talk; returns the address of its page."""
    new = StoredTalk(
        id=new_id(),
        submission_id=found.id,
        state=TalkState.ANNOUNCED,
        revision=FIRST_REVISION,
        language=found.language,
        fields=fields,
        published_at=at,
        updated_at=at,
        corrected_at=None,
        slug="",  # the store finds one
        was=[],
        cancelled_because=None,
        outcome=None,
        shows_note=False,
    )
    talk = await talks.add(tx, new, found.reference)
    await _tell(tx, found, talk, rules.standing_event(talk, _address(talk, public_url)))
    return _address(talk, public_url)


async def correct(tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str) -> None:
    """Change what is said of a Talk, and tell it again as it stands; when it is held is changed by `move` alone."""
    talk = await _locked(tx, found)
    changed = _changed(talk, at, fields={**fields, "when": talk.fields["when"]}, corrected_at=at)
    await talks.save(tx, changed)
    await _tell(tx, found, changed, rules.standing_event(changed, _address(changed, public_url)))


async def move(tx: Transaction, found: StoredSubmission, when: When, *, at: datetime, public_url: str) -> None:
    """Announce another time, and keep the earlier one in sight; raises TalkError."""
    talk = await _locked(tx, found)
    rules.check_may_move(talk, when)
    changed = _changed(talk, at, fields={**talk.fields, "when": rules.as_kept(when)}, was=[*talk.was, talk.fields["when"]])
    await talks.save(tx, changed)
    await _tell(tx, found, changed, rules.moved_event(changed, _address(changed, public_url)))


async def cancel(tx: Transaction, found: StoredSubmission, because: Mapping[str, str], *, at: datetime, public_url: str) -> None:
    """Say that a Talk is not held, and why; its page stays. Raises TalkError."""
    talk = await _locked(tx, found)
    rules.check_may_cancel(talk)
    changed = _changed(talk, at, state=TalkState.CANCELLED, cancelled_because=dict(because))
    await talks.save(tx, changed)
    await _tell(tx, found, changed, rules.standing_event(changed, _address(changed, public_url)))


async def tell_outcome(tx: Transaction, found: StoredSubmission, outcome: Mapping[str, Any], *, at: datetime, public_url: str) -> None:
    """Say that a Talk was held and what came of it, for the first time or corrected; raises TalkError."""
    talk = await _locked(tx, found)
    rules.check_may_tell_outcome(talk, at.date())
    changed = _changed(talk, at, state=TalkState.HELD, outcome=dict(outcome))
    await talks.save(tx, changed)
    await _tell(tx, found, changed, rules.standing_event(changed, _address(changed, public_url)))


async def show_note(tx: Transaction, found: StoredSubmission, *, shown: bool) -> None:
    """Let the concept note stand on the public page, or no longer; the events do not carry it, so nobody is told."""
    talk = await _locked(tx, found)
    await talks.save(tx, replace(talk, shows_note=shown))


async def withdraw(tx: Transaction, found: StoredSubmission, *, reason: str, at: datetime, public_url: str) -> None:
    """Cancel a Talk, with the reason in the language of its sender."""
    await cancel(tx, found, {found.language: reason}, at=at, public_url=public_url)


async def standing(tx: Transaction, submission_id: UUID) -> Mapping[str, Any] | None:
    """Return what is said of a Talk now."""
    talk = await talks.of_submission(tx, submission_id)
    return talk.fields if talk else None


async def _locked(tx: Transaction, found: StoredSubmission) -> StoredTalk:
    talk = await talks.lock(tx, found.id)
    assert talk is not None  # the submission, which is locked, was accepted
    return talk


def _changed(talk: StoredTalk, at: datetime, **changes: Any) -> StoredTalk:
    return replace(talk, revision=talk.revision + 1, updated_at=at, **changes)


def _address(talk: StoredTalk, public_url: str) -> str:
    return f"{public_url}{talk_path(talk.slug)}"


async def _tell(tx: Transaction, found: StoredSubmission, talk: StoredTalk, event: Talk) -> None:
    await outbox.put(tx, event, subject=str(talk.id), cause=submission_cause(found), revision=talk.revision)
