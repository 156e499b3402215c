"""One batch from Kafka, one transaction: take the ids, keep the order of what is parked, handle the rest, then acknowledge."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared import inbox, metrics, parking, spans
from shared.arrivals import UNKNOWN_TYPE, Arrival, Passed, Record, place_id, read
from shared.db import Database, Transaction, is_away
from shared.listening import Listener, Listeners, Received
from shared.parking import Key, Setting, key_of
from shared.spans import Kind, Span
from shared.trace import tracing

log = logging.getLogger(__name__)

# A failure undoes its run, and what had gone well in it goes again. Runs of fifty keep the price of one failure in five hundred at a
# twentieth, where one savepoint for the whole batch costs half; a function that takes lists starts with one longer run.
RUN = 50
LIST_RUN = 500
# Nothing a handler does takes this long; what does hangs, and the batch has to come again.
BATCH_TIMEOUT_SECONDS = 60.0
# With more in one batch, writing their lines would cost as much as handling them.
SAID_SINGLY = 50
BEHIND = "waits behind an earlier event of the same subject"


@dataclass(kw_only=True)
class Outcome:
    """What became of a batch; counted only once it is committed, since a handler may run twice before that."""

    taken: Counter[tuple[str, str]] = field(default_factory=Counter)  # (event type, what became of it)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that raised and is undone."""

    error: Exception
    place: int | None  # of the event that raised, counted from 0; None where a whole list was handed over or nobody can tell


@dataclass(kw_only=True)
class _Group:
    """Events of one type that go to their function together."""

    listener: Listener
    arrivals: list[Arrival]


class Consumer:
    """Takes batches for one service."""

    def __init__(self, service: str, database: Database, listeners: Listeners, known: Mapping[str, frozenset[str]]) -> None:
        self.service = service
        self.database = database
        self.listeners = listeners
        self._known = known  # event type -> the topics it may come from

    async def take(self, records: Sequence[Record]) -> Outcome:
        """Handle a batch and return what became of it, everything committed.

        Raises what `shared.db.is_away` names when the database is the trouble: nothing has happened then, and the same records
        can be given again. Every other failure parks the event it belongs to.
        """
        try:
            return await self._take_together(records)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("%s takes a batch of %d record by record", self.service, len(records))
        outcome = Outcome()
        for record in records:
            outcome.taken += (await self._take_alone(record)).taken
        return outcome

    async def _take_alone(self, record: Record) -> Outcome:
        """Take one record of a batch that failed as a whole; one that fails by itself is set aside, dead, with nothing of it read."""
        try:
            return await self._take_together([record])
        except Exception as error:
            if is_away(error):
                raise
            fault = parking.describe(error)
        arrival = Arrival(record=record, event_id=place_id(record), type=UNKNOWN_TYPE, subject="", listener=None, event=None, fault=fault)
        outcome = Outcome()
        async with self.database.transaction() as tx:
            await self._take(tx, [arrival], outcome)
        return self._count(outcome)

    async def _take_together(self, records: Sequence[Record]) -> Outcome:
        outcome = Outcome()
        arrivals: list[Arrival] = []
        for record in records:
            match read(record, self.listeners, self._known):
                case Passed() as why:
                    outcome.taken[_type_of(record, self._known), why.value] += 1
                case Arrival() as arrival:
                    arrivals.append(arrival)
        if arrivals:
            began = spans.now()
            with metrics.BATCH_SECONDS.labels(self.service).time():
                async with asyncio.timeout(BATCH_TIMEOUT_SECONDS), self.database.transaction() as tx:
                    handled = await self._take(tx, arrivals, outcome)
            _say_handled(self.service, handled)
            _end_spans(self.service, handled, began)
        return self._count(outcome)

    def _count(self, outcome: Outcome) -> Outcome:
        for (event_type, became), count in outcome.taken.items():
            metrics.EVENTS_TAKEN.labels(self.service, event_type, became).inc(count)
        return outcome

    async def _take(self, tx: Transaction, arrivals: Sequence[Arrival], outcome: Outcome) -> Sequence[Arrival]:
        """Take arrivals in an open transaction and return those that were handled."""
        # The ids first, the parked keys second: another consumer that holds these ids makes us wait here, and when we go on we see
        # what it parked.
        new = await inbox.take(tx, _first_of_each(arrivals))
        blocked = await parking.blocked(tx, arrivals)
        settings: list[Setting] = []
        ready: list[Arrival] = []
        seen: set[UUID] = set()
        for arrival in arrivals:
            key = key_of(arrival)
            if arrival.event_id not in new or arrival.event_id in seen:
                outcome.taken[arrival.type, Passed.REPEATED.value] += 1
                continue
            seen.add(arrival.event_id)
            if arrival.event is None:
                settings.append(Setting(arrival=arrival, error=arrival.fault, dead=True))
                if key is not None:
                    blocked.add(key)
            elif key in blocked:
                settings.append(Setting(arrival=arrival, error=BEHIND, behind=True))
            else:
                ready.append(arrival)
        failed = await self._handle(tx, ready)
        settings = _in_order(arrivals, [*settings, *failed])
        await parking.park(tx, settings)
        apart = {setting.arrival.event_id for setting in settings}
        handled = [arrival for arrival in ready if arrival.event_id not in apart]
        for arrival in handled:
            outcome.taken[arrival.type, "handled"] += 1
        for setting in settings:
            outcome.taken[setting.arrival.type, "parked"] += 1
            _say_parked(self.service, setting)
        return handled

    async def _handle(self, tx: Transaction, ready: Sequence[Arrival]) -> list[Setting]:
        runs = _Runs(tx)
        for group in _groups(ready):
            for run in _cut(group.arrivals, LIST_RUN if group.listener.together else RUN):
                await runs.run(group.listener, run)
        return runs.failed

    async def retry(self, limit: int = 100) -> int:
        """Try parked events whose time has come, the oldest of each key, and return how many were tried."""
        async with asyncio.timeout(BATCH_TIMEOUT_SECONDS), self.database.transaction() as tx:
            rows = await parking.due(tx, limit)
            became: Counter[tuple[str, str]] = Counter()
            for row in rows:
                with tracing(row.trace_id):
                    became[row.type, await self._retry(tx, row)] += 1
        for (event_type, what), count in became.items():
            metrics.EVENTS_TAKEN.labels(self.service, event_type, what).inc(count)
        return len(rows)

    async def _retry(self, tx: Transaction, row: Any) -> str:
        arrival = read(parking.stored_record(row), self.listeners, self._known)
        if isinstance(arrival, Passed):  # a release took the listener away: nothing is left to do for it
            await parking.settle(tx, row)
            return arrival.value
        error = arrival.fault if arrival.event is None or arrival.listener is None else ""
        if arrival.event is not None and arrival.listener is not None:
            failure = await try_handling(tx, arrival.listener, [arrival])
            error = parking.describe(failure.error) if failure else ""
        if not error:
            await parking.settle(tx, row)
            return "recovered"
        state = await parking.fail(tx, row, error, dead=arrival.event is None)
        log.warning("%s: %s about %s failed again and is %s: %s", self.service, row.type, row.subject, state.value, error)
        return state.value


class _Runs:
    """Handles runs of events in one transaction; what fails is set apart, and so is what comes after it about the same subject."""

    def __init__(self, tx: Transaction) -> None:
        self.failed: list[Setting] = []
        self._tx = tx
        self._stopped: set[Key | None] = set()

    async def run(self, listener: Listener, arrivals: Sequence[Arrival]) -> None:
        """Handle a run under a savepoint; when it fails, everything in it goes again but the event that failed."""
        going = self._not_behind(arrivals)
        while going:
            failure = await try_handling(self._tx, listener, going)
            if failure is None:
                return
            if failure.place is None and len(going) > 1:
                for part in _cut(going, RUN if len(going) > RUN else 1):
                    await self.run(listener, part)
                return
            place = failure.place or 0
            await self.run(listener, going[:place])  # it went well, and was undone with the rest
            if (key := key_of(going[place])) in self._stopped:
                self._set_behind(going[place])
            else:
                self.failed.append(Setting(arrival=going[place], error=parking.describe(failure.error)))
                if key is not None:
                    self._stopped.add(key)
            going = self._not_behind(going[place + 1 :])

    def _not_behind(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        if not self._stopped:
            return arrivals
        going: list[Arrival] = []
        for arrival in arrivals:
            if key_of(arrival) in self._stopped:
                self._set_behind(arrival)
            else:
                going.append(arrival)
        return going

    def _set_behind(self, arrival: Arrival) -> None:
        self.failed.append(Setting(arrival=arrival, error=BEHIND, behind=True))


async def try_handling(tx: Transaction, listener: Listener, arrivals: Sequence[Arrival]) -> Failure | None:
    """Run the listener under a savepoint and return what it raised, undone; raises only what means that the database is away."""
    events: list[Received[Any]] = [arrival.event for arrival in arrivals if arrival.event is not None]
    place: int | None = None
    try:
        async with tx.begin_nested():
            if listener.together:
                with tracing(events[0].trace_id if len(events) == 1 else ""):
                    await listener.handle(tx, events)
            else:
                for place, event in enumerate(events):  # noqa: B007  # it is what is known of a failure
                    with tracing(event.trace_id):
                        await listener.handle(tx, event)
                place = None  # should the savepoint itself fail
    except Exception as error:
        if is_away(error):
            raise
        return Failure(error=error, place=place)
    return None


def _first_of_each(arrivals: Iterable[Arrival]) -> list[Arrival]:
    unique: dict[UUID, Arrival] = {}
    for arrival in arrivals:
        unique.setdefault(arrival.event_id, arrival)
    return list(unique.values())


def _groups(ready: Sequence[Arrival]) -> list[_Group]:
    """Return the events by type, as few groups as keep the order of each key: an event joins the last group of its type unless
    a later group already holds an event of its key.
    """
    groups: list[_Group] = []
    last_of_key: dict[Key, int] = {}
    last_of_type: dict[str, int] = {}
    for arrival in ready:
        assert arrival.listener is not None
        key = key_of(arrival)
        place = last_of_type.get(arrival.type, -1)
        if place < 0 or (key is not None and last_of_key.get(key, -1) > place):
            groups.append(_Group(listener=arrival.listener, arrivals=[]))
            place = last_of_type[arrival.type] = len(groups) - 1
        groups[place].arrivals.append(arrival)
        if key is not None:
            last_of_key[key] = place
    return groups


def _cut(arrivals: Sequence[Arrival], size: int) -> Iterator[Sequence[Arrival]]:
    for start in range(0, len(arrivals), size):
        yield arrivals[start : start + size]


def _in_order(arrivals: Sequence[Arrival], settings: Sequence[Setting]) -> list[Setting]:
    """Return the settings in the order of the batch, which is the order in which they will be tried again."""
    by_id = {setting.arrival.event_id: setting for setting in settings}
    return [setting for arrival in arrivals if (setting := by_id.pop(arrival.event_id, None))]


def _type_of(record: Record, known: Mapping[str, Any]) -> str:
    """Return the record's event type for counting; one that we do not know is not ours to make a label of."""
    for name, value in record.headers:
        if name == "ce_type" and value is not None:
            event_type = value.decode("utf-8", "replace")
            return event_type if event_type in known else "unknown"
    return "unknown"


def _say_handled(service: str, handled: Sequence[Arrival]) -> None:
    """Write a line for each event, with its trace id; of a flood, which nobody reads line by line, one line."""
    if len(handled) > SAID_SINGLY:
        log.info("%s handled %d events", service, len(handled))
        return
    for arrival in handled:
        with tracing(arrival.event.trace_id if arrival.event else ""):
            log.info("%s handled %s about %s", service, arrival.type, arrival.subject)


def _end_spans(service: str, handled: Sequence[Arrival], began: int) -> None:
    if not spans.is_on():
        return
    for arrival in handled:
        if arrival.event is None:
            continue
        span = Span(
            name=f"handle {arrival.type}",
            kind=Kind.CONSUMER,
            trace_id=arrival.event.trace_id,
            parent_id=arrival.event.as_cause().span_id,
            began=began,
            service=service,
            attributes={
                "messaging.system": "kafka",
                "messaging.destination.name": arrival.record.topic,
                "messaging.message.id": str(arrival.event_id),
                "messaging.batch.message_count": len(handled),
            },
        )
        spans.end(span)


def _say_parked(service: str, setting: Setting) -> None:
    arrival = setting.arrival
    with tracing(arrival.event.trace_id if arrival.event else ""):
        log.warning(
            "%s set %s about %s aside (%s/%s at %s): %s",
            service,
            arrival.type,
            arrival.subject,
            arrival.record.topic,
            arrival.record.partition,
            arrival.record.offset,
            setting.error,
        )
