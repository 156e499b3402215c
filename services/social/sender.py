"""Sends what is due, once: the attempt first, then the post, then what came of it; and asks the timeline where that is not known."""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Counter

from services.social import telling
from services.social.domain.content import Content
from services.social.domain.deliveries import Next, Outcome, Pace, Result, State, WaitingFor, after_not_found
from services.social.domain.posts import ABOUT
from services.social.networks.x.client import NotBroughtError, TimelineError, X
from services.social.store import deliveries as ledger
from services.social.store.deliveries import Delivery
from services.social.store.pausing import open_networks
from shared import clock, spans
from shared.approval import sending
from shared.approval import store as approvals
from shared.approval.rules import ApprovalError
from shared.db import Database, Transaction, is_away
from shared.events.base import Source
from shared.events.codes import Network, SourceKind
from shared.pauses.quiet import forbidding
from shared.spans import Kind, Span
from shared.trace import trace_id_var, tracing

log = logging.getLogger(__name__)

POSTS = Counter("tidings_posts_total", "Attempts to post, by network and what came of them", ["network", "outcome", "because"])

# Posts on the wire at once in one process: one that hangs does not hold up the others, and no network sees a flood.
AT_ONCE = 4
# What is left of a lease after the longest request, for writing down what came of it.
MARGIN = timedelta(seconds=1)

Networks = Mapping[Network, X]


class Sender:
    """Takes deliveries by lease, so that any number of processes may do this side by side."""

    def __init__(self, networks: Networks, pace: Pace) -> None:
        self._networks = networks
        self._pace = pace

    async def run(self, database: Database) -> None:
        """Send and look up until nothing is due; raises the first failure once all that was begun is over."""
        async with database.transaction() as tx:
            if not await ledger.is_any_due(tx):
                return
        ended = await asyncio.gather(*(self._work(database) for _ in range(AT_ONCE)), return_exceptions=True)
        for failure in ended:
            if failure is not None:
                raise failure

    async def _work(self, database: Database) -> None:
        while await self.one(database):
            pass

    async def one(self, database: Database) -> bool:
        """Do what is next for one delivery; returns False where nothing is due."""
        async with database.transaction() as tx:
            delivery = await ledger.claim(tx, self._pace.lease, to=await open_networks(tx, Network))
            if delivery is None:
                return False
            trace = await ledger.trace_of(tx, delivery)
            try:
                async with tx.begin_nested():
                    work = await self._settle_without_the_network(tx, delivery)
            except Exception as error:
                if is_away(error):
                    raise
                # Its lease stays: others have their turn until it is over.
                log.exception("delivery %s cannot be worked on", delivery.id)
                return True
        if work is not None:
            with tracing(trace):
                await work(database, delivery)
        return True

    async def _settle_without_the_network(self, tx: Transaction, delivery: Delivery) -> Any:
        """Return what is to be done with a delivery that was claimed, or None where that is done."""
        if delivery.state == State.SENDING.value:
            # Whoever began has died, or sleeps so long that its lease is over: the attempt may have come through.
            await ledger.abandon_attempts(tx, delivery)
            await self._will_look(tx, delivery, {"found": "without an end"})
            return None
        if delivery.state == State.UNKNOWN.value:
            return self._look
        why = await self._why_not(tx, delivery)
        if why is None:
            return None if await _waits(tx, delivery) else self._send
        await telling.wait_for_a_person(tx, delivery, why, {"content": delivery.content_hash, "approved": delivery.approved_hash})
        return None

    async def _why_not(self, tx: Transaction, delivery: Delivery) -> WaitingFor | None:
        """Return why a delivery must not go out now, None where it may."""
        if not _hash_of(delivery) == delivery.content_hash == delivery.approved_hash or not await _is_approved(tx, delivery):
            return _not_approved(delivery)
        if self._pace.is_late(_due(delivery), clock.now()):
            # After an attempt whose end was never found, it would be wrong to say that it did not go out.
            return WaitingFor.UNCERTAIN if delivery.sent_again else WaitingFor.LATE
        if Network(delivery.network) not in self._networks:
            return WaitingFor.NOT_CONNECTED
        return None

    async def _send(self, database: Database, delivery: Delivery) -> None:
        network = self._networks[Network(delivery.network)]
        content = content_of(delivery)
        try:
            media_ids = await self._bring(database, network, content)
        except NotBroughtError as error:
            async with database.transaction() as tx:
                await self._settle(tx, delivery, error.outcome)
            _count(delivery, error.outcome)
            return
        async with database.transaction() as tx:
            if not await open_networks(tx, [Network(delivery.network)]):
                await ledger.write(tx, delivery, **ledger.released())
                return
            # Nobody can void the approval until this transaction ends, and once it has, the post is on its way.
            if not await _stays_approved(tx, delivery):
                await telling.wait_for_a_person(tx, delivery, _not_approved(delivery), {"approval": "is void"})
                return
            if await _waits(tx, delivery):
                return
            lasts_until = time.monotonic() + self._pace.lease.total_seconds()
            attempt_id = await ledger.begin_attempt(tx, delivery, self._pace.lease)
        if attempt_id is None:
            return
        send_before = lasts_until - (self._pace.request_timeout + MARGIN).total_seconds()
        began = spans.now()
        outcome = await network.publish(content, media_ids, send_before=send_before)
        _count(delivery, outcome)
        _end_span(delivery, outcome, began)
        async with database.transaction() as tx:
            if not await self._settle(tx, delivery, outcome):
                log.warning("delivery %s was taken over while it was sent; its timeline is asked", delivery.id)
                return
            await ledger.end_attempt(tx, attempt_id, outcome)
        log.info("post %s on %s: %s", delivery.post_id, delivery.network, outcome.result.value)

    async def _bring(self, database: Database, network: X, content: Content) -> Any:
        if not content.pictures:
            return ()
        async with database.transaction() as tx:
            data = await ledger.bytes_of(tx, content)
        try:
            async with asyncio.timeout((self._pace.lease - MARGIN).total_seconds()):
                return await network.bring(content, data)
        except TimeoutError as error:
            later = clock.now() + self._pace.not_reached_pause
            raise NotBroughtError(Outcome(result=Result.NOT_NOW, evidence={"error": "too slow"}, not_before=later)) from error

    async def _settle(self, tx: Transaction, delivery: Delivery, outcome: Outcome) -> bool:
        """Write down what an outcome means for the delivery; returns False where another process holds it by now."""
        match outcome.result:
            case Result.PUBLISHED:
                return await self._is_published(tx, delivery, outcome.place_id, outcome.evidence)
            case Result.REFUSED:
                return await telling.wait_for_a_person(tx, delivery, outcome.waiting_for or WaitingFor.REFUSED, outcome.evidence)
            case Result.NOT_NOW:
                not_before = outcome.not_before or clock.now()
                if outcome.whole_account:
                    await ledger.pause(tx, delivery.network, posts=not_before)
                values = {"state": State.SCHEDULED.value, "not_before": not_before, "evidence": outcome.evidence}
                return await ledger.write(tx, delivery, **values, **ledger.released())
            case _:
                return await self._will_look(tx, delivery, outcome.evidence)

    async def _will_look(self, tx: Transaction, delivery: Delivery, evidence: Mapping[str, Any]) -> bool:
        first = clock.now() + self._pace.look_after[0]
        values = {"state": State.UNKNOWN.value, "looks": 0, "not_before": first, "evidence": evidence}
        return await ledger.write(tx, delivery, **values, **ledger.released())

    async def _look(self, database: Database, delivery: Delivery) -> None:
        network = self._networks.get(Network(delivery.network))
        content = content_of(delivery)
        async with database.transaction() as tx:
            tried = await ledger.attempts_of(tx, delivery.id)
        since = tried[0].started_at - self._pace.look_back
        try:
            if network is None:
                raise TimelineError({"error": "no account is set up for this network"})
            timeline = await network.timeline(since)
        except TimelineError as error:
            async with database.transaction() as tx:
                await self._could_not_look(tx, delivery, error, tried[-1].started_at)
            return
        same = [found for found in timeline if found.created_at >= since.replace(microsecond=0) and network.same(content, found)]
        async with database.transaction() as tx:
            taken = await ledger.places_of_others(tx, delivery, [found.place_id for found in same])
            ours = next((found for found in reversed(same) if found.place_id not in taken), None)
            if ours is not None:
                evidence = {"found_on_timeline": dict(ours.raw), "after": tried[-1].outcome}
                if await self._is_published(tx, delivery, ours.place_id, evidence, published_at=ours.created_at):
                    await ledger.note_look(tx, delivery, found=True, evidence=evidence)
            else:
                duplicate = tried[-1].outcome == Result.DUPLICATE.value
                await self._not_found(tx, delivery, duplicate=duplicate, guarded=network.guards(content), read=len(timeline))

    async def _not_found(self, tx: Transaction, delivery: Delivery, *, duplicate: bool, guarded: bool, read: int) -> None:
        looked = delivery.looks + 1
        follows = after_not_found(
            looks=looked,
            sent_again=delivery.sent_again,
            guarded=guarded,
            duplicate=duplicate,
            late=self._pace.is_late(_due(delivery), clock.now()),
            pace=self._pace,
        )
        evidence = {"posts_read": read, "look": looked, "follows": follows.value}
        match follows:
            case Next.LOOK:
                next_look = clock.now() + self._pace.look_after[looked]
                done = await ledger.write(tx, delivery, looks=looked, not_before=next_look, **ledger.released())
            case Next.SEND:
                values = {"state": State.SCHEDULED.value, "looks": looked, "sent_again": delivery.sent_again + 1, "not_before": clock.now()}
                done = await ledger.write(tx, delivery, **values, **ledger.released())
            case Next.ASK:
                why = WaitingFor.DUPLICATE if duplicate else WaitingFor.UNCERTAIN
                done = await telling.wait_for_a_person(tx, delivery, why, {**(delivery.evidence or {}), **evidence})
        if done:
            await ledger.note_look(tx, delivery, found=False, evidence=evidence)

    async def _could_not_look(self, tx: Transaction, delivery: Delivery, error: TimelineError, tried_at: datetime) -> None:
        now = clock.now()
        if error.not_before is not None:
            await ledger.pause(tx, delivery.network, reads=error.not_before)
        if self._pace.is_late(tried_at, now):
            done = await telling.wait_for_a_person(tx, delivery, WaitingFor.UNCERTAIN, error.evidence)
        else:
            next_look = max(now + self._pace.look_again_after, error.not_before or now)
            done = await ledger.write(tx, delivery, not_before=next_look, **ledger.released())
        if done:
            await ledger.note_look(tx, delivery, found=None, evidence=error.evidence)

    async def _is_published(
        self, tx: Transaction, delivery: Delivery, place_id: str, evidence: Mapping[str, Any], published_at: datetime | None = None
    ) -> bool:
        return await telling.publish(
            tx,
            delivery,
            place_id=place_id,
            address=self._networks[Network(delivery.network)].address_of(place_id),
            evidence=evidence,
            published_at=published_at or clock.now(),
        )


def _end_span(delivery: Delivery, outcome: Outcome, began: int) -> None:
    trace = trace_id_var.get()
    spans.end(
        Span(
            name="post",
            kind=Kind.CLIENT,
            trace_id=trace,
            parent_id=spans.root_of(trace),
            began=began,
            service="social",
            attributes={"tidings.network": delivery.network, "tidings.outcome": outcome.result.value},
            failed=outcome.result is not Result.PUBLISHED,
        )
    )


def _count(delivery: Delivery, outcome: Outcome) -> None:
    because = outcome.waiting_for.value if outcome.waiting_for else ""
    POSTS.labels(delivery.network, outcome.result.value, because).inc()


def _hash_of(delivery: Delivery) -> str | None:
    """Return the hash of what would go out; None for what no program of ours has written, which must not hold up what stands behind it."""
    try:
        return content_of(delivery).sha256
    except (KeyError, TypeError, ValueError):
        return None


async def _is_approved(tx: Transaction, delivery: Delivery) -> bool:
    content = content_of(delivery)
    return await sending.is_approved(tx, ABOUT, delivery.post_id, content.name, content.as_variant())


async def _stays_approved(tx: Transaction, delivery: Delivery) -> bool:
    content = content_of(delivery)
    try:
        await sending.check_variant(tx, ABOUT, delivery.post_id, content.name, content.as_variant())
    except ApprovalError:
        return False
    return True


async def _waits(tx: Transaction, delivery: Delivery) -> bool:
    """Say whether a delivery may not leave now because of what the calendar forbids; it waits, or asks for another time."""
    sources = [Source(kind=SourceKind(delivery.source_kind), id=delivery.source_id)] if delivery.source_kind else []
    quiet = await forbidding(tx, clock.now(), sources)
    if quiet is None:
        return False
    expires_at = (await approvals.find(tx, ABOUT, delivery.post_id)).expires_at
    if quiet.ends is None or (expires_at is not None and expires_at <= quiet.ends):
        why = WaitingFor.UNCERTAIN if delivery.sent_again else WaitingFor.QUIET
        await telling.wait_for_a_person(tx, delivery, why, {"forbidden_by": quiet.date_id, "kind": quiet.kind.value})
    else:
        await ledger.write(tx, delivery, not_before=quiet.ends, quiet_until=quiet.ends, **ledger.released())
    return True


def _due(delivery: Delivery) -> datetime:
    """Return from when on a delivery grows late: its time, or the end of what the calendar forbade."""
    due: datetime = max(delivery.due_at, delivery.quiet_until or delivery.due_at)
    return due


def _not_approved(delivery: Delivery) -> WaitingFor:
    # After an attempt whose end was never found, it would be wrong to say that it did not go out.
    return WaitingFor.UNCERTAIN if delivery.sent_again else WaitingFor.APPROVAL


def content_of(delivery: Delivery) -> Content:
    """Return what a delivery would send."""
    return Content.from_kept(delivery.network, delivery.language, delivery.content)
