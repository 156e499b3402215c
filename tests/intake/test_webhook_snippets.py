"""The senders that we hand out work as they stand: run as programs, verified by the reference library and by the door."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import standardwebhooks

from services.intake.webhooks.envelope import Envelope, read
from services.intake.webhooks.keys import SharedKey, generate_secret, read_key
from services.intake.webhooks.problem import Refusal
from services.intake.webhooks.signature import Verified, verify
from services.intake.webhooks.snippets import PLACEHOLDER, Sample, curl, curl_line, node, python
from shared import clock

SECRET = generate_secret()
EXAMPLE = {
    "type": "practice.submitted",
    "timestamp": "2026-11-22T08:59:00Z",
    "data": {
        "title": {"en": 'It\'s "done": 100% of $HOME, `id`, !! and \\ too', "ar": "مكتب للعائدين"},
        "text": "two\nlines\r\n\twith a tab, @SECRET@ and @@BODY@",
        "numbers": [1, -2.5, True, False, None],
        "empty": {},
    },
}


class Door(BaseHTTPRequestHandler):
    """Verifies with the reference library, then with ours, and keeps what came."""

    arrived: list[Envelope | Refusal | str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 202
        try:
            standardwebhooks.Webhook(SECRET).verify(body, dict(self.headers.items()))
        except standardwebhooks.WebhookVerificationError as error:
            self.arrived.append(str(error))
            status = 401
        else:
            self.arrived.append(self.take(body))
        answer = json.dumps({"path": self.path}).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def take(self, body: bytes) -> Envelope | Refusal:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        key = read_key("k", SECRET)
        assert isinstance(key, SharedKey)
        result = verify(headers=headers, body=body, keys=[key], now=clock.now())
        return read(headers=headers, body=body, verified=result) if isinstance(result, Verified) else result

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def door() -> Iterator[HTTPServer]:
    Door.arrived = []
    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(command: list[str], *, needs: tuple[str, ...] = ()) -> str:
    missing = [program for program in (*needs, command[0]) if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    # No proxy of the machine may stand between the sender and a loopback address.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_shell(text: str, _folder: Path) -> str:
    return run(["sh", "-c", text], needs=("curl", "openssl", "od"))


def by_python(text: str, folder: Path) -> str:
    (folder / "send.py").write_text(text, encoding="utf-8")
    return run([sys.executable, "-I", "-X", "utf8", str(folder / "send.py")])


def by_node(text: str, folder: Path) -> str:
    (folder / "send.mjs").write_text(text, encoding="utf-8")
    return run(["node", str(folder / "send.mjs")])


SENDERS = [(curl, by_shell), (curl_line, by_shell), (python, by_python), (node, by_node)]


@pytest.mark.parametrize(("render", "runs"), SENDERS, ids=[render.__name__ for render, _ in SENDERS])
def test_a_sender_is_accepted_as_it_stands(
    render: Callable[[Sample], str], runs: Callable[[str, Path], str], door: HTTPServer, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{door.server_port}/intake/webhooks/1?dry_run=1&note=two+words"
    output = runs(render(Sample(address=address, secret=SECRET, example=EXAMPLE)), tmp_path)
    [envelope] = Door.arrived
    assert isinstance(envelope, Envelope), envelope
    assert envelope.data == EXAMPLE["data"]
    assert envelope.id.startswith("msg_")
    assert output.split() == ['{"path":', json.dumps("/intake/webhooks/1?dry_run=1&note=two+words") + "}", "202"]


@pytest.mark.parametrize(("render", "runs"), SENDERS, ids=[render.__name__ for render, _ in SENDERS])
def test_a_sender_shows_a_refusal_instead_of_falling_over(
    render: Callable[[Sample], str], runs: Callable[[str, Path], str], door: HTTPServer, tmp_path: Path
) -> None:
    sample = Sample(address=f"http://127.0.0.1:{door.server_port}/", secret=generate_secret(), example=EXAMPLE)
    assert runs(render(sample), tmp_path).split()[-1] == "401"
    assert Door.arrived == ["No matching signature found"]


@pytest.mark.parametrize("render", [render for render, _ in SENDERS])
def test_a_sender_without_a_secret_says_where_it_goes(render: Callable[[Sample], str]) -> None:
    assert PLACEHOLDER in render(Sample(address="https://example.org/", example=EXAMPLE))


def test_the_line_to_paste_is_one_line() -> None:
    assert "\n" not in curl_line(Sample(address="https://example.org/", example=EXAMPLE))


def test_a_sample_does_not_show_its_secret() -> None:
    assert SECRET not in repr(Sample(address="https://example.org/", example=EXAMPLE, secret=SECRET))
