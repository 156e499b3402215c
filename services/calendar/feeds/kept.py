"""Feeds that were just written, kept for the next who asks for the same: after a change a thousand programs do within the hour."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

# The whole feed of 20,000 dates has some 15 MB; narrower ones are small.
KEPT_BYTES = 48 * 1024 * 1024
KEPT_FEEDS = 64


class Kept:
    """The newest feeds of one process, by their tags."""

    def __init__(self) -> None:
        self._feeds: OrderedDict[str, bytes] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def get(self, tag: str, write: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the feed with this tag, written now if need be: once, however many ask at once, and never two at the same time."""
        if tag in self._feeds:
            self._feeds.move_to_end(tag)
            return self._feeds[tag]
        async with self._one_at_a_time:
            if tag not in self._feeds:
                self._keep(tag, await write())
            return self._feeds[tag]

    def _keep(self, tag: str, content: bytes) -> None:
        self._feeds[tag] = content
        while len(self._feeds) > 1 and (len(self._feeds) > KEPT_FEEDS or sum(map(len, self._feeds.values())) > KEPT_BYTES):
            self._feeds.popitem(last=False)
