"""The ledger: copies are claimed, started, ended, and taken over from senders that died. Functions on a transaction."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.dialects.postgresql import insert

from services.newsletter.sending.rules import (
    AudienceState,
    Claim,
    Exclusion,
    SubscriberState,
    slow_for,
)
from services.newsletter.sending.tables import audience, slow_ways
from shared import clock
from shared.db import Transaction

log = logging.getLogger(__name__)

EVERYTHING = "*"  # the way of all mails, in `slow_ways`
_A_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What a sender has to tell of a claim."""

    claim: Claim
    state: AudienceState  # PLANNED where it is given back untried
    reason: str = ""
    next_at: datetime | None = None  # for DEFERRED
    phase: str = ""  # empty where nothing was tried
    code: int = 0
    reply: str = ""
    queue_id: str = ""
    message_id: str = ""
    link: int | None = None


@dataclass(frozen=True, kw_only=True)
class Start:
    """A claim whose message is about to leave, and over which connection."""

    claim: Claim
    link: int


_CLAIM = text("""
    WITH due AS MATERIALIZED (
        SELECT a.issue_id, a.subscriber_id, s.approved_hash FROM audience a JOIN sends s USING (issue_id)
        WHERE a.state IN ('planned', 'deferred') AND a.next_at <= now() AND s.state = 'sending' AND s.expires_at > now()
          AND NOT EXISTS (SELECT FROM slow_ways w WHERE w.way IN (a.domain, '*') AND w.until > now())
        ORDER BY a.next_at LIMIT :most FOR UPDATE OF a SKIP LOCKED
    ), taken AS (
        UPDATE audience a SET state = 'claimed', epoch = epoch + 1, sender = :sender, link = NULL
        FROM due WHERE a.issue_id = due.issue_id AND a.subscriber_id = due.subscriber_id
        RETURNING a.issue_id, a.subscriber_id, a.epoch, due.approved_hash, a.language, a.domain, a.attempts, a.first_at
    )
    SELECT t.*, p.address, p.state, p.paused_until > now() AS paused FROM taken t LEFT JOIN subscribers p ON p.id = t.subscriber_id
""")


async def claim(tx: Transaction, sender: UUID, most: int, open_address: Callable[[bytes], str]) -> Sequence[Claim]:
    """Return up to `most` copies that are due, now in the hand of `sender`; those who have left meanwhile are marked as excluded."""
    taken = await tx.execute(_CLAIM, {"sender": sender, "most": most})
    return [
        Claim(
            issue_id=row.issue_id,
            subscriber_id=row.subscriber_id,
            epoch=row.epoch,
            approved_hash=row.approved_hash,
            language=row.language,
            domain=row.domain,
            attempts=row.attempts,
            first_at=row.first_at,
            address=_opened(row, open_address) if row.address else "",
            excluded=_excluded(row.address, row.state, bool(row.paused)),
        )
        for row in taken
    ]


async def give_back_unknown(tx: Transaction, sender: UUID, known: Sequence[Claim]) -> int:
    """Free what stands as claimed by `sender` and is not among the claims it knows of; returns how many that were."""
    done = await tx.execute(
        text("""
            UPDATE audience a SET state = CASE WHEN attempts > 0 THEN 'deferred' ELSE 'planned' END
            WHERE state = 'claimed' AND sender = :sender AND NOT EXISTS (
                SELECT FROM unnest(CAST(:issue AS uuid[]), CAST(:subscriber AS uuid[]), CAST(:epoch AS int[])) AS k (i, s, e)
                WHERE a.issue_id = k.i AND a.subscriber_id = k.s AND a.epoch = k.e)
        """),
        {
            "sender": sender,
            "issue": [one.issue_id for one in known],
            "subscriber": [one.subscriber_id for one in known],
            "epoch": [one.epoch for one in known],
        },
    )
    return done.rowcount


def _opened(row: Row[Any], open_address: Callable[[bytes], str]) -> str:
    """Return the address of a row; empty where it cannot be opened, which must not hold up everybody else."""
    try:
        return open_address(bytes(row.address))
    except Exception:
        log.exception("the address of subscriber %s cannot be opened", row.subscriber_id)
        return ""


def _excluded(address: bytes | None, state: str | None, paused: bool) -> Exclusion | None:
    if not address:
        return Exclusion.ERASED
    if state != SubscriberState.CONFIRMED.value:
        return Exclusion.LEFT
    return Exclusion.PAUSED if paused else None


# One statement, so that what a connection has ended and what it starts next are one commit, shared by all connections of a sender.
# An end is written for its own claim only (epoch), and over `uncertain` too: who was taken for dead may yet know what happened.
_RECORD = text("""
    WITH r AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:issue AS uuid[]), CAST(:subscriber AS uuid[]), CAST(:epoch AS int[]), CAST(:state AS text[]),
            CAST(:reason AS text[]), CAST(:next_at AS timestamptz[]), CAST(:phase AS text[]), CAST(:code AS int[]), CAST(:reply AS text[]),
            CAST(:queue_id AS text[]), CAST(:message_id AS text[]), CAST(:link AS int[]))
        AS r (issue_id, subscriber_id, epoch, state, reason, next_at, phase, code, reply, queue_id, message_id, link)
    ), s AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:s_issue AS uuid[]), CAST(:s_subscriber AS uuid[]), CAST(:s_epoch AS int[]), CAST(:s_link AS int[]),
            CAST(:s_hash AS text[]))
        AS s (issue_id, subscriber_id, epoch, link, approved_hash)
    ), ended AS (
        UPDATE audience a SET
            state = CASE WHEN r.state = 'planned' AND a.attempts > 0 THEN 'deferred' ELSE r.state END,
            reason = r.reason,
            next_at = coalesce(r.next_at, a.next_at),
            attempts = a.attempts + CASE WHEN r.phase = '' THEN 0 ELSE 1 END,
            first_at = CASE WHEN r.phase = '' THEN a.first_at ELSE coalesce(a.first_at, now()) END,
            ended_at = CASE WHEN r.state IN ('planned', 'deferred') THEN NULL ELSE now() END
        FROM r WHERE a.issue_id = r.issue_id AND a.subscriber_id = r.subscriber_id AND a.epoch = r.epoch
            AND (a.state IN ('claimed', 'started') OR a.state = 'uncertain' AND r.state <> 'uncertain')
    ), logged AS (
        INSERT INTO attempts (issue_id, subscriber_id, epoch, outcome, phase, code, reply, queue_id, message_id, sender, link)
        SELECT issue_id, subscriber_id, epoch, state, phase, code, reply, queue_id, message_id, :sender, link FROM r WHERE phase <> ''
        ON CONFLICT DO NOTHING
    ), begun AS (
        UPDATE audience a SET state = 'started', link = s.link
        FROM s JOIN sends ON sends.issue_id = s.issue_id AND sends.state = 'sending' AND sends.approved_hash = s.approved_hash
            JOIN subscribers p ON p.id = s.subscriber_id AND p.state = 'confirmed' AND (p.paused_until > now()) IS NOT TRUE
        WHERE a.issue_id = s.issue_id AND a.subscriber_id = s.subscriber_id AND a.epoch = s.epoch AND a.state IN ('claimed', 'started')
        RETURNING a.issue_id, a.subscriber_id
    )
    SELECT issue_id, subscriber_id FROM begun
""")


async def record(tx: Transaction, sender: UUID, ended: Sequence[Ended], starts: Sequence[Start]) -> set[tuple[UUID, UUID]]:
    """Write what has ended and what is about to start; returns (issue, subscriber) of those that may start.

    A claim may not start when somebody else has taken it over, its issue is held or approved anew, or its subscriber has left. To
    write the same again changes nothing, so that a commit whose end is not known can be repeated.
    """
    values: dict[str, Any] = {
        "sender": sender,
        "issue": [one.claim.issue_id for one in ended],
        "subscriber": [one.claim.subscriber_id for one in ended],
        "epoch": [one.claim.epoch for one in ended],
        "s_issue": [one.claim.issue_id for one in starts],
        "s_subscriber": [one.claim.subscriber_id for one in starts],
        "s_epoch": [one.claim.epoch for one in starts],
        "s_link": [one.link for one in starts],
        "s_hash": [one.claim.approved_hash for one in starts],
    }
    for name in ("state", "reason", "next_at", "phase", "code", "reply", "queue_id", "message_id", "link"):
        values[name] = [getattr(one, name) for one in ended]
    return {(row.issue_id, row.subscriber_id) for row in await tx.execute(_RECORD, values)}


async def be_seen(tx: Transaction, sender: UUID, *, name: str, connections: int, trouble: str) -> int:
    """Note that a sender lives, and return how many do."""
    await tx.execute(
        text("""
            INSERT INTO senders (id, name, connections, trouble) VALUES (:id, :name, :connections, :trouble)
            ON CONFLICT (id) DO UPDATE SET seen_at = now(), trouble = :trouble
        """),
        {"id": sender, "name": name, "connections": connections, "trouble": trouble},
    )
    seen = text("SELECT count(*) FROM senders WHERE seen_at > now() - interval '1 minute'")
    return int((await tx.execute(seen)).scalar_one())


# A sender counts as dead when it was not seen for a while in which the database could have seen it.
_DEAD = """
    SELECT id FROM senders WHERE seen_at < now() - make_interval(secs => :patience)
        AND pg_postmaster_start_time() < now() - make_interval(secs => :patience)
"""
_TAKE_OVER = text(f"""
    WITH dead AS MATERIALIZED ({_DEAD}), back AS (
        UPDATE audience SET state = CASE WHEN attempts > 0 THEN 'deferred' ELSE 'planned' END
        WHERE state = 'claimed' AND sender IN (SELECT id FROM dead)
    ), lost AS (
        UPDATE audience SET state = 'uncertain', reason = 'crashed', attempts = attempts + 1, first_at = coalesce(first_at, now()),
            ended_at = now()
        WHERE state = 'started' AND sender IN (SELECT id FROM dead)
        RETURNING issue_id, subscriber_id, epoch, sender, link
    )
    INSERT INTO attempts (issue_id, subscriber_id, epoch, outcome, phase, code, reply, queue_id, message_id, sender, link)
    SELECT issue_id, subscriber_id, epoch, 'uncertain', 'dot', 0, 'its sender ended before it had told how this went', '', '', sender, link
    FROM lost ON CONFLICT DO NOTHING
""")  # noqa: S608 - made of constants


async def take_over(tx: Transaction, patience_seconds: float) -> int:
    """Free what senders that died had only claimed, and mark what they had started as uncertain; returns how many are uncertain."""
    return (await tx.execute(_TAKE_OVER, {"patience": patience_seconds})).rowcount


async def end_every_sender(tx: Transaction) -> int:
    """Take over what any sender had in hand, for none of them lives any more, and forget them; returns how many copies are uncertain."""
    uncertain = await take_over(tx, -_A_DAY_SECONDS)
    await tx.execute(text("DELETE FROM senders"))
    return uncertain


async def forget_senders(tx: Transaction, days: int) -> int:
    """Delete senders not seen for so many days."""
    done = await tx.execute(text("DELETE FROM senders WHERE seen_at < now() - make_interval(days => :days)"), {"days": days})
    return done.rowcount


async def forget_attempts(tx: Transaction, before: datetime, most: int) -> int:
    """Delete up to `most` attempts made before a time of issues that are sent, and return how many went."""
    done = await tx.execute(
        text("""
            DELETE FROM attempts WHERE ctid = ANY (ARRAY(
                SELECT a.ctid FROM attempts a JOIN sends s USING (issue_id)
                WHERE a.at < :before AND s.state IN ('sent', 'cancelled') LIMIT :most))
        """),
        {"before": before, "most": most},
    )
    return done.rowcount


async def slow_down(tx: Transaction, way: str, because: str) -> datetime:
    """Let a way (a domain, or EVERYTHING) rest for a growing while and return until when."""
    now = clock.now()
    found = (await tx.execute(select(slow_ways).where(slow_ways.c.way == way).with_for_update())).first()
    if found is not None and found.until > now:
        return found.until  # type: ignore[no-any-return]  # several connections were told the same
    step = 1 if found is None else found.step + 1
    values = {"way": way, "until": now + slow_for(step), "step": step, "because": because}
    new = insert(slow_ways).values(values)
    await tx.execute(new.on_conflict_do_update(index_elements=["way"], set_=values))
    return now + slow_for(step)


async def forget_slowness(tx: Transaction, ways: Collection[str]) -> None:
    """Note that something was accepted for these domains: their next rest, and that of everything, is short again."""
    if not ways:
        return
    now = text("now()")
    await tx.execute(slow_ways.delete().where(slow_ways.c.way.in_([*ways, EVERYTHING]), slow_ways.c.until < now))


async def uncertain_rows(tx: Transaction, issue_id: UUID) -> Sequence[Any]:
    """Return the rows of those of whom nobody can know whether they have it."""
    asked = select(audience).where(audience.c.issue_id == issue_id, audience.c.state == AudienceState.UNCERTAIN.value)
    return (await tx.execute(asked.order_by(audience.c.ended_at))).all()


@dataclass(frozen=True, kw_only=True)
class Settled:
    """How an uncertain copy really ended, as something other than its sender has shown."""

    issue_id: UUID
    subscriber_id: UUID
    epoch: int
    state: AudienceState  # ACCEPTED or REFUSED
    reason: str
    code: int
    reply: str
    queue_id: str
    message_id: str


# A row that is not uncertain any more, or was claimed since, is left alone; the finding is a row of its own beside the first.
_SETTLE = text("""
    WITH settled AS (
        UPDATE audience SET state = :state, reason = :reason, ended_at = now()
        WHERE issue_id = :issue AND subscriber_id = :subscriber AND epoch = :epoch AND state = 'uncertain'
        RETURNING issue_id, subscriber_id, epoch
    )
    INSERT INTO attempts (issue_id, subscriber_id, epoch, outcome, phase, code, reply, queue_id, message_id, sender)
    SELECT issue_id, subscriber_id, epoch, :state, 'log', :code, :reply, :queue, :message, CAST(:sender AS uuid) FROM settled
    ON CONFLICT DO NOTHING
""")
NO_SENDER = UUID(int=0)
"""Stands as the sender of what was found in a log."""


async def settle(tx: Transaction, one: Settled) -> bool:
    """Write how an uncertain copy ended; returns whether it was uncertain still. Never makes a copy leave again."""
    values = {
        "issue": one.issue_id,
        "subscriber": one.subscriber_id,
        "epoch": one.epoch,
        "state": one.state.value,
        "reason": one.reason,
        "code": one.code,
        "reply": one.reply,
        "queue": one.queue_id,
        "message": one.message_id,
        "sender": NO_SENDER,
    }
    return (await tx.execute(_SETTLE, values)).rowcount == 1


async def all_uncertain(tx: Transaction) -> Sequence[Any]:
    """Return every row of whom nobody can know whether they have it, oldest first."""
    asked = select(audience).where(audience.c.state == AudienceState.UNCERTAIN.value)
    return (await tx.execute(asked.order_by(audience.c.ended_at))).all()
