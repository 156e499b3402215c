"""An OTLP collector for tests: takes spans by HTTP in JSON, and keeps them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(kw_only=True)
class Collector:
    """What came in."""

    address: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    def spans(self) -> list[dict[str, Any]]:
        """Every span, with the service it is of."""
        found = []
        for body in list(self.bodies):
            for resource in body["resourceSpans"]:
                named = {one["key"]: one["value"]["stringValue"] for one in resource["resource"]["attributes"]}
                for scope in resource["scopeSpans"]:
                    found += [{**span, "service": named["service.name"]} for span in scope["spans"]]
        return found


@contextmanager
def collector() -> Iterator[Collector]:
    """Run one until the block ends."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is the library's
            assert (self.path, self.headers["content-type"]) == ("/v1/traces", "application/json")
            found.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(found.status)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
