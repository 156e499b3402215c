"""A name server that says what a test has told it, over real UDP."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

from shared.doctor.names import Names

Zone = Mapping[tuple[str, str], Sequence[str]]
"""Records by name and type: {("example.org", "MX"): ["10 mx.example.org."]}."""


class _Speaking(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        kind = dns.rdatatype.to_text(question.rdtype)
        name = str(question.name).rstrip(".")
        if (name, kind) == ("slow.example.org", "TXT"):
            return  # a server that never answers
        if records := self._zone.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
        assert self._transport is not None
        self._transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def name_server(zone: Zone) -> AsyncIterator[Names]:
    """Run the server until the block ends, and give what asks it."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Speaking(zone), local_addr=("127.0.0.1", 0))
    try:
        yield Names(servers=("127.0.0.1",), port=transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
