"""How far a relay may run ahead of its readers on the embedded broker, which keeps about five megabytes a partition in memory
and drops the oldest without a word.
"""

import asyncio
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from aiokafka import TopicPartition
from aiokafka.structs import RecordMetadata

from shared.broker import Probe, group_of

# Half of what the broker keeps, since what it counts besides our bytes is its own affair.
MAX_BYTES_AHEAD = 2_500_000
MAX_RECORDS_AHEAD = 2_000
LOOK_AGAIN_SECONDS = 0.02


@dataclass
class _Ahead:
    sent: deque[tuple[int, int]] = field(default_factory=deque)  # offset and bytes of what a reader may not have finished with
    bytes: int = 0


class Window:
    """Waits until every reader of a topic has finished with enough of what was sent."""

    def __init__(self, probe: Probe, topic: str, readers: Collection[str]) -> None:
        self._probe = probe
        self._topic = topic
        self._readers = readers
        self._ahead: dict[int, _Ahead] = {}

    def sent(self, where: RecordMetadata, size: int) -> None:
        """Note one record that the broker has taken."""
        ahead = self._ahead.setdefault(where.partition, _Ahead())
        ahead.sent.append((where.offset, size))
        ahead.bytes += size

    async def wait(self) -> None:
        """Return once no partition holds more than the window; raises BrokerAwayError when the broker does not answer."""
        while any(ahead.bytes > MAX_BYTES_AHEAD or len(ahead.sent) > MAX_RECORDS_AHEAD for ahead in self._ahead.values()):
            await self._look()
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _look(self) -> None:
        if not self._readers:
            self._ahead.clear()
            return
        committed = [await self._probe.committed(group_of(reader), [self._topic]) for reader in self._readers]
        for partition, ahead in self._ahead.items():
            finished = min(offsets.get(TopicPartition(self._topic, partition), 0) for offsets in committed)
            while ahead.sent and ahead.sent[0][0] < finished:
                ahead.bytes -= ahead.sent.popleft()[1]
