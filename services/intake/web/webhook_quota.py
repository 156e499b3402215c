"""How many requests a partner may send within a minute."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from uuid import UUID

WINDOW_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What a partner has left."""

    limit: int
    remaining: int
    reset_seconds: int  # until the window ends
    exceeded: bool


class Quotas:
    """Counts verified requests by partner, in this process's memory: with several processes a partner may send more, never less.

    Only what a partner has signed counts, so that nobody who knows its address can use its quota up.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[UUID, tuple[float, int]] = {}  # when it began, and how many have come since

    def take(self, partner_id: UUID, limit: int) -> Quota:
        """Count one request and return what is left."""
        now = self._clock()
        began, used = self._windows.get(partner_id, (now, 0))
        if now - began >= WINDOW_SECONDS:
            began, used = now, 0
        exceeded = used >= limit
        used = used if exceeded else used + 1
        self._windows[partner_id] = began, used
        return Quota(limit=limit, remaining=limit - used, reset_seconds=ceil(began + WINDOW_SECONDS - now), exceeded=exceeded)
