"""What a restore holds until a person releases it: said by the service that owns it, shown to whoever restores."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.db import Transaction


@dataclass(frozen=True, kw_only=True)
class Held:
    """One thing that would have left by itself, or whose end nobody knows."""

    service: str
    kind: str  # issue, post, mail
    name: str  # by which people know it
    why: str  # in a few words: what it was about to do when the backup was taken
    address: str  # path of the page on which a person releases it, or the command


AfterRestore = Callable[[Transaction, datetime], Awaitable[Sequence[Held]]]
"""What a service does to its own restored tables, before anybody sees them; told when the backup was taken."""


async def nothing_leaves(tx: Transaction, taken_at: datetime) -> Sequence[Held]:
    """Hold nothing, for a service of which nothing leaves by itself but events, which those who had them drop."""
    del tx, taken_at
    return ()
