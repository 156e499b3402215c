"""Is Kafka there, are its topics as they must be, and do the services keep up?"""

from collections.abc import Sequence

from shared.broker import TOPIC_DAYS, Probe, group_of
from shared.doctor.findings import Finding, Question, ok, warning, wrong
from shared.events import registry

PART = "kafka"
# So many are done in a second or two; more, and a service is behind or not running.
LAG_WARNING = 1_000


def questions(probe: Probe, services: Sequence[str]) -> Sequence[Question]:
    """Return what is to be asked of Kafka."""
    do = "Is it running, and is TIDINGS_KAFKA right? What is told meanwhile waits in the outboxes."
    return [
        Question(part=PART, what="topics", ask=lambda: _topics(probe), do=do),
        Question(part=PART, what="services keep up", ask=lambda: _lags(probe, services), do=do),
    ]


async def _topics(probe: Probe) -> Sequence[Finding]:
    there = await probe.described(registry.TOPICS)
    found = []
    for topic in registry.TOPICS:
        state = there.get(topic)
        if state is None:
            found.append(wrong(PART, topic, "it is not there", "Start a service: each makes the topics that are missing."))
            continue
        kept = "" if state.kept_days is None else f", kept for {state.kept_days:.0f} days"
        said = f"{state.partitions} partitions, {state.copies} of {state.copies_possible} possible copies{kept}"
        if state.partitions != registry.PARTITIONS:
            do = f"Delete the topic while no service runs, and it is made with {registry.PARTITIONS}; the outboxes fill it by a replay."
            found.append(warning(PART, topic, said, do))
        elif state.copies > state.copies_possible:
            do = "A broker that keeps one of them does not answer: start it again. With another one away as well, what is told waits."
            found.append(warning(PART, topic, said, do))
        elif state.copies < state.copies_possible:
            found.append(warning(PART, topic, said, "Raise its replication: a broker that is lost would take events with it."))
        elif state.kept_days is not None and 0 <= state.kept_days < TOPIC_DAYS:
            do = f"Set its retention.ms to {TOPIC_DAYS * 86_400_000}: a service that was away for a fortnight still finds everything."
            found.append(warning(PART, topic, said, do))
        else:
            found.append(ok(PART, topic, said))
    return found


async def _lags(probe: Probe, services: Sequence[str]) -> Sequence[Finding]:
    there = await probe.described(registry.TOPICS)
    found = []
    for service in services:
        heard = [topic for topic in registry.topics_heard_by(service) if topic in there]
        lag = sum((await probe.lag(group_of(service), heard)).values()) if heard else 0
        said = f"{lag} events to be taken"
        if lag > LAG_WARNING:
            found.append(warning(PART, f"{service} keeps up", said, f"Does {service} run? See its /readyz, and docs/do/stuck-consumer.md."))
        else:
            found.append(ok(PART, f"{service} keeps up", said))
    return found
