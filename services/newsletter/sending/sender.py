"""One sender: some connections to the mail server, fed from the ledger, each of which has one mail in hand at a time."""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from math import inf
from typing import Any
from uuid import UUID

from services.newsletter.sending import issues, ledger
from services.newsletter.sending.commits import COPIES, Commits, MaySend, NotStartedError
from services.newsletter.sending.issues import Moved, nothing_follows
from services.newsletter.sending.ledger import EVERYTHING, Ended, Start
from services.newsletter.sending.rules import (
    CRASHED,
    FAILED,
    GAVE_UP,
    REFUSALS_THAT_HOLD,
    STOPPED,
    UNANSWERED,
    UNWRITABLE,
    AudienceState,
    Claim,
    Hold,
    message_id,
    slow_for,
)
from shared import clock, spans
from shared.db import Database, Transaction, is_away
from shared.ids import new_id
from shared.mail.outcome import Accepted, Deferred, Fault, Outcome, Phase, Refused, Slows, Uncertain
from shared.mail.schedule import next_try
from shared.mail.server import MailServer
from shared.mail.smtp import Connection, Envelope, Patience, ServerTroubleError

log = logging.getLogger(__name__)

Write = Callable[[Claim, Any, str], Awaitable[Envelope]]
"""Makes one copy: takes the claim, the approved variant of its language and its Message-ID. What it raises holds up this copy alone."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a sender goes, and how soon things are noticed."""

    rate_per_second: float = 0.0  # of all senders together; 0 for as fast as the server takes them
    look_seconds: float = 0.5  # how often an empty ledger is looked at again
    seen_seconds: float = 2.0  # how often a sender says that it lives
    dead_seconds: float = 15.0  # not seen for so long, a sender is taken for dead
    stop_seconds: float = 5.0  # what mails in hand are given to end, when the sender is asked to stop
    flush_seconds: float = 2.0  # and the ledger, to write what became of them
    idle_seconds: float = 20.0  # a connection without work for so long is closed
    trouble_seconds: float = 1.0  # pause after the server's first refusal of a connection; it doubles, up to a minute


LONGEST_TROUBLE_SECONDS = 60.0
CLAIMS_PER_CONNECTION = 4
UNWRITABLE_AGAIN = timedelta(minutes=15)


async def always(tx: Transaction) -> bool:
    """Say that anything may leave."""
    del tx
    return True


class Sender:
    """Sends what the ledger says, until `run` is cancelled; any number may run on one ledger."""

    def __init__(
        self,
        database: Database,
        server: MailServer,
        *,
        name: str,
        hello: str,
        open_address: Callable[[bytes], str],
        write: Write,
        may_send: MaySend = always,
        moved: Moved = nothing_follows,
        pace: Pace | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Take the newsletter's database and the mail server.

        `hello` is our name in greetings and the domain of Message-IDs; `moved` follows when an issue's sending has begun or is over.
        """
        self.id = new_id()
        self.trouble = ""  # why nothing is sent; empty when something is
        self._database = database
        self._name = name
        self._hello = hello
        self._open_address = open_address
        self._write = write
        self._may_send = may_send
        self._moved = moved
        self._pace = pace or Pace()
        self._commits = Commits(database, self.id, may_send)
        self._in_hand: dict[int, Claim] = {}  # by connection
        self._connections = [Connection(server, hello=hello, patience=patience) for _ in range(server.connections)]
        self._ready: deque[tuple[float, Claim]] = deque()  # each with the loop's time when its claiming began
        self._filled = asyncio.Event()
        self._wanted = asyncio.Event()
        self._variants: dict[str, Mapping[str, Any]] = {}  # by their hash
        self._resting: dict[str, float] = {}  # way -> until when, by the loop's clock
        self._accepted: set[str] = set()  # domains, since this was last looked at
        self._senders = 1
        self._next_slot = 0.0
        self._troubles = 0
        self._refusals = 0
        self._held: dict[UUID, float] = {}  # issues that this sender held, and when: claims begun before that are void
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Send until cancelled; then mails in hand end, for some seconds, and everything known of them is written."""
        commits, seen, feed = (asyncio.create_task(work()) for work in (self._commits.run, self._live, self._feed))
        links = [asyncio.create_task(self._send_over(link)) for link in range(len(self._connections))]
        try:
            done, _ = await asyncio.wait({commits, seen, feed, *links}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # none ends by itself but by an error, which rises
        finally:
            await self._stop(commits, [seen, feed], links)

    async def _stop(self, commits: "asyncio.Task[None]", others: "list[asyncio.Task[None]]", links: "list[asyncio.Task[None]]") -> None:
        self._stopping.set()
        for link, task in enumerate(links):
            if link not in self._in_hand:
                task.cancel()
        for task in others:
            task.cancel()
        await asyncio.wait(links, timeout=self._pace.stop_seconds)
        for task in links:
            task.cancel()
        await asyncio.gather(*others, *links, return_exceptions=True)
        while self._ready:
            self._give_back(self._ready.popleft()[1])
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.flush_seconds):
                if not commits.done():
                    await self._commits.flush()
        self._commits.stretches.end(every=True)
        commits.cancel()
        await asyncio.gather(commits, *(connection.close() for connection in self._connections), return_exceptions=True)

    async def _live(self) -> None:
        """Say again and again that this sender lives, and do for others what the dead and the clock have left to do."""
        while True:
            try:
                async with self._database.transaction() as tx:
                    links = len(self._connections)
                    self._senders = await ledger.be_seen(tx, self.id, name=self._name, connections=links, trouble=self.trouble)
                async with self._database.transaction() as tx:
                    await ledger.forget_slowness(tx, self._accepted)
                    self._accepted = set()
                    lost = await ledger.take_over(tx, self._pace.dead_seconds)
                    await issues.begin_due(tx, self._moved)
                    over = await issues.end_what_is_over(tx, self._moved)
                    ended = [await issues.standing(tx, issue_id) for issue_id in over] if spans.is_on() else ()
                for issue in ended:
                    if issue is not None:
                        self._commits.stretches.end_whole(issue)
                if lost:
                    COPIES.labels(AudienceState.UNCERTAIN.value, CRASHED).inc(lost)
            except Exception as error:
                if not is_away(error):
                    raise
            self._commits.stretches.end()
            await asyncio.sleep(self._pace.seen_seconds)

    async def _feed(self) -> None:
        """Keep some claims ready for the connections."""
        doubt = False
        most = CLAIMS_PER_CONNECTION * len(self._connections)
        while True:
            found: Sequence[Claim] = ()
            began = asyncio.get_running_loop().time()
            try:
                async with self._database.transaction() as tx:
                    if doubt:  # a claim whose commit has no known end may have taken rows that nobody here has in hand
                        known = [*(claim for _, claim in self._ready), *self._in_hand.values(), *self._commits.pending()]
                        await ledger.give_back_unknown(tx, self.id, known)
                    if await self._may_send(tx):
                        found = await ledger.claim(tx, self.id, most, self._open_address)
                doubt = False
            except Exception as error:
                if not is_away(error):
                    raise
                doubt = True
                found = ()
            self._ready.extend((began, claim) for claim in found)
            if found:
                self._filled.set()
            self._wanted.clear()
            if not found:
                await asyncio.sleep(self._pace.look_seconds)
            elif len(self._ready) > len(self._connections):
                await self._wanted.wait()

    async def _send_over(self, link: int) -> None:
        """Send one claim after another over one connection."""
        while not self._stopping.is_set():
            while not self._ready:
                self._filled.clear()
                try:
                    async with asyncio.timeout(self._pace.idle_seconds):
                        await self._filled.wait()
                except TimeoutError:
                    await self._connections[link].close()  # between two issues no server is kept waiting
            claimed_at, self._in_hand[link] = self._ready.popleft()
            if len(self._ready) <= len(self._connections):
                self._wanted.set()
            try:
                await self._send(link, self._in_hand[link], claimed_at)
            finally:
                del self._in_hand[link]

    async def _send(self, link: int, claim: Claim, claimed_at: float) -> None:
        name, begun = message_id(claim.issue_id, claim.subscriber_id, self._hello), False

        async def start() -> None:
            nonlocal begun
            await self._commits.start(Start(claim=claim, link=link))
            begun = True

        if claim.excluded is not None:
            self._commits.tell(Ended(claim=claim, state=AudienceState.EXCLUDED, reason=claim.excluded.value))
            return
        try:
            if not await self._may_go(claim):
                return
            # A server that refuses a recipient does so before the mail has started: no commit would keep it from being asked.
            if claimed_at < self._held.get(claim.issue_id, 0.0):
                raise NotStartedError(NotStartedError.__doc__)
            mail = await self._mail(claim, name)
            outcome = await self._connections[link].send(mail, start)
        except NotStartedError:
            self._give_back(claim)
        except ServerTroubleError as error:
            self._give_back(claim)
            self._note_trouble(str(error))
        except asyncio.CancelledError:
            if begun:
                self._commits.tell(_uncertain(claim, name, link, Uncertain(phase=Phase.DOT, why="the sender was stopped"), STOPPED))
            else:
                self._give_back(claim)
            raise
        except Exception:
            if begun:
                self._commits.tell(_uncertain(claim, name, link, Uncertain(phase=Phase.DOT, why="the sender failed"), FAILED))
                raise
            # One copy that cannot be made holds up nobody else's.
            log.exception("a copy of issue %s for subscriber %s could not be made", claim.issue_id, claim.subscriber_id)
            self._give_back(claim, reason=UNWRITABLE, next_at=clock.now() + UNWRITABLE_AGAIN)
        else:
            await self._note(claim, name, link, outcome)

    async def _may_go(self, claim: Claim) -> bool:
        """Wait until it is this mail's turn; gives it back, and says no, when its domain rests or the sender is to stop."""
        loop = asyncio.get_running_loop()
        while (left := self._resting.get(EVERYTHING, 0.0) - loop.time()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._stopping.wait()
            if self._stopping.is_set():
                self._give_back(claim)
                return False
        left = self._resting.get(claim.domain, 0.0) - loop.time()
        if left > 0:
            self._give_back(claim, next_at=clock.now() + timedelta(seconds=left))
            return False
        if self._pace.rate_per_second:
            slot = max(loop.time(), self._next_slot)
            self._next_slot = slot + max(1, self._senders) / self._pace.rate_per_second
            await asyncio.sleep(slot - loop.time())
        return True

    async def _mail(self, claim: Claim, name: str) -> Envelope:
        if not claim.address:
            raise ValueError("the address cannot be opened; were the data keys changed?")
        if claim.approved_hash not in self._variants:
            try:
                async with self._database.transaction() as tx:
                    variants = await issues.approved_variants(tx, claim.issue_id, claim.approved_hash)
            except Exception as error:
                if is_away(error):  # no fault of this copy
                    raise NotStartedError(NotStartedError.__doc__) from error
                raise
            if not variants:
                raise NotStartedError(NotStartedError.__doc__)
            self._variants[claim.approved_hash] = variants
        return await self._write(claim, self._variants[claim.approved_hash][claim.language], name)

    def _give_back(self, claim: Claim, *, reason: str = "", next_at: datetime | None = None) -> None:
        self._commits.tell(Ended(claim=claim, state=AudienceState.PLANNED, reason=reason, next_at=next_at))

    async def _note(self, claim: Claim, name: str, link: int, outcome: Outcome) -> None:
        """Tell the ledger what became of a mail, and draw the consequences for those that follow."""
        if isinstance(outcome, Uncertain):
            self._commits.tell(_uncertain(claim, name, link, outcome, UNANSWERED))
            return
        reply = _without_address(claim.address, outcome.reply)
        ended = partial(Ended, claim=claim, message_id=name, link=link, phase=outcome.phase.value, code=outcome.code, reply=reply)
        self.trouble, self._troubles = "", 0
        if isinstance(outcome, Accepted):
            self._refusals = 0
            self._accepted.add(claim.domain)
            self._commits.tell(ended(state=AudienceState.ACCEPTED, queue_id=outcome.queue_id))
        elif isinstance(outcome, Refused):
            self._commits.tell(ended(state=AudienceState.REFUSED, reason=outcome.fault.value))
            if outcome.fault is not Fault.ADDRESS:
                await self._note_refusal(claim.issue_id)
        else:
            now = clock.now()
            next_at = next_try(claim.attempts + 1, claim.first_at or now, now)
            if next_at is None:
                self._commits.tell(ended(state=AudienceState.REFUSED, reason=GAVE_UP))
            else:
                self._commits.tell(ended(state=AudienceState.DEFERRED, next_at=next_at))
            await self._slow_down(claim, outcome)

    async def _note_refusal(self, issue_id: UUID) -> None:
        self._refusals += 1
        if self._refusals < REFUSALS_THAT_HOLD:
            return
        self._held[issue_id] = inf
        try:
            async with self._database.transaction() as tx:
                held = await issues.hold(tx, issue_id, Hold.REFUSALS)
        except Exception as error:
            self._held.pop(issue_id, None)  # the next refusal tries again
            if not is_away(error):
                raise
        else:
            self._held[issue_id] = asyncio.get_running_loop().time()
            if held:
                log.error("issue %s is held: the server refused %d mails in a row, whoever the reader", issue_id, self._refusals)

    async def _slow_down(self, claim: Claim, outcome: Deferred) -> None:
        if outcome.slows is Slows.NOTHING:
            return
        way = EVERYTHING if outcome.slows is Slows.SERVER else claim.domain
        seconds = slow_for(1).total_seconds()
        with suppress_away():
            async with self._database.transaction() as tx:
                seconds = (await ledger.slow_down(tx, way, _without_address(claim.address, outcome.reply)) - clock.now()).total_seconds()
        self._rest(way, seconds)

    def _note_trouble(self, trouble: str) -> None:
        if not self.trouble:
            log.warning("the mail server takes nothing: %s", trouble)
        self.trouble = trouble
        self._troubles += 1
        self._rest(EVERYTHING, min(self._pace.trouble_seconds * 2 ** min(self._troubles - 1, 10), LONGEST_TROUBLE_SECONDS))

    def _rest(self, way: str, seconds: float) -> None:
        self._resting[way] = max(self._resting.get(way, 0.0), asyncio.get_running_loop().time() + seconds)


def _without_address(address: str, reply: str) -> str:
    """Return a server's words without the reader's address: what was tried is kept for longer than an address that is erased."""
    return re.sub(re.escape(address), "(recipient)", reply, flags=re.IGNORECASE)


def _uncertain(claim: Claim, name: str, link: int, outcome: Uncertain, reason: str) -> Ended:
    return Ended(
        claim=claim,
        state=AudienceState.UNCERTAIN,
        reason=reason,
        phase=outcome.phase.value,
        reply=outcome.why,
        message_id=name,
        link=link,
    )


@contextmanager
def suppress_away() -> Iterator[None]:
    """Go on without the database where what it would keep can be found out again."""
    try:
        yield
    except Exception as error:
        if not is_away(error):
            raise
