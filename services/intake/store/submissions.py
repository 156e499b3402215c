"""Receipts and submissions: kept once, found again, decided on."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    DateTime,
    Double,
    LargeBinary,
    Row,
    Select,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.intake.domain import Decision, IntakeError, NewSubmission, StoredSubmission, SubmissionState
from services.intake.store import notices
from services.intake.store.tables import partners, receipts, submissions
from shared.auth.tokens import Person
from shared.db import Transaction

TRACKING = "/intake/track/"
"""The page of a submission for its sender is this with its token."""
_TOLD_BY_MAIL = frozenset({SubmissionState.QUESTION, SubmissionState.ACCEPTED, SubmissionState.DECLINED})


class RepeatError(IntakeError):
    """This was kept before; look up what became of it, and answer as then."""


class ReferenceTakenError(IntakeError):
    """Another submission has this reference; draw another."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """How a webhook came in."""

    partner_id: UUID
    key_id: UUID
    webhook_id: str
    fingerprint: str
    type: str
    dialect: str
    source: str
    event_id: str
    occurred_at: datetime
    sent_at: datetime
    skew_seconds: float
    unread: list[str]
    raw_sealed: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What was kept when the same webhook came before."""

    receipt: UUID
    fingerprint: str
    type: str
    token: str


# One statement, because each further one costs a round trip before the partner has its answer.
_KEEP = text("""
    WITH receipt AS (
        INSERT INTO receipts (id, partner_id, key_id, webhook_id, fingerprint, type, dialect, source, event_id,
                              occurred_at, sent_at, received_at, skew_seconds, unread, raw_sealed)
        VALUES (:id, :partner_id, :key_id, :webhook_id, :fingerprint, :type, :dialect, :source, :event_id,
                :occurred_at, :sent_at, :received_at, :skew_seconds, :unread, :raw_sealed)
        ON CONFLICT (partner_id, webhook_id) DO NOTHING
        RETURNING id
    ), submission AS (
        INSERT INTO submissions (id, kind, channel, partner_id, language, reference, public, internal, contact_sealed,
                                 state, event_id, decision_revision, token, received_at)
        SELECT receipt.id, :kind, :channel, :partner_id, :language, :reference, :public, :internal, :contact_sealed,
               'received', :told_as, 0, :token, :received_at
        FROM receipt
        ON CONFLICT (reference) DO NOTHING
        RETURNING id
    )
    SELECT EXISTS (SELECT FROM receipt) AS is_new, EXISTS (SELECT FROM submission) AS is_kept
""").bindparams(
    bindparam("id", type_=Uuid),
    bindparam("partner_id", type_=Uuid),
    bindparam("key_id", type_=Uuid),
    bindparam("told_as", type_=Uuid),
    bindparam("occurred_at", type_=DateTime(timezone=True)),
    bindparam("sent_at", type_=DateTime(timezone=True)),
    bindparam("received_at", type_=DateTime(timezone=True)),
    bindparam("skew_seconds", type_=Double),
    bindparam("unread", type_=ARRAY(Text)),
    bindparam("raw_sealed", type_=LargeBinary),
    bindparam("contact_sealed", type_=LargeBinary),
    bindparam("public", type_=JSONB),
    bindparam("internal", type_=JSONB),
)


async def keep_webhook(tx: Transaction, new: NewSubmission, receipt: Receipt, *, reference: str, told_as: UUID) -> None:
    """Keep a receipt and its submission, whose submission.received event is `told_as`.

    Raises RepeatError where the partner has sent this webhook-id before, ReferenceTakenError where the reference is another's;
    nothing of the transaction may then be committed. Waits for another copy that is being kept.
    """
    values = vars(new) | vars(receipt) | {"channel": new.channel.value, "reference": reference, "told_as": told_as}
    outcome = (await tx.execute(_KEEP, values)).one()
    if not outcome.is_new:
        raise RepeatError(RepeatError.__doc__)
    if not outcome.is_kept:
        raise ReferenceTakenError(ReferenceTakenError.__doc__)


async def keep_form(tx: Transaction, new: NewSubmission, *, form_hash: str, reference: str, confirm_hash: str) -> None:
    """Keep what came by a form until its sender confirms it; raises RepeatError where the very same form was kept before.

    Raises ReferenceTakenError as `keep_webhook` does.
    """
    values = vars(new) | {"channel": new.channel.value, "files": list(new.files)}
    row = insert(submissions).values(
        **values,
        reference=reference,
        state=SubmissionState.UNCONFIRMED.value,
        decision_revision=0,
        form_hash=form_hash,
        confirm_hash=confirm_hash,
    )
    done = await tx.execute(row.on_conflict_do_nothing().returning(submissions.c.id))
    if done.first() is None:
        raise RepeatError if await by_form(tx, form_hash) else ReferenceTakenError


async def keep_entered(tx: Transaction, new: NewSubmission, *, form_hash: str, reference: str, told_as: UUID, confirm_hash: str) -> None:
    """Keep what a colleague entered, whose submission.received event is `told_as`; raises as `keep_form` does.

    `confirm_hash` is empty where the contact is not asked to confirm the address.
    """
    row = insert(submissions).values(
        **vars(new) | {"channel": new.channel.value, "files": list(new.files)},
        reference=reference,
        state=SubmissionState.RECEIVED.value,
        event_id=told_as,
        decision_revision=0,
        form_hash=form_hash,
        confirm_hash=confirm_hash or None,
    )
    if (await tx.execute(row.on_conflict_do_nothing().returning(submissions.c.id))).first() is None:
        raise RepeatError if await by_form(tx, form_hash) else ReferenceTakenError


async def by_form(tx: Transaction, form_hash: str) -> str | None:
    """Return the token of what a form was kept as, or None."""
    token: str | None = (await tx.execute(select(submissions.c.token).where(submissions.c.form_hash == form_hash))).scalar_one_or_none()
    return token


async def id_by_form(tx: Transaction, form_hash: str) -> UUID:
    """Return the id of what a form was kept as."""
    found: UUID = (await tx.execute(select(submissions.c.id).where(submissions.c.form_hash == form_hash))).scalar_one()
    return found


async def earlier(tx: Transaction, partner_id: UUID, webhook_id: str) -> Earlier | None:
    """Return what was kept of a webhook that a partner sent before, or None."""
    query = (
        select(receipts.c.id, receipts.c.fingerprint, receipts.c.type, submissions.c.token)
        .join(submissions, submissions.c.id == receipts.c.id)
        .where(receipts.c.partner_id == partner_id, receipts.c.webhook_id == webhook_id)
    )
    row = (await tx.execute(query)).one_or_none()
    return Earlier(receipt=row.id, fingerprint=row.fingerprint, type=row.type, token=row.token) if row else None


_STORED = tuple(submissions.c[name] for name in StoredSubmission.__dataclass_fields__)


async def _one(tx: Transaction, query: Select[Any]) -> StoredSubmission | None:
    row = (await tx.execute(query)).mappings().one_or_none()
    return StoredSubmission(**{**row, "state": SubmissionState(row["state"])}) if row else None


async def find(tx: Transaction, submission_id: UUID) -> StoredSubmission | None:
    """Return a submission, or None where there is none with this id."""
    return await _one(tx, select(*_STORED).where(submissions.c.id == submission_id))


async def lock(tx: Transaction, submission_id: UUID) -> StoredSubmission | None:
    """Return a submission that nobody else can change until the transaction ends, or None; waits for who is changing it."""
    return await _one(tx, select(*_STORED).where(submissions.c.id == submission_id).with_for_update())


async def lock_what_became(tx: Transaction, thing_id: str) -> StoredSubmission | None:
    """Return the submission of which another service made the thing with this id, or None; locked as by `lock`."""
    return await _one(tx, select(*_STORED).where(submissions.c.became == thing_id).with_for_update())


async def by_token(tx: Transaction, token: str) -> StoredSubmission | None:
    """Return the submission whose tracking page has this token, or None."""
    return await _one(tx, select(*_STORED).where(submissions.c.token == token))


async def by_confirmation(tx: Transaction, confirm_hash: str) -> StoredSubmission | None:
    """Return the submission that a mail's link confirms, or None; nobody else can change it until the transaction ends."""
    return await _one(tx, select(*_STORED).where(submissions.c.confirm_hash == confirm_hash).with_for_update())


async def confirm(tx: Transaction, submission_id: UUID, *, told_as: UUID, at: datetime) -> None:
    """Let a submission await its review; its submission.received event is `told_as`."""
    await tx.execute(
        update(submissions)
        .where(submissions.c.id == submission_id)
        .values(state=SubmissionState.RECEIVED.value, event_id=told_as, contact_confirmed_at=at)
    )


async def expire_unconfirmed(tx: Transaction, before: datetime) -> int:
    """End what came before a moment and was never confirmed, and erase its contact; returns how many."""
    done = await tx.execute(
        update(submissions)
        .where(submissions.c.state == SubmissionState.UNCONFIRMED.value, submissions.c.received_at < before)
        .values(state=SubmissionState.EXPIRED.value, contact_sealed=b"")
    )
    return done.rowcount


async def forget_expired(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete what expired and came before a moment, `limit` at most; returns how many went."""
    old = select(submissions.c.id).where(submissions.c.state == SubmissionState.EXPIRED.value, submissions.c.received_at < before)
    return (await tx.execute(delete(submissions).where(submissions.c.id.in_(old.limit(limit))))).rowcount


async def decide(
    tx: Transaction, submission_id: UUID, decision: Decision, at: datetime, *, by: Person | None = None, quietly: bool = False
) -> None:
    """Write a decision down, with the person who made it here; nobody's where another service told it.

    Its sender is told of it by mail, once; not `quietly`, and not where it is taken back.
    """
    await tx.execute(
        update(submissions)
        .where(submissions.c.id == submission_id)
        .values(
            state=decision.state.value,
            reason=decision.reason,
            reason_language=decision.reason_language,
            address=decision.address,
            **({"became": decision.became} if decision.became else {}),
            decision_revision=decision.revision,
            decided_at=at,
            decided_by=by.id if by else None,
            decided_by_name=by.name if by else None,
        )
    )
    if not quietly and decision.state in _TOLD_BY_MAIL:
        await notices.want(tx, submission_id, decision, at)


async def withdraw(tx: Transaction, submission_id: UUID, reason: str) -> None:
    """Let a submission be one whose pledge no longer stands: its address stays, for the page there says so, and so does its day.

    In which language the reason is written nobody has told.
    """
    await tx.execute(
        update(submissions)
        .where(submissions.c.id == submission_id)
        .values(state=SubmissionState.WITHDRAWN.value, reason=reason, reason_language=None)
    )


async def edit(tx: Transaction, submission_id: UUID, draft: Mapping[str, Any] | None, at: datetime, *, by: Person) -> None:
    """Keep the public fields as a colleague has changed them; None where nothing changed is left to publish."""
    await tx.execute(
        update(submissions)
        .where(submissions.c.id == submission_id)
        .values(draft=draft, edited_by=by.id, edited_by_name=by.name, edited_at=at)
    )


async def drop_draft(tx: Transaction, submission_id: UUID) -> None:
    """Forget what was changed: it is published now, or is not to be."""
    await tx.execute(update(submissions).where(submissions.c.id == submission_id).values(draft=None))


async def concept_notes(tx: Transaction, submission_id: UUID) -> Sequence[tuple[str, str]]:
    """Return address and name of the concept notes that came with the request for a Talk: one on the web, and files."""
    found = (await tx.execute(select(submissions.c.internal, submissions.c.files).where(submissions.c.id == submission_id))).one()
    address = found.internal.get("concept_note")
    return [*([(address, address)] if address else []), *((f"/intake/files/{file['sha256']}", file["name"]) for file in found.files)]


@dataclass(frozen=True, kw_only=True)
class KnownPledge:
    """A pledge of which intake knows because it came in here."""

    id: str
    number: str  # as its address names it; empty where only its id is known


async def pledge_of(tx: Transaction, name: str) -> KnownPledge | None:
    """Return the pledge with this number, or with this id; None for a number that did not come of what was submitted here."""
    with suppress(ValueError):
        return KnownPledge(id=str(UUID(name)), number="")
    query = select(submissions.c.became).where(
        submissions.c.kind == "pledge",
        submissions.c.became.is_not(None),
        submissions.c.address.endswith(f"/pledges/{name}", autoescape=True),
    )
    became = (await tx.execute(query.limit(1))).scalar_one_or_none()
    return KnownPledge(id=became, number=name) if became else None


async def answer(tx: Transaction, submission_id: UUID, answers: Sequence[Mapping[str, Any]], *, told_as: UUID) -> None:
    """Keep what its sender answered, and let the submission await a decision again; `told_as` is the event that tells of it."""
    await tx.execute(
        update(submissions)
        .where(submissions.c.id == submission_id)
        .values(answers=list(answers), state=SubmissionState.RECEIVED.value, reason=None, reason_language=None, event_id=told_as)
    )


async def reopen(tx: Transaction, submission_id: UUID) -> None:
    """Let a submission await a decision again, as if there had been none."""
    await tx.execute(
        update(submissions).where(submissions.c.id == submission_id).values(state=SubmissionState.RECEIVED.value, decided_at=None)
    )


async def confirm_contact(tx: Transaction, submission_id: UUID, at: datetime) -> None:
    """Note that the person has confirmed the mail address of what a colleague entered."""
    await tx.execute(update(submissions).where(submissions.c.id == submission_id).values(contact_confirmed_at=at))


async def receipt_of(tx: Transaction, submission_id: UUID) -> Row[Any] | None:
    """Return how a submission came in by webhook, with its partner's name; None for another channel."""
    columns = [column for column in receipts.c if column.name != "raw_sealed"]
    query: Select[Any] = select(*columns, partners.c.name.label("partner_name")).join(partners, partners.c.id == receipts.c.partner_id)
    row: Row[Any] | None = (await tx.execute(query.where(receipts.c.id == submission_id))).one_or_none()
    return row


async def listing(
    tx: Transaction, *, state: SubmissionState | None, kind: str | None, limit: int, offset: int
) -> tuple[Sequence[Row[Any]], int]:
    """Return submissions, those that wait longest first, others newest first, and how many there are in all."""
    chosen = select(submissions).where(
        *([submissions.c.state == state.value] if state else []), *([submissions.c.kind == kind] if kind else [])
    )
    order = submissions.c.received_at.asc() if state is SubmissionState.RECEIVED else submissions.c.received_at.desc()
    named = chosen.add_columns(partners.c.name.label("partner_name")).outerjoin(partners, partners.c.id == submissions.c.partner_id)
    rows = (await tx.execute(named.order_by(order, submissions.c.id).limit(limit).offset(offset))).all()
    return rows, (await tx.execute(select(func.count()).select_from(chosen.subquery()))).scalar_one()


async def counts(tx: Transaction) -> Mapping[str, int]:
    """Return how many submissions there are in each state."""
    found = await tx.execute(select(submissions.c.state, func.count()).group_by(submissions.c.state))
    return {state.value: 0 for state in SubmissionState} | {row.state: row[1] for row in found}


async def forget_raw(tx: Transaction, before: datetime, limit: int) -> int:
    """Erase the raw requests that came before a moment, `limit` at most; returns how many went."""
    old = select(receipts.c.id).where(receipts.c.received_at < before, receipts.c.raw_sealed.is_not(None)).limit(limit)
    done = await tx.execute(update(receipts).where(receipts.c.id.in_(old)).values(raw_sealed=None))
    return done.rowcount
