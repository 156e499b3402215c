"""`make soak`: mixed flow for twenty minutes, and what it leaves behind: memory, open files, sessions of the database, queues.

A system of its own, on embedded parts. Partners send signed webhooks of three kinds, readers read pages and feeds. What grows without an
end shows as a slope; the first fifth, in which caches fill, is not part of it.
"""

import argparse
import base64
import hashlib
import hmac
import json
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from services.demo.walk.browser import Browser
from services.demo.walk.people import ALEX, Mails, Partner, new_partner, sign_in
from services.demo.walk.system import Fresh, fresh
from shared.embedded import run_file
from shared.testing.databases import ask, run_apart

KINDS = ("practice.submitted", "talk.requested", "pledge.submitted")
PAGES = ("/", "/practices/", "/pledges/", "/pledges/?q=city", "/calendar/", "/calendar/feed.ics", "/talks/", "/newsletter/archive/")
READS_PER_EVENT = 0.2  # to each webhook
SENDERS = 4
WARM = 0.2
SETTLE_SECONDS = 120.0
FALLS_SHORT = 0.95
"""A flow slower than this part of what was asked is another flow than the one that its figures are said to be of."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The system at one moment."""

    at: float  # seconds since the flow began
    memory: int  # bytes in use by the process with every service
    files: int  # open files and sockets of it
    sessions: int  # of the database


@dataclass(kw_only=True)
class Flow:
    """What was sent and read."""

    accepted: int = 0
    read: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # each webhook until its answer


def slope_per_hour(points: Sequence[tuple[float, float]]) -> float:
    """Return how much a value grows in an hour, by the line that fits (seconds, value) best; 0 for fewer than two points."""
    if len(points) < 2 or len({at for at, _ in points}) < 2:
        return 0.0
    return statistics.linear_regression(*zip(*points, strict=True)).slope * 3600


def main() -> None:
    """Run as long and as fast as the arguments say, and print what it showed.

    Ends with 1 when something was not taken or did not come through, or when the flow was slower than asked.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=50.0, help="webhooks and reads a second, one of these to five of those")
    parser.add_argument("--every", type=float, default=5.0, help="seconds from one look to the next")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = soak(seconds=asked.minutes * 60, rate=asked.rate, every=asked.every, say=lambda line: sys.stderr.write(f"{line}\n"))
    sys.stdout.write(json.dumps(found, indent=2) + "\n" if asked.json else _table(found))
    if failed := faults(found, rate=asked.rate):
        sys.stderr.write("".join(f"{one}\n" for one in failed))
        sys.exit(1)


def faults(found: Mapping[str, Any], *, rate: float) -> Sequence[str]:
    """Return what is wrong with what a soak at `rate` webhooks and reads a second showed, each in a sentence."""
    wrong = [f"{name}: {number} times" for name, number in found["wrong"].items()]
    wrong += [f"{name}: {number} have not come through" for name, number in found["left"].items()]
    if (was := found["events_per_second"]) < rate * FALLS_SHORT:
        wrong.append(f"{was} webhooks and reads a second where {rate:g} were asked: this machine is too slow or too busy for that flow")
    return wrong


def soak(*, seconds: float, rate: float, every: float, say: Callable[[str], object]) -> dict[str, Any]:
    """Run the flow for `seconds` at `rate` webhooks and reads a second, and return what it showed, ready for JSON."""
    with fresh() as system:
        database = _database(system)
        alex = sign_in(system.address, Mails(browser=Browser(system.address)), ALEX)
        partners = [new_partner(alex, f"City {number}") for number in range(SENDERS)]
        run_apart(ask(database, "UPDATE intake.partners SET rate_per_minute = 1000000"))
        samples: list[Sample] = []
        with _flowing(system.address, partners, _examples(system.address), rate) as flow:
            began = time.monotonic()
            while (passed := time.monotonic() - began) < seconds:
                samples.append(_look(system, database, passed))
                one = samples[-1]
                say(
                    f"{passed:7.0f} s  {flow.accepted:8,} taken  {one.memory / 1e6:7.1f} MB  {one.files:5} files  {one.sessions:4} sessions"
                )
                time.sleep(every)
            lasted = time.monotonic() - began
        left = _left(database)
        return _found(samples, flow, lasted, left)


def _found(samples: Sequence[Sample], flow: Flow, lasted: float, left: Mapping[str, int]) -> dict[str, Any]:
    warm = [one for one in samples if one.at >= WARM * lasted]
    taken = sorted(flow.seconds)
    return {
        "seconds": round(lasted, 1),
        "accepted": flow.accepted,
        "read": flow.read,
        "events_per_second": round((flow.accepted + flow.read) / lasted, 1),
        "wrong": dict(flow.wrong),
        "left": dict(left),
        "answer_ms_median": round(statistics.median(taken) * 1000, 1),
        "answer_ms_99": round(taken[int(len(taken) * 0.99)] * 1000, 1),
        "memory_mb_warm": round(warm[0].memory / 1e6, 1),
        "memory_mb_end": round(warm[-1].memory / 1e6, 1),
        "memory_mb_per_hour": round(slope_per_hour([(one.at, one.memory / 1e6) for one in warm]), 1),
        "memory_bytes_per_event": round(slope_per_hour([(one.at, one.memory) for one in warm]) / 3600 / (flow.accepted / lasted), 1),
        "files_warm": warm[0].files,
        "files_end": warm[-1].files,
        "files_per_hour": round(slope_per_hour([(one.at, one.files) for one in warm]), 1),
        "sessions_most": max(one.sessions for one in samples),
        "sessions_end": warm[-1].sessions,
    }


def _table(found: Mapping[str, Any]) -> str:
    return "".join(f"{name.replace('_', ' '):<26}{value}\n" for name, value in found.items())


def _look(system: Fresh, database: str, at: float) -> Sample:
    process = Path(f"/proc/{system.process.pid}")
    resident = next(line for line in (process / "status").read_text(encoding="ascii").splitlines() if line.startswith("VmRSS"))
    sessions = run_apart(ask(database, "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'tidings-%'"))
    return Sample(at=at, memory=int(resident.split()[1]) * 1024, files=len(list((process / "fd").iterdir())), sessions=int(sessions[0][0]))


def _left(database: str) -> Mapping[str, int]:
    """Return what has not come through within some time after the flow ended; nothing, where all is well."""
    queues = " UNION ALL ".join(
        f"SELECT '{name}.outbox', (SELECT count(*) FROM {name}.outbox WHERE sent_at IS NULL)"
        f" UNION ALL SELECT '{name}.parked', (SELECT count(*) FROM {name}.parked WHERE state IN ('waiting', 'dead'))"
        for name in ("desk", "intake", "pledges", "newsletter", "social", "calendar")
    )
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        left = {str(row[0]): int(row[1]) for row in run_apart(ask(database, queues)) if row[1]}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.5)


def _database(system: Fresh) -> str:
    running = run_file.read(system.var)
    assert running is not None
    assert running.database is not None
    return running.database


def _examples(address: str) -> Sequence[Mapping[str, Any]]:
    kinds = httpx.get(f"{address}/intake/api/v1/catalogue").json()["kinds"]
    return [one["example"] for one in kinds if one["type"] in KINDS]


@contextmanager
def _flowing(address: str, partners: Sequence[Partner], examples: Sequence[Mapping[str, Any]], rate: float) -> Iterator[Flow]:
    flow, ending = Flow(), threading.Event()
    webhooks = rate / (1 + READS_PER_EVENT)
    each = len(partners) / webhooks
    threads = [threading.Thread(target=_send, args=(flow, ending, partner, examples, each)) for partner in partners]
    threads.append(threading.Thread(target=_read, args=(flow, ending, address, 1 / (webhooks * READS_PER_EVENT))))
    for thread in threads:
        thread.start()
    try:
        yield flow
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def _send(flow: Flow, ending: threading.Event, partner: Partner, examples: Sequence[Mapping[str, Any]], every: float) -> None:
    key = base64.b64decode(partner.secret.removeprefix("whsec_"))
    began, turn = time.monotonic(), 0
    with httpx.Client(timeout=30) as client:
        while not ending.wait(max(0.0, began + turn * every - time.monotonic())):
            example = examples[turn % len(examples)]
            name, stamp = f"msg_{partner.page[-8:]}_{turn}", str(int(time.time()))
            title = {language: f"{text} {turn}" for language, text in example["data"]["title"].items()}
            body = json.dumps({**example, "data": {**example["data"], "title": title}}).encode()
            signature = base64.b64encode(hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
            headers = {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}
            at = time.monotonic()
            said = _status(lambda: client.post(partner.door, content=body, headers={"Content-Type": "application/json", **headers}))  # noqa: B023
            flow.seconds.append(time.monotonic() - at)
            if said == "202":
                flow.accepted += 1
            else:
                flow.wrong[f"webhook {said}"] += 1
            turn += 1


def _read(flow: Flow, ending: threading.Event, address: str, every: float) -> None:
    began, turn = time.monotonic(), 0
    with httpx.Client(base_url=address, timeout=30) as client:
        while not ending.wait(max(0.0, began + turn * every - time.monotonic())):
            page = random.choice(PAGES)
            said = _status(lambda: client.get(page, params={"lang": random.choice(("en", "fr", "ar"))}))  # noqa: B023
            flow.read += 1
            if said != "200":
                flow.wrong[f"{page} {said}"] += 1
            turn += 1


def _status(ask: Callable[[], httpx.Response]) -> str:
    """Return the status of an answer, or why none came: what is not answered is wrong too, and ends nobody's flow."""
    try:
        return str(ask().status_code)
    except httpx.HTTPError as error:
        return type(error).__name__


if __name__ == "__main__":
    main()
