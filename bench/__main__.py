"""`make bench`: every figure beside its ceiling, on embedded PostgreSQL (a real server, fsync on) and on Apache Kafka by Docker."""

import sys
import tempfile
from pathlib import Path

import uvloop

from bench import embedded, events, recovery
from shared.embedded.postgres import EmbeddedPostgres


def main() -> None:
    """Run what the arguments name, or everything."""
    wanted = set(sys.argv[1:]) or {"embedded", "events", "recovery"}
    if "embedded" in wanted:
        uvloop.run(embedded.measure())
    if wanted & {"events", "recovery"}:
        _on_kafka(wanted)


def _on_kafka(wanted: set[str]) -> None:
    from shared.testing.containers import apache_kafka
    from shared.testing.requirements import docker_missing

    if missing := docker_missing():
        sys.stdout.write(f"\nNot measured: {', '.join(sorted(wanted & {'events', 'recovery'}))}, because {missing}\n")
        return
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "postgres") as postgres, apache_kafka({}) as kafka:
        if "events" in wanted:
            uvloop.run(events.measure(postgres.url, kafka.address))
        if "recovery" in wanted:
            uvloop.run(recovery.measure(postgres.url, kafka.address, kafka.stop, kafka.start))


if __name__ == "__main__":
    main()
