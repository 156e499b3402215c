"""Many connections, one commit: what has ended and what starts next is written together, in the order in which it was told.

A connection tells how its last mail ended before it asks to start the next, and both stand in one queue. So a mail is started only in, or
after, the commit that carries its predecessor's end: whoever dies leaves one uncertain mail per connection and not two.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Counter

from services.newsletter.sending import ledger
from services.newsletter.sending.ledger import Ended, Start
from services.newsletter.sending.rules import Claim
from services.newsletter.sending.stretches import Stretches
from shared import spans
from shared.db import Database, Transaction, is_away

log = logging.getLogger(__name__)

COPIES = Counter(
    "tidings_issue_mails_total", "Copies of issues that a sender was done with, by what became of them and why", ["outcome", "because"]
)

MaySend = Callable[[Transaction], Awaitable[bool]]
"""Whether anything may leave at all: the sender's pause row, read in the transaction that claims or starts."""

# A server in the middle of DATA waits three minutes at least (RFC 5321, section 4.5.3.2); a database that is away for longer than this
# has its connections dropped before the server loses patience.
START_PATIENCE_SECONDS = 20.0
TRY_AGAIN_SECONDS = 0.2
# So long the first waits for others to share its commit: less than a round trip to most mail servers, and a third of the commits.
GATHER_SECONDS = 0.003


class NotStartedError(Exception):
    """A mail may not leave after all: somebody else has it, it is held or paused, its reader has left, or the ledger is away."""


@dataclass(kw_only=True)
class _Asked:
    start: Start
    answer: "asyncio.Future[bool]"
    deadline: float  # by the loop's clock


class Commits:
    """The one writer of a sender's ledger; `run` it as a task."""

    def __init__(self, database: Database, sender: UUID, may_send: MaySend, *, patience_seconds: float = START_PATIENCE_SECONDS) -> None:
        self._database = database
        self._sender = sender
        self._may_send = may_send
        self._patience_seconds = patience_seconds
        self.stretches = Stretches()
        self._ended: list[Ended] = []
        self._asked: list[_Asked] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def tell(self, ended: Ended) -> None:
        """Have an end written, soon and for certain as long as the process lives."""
        self._ended.append(ended)
        self._stir()

    async def start(self, start: Start) -> None:
        """Return once it is durable that the mail has started; raises NotStartedError when it may not leave."""
        loop = asyncio.get_running_loop()
        asked = _Asked(start=start, answer=loop.create_future(), deadline=loop.time() + self._patience_seconds)
        self._asked.append(asked)
        self._stir()
        if not await asked.answer:
            raise NotStartedError(NotStartedError.__doc__)

    async def flush(self) -> None:
        """Return once everything told is durable."""
        await self._idle.wait()

    def pending(self) -> Sequence[Claim]:
        """Return the claims of which something is told or asked that is not durable yet."""
        return [*(one.claim for one in self._ended), *(one.start.claim for one in self._asked)]

    def _stir(self) -> None:
        self._idle.clear()
        self._wake.set()

    async def run(self) -> None:
        """Write what is told and asked, until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            while self._ended or self._asked:
                try:
                    await self._commit()
                except Exception as error:
                    if not is_away(error):
                        raise
                    log.debug("the ledger is away: %r", error)
                    self._give_up_late()
                    await asyncio.sleep(TRY_AGAIN_SECONDS)
            self._idle.set()

    async def _commit(self) -> None:
        ended, asked = list(self._ended), [one for one in self._asked if not one.answer.done()]
        at = spans.now()  # 0 where nobody wants any
        async with self._database.transaction() as tx:
            may = bool(asked) and await self._may_send(tx)
            begun = await ledger.record(tx, self._sender, ended, [one.start for one in asked] if may else [])
        # Only now is it durable; until here a repeat would have written the same again.
        del self._ended[: len(ended)]
        for end in ended:
            COPIES.labels(end.state.value, end.reason).inc()
        if at:
            self.stretches.note(at, (issue_id for issue_id, _ in begun), ((end.claim.issue_id, end.state) for end in ended))
        self._asked = [one for one in self._asked if one not in asked and not one.answer.done()]
        for one in asked:
            with suppress(asyncio.InvalidStateError):
                one.answer.set_result((one.start.claim.issue_id, one.start.claim.subscriber_id) in begun)

    def _give_up_late(self) -> None:
        now = asyncio.get_running_loop().time()
        late = [one for one in self._asked if one.deadline < now or one.answer.done()]
        self._asked = [one for one in self._asked if one not in late]
        for one in late:
            with suppress(asyncio.InvalidStateError):
                one.answer.set_result(False)
