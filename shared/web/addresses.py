"""Web addresses: origins, loopback, and the paths that a page may safely lead to."""

from ipaddress import ip_address
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Longer ones are no page of ours.
_PATH_MAX_CHARACTERS = 2_000


def origin_of(address: str) -> str | None:
    """Return scheme, host and port of a web address as a browser writes an origin, or None where it has none."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{parts.scheme}://{host}:{port}"


def on_loopback(address: str) -> bool:
    """Say whether a web address names this very machine."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def local_path(wished: str, *, otherwise: str) -> str:
    """Return `wished` where it is a path on this site, else `otherwise`.

    Browsers read `//host`, `/\\host` and a path with tabs or line breaks inside as another site's address (WHATWG URL, section 4.4).
    """
    if not wished.startswith("/") or wished.startswith("//") or len(wished) > _PATH_MAX_CHARACTERS:
        return otherwise
    if "\\" in wished or any(ord(character) <= 0x20 or ord(character) == 0x7F for character in wished):
        return otherwise
    return wished
