"""Mail addresses with the names that people see before them."""

import re
from dataclasses import dataclass
from email.utils import parseaddr

# RFC 5321, section 4.5.3.1; quoted local parts are allowed there and refused here: no real person has one, and they carry tricks.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
_LOCAL_MAX = 64
_ADDRESS_MAX = 254


class AddressError(ValueError):
    """This is no address that a mail can be sent to; write it like name@example.org."""


def checked(address: str) -> str:
    """Return `address` as servers know it: local part as written, domain in ASCII and lower case; raises AddressError."""
    local, at, domain = address.strip().rpartition("@")
    domain = domain_in_ascii(domain)
    if not at or not _LOCAL.fullmatch(local) or len(local) > _LOCAL_MAX or len(local) + len(domain) >= _ADDRESS_MAX:
        raise AddressError(f"{address!r} is no address that a mail can be sent to; write it like name@example.org")
    return f"{local}@{domain}"


def domain_in_ascii(domain: str) -> str:
    """Return a domain as the DNS has it; raises AddressError."""
    try:
        known = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        known = ""
    labels = known.split(".")
    if (len(labels) < 2 and known != "localhost") or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressError(f"{domain!r} is no domain of mail addresses; write it like example.org")
    return known


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """An address and the name that is shown before it."""

    address: str
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "address", checked(self.address))

    @property
    def domain(self) -> str:
        """What stands behind the @, in ASCII."""
        return self.address.rpartition("@")[2]


def mailbox(written: str) -> Mailbox:
    """Return `Network on Migration <news@example.org>` or a bare address as a Mailbox; raises AddressError."""
    name, address = parseaddr(written)
    if not address:
        raise AddressError(f"{written!r} is no address that a mail can be sent to; write it like Name <name@example.org>")
    return Mailbox(name=name, address=address)
