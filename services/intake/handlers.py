"""Events in: what other services decide on the submissions that they review, and what follows from what was accepted."""

from uuid import UUID

from services.intake.domain import SubmissionState, UnknownSubmissionError, told_decision
from services.intake.store import followed, submissions
from shared.auth import people
from shared.db import Transaction
from shared.events.calendar import DateCancelled, DateMoved, DatePublished
from shared.events.codes import DateStatus
from shared.events.every import SubmissionDecided
from shared.events.newsletter import IssueSent
from shared.events.pledges import PledgeWithdrawn
from shared.events.social import PostPublished
from shared.listening import Received, each, listeners
from shared.pauses.stretches import FORBIDDING


async def note_decision(tx: Transaction, event: Received[SubmissionDecided]) -> None:
    """Show on the tracking page what the reviewing service decided, and tell the sender; what is not newer changes nothing."""
    became = event.data.became
    if became is not None:
        await followed.hold(tx, became)
    submission = await submissions.lock(tx, UUID(event.subject))
    if submission is None:
        raise UnknownSubmissionError(UnknownSubmissionError.__doc__)
    decision = told_decision(submission, event.data, event.revision)
    if decision is not None:
        # Nobody who sent something years ago is written to because it is imported now.
        await submissions.decide(tx, submission.id, decision, event.time, quietly=event.historic)
        # The two come by two roads: what it became may have been heard of as withdrawn before it was heard of at all.
        if became is not None and (ended := await followed.withdrawal_of(tx, became)) is not None:
            await submissions.withdraw(tx, submission.id, ended.words)


async def note_withdrawal(tx: Transaction, event: Received[PledgeWithdrawn]) -> None:
    """Show on the tracking page that the pledge that a submission became no longer stands; files that came with it are public no more."""
    await followed.hold(tx, event.subject)
    await followed.note(
        tx,
        event.subject,
        followed.WITHDRAWAL,
        event.subject,
        revision=event.revision,
        words=event.data.reason,
        address="",
        stands=False,
        at=event.time,
    )
    submission = await submissions.lock_what_became(tx, event.subject)
    if submission is not None and submission.state is SubmissionState.ACCEPTED:
        await submissions.withdraw(tx, submission.id, event.data.reason)


async def note_issue(tx: Transaction, event: Received[IssueSent]) -> None:
    """Show at everything that an issue prints in which one it was."""
    for source in event.data.sources:
        await followed.note(
            tx,
            source.id,
            "issue",
            event.subject,
            revision=event.revision,
            words=event.data.number,
            address=event.data.address,
            stands=True,
            at=event.data.sent,
        )


async def note_post(tx: Transaction, event: Received[PostPublished]) -> None:
    """Show that what was accepted was posted, and where."""
    if event.data.source is None:
        return
    for place in event.data.places:
        await followed.note(
            tx,
            event.data.source.id,
            "post",
            f"{event.subject}/{place.network}/{place.language}",
            revision=event.revision,
            words=place.network,
            address=place.address,
            stands=True,
            at=event.data.published,
        )


async def note_date(tx: Transaction, event: Received[DatePublished] | Received[DateMoved] | Received[DateCancelled]) -> None:
    """Show the date that something has in the calendar, by the id of what it is the date of, and by its own.

    Of a day on which nothing may be said, and of one that has become such, nothing is shown.
    """
    is_public = event.data.kind not in FORBIDDING
    for source_id in {event.subject, *([event.data.source.id] if event.data.source else [])}:
        await followed.note(
            tx,
            source_id,
            "date",
            event.subject,
            revision=event.revision,
            words="",
            address=event.data.address if is_public else "",
            stands=is_public and event.data.status is not DateStatus.CANCELLED,
            at=event.time,
        )


LISTENS = listeners(
    each(SubmissionDecided, note_decision),
    each(PledgeWithdrawn, note_withdrawal),
    each(IssueSent, note_issue),
    each(PostPublished, note_post),
    each(DatePublished, note_date),
    each(DateMoved, note_date),
    each(DateCancelled, note_date),
    people.LISTENER,
)
