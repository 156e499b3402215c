"""PostgreSQL URLs as everybody writes them, and what SQLAlchemy with asyncpg makes of them.

libpq's `sslmode`, `sslrootcert`, `sslcert` and `sslkey` are taken as libpq takes them; the dialect itself would refuse the URL.
"""

import ssl
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SSL_NAMES = ("sslmode", "sslrootcert", "sslcert", "sslkey")


def connecting(url: str) -> tuple[URL, dict[str, Any]]:
    """Return the URL that an engine takes, and the arguments beside it; raises ValueError, with what is wrong."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ValueError("it is not a PostgreSQL URL with a database name") from error
    given = {name: str(value) for name, value in parsed.query.items() if name in _SSL_NAMES}
    made = parsed.set(drivername="postgresql+asyncpg").difference_update_query(_SSL_NAMES)
    return made, {"ssl": _ssl(given)} if given else {}


def _ssl(given: dict[str, str]) -> ssl.SSLContext | str | bool:
    mode = given.get("sslmode", "verify-full" if "sslrootcert" in given else "prefer")
    if mode not in SSL_MODES:
        raise ValueError(f"sslmode={mode} is none of {', '.join(SSL_MODES)}")
    authorities = given.get("sslrootcert")
    if authorities == "system":  # libpq's word for those that the system trusts
        if mode != "verify-full":
            raise ValueError("sslrootcert=system wants sslmode=verify-full")
        authorities = None
    if mode == "disable":
        return False
    if mode in {"allow", "prefer"}:
        return mode  # asyncpg tries again in clear, which a context would not let it
    try:
        context = ssl.create_default_context(cafile=authorities)
        if "sslcert" in given:
            context.load_cert_chain(given["sslcert"], given.get("sslkey"))
    except OSError as error:  # SSLError is one
        raise ValueError(f"its certificates cannot be read: {error.strerror or error}") from error
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE  # encrypted, whoever answers, as libpq has it
    return context
