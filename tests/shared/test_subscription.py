"""What a subscription acknowledges."""

from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition

from shared.consumer import Consumer
from shared.db import Database
from shared.subscription import Subscription
from shared.testing import trial


class Client:
    """The library's consumer, of whose two partitions one went to another member while a batch of both was in hand."""

    def __init__(self) -> None:
        self.committed: list[Mapping[TopicPartition, int]] = []

    def assignment(self) -> set[TopicPartition]:
        """Return what is still its own."""
        return {TopicPartition(trial.TOPIC, 0)}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note what is acknowledged."""
        self.committed.append(offsets)


async def test_just_the_records_of_a_batch_whose_partitions_are_still_ours_are_acknowledged() -> None:
    consumer = Consumer(trial.LISTENER, Database("postgresql://nowhere/none", trial.LISTENER), trial.LISTENS, trial.KNOWN)
    client = Client()
    records: list[Any] = [trial.record("a", number, offset=number, partition=partition) for partition in (0, 1) for number in (3, 4)]
    await Subscription(consumer, "nowhere:9092", [trial.TOPIC])._acknowledge(client, records)
    assert client.committed == [{TopicPartition(trial.TOPIC, 0): 5}]
