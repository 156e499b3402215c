"""The job that hands one-off mails to the mail server, several at a time, so that one that hangs keeps no other back."""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from shared import clock, locks, metrics, spans
from shared.db import Database, Transaction, is_away
from shared.mail.outcome import Accepted, Deferred, Outcome, Refused, Uncertain
from shared.mail.queue import holding, store
from shared.mail.queue.put import Mails
from shared.mail.queue.store import Due, MailState
from shared.mail.schedule import next_try
from shared.mail.server import MailServer
from shared.mail.smtp import Connection, Envelope, Patience, ServerTroubleError
from shared.retention import CHUNK, MAIL_DAYS
from shared.service import DAY_SECONDS, Job
from shared.spans import Kind, Span
from shared.trace import tracing
from shared.vault import SealError

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
CONNECTIONS = 4
# A server that is away is asked again after these pauses; mails lose no try by it.
REST_SECONDS = (2.0, 5.0, 15.0, 60.0)
# What mails in hand are given to end, when the process is asked to: one that is cut off has not come, and is not sent again.
STOP_SECONDS = 5.0
SEALED_PAUSE = timedelta(minutes=30)
# A database that is away this long leaves the mail uncertain.
NOTE_SECONDS = 300.0


class _NotOurs(Exception):  # noqa: N818  # no error: another process has the mail, or it is of no use any more
    """Nothing of this mail may leave."""


@dataclass
class _Run:
    """What the workers of one run share."""

    database: Database
    server: MailServer
    held: set[UUID] = field(default_factory=set)
    sent: int = 0
    trouble: ServerTroubleError | None = None
    stopping: bool = False  # what is in hand ends, and nothing more begins


class HandOver:
    """Hands over the mails of one service; one for each process, of which only one does it at a time."""

    def __init__(self, mails: Mails, *, patience: Patience | None = None) -> None:
        self._mails = mails
        self._patience = patience
        self._rest_until = 0.0  # by the monotonic clock
        self._rests = 0
        self._warned = False

    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs for a service that has the table of mails."""
        return (
            Job(name="one-off mails", every_seconds=LOOK_SECONDS, run=self.run),
            Job(name="old mails", every_seconds=DAY_SECONDS, run=forget),
        )

    async def run(self, database: Database) -> int:
        """Hand over what is due and return how many mails the server accepted."""
        async with database.transaction() as tx:
            if not await store.is_any_open(tx, clock.now()):
                return 0
        async with locks.session(database) as session:
            if not await locks.try_lock(session, f"mails:{database.service}"):
                return 0  # another process is at it
            async with database.transaction() as tx:
                lost = await store.give_up_started(tx, clock.now())
                late = await store.expire(tx, clock.now())
            if lost:
                metrics.MAILS.labels(database.service, "", "uncertain", "crashed").inc(lost)
            if lost or late:
                log.warning("%s: %d mails became uncertain, %d came too late", database.service, lost, late)
            server = self._mails.outgoing.server
            if server is None:
                self._warn_once("mails wait: set TIDINGS_SMTP to a mail server, for example smtp://user:password@mail.example.org")
                return 0
            if time.monotonic() < self._rest_until:
                return 0
            run = _Run(database=database, server=server)
            # Not a task group: when one worker fails, the others still hear what became of their mails.
            workers = [asyncio.create_task(self._work(run)) for _ in range(min(CONNECTIONS, server.connections))]
            try:
                await asyncio.wait(workers)
            except asyncio.CancelledError:
                run.stopping = True
                await asyncio.wait(workers, timeout=STOP_SECONDS)
                raise
            finally:
                for worker in workers:
                    worker.cancel()
                ended = await asyncio.gather(*workers, return_exceptions=True)
            failures = [found for found in ended if found is not None]
            self._rest(run.trouble)
            if failures:
                raise failures[0]
            return run.sent

    def _rest(self, trouble: ServerTroubleError | None) -> None:
        if trouble is None:
            self._rests = 0
            return
        pause = REST_SECONDS[min(self._rests, len(REST_SECONDS) - 1)]
        self._rests += 1
        self._rest_until = time.monotonic() + pause
        log.warning("the mail server takes nothing (%s); mails wait and it is asked again in %.0f s", trouble, pause)

    def _warn_once(self, sentence: str) -> None:
        if not self._warned:
            log.warning(sentence)
            self._warned = True

    async def _work(self, run: _Run) -> None:
        connection = Connection(run.server, hello=self._mails.outgoing.domain, patience=self._patience)
        try:
            while run.trouble is None and not run.stopping:
                mail = await _next(run)
                if mail is None:
                    if not run.held:
                        return
                    await asyncio.sleep(LOOK_SECONDS)  # another worker waits for the server's answer; more may come in meanwhile
                    continue
                try:
                    await self._one(run, connection, mail)
                finally:
                    run.held.discard(mail.id)
        finally:
            await connection.close()

    async def _one(self, run: _Run, connection: Connection, mail: Due) -> None:
        async def before_first_byte() -> None:
            async with run.database.transaction() as tx:
                if not await store.start(tx, mail.id, clock.now()):
                    raise _NotOurs

        address, trace, began = "", "", spans.now()
        try:
            address, message = self._mails.open(mail)
            trace = self._mails.trace_of(mail)
            envelope = Envelope(sender=self._mails.outgoing.sender.address, recipient=address, message=message)
            outcome = await connection.send(envelope, before_first_byte)
        except _NotOurs:
            return
        except ServerTroubleError as error:
            run.trouble = error
            return
        except SealError as error:
            log.error("a mail cannot be sent: %s", error)  # noqa: TRY400  # the sentence says all
            async with run.database.transaction() as tx:
                await store.put_off(tx, mail.id, next_at=clock.now() + SEALED_PAUSE, answer=str(error))
            return
        with tracing(trace):
            await _note(run, mail, outcome, address)
        spans.end(
            Span(
                name="hand over mail",
                kind=Kind.CLIENT,
                trace_id=trace,
                parent_id=spans.root_of(trace),
                began=began,
                service=run.database.service,
                attributes={"tidings.mail.purpose": mail.purpose, "tidings.outcome": type(outcome).__name__.lower()},
                failed=not isinstance(outcome, Accepted),
            )
        )


async def _next(run: _Run) -> Due | None:
    async with run.database.transaction() as tx:
        found = await store.due(tx, clock.now(), held=run.held, limit=1)
        if not found:
            return None
    # Another worker may have looked at the same moment.
    if found[0].id in run.held:
        return await _next(run)
    run.held.add(found[0].id)
    return found[0]


async def _note(run: _Run, mail: Due, outcome: Outcome, address: str) -> None:
    """Write down what became of a mail, even when the database is away for a while: what is known must not become uncertain."""
    until = time.monotonic() + NOTE_SECONDS
    while True:
        try:
            async with run.database.transaction() as tx:
                await _write(tx, mail, outcome, address)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            if not is_away(error) or time.monotonic() > until:
                raise
            await asyncio.sleep(LOOK_SECONDS)
        else:
            break
    run.sent += isinstance(outcome, Accepted)
    because = outcome.fault.value if isinstance(outcome, Refused) else ""
    metrics.MAILS.labels(run.database.service, mail.purpose, type(outcome).__name__.lower(), because).inc()
    log.info("mail %s: %s at try %d", mail.id, type(outcome).__name__.lower(), mail.attempts + 1)


async def _write(tx: Transaction, mail: Due, outcome: Outcome, address: str) -> None:
    now = clock.now()
    match outcome:
        case Accepted():
            await store.end(tx, mail.id, MailState.ACCEPTED, now=now, answer=_without(address, f"{outcome.code} {outcome.reply}"))
        case Refused():
            await store.end(tx, mail.id, MailState.REFUSED, now=now, answer=_without(address, f"{outcome.code} {outcome.reply}"))
        case Uncertain():
            await store.end(tx, mail.id, MailState.UNCERTAIN, now=now, answer=_without(address, outcome.why))
        case Deferred():
            answer = _without(address, f"{outcome.code} {outcome.reply}")
            again = next_try(mail.attempts + 1, mail.created_at, now)
            if again is None:
                await store.end(tx, mail.id, MailState.REFUSED, now=now, answer=f"given up: {answer}")
            else:
                await store.put_off(tx, mail.id, next_at=again, answer=answer)


def _without(address: str, answer: str) -> str:
    """Return a server's answer without the person's address, which has no place in a table that is kept."""
    return answer.replace(address, "(recipient)") if address else answer


async def forget(database: Database) -> int:
    """Delete mails that ended, 90 days after they were put, and end held ones that are too late; returns how many went."""
    gone = 0
    async with database.transaction() as tx:
        await holding.lapse(tx)
    while True:
        async with database.transaction() as tx:
            done = await store.forget(tx, clock.now() - timedelta(days=MAIL_DAYS), CHUNK)
        gone += done
        if done < CHUNK:
            return gone
