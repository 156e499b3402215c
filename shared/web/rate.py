"""How often one asker may try something that only a stranger gets wrong."""

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil

from fastapi import Request

from shared.web.problem import TooManyRequests

# More askers than this at once are an attack from many places; the one unseen for longest is forgotten.
_ASKERS_MAX = 10_000


class TokenBuckets:
    """A bucket of tries per asker, kept in this process's memory only; it refills one by one."""

    def __init__(self, *, tries: int, refill_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._refill_seconds = refill_seconds
        self._depth_seconds = tries * refill_seconds
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()  # by asker: when the bucket will be full again

    def wait_seconds(self, asker: str) -> int:
        """Return how long `asker` must wait for the next try: 0 when it may try now."""
        now = self._clock()
        one_left_at = self._full_at.get(asker, now) - self._depth_seconds + self._refill_seconds
        return max(0, ceil(one_left_at - now))

    def take(self, asker: str) -> None:
        """Use up one of `asker`'s tries."""
        now = self._clock()
        self._full_at[asker] = min(max(self._full_at.get(asker, now), now) + self._refill_seconds, now + self._depth_seconds)
        self._full_at.move_to_end(asker)
        if len(self._full_at) > _ASKERS_MAX:
            self._full_at.popitem(last=False)


class Limit:
    """A FastAPI dependency that answers 429, in the reader's words and with Retry-After, who asks more often: `Depends(Limit(…))`.

    Each has buckets of its own, in each process: two addresses share a limit where they share the object.
    """

    def __init__(self, *, tries: int, refill_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = TokenBuckets(tries=tries, refill_seconds=refill_seconds, clock=clock)

    async def __call__(self, request: Request) -> None:
        """Use up one try of who asks; raises TooManyRequests where none is left."""
        asker = asker_in(request)
        if wait_seconds := self._buckets.wait_seconds(asker):
            raise TooManyRequests(wait_seconds)
        self._buckets.take(asker)


def asker_in(request: Request) -> str:
    """Return who asks: what the nearest machine that is no proxy of ours (TIDINGS_TRUSTED_PROXIES) counts as."""
    return asker_of(request.client.host if request.client else "")


def asker_of(host: str) -> str:
    """Return what counts as one asker: an IPv4 address, or the /64 network that one IPv6 customer has."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> 64)
    return str(address)
