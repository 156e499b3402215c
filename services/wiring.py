"""The owners built from their parts, and the Kafka that they share."""

from collections.abc import Callable
from importlib import import_module

from services.owners import OWNERS
from shared.broker import Probe
from shared.cluster import cluster_of
from shared.events import registry
from shared.parts import Parts
from shared.service import Kafka, Service
from shared.settings import Settings


def built(owner: str, parts: Parts) -> Service:
    """Return the service of that name, put together.

    Its code is imported here and not before, so that a process carries the services that it runs and no others.
    """
    build: Callable[[Parts], Service] = import_module(f"services.{owner}.app").build
    return build(parts)


def kafka_of(settings: Settings, *, embedded: bool) -> Kafka:
    """Return the Kafka of the settings, and who of the owners reads what there."""
    # The embedded broker lives in the process that runs every service, so its readers are known: all that listen.
    readers: dict[str, list[str]] = {}
    for name in OWNERS:
        for topic in registry.topics_heard_by(name):
            readers.setdefault(topic, []).append(name)
    cluster = cluster_of(settings)
    return Kafka(address=cluster, embedded=embedded, probe=Probe(cluster), readers=readers)
