"""Mixed flow through the gateway while things are taken away: webhooks that partners send until they hear 202, and readers who read."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from services.demo.walk.people import Partner

PAGES = ("/", "/practices/", "/pledges/", "/calendar/", "/newsletter/archive/", "/talks/")
PAUSE_SECONDS = 0.05
AGAIN_SECONDS = 0.5
GIVE_UP_SECONDS = 600.0


@dataclass(kw_only=True)
class Told:
    """What came of the flow."""

    accepted: dict[str, str] = field(default_factory=dict)  # webhook id -> receipt
    tries: int = 0
    unanswered: int = 0  # tries that met no answer, or one of 5xx; each was made again
    longest_seconds: float = 0.0  # from the first try of a webhook to its 202
    pages: int = 0
    pages_failed: int = 0
    wrong: list[str] = field(default_factory=list)  # answers that no fault excuses


@contextmanager
def flowing(address: str, partners: Sequence[Partner], example: Mapping[str, Any]) -> Iterator[Told]:
    """Send and read until the block ends; then every webhook that was begun has its 202."""
    told, ending = Told(), threading.Event()
    threads = [threading.Thread(target=_send, args=(told, ending, partner, number, example)) for number, partner in enumerate(partners)]
    threads.append(threading.Thread(target=_read, args=(told, ending, address)))
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def _send(told: Told, ending: threading.Event, partner: Partner, number: int, example: Mapping[str, Any]) -> None:
    with httpx.Client(timeout=20) as client:
        for turn in count():
            if ending.is_set():
                return
            name = f"msg_flow_{number}_{turn}"
            title = {language: f"{text} {number}-{turn}" for language, text in example["data"]["title"].items()}
            body = json.dumps({**example, "data": {**example["data"], "title": title}}).encode()
            began = time.monotonic()
            while not _taken(told, client, partner, name, body):
                if time.monotonic() - began > GIVE_UP_SECONDS:
                    told.wrong.append(f"{name} was not taken in {GIVE_UP_SECONDS:.0f} s")
                    return
                time.sleep(AGAIN_SECONDS)
            told.longest_seconds = max(told.longest_seconds, time.monotonic() - began)
            ending.wait(PAUSE_SECONDS)


def _taken(told: Told, client: httpx.Client, partner: Partner, name: str, body: bytes) -> bool:
    stamp = str(int(time.time()))
    key = base64.b64decode(partner.secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
    headers = {"Content-Type": "application/json", "webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}
    told.tries += 1
    try:
        answer = client.post(partner.door, content=body, headers=headers)
    except httpx.HTTPError:
        told.unanswered += 1
        return False
    if answer.status_code == 202:
        told.accepted[name] = answer.json()["receipt"]
        return True
    if answer.status_code == 429:
        time.sleep(float(answer.headers.get("Retry-After", "1")))
    elif answer.status_code >= 500:
        told.unanswered += 1
    else:
        told.wrong.append(f"{name}: {answer.status_code} {answer.text[:300]}")
    return False


def _read(told: Told, ending: threading.Event, address: str) -> None:
    with httpx.Client(base_url=address, timeout=20) as client:
        for turn in count():
            if ending.wait(4 * PAUSE_SECONDS):
                return
            told.pages += 1
            try:
                answer = client.get(PAGES[turn % len(PAGES)])
            except httpx.HTTPError:
                told.pages_failed += 1
                continue
            if answer.status_code >= 500:
                told.pages_failed += 1
            elif answer.status_code != 200:
                told.wrong.append(f"{PAGES[turn % len(PAGES)]}: {answer.status_code}")
