"""`tidings all` as its users run it: a process of its own on embedded parts, spoken to over HTTP."""

import base64
import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 90


class Running:
    """A started system: its address, the links by which people sign in, its trial partner."""

    def __init__(self, process: "subprocess.Popen[bytes]", said: Path) -> None:
        self.process = process
        self._said = said
        text = self.wait_for_words("Ctrl-C ends it")
        self.links = dict(re.findall(r"^  (\w+) \(.+?\)\s+(http://\S+/desk/sign-in/\S+)$", text, re.MULTILINE))
        """The sign-in link of each person of trial runs, by the first word of the name; each works once."""
        found = re.search(r"Tidings runs at (http://[^/\s]+)/", text)
        assert found, text
        self.address = found.group(1)
        self._cookies: dict[str, httpx.Cookies] = {}
        door = re.search(r"(http://\S+/intake/webhooks/\S+)", text)
        secret = re.search(r"(whsec_[A-Za-z0-9+/=]+)", text)
        assert door, text
        assert secret, text
        self.door, self.secret = door.group(1), secret.group(1)
        self.curl_line = next(line for line in text.splitlines() if line.startswith("("))

    @property
    def said(self) -> str:
        """Everything the process has written."""
        return self._said.read_text(encoding="utf-8")

    def wait_for_words(self, words: str) -> str:
        """Return what the process has written once it holds `words`; fails when it ends before."""

        def spoken() -> str:
            text = self.said
            assert self.process.poll() is None, text
            return text if words in text else ""

        return str(until(spoken))

    @contextmanager
    def staff(self, who: str = "Alex") -> Iterator[httpx.Client]:
        """Give the browser of a person of trial runs, signed in by the printed link the first time."""
        headers = {"origin": self.address, "accept": "text/html"}
        with httpx.Client(
            base_url=self.address, headers=headers, follow_redirects=True, timeout=30, cookies=self._cookies.get(who)
        ) as browser:
            if who not in self._cookies:
                entered = browser.post(self.links[who])
                assert entered.status_code == 200, entered.text
                assert entered.url.path == "/desk/"
                self._cookies[who] = browser.cookies  # a link works once, and the same person may come by another browser meanwhile
            yield browser
            self._cookies[who] = browser.cookies

    def send(self, body: Mapping[str, Any], message_id: str) -> httpx.Response:
        """Send a signed webhook as the trial partner."""
        content, stamp = json.dumps(body).encode(), str(int(time.time()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signature = base64.b64encode(hmac.new(key, f"{message_id}.{stamp}.".encode() + content, hashlib.sha256).digest()).decode()
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature}",
        }
        return httpx.post(self.door, content=content, headers=headers, timeout=30)

    def end(self, how: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_SECONDS)


def until(look: Callable[[], Any]) -> Any:
    """Return what `look` gives as soon as it is something; fails after a minute and a half."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found


def environment(var: Path, **more: str) -> dict[str, str]:
    """Return an environment in which nothing but the state directory, and what is given, is set."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TIDINGS_")}
    return bare | {"TIDINGS_VAR": str(var), "TIDINGS_PORT": "0"} | more


def tidings(var: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command beside the system."""
    command = [sys.executable, "-m", "services", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(var), capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)


@contextmanager
def running(var: Path, **more: str) -> Iterator[Running]:
    """Run `tidings all` until the block ends; `more` are further settings."""
    said = var / f"said-{len(list(var.glob('said-*')))}.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services", "all"], cwd=ROOT, env=environment(var, **more), stdout=log, stderr=log
        )
    try:
        yield Running(process, said)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_SECONDS)
