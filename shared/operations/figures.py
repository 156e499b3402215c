"""A service's figures in words: each with its name, what it says, and how a reader should take it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.operations.deliveries import ParkedCounts

FiguresOf = Callable[[], Awaitable[Mapping[str, object]]]
"""Gives a running service's figures: `shared.service.Running.figures`."""

# Within a minute a relay that had to find its broker again has sent everything; what waits longer is worth a look.
LATE_SECONDS = 60.0

FIGURES = ("consumer", "lag", "relay", "outbox_unsent", "outbox_age", "parked_waiting", "parked_behind", "parked_dead", "stuck")
"""The names of all figures in the order in which trouble is looked for: does it listen, does it tell, what was set aside, what is stuck."""

_CONSUMER_TONES = {"moving": "good", "idle": "good", "starting": "info", "broker-away": "warning"}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure; the sentences are keys."""

    name: str  # for programs, and the end of its own name's key: staff.figure.<name>
    key: str  # of what it says
    n: int | None = None  # the number in it, where there is one
    tone: str = "neutral"  # neutral, info, good, warning, bad
    reason_key: str = ""  # of why it is so and what that means; empty where nothing need be said
    detail: str = ""  # in the machine's own words


def figures_shown(figures: Mapping[str, object], parked: ParkedCounts, stuck: int = 0) -> Sequence[Figure]:
    """Return the figures in the order of FIGURES."""
    return (
        _consumer(figures.get("consumer")),
        _lag(figures.get("lag"), listens=figures.get("consumer") is not None),
        _relay(figures.get("relay_leads"), str(figures.get("trouble") or "")),
        *_outbox(_int(figures.get("outbox_unsent")), figures.get("outbox_age_seconds")),
        _count("parked_waiting", parked.waiting, "warning"),
        _count("parked_behind", parked.behind, "warning"),
        _count("parked_dead", parked.dead, "bad"),
        _count("stuck", stuck, "bad"),
    )


def _consumer(state: object) -> Figure:
    if state is None:
        return Figure(name="consumer", key="staff.figure.consumer.none")
    return Figure(
        name="consumer",
        key=f"staff.figure.consumer.{state}",
        tone=_CONSUMER_TONES.get(str(state), "bad"),
        reason_key=f"staff.figure.consumer.{state}.reason",
    )


def _lag(lag: object, *, listens: bool) -> Figure:
    if not listens:
        return Figure(name="lag", key="staff.figure.none")
    if lag is None:
        return Figure(name="lag", key="staff.figure.unknown", tone="warning", reason_key="staff.figure.lag.unknown.reason")
    return Figure(name="lag", key="staff.figure.number", n=_int(lag))


def _relay(leads: object, trouble: str) -> Figure:
    if leads is None:
        return Figure(name="relay", key="staff.figure.relay.none")
    if trouble:
        return Figure(
            name="relay", key="staff.figure.relay.trouble", tone="warning", reason_key="staff.figure.relay.trouble.reason", detail=trouble
        )
    if leads:
        return Figure(name="relay", key="staff.figure.relay.leads", tone="good")
    return Figure(name="relay", key="staff.figure.relay.waits", reason_key="staff.figure.relay.waits.reason")


def _outbox(unsent: int, age_seconds: object) -> Sequence[Figure]:
    age = float(age_seconds) if isinstance(age_seconds, int | float) else 0.0
    tone = "warning" if unsent and age > LATE_SECONDS else "neutral"
    count = Figure(name="outbox_unsent", key="staff.figure.number", n=unsent, tone=tone)
    if not unsent:
        return count, Figure(name="outbox_age", key="staff.figure.none")
    if age < 120:
        return count, Figure(name="outbox_age", key="staff.figure.seconds", n=round(age), tone=tone)
    if age < 7200:
        return count, Figure(name="outbox_age", key="staff.figure.minutes", n=round(age / 60), tone=tone)
    return count, Figure(name="outbox_age", key="staff.figure.hours", n=round(age / 3600), tone=tone)


def _count(name: str, n: int, tone: str) -> Figure:
    return Figure(name=name, key="staff.figure.number", n=n, tone=tone if n else "neutral")


def _int(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
