"""Records that no teller of ours would send, among two thousand good ones, from a producer that keeps no rule."""

import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import select

from shared import parking
from shared.inbox import inbox
from shared.parking import ParkedState, StoredRecord
from shared.testing import trial
from tests.live.flow import SUBJECTS, Flow, counted, until

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live"), pytest.mark.timeout(1200)]

EACH = 20
GOOD = EACH * len(SUBJECTS)

UNREADABLE = {
    "a body that is no JSON": trial.record("odd-0", 1, offset=0, value=b"\xff\xfenot json"),
    "no body": trial.record("odd-1", 1, offset=0, value=None),
    "JSON of another shape": trial.record("odd-2", 1, offset=0, value=b'["a list"]'),
    "a type that is not UTF-8": trial.record("odd-3", 1, offset=0, replace={"ce_type": b"\xff\xfe"}),
    "a type that is null": trial.record("odd-4", 1, offset=0, replace={"ce_type": None}),
    "a subject that is not UTF-8": trial.record("odd-5", 1, offset=0, replace={"ce_subject": b"caf\xe9"}),
    "an id that is null": trial.record("odd-6", 1, offset=0, replace={"ce_id": None}),
    "a trace that is null": trial.record("odd-7", 1, offset=0, replace={"traceparent": None}),
}
STRANGE_BUT_READABLE = [
    trial.record("fine-0", 1, offset=0, replace={"x-foreign": b"\xff\xfe\x00"}),
    trial.record("fine-1", 1, offset=0, replace={"x-foreign": None, "": b"a header without a name"}),
]
UNKNOWN = [trial.record("comet-0", number, offset=0, replace={"ce_type": b"comet.seen.v9"}) for number in (1, 2, 3)]
POISON = trial.record("poison-0", 1, offset=0, poison=True)


def all_records() -> list[StoredRecord]:
    """Return two thousand good records, twenty of each subject in order, with the odd ones spread among them."""
    records = [trial.record(subject, number, offset=0) for number in range(1, EACH + 1) for subject in SUBJECTS]
    odd = [*UNREADABLE.values(), *STRANGE_BUT_READABLE, *UNKNOWN, POISON]
    for place, record in enumerate(odd):
        records.insert((place + 1) * GOOD // (len(odd) + 1), record)
    return records


async def produce(flow: Flow, records: list[StoredRecord]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=flow.kafka.address, enable_idempotence=True)
    await producer.start()
    try:
        sent = [await producer.send(flow.topic, record.value, record.key, headers=list(record.headers)) for record in records]
        for one in sent:
            await one
    finally:
        await producer.stop()


async def test_odd_records_are_set_aside_whole_and_the_two_thousand_around_them_take_effect(flow: Flow) -> None:
    await produce(flow, all_records())
    async with flow.heard():
        await flow.all_acknowledged()

        told = dict.fromkeys(SUBJECTS, EACH) | {"fine-0": 1, "fine-1": 1}
        assert await trial.faults(flow.listener, told) == []

        rows = {row.key.decode(): row for row in await flow.parked()}
        assert set(rows) == {f"odd-{number}" for number in range(len(UNREADABLE))} | {"poison-0"}
        for name, record in UNREADABLE.items():
            assert record.key is not None
            row = rows[record.key.decode()]
            assert row.state == ParkedState.DEAD, name
            assert row.topic == flow.topic
            assert row.error, name
            kept = parking.stored_record(row)
            assert (kept.key, kept.value, list(kept.headers)) == (record.key, record.value, list(record.headers)), name
        assert rows["poison-0"].state == ParkedState.WAITING
        assert rows["poison-0"].value == POISON.value

        handled = counted("tidings_events_taken_total", service=flow.name, type=trial.TYPE, outcome="handled")
        assert handled == GOOD + len(STRANGE_BUT_READABLE)
        unknown = counted("tidings_events_taken_total", service=flow.name, type="unknown", outcome="unknown")
        assert unknown == len(UNKNOWN)
        async with flow.listener.transaction() as tx:
            assert not (await tx.execute(select(inbox).where(inbox.c.subject == "comet-0"))).all()


async def test_a_flow_of_nothing_but_unreadable_records_is_acknowledged_and_kept(flow: Flow) -> None:
    headers = [("ce_type", None), ("ce_id", b"\xff")]
    rubbish = [
        StoredRecord(topic=flow.topic, partition=0, offset=0, key=None if n % 2 else b"same", value=b"\x00" * n, headers=headers)
        for n in range(300)
    ]
    await produce(flow, rubbish)
    async with flow.heard():
        await flow.all_acknowledged()

        async def all_kept() -> bool:
            return len(await flow.parked()) == len(rubbish)

        await until(all_kept, "every record kept")
    assert sorted(row.value for row in await flow.parked()) == sorted(record.value or b"" for record in rubbish)
    assert {row.state for row in await flow.parked()} == {ParkedState.DEAD}
    assert await trial.faults(flow.listener, {}) == []
