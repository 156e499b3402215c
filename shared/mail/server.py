"""The mail server that TIDINGS_SMTP names."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

Security = Literal["implicit", "starttls", "none"]
"""TLS from the first byte; after STARTTLS, or nothing is sent; none."""

_PORTS = {"smtps": 465, "smtp": 587}
DEMO = "demo"
"""What TIDINGS_SMTP says where mails go to the demo inbox."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """The mail server that takes our mails."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)
    connections: int = 10  # at once, of one process


def server_of(address: str) -> Server:
    """Return the server that `smtp[s]://user:password@host:port?starttls=required|no&connections=20` names; raises ValueError."""
    parts = urlsplit(address)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in {"", "/"} or parts.fragment:
        raise ValueError("it is neither `demo` nor smtp:// or smtps:// with a host")
    options = parse_qs(parts.query, keep_blank_values=True)
    if unknown := set(options) - {"starttls", "connections"}:
        raise ValueError(f"it has an option that does not exist: {min(unknown)}")
    starttls = options.get("starttls", [""])[-1]
    if starttls not in {"", "required", "no"} or (starttls and parts.scheme == "smtps"):
        raise ValueError("starttls is `required` or `no`, and only for smtp://")
    connections = options.get("connections", ["10"])[-1]
    if not connections.isdecimal() or not 0 < int(connections) <= 100:
        raise ValueError("connections is a number from 1 to 100")
    security: Security = "implicit" if parts.scheme == "smtps" else "none" if starttls == "no" else "starttls"
    if parts.username and security == "none":
        raise ValueError("a password would be sent in the clear with starttls=no")
    return Server(
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        security=security,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        connections=int(connections),
    )
