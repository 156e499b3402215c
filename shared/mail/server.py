"""The mail server that takes our mails, as TIDINGS_SMTP names it."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote, urlsplit

DEFAULT_CONNECTIONS = 20  # what Postfix itself opens to one destination
MAX_CONNECTIONS = 200
DEFAULT_PORTS = {"smtp": 25, "smtps": 465}
SUBMISSION_PORT = 587


class Encryption(StrEnum):
    """How the link to the server is protected."""

    NONE = "none"
    STARTTLS = "starttls"  # begun in clear and refused when the server offers no TLS
    TLS = "tls"  # from the first byte (RFC 8314)


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """Where mails go, and as whom."""

    host: str
    port: int
    encryption: Encryption
    user: str = ""  # empty: no sign-in
    password: str = field(default="", repr=False)
    connections: int = DEFAULT_CONNECTIONS  # at most so many at a time, for each process that sends


def parse_mail_server(url: str) -> MailServer:
    """Return the server of `smtp[s]://user:password@host:port?starttls=required|no&connections=20`; ValueError says what is wrong.

    Without `starttls` an `smtp://` server must offer it, unless it is on this machine. A password never crosses a network in clear.
    """
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path not in {"", "/"} or parts.fragment:
        raise ValueError("it is not smtp://host:port or smtps://host:port")
    if parts.password and not parts.username:
        raise ValueError("it has a password and no user")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    starttls, connections = options.pop("starttls", ""), options.pop("connections", str(DEFAULT_CONNECTIONS))
    if options:
        raise ValueError(f"it has an option {next(iter(options))!r}; there are starttls and connections")
    here = on_this_machine(parts.hostname)
    encryption = _encryption(parts.scheme, starttls, here=here)
    if parts.password and encryption is Encryption.NONE and not here:
        raise ValueError("its password would cross the network in clear; use smtps:// or starttls=required")
    if not connections.isascii() or not connections.isdigit() or not 1 <= int(connections) <= MAX_CONNECTIONS:
        raise ValueError(f"connections is not a number from 1 to {MAX_CONNECTIONS}")
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError("its port is not a number up to 65535") from error
    usual = SUBMISSION_PORT if encryption is Encryption.STARTTLS and parts.username else DEFAULT_PORTS[parts.scheme]
    return MailServer(
        host=parts.hostname,
        port=usual if port is None else port,
        encryption=encryption,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        connections=int(connections),
    )


def _encryption(scheme: str, starttls: str, *, here: bool) -> Encryption:
    if starttls not in {"", "required", "no"}:
        raise ValueError("starttls is neither required nor no")
    if scheme == "smtps":
        if starttls == "required":
            raise ValueError("smtps:// is encrypted from the first byte and knows no starttls")
        return Encryption.TLS
    return Encryption.NONE if starttls == "no" or (not starttls and here) else Encryption.STARTTLS


def on_this_machine(host: str) -> bool:
    """Say whether a host's name means this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
