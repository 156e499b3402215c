"""What the rule has to know of a kind of thing, such as posts or issues: how to read one as it is, and who has to hear of broken glass."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.approval.content import Content
from shared.db import Transaction
from shared.events.codes import Language
from shared.events.times import Due


@dataclass(frozen=True, kw_only=True)
class Matter:
    """One item as it stands in the service's own tables."""

    content: Content  # exactly what would go out
    title: Mapping[Language, str]  # for those who are asked
    address: str  # absolute web address of the page on which it is decided
    due: Due | None = None  # by when it should be decided
    expires_at: datetime | None = None  # when it must not leave any more; aware


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A kind of thing that needs two persons."""

    about: str  # the word for it: post, issue
    # Reads an item on the transaction, without locking rows of its own; None where there is none. It is called once the item is
    # held, so that what it gives cannot have been changed by an edit that has told of itself.
    read: Callable[[Transaction, UUID], Awaitable[Matter | None]]
    # Ids of all approvers, who get a mail at once when glass is broken; a task reaches them as well.
    approvers: Callable[[Transaction], Awaitable[Sequence[str]]]

    @property
    def asks(self) -> tuple[str, ...]:
        """The kinds of task of which one at most is open about an item, as where it stands demands."""
        return tuple(f"{word}-{self.about}" for word in ("approve", "change", "submit", "renew"))

    @property
    def asks_to_look(self) -> str:
        """The kind of task that asks another approver to look at what one person approved alone."""
        return f"look-at-{self.about}"
