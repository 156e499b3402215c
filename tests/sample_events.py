"""Every event type's stored sample as Kafka would hand it over, from its teller or, forged, from anybody else."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared import clock
from shared.events.registry import EVENT_TYPES, TELLERS, topic_of
from shared.ids import new_id
from shared.parking import StoredRecord
from shared.trace import Cause

SAMPLES = Path(__file__).parents[1] / "shared" / "events" / "samples"
_places = iter(range(1, 10**9))


def sample_of(event_type: str) -> dict[str, Any]:
    """The stored sample of a type."""
    found: dict[str, Any] = json.loads((SAMPLES / f"{event_type}.json").read_text(encoding="utf-8"))
    return found


def teller_of(event_type: str) -> str:
    """One of the services that tell a type."""
    return min(teller.value for teller in TELLERS[event_type])


def record(
    event_type: str, data: Mapping[str, Any] | None = None, *, subject: str = "", teller: str = "", topic: str = "", revision: int = 1
) -> StoredRecord:
    """A record of a type: its sample from its own teller, but for what is named."""
    service = teller or teller_of(event_type)
    subject, cause = subject or str(new_id()), Cause.start()
    headers = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": str(new_id()),
        "ce_source": f"/{service}",
        "ce_type": event_type,
        "ce_subject": subject,
        "ce_time": clock.now().isoformat(),
        "ce_cause": cause.id,
        "ce_revision": str(revision),
        "traceparent": cause.traceparent,
    }
    return StoredRecord(
        topic=topic or topic_of(service),
        partition=0,
        offset=next(_places),
        key=subject.encode(),
        value=json.dumps(sample_of(event_type) if data is None else data).encode(),
        headers=[(name, value.encode()) for name, value in headers.items()],
    )


def every_sample(subject: str = "") -> Iterator[StoredRecord]:
    """One record of every type there is."""
    for event_type in EVENT_TYPES:
        yield record(event_type, subject=subject)
