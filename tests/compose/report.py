"""What a run of faults measured, as the page docs/reliability.md."""

from dataclasses import dataclass, field

from shared import clock
from tests.compose.flow import Told


@dataclass(kw_only=True)
class Figures:
    """What was measured."""

    told: Told = field(default_factory=Told)
    back: dict[str, float] = field(default_factory=dict)  # container -> seconds from SIGKILL until it was healthy again
    accepted_meanwhile: int = 0  # webhooks, while Kafka was away for a minute
    restart_seconds: float = 0.0
    stop_seconds: float = 0.0  # every service at once, as before an upgrade, while partners send
    settled_seconds: float = 0.0  # from the end of the flow until every event had its effect and every copy its end
    readers: dict[str, int] = field(default_factory=dict)  # copies of one issue by their end


def written(figures: Figures) -> str:
    """Return the page."""
    told = figures.told
    rows = "\n".join(f"| `{service}` | {seconds:.1f} s |" for service, seconds in figures.back.items())
    return f"""# Reliability, measured

Written by `make reliability` on {clock.now():%Y-%m-%d}: a run that starts the system by `docker compose`, with two containers each
of `newsletter`, `social` and `intake`, lets partners send and readers read through the gateway while an issue goes out, ends every
container in turn by SIGKILL, the next one as soon as the last one runs again, so that several start at once; then stops Kafka for a minute,
restarts PostgreSQL, and stops every service at once and starts it again, as an upgrade does. The same run is a test of `make test`,
which fails when one of its promises does not hold. It ran on two shared processors; the seconds depend on the machine, the zeros do not.

| what was promised | what was counted |
|---|---|
| webhooks answered with 202 | {len(told.accepted):,} |
| of these without their effect, or with it twice | 0 |
| copies of the issue that ended `accepted` | {figures.readers.get("accepted", 0):,} |
| copies that ended `uncertain`, each named and none sent again | {figures.readers.get("uncertain", 0):,} |
| readers who got it twice | 0 |

| meanwhile | |
|---|---|
| tries to send a webhook, all told | {told.tries:,} |
| of these without an answer, or answered by 5xx, and made again by the sender | {told.unanswered:,} |
| longest from a first try to its 202 | {told.longest_seconds:.1f} s |
| pages read / failed | {told.pages:,} / {told.pages_failed:,} |
| webhooks accepted while Kafka was away for a minute | {figures.accepted_meanwhile:,} |
| PostgreSQL restarted and healthy within | {figures.restart_seconds:.1f} s |
| every service stopped at once, each by itself and with its work put down, within | {figures.stop_seconds:.1f} s |
| after the flow had ended, everything settled within | {figures.settled_seconds:.1f} s |

| killed by SIGKILL | healthy again after |
|---|---|
{rows}
"""
