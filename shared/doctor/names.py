"""The DNS, asked for what receivers of mail will ask it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import dns.asyncresolver
import dns.resolver
import dns.reversename

_SECONDS = 4.0


@dataclass(frozen=True, kw_only=True)
class Names:
    """A resolver: that of this machine, or servers that a test names."""

    servers: Sequence[str] = field(default=())
    port: int = 53

    async def texts(self, name: str) -> Sequence[str]:
        """Return the TXT records of a name, each put together; none where there is no such name."""
        return [b"".join(record.strings).decode("utf-8", "replace") for record in await self._ask(name, "TXT")]

    async def exchangers(self, name: str) -> Sequence[str]:
        """Return the hosts that take mail for a domain, the preferred first; a single empty one where it says that it takes none."""
        found = sorted(await self._ask(name, "MX"), key=lambda record: int(record.preference))
        return [str(record.exchange).rstrip(".") for record in found]

    async def addresses(self, name: str) -> Sequence[str]:
        """Return the IP addresses of a host."""
        return [str(record.address) for kind in ("A", "AAAA") for record in await self._ask(name, kind)]

    async def names_of(self, address: str) -> Sequence[str]:
        """Return the names that an IP address says are its own."""
        return [str(record.target).rstrip(".") for record in await self._ask(str(dns.reversename.from_address(address)), "PTR")]

    async def _ask(self, name: str, kind: str) -> Sequence[Any]:
        resolver = dns.asyncresolver.Resolver(configure=not self.servers)
        if self.servers:
            resolver.nameservers, resolver.port = list(self.servers), self.port
        try:
            return list(await resolver.resolve(name, kind, lifetime=_SECONDS, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
