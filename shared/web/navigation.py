"""The sections that stand in the head of every page, whichever service makes it; services know each other's pages only from here."""

from dataclasses import dataclass
from typing import Literal

from shared.events.codes import Role

Group = Literal["work", "manage"]
"""What one comes for: daily work, whose sections stand in the head one by one, or looking after people and machine, behind one word."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """One link in the head of a page."""

    address: str
    key: str  # of its name
    roles: frozenset[Role] = frozenset()  # that it is for, besides auditors; empty: for everybody who may see the list
    group: Group = "work"


PUBLIC = (
    Section(address="/pledges/", key="nav.pledges"),
    Section(address="/practices/", key="nav.practices"),
    Section(address="/talks/", key="nav.talks"),
    Section(address="/news/", key="nav.news"),
    Section(address="/calendar/", key="nav.calendar"),
    Section(address="/newsletter/", key="nav.newsletter"),
    Section(address="/take-part/", key="nav.take-part"),
    Section(address="/intake/catalogue", key="nav.catalogue"),
)
_WRITERS = frozenset({Role.DRAFTER, Role.APPROVER})
STAFF = (
    Section(address="/desk/", key="staff.nav.desk"),
    Section(address="/intake/review/", key="staff.nav.review", roles=frozenset({Role.MODERATOR})),
    Section(address="/pledges/review/", key="staff.nav.pledges", roles=frozenset({Role.MODERATOR})),
    Section(address="/calendar/manage/", key="staff.nav.calendar", roles=frozenset({Role.MODERATOR})),
    Section(address="/newsletter/issues/", key="staff.nav.issues", roles=_WRITERS),
    Section(address="/newsletter/pool", key="staff.nav.pool", roles=_WRITERS),
    Section(address="/newsletter/subscribers/", key="staff.nav.subscribers", roles=frozenset({Role.ADMIN})),
    Section(address="/social/drafts", key="staff.nav.drafts", roles=_WRITERS),
    Section(address="/social/posts", key="staff.nav.posts", roles=_WRITERS),
    Section(address="/intake/partners/", key="staff.nav.partners", roles=frozenset({Role.ADMIN}), group="manage"),
    Section(address="/pledges/champions/edit", key="staff.nav.champions", roles=frozenset({Role.ADMIN}), group="manage"),
    Section(address="/desk/people/", key="staff.nav.people", roles=frozenset({Role.ADMIN}), group="manage"),
    Section(address="/desk/audit", key="staff.nav.audit", roles=frozenset({Role.ADMIN}), group="manage"),
    Section(address="/desk/sending", key="staff.nav.sending", roles=frozenset({Role.OPERATOR}), group="manage"),
    Section(address="/desk/operations", key="staff.nav.operations", roles=frozenset({Role.OPERATOR}), group="manage"),
    Section(address="/desk/events", key="staff.nav.events", group="manage"),
)


def for_roles(sections: tuple[Section, ...], roles: frozenset[Role]) -> tuple[Section, ...]:
    """Return the sections that somebody with these roles can open."""
    return tuple(section for section in sections if not section.roles or roles & (section.roles | {Role.AUDITOR}))


def in_group(sections: tuple[Section, ...], group: Group) -> tuple[Section, ...]:
    """Return the sections of a group."""
    return tuple(section for section in sections if section.group == group)


def current(sections: tuple[Section, ...], path: str) -> Section | None:
    """Return the section that `path` belongs to: the one with the longest address that `path` begins with."""
    within = [section for section in sections if path == section.address or path.startswith(section.address.rstrip("/") + "/")]
    return max(within, key=lambda section: len(section.address), default=None)
