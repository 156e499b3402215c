"""`make bench`: every figure beside its ceiling, on embedded PostgreSQL (a real server, fsync on) and on Apache Kafka by Docker."""

import logging
import sys

import uvloop

from bench import calendar, door, embedded, events, newsletter, recovery, register
from shared.embedded.postgres import EmbeddedPostgres

ON_KAFKA = {"events", "door", "recovery"}


def main() -> None:
    """Run what the arguments name, or everything."""
    wanted = set(sys.argv[1:]) or {"embedded", "newsletter", "register", "calendar", *ON_KAFKA}
    logging.basicConfig(level=logging.CRITICAL)  # a broker that is away is what is measured
    if "embedded" in wanted:
        uvloop.run(embedded.measure())
    if "newsletter" in wanted:
        uvloop.run(newsletter.measure())
    if "register" in wanted:
        uvloop.run(register.measure())
    if "calendar" in wanted:
        uvloop.run(calendar.measure())
    if wanted & ON_KAFKA:
        _on_kafka(wanted)


def _on_kafka(wanted: set[str]) -> None:
    from shared.testing.containers import apache_kafka
    from shared.testing.reaper import Reaper
    from shared.testing.requirements import docker_missing

    if missing := docker_missing():
        sys.stdout.write(f"\nNot measured: {', '.join(sorted(wanted & ON_KAFKA))}, because {missing}\n")
        return
    # What is left behind by a run that is killed goes too.
    with Reaper() as reaper, EmbeddedPostgres(reaper.folder / "postgres") as postgres, apache_kafka(reaper.labels) as kafka:
        if "events" in wanted:
            uvloop.run(events.measure(postgres.url, kafka.address))
        if "door" in wanted:
            uvloop.run(door.measure(postgres.url, kafka.address))
        if "recovery" in wanted:
            uvloop.run(recovery.measure(postgres.url, kafka.address, kafka.stop, kafka.start))


if __name__ == "__main__":
    main()
