"""The sections that stand in the head of every page, whichever service makes it; services know each other's pages only from here."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Section:
    """One link in the head of a page."""

    address: str
    key: str  # of its name


PUBLIC = (
    Section(address="/practices/", key="nav.practices"),
    Section(address="/intake/catalogue", key="nav.catalogue"),
)
STAFF = (
    Section(address="/desk/", key="staff.nav.desk"),
    Section(address="/intake/review/", key="staff.nav.review"),
    Section(address="/newsletter/pool", key="staff.nav.pool"),
    Section(address="/social/drafts", key="staff.nav.drafts"),
    Section(address="/social/posts", key="staff.nav.posts"),
    Section(address="/intake/partners/", key="staff.nav.partners"),
    Section(address="/desk/operations", key="staff.nav.operations"),
    Section(address="/desk/events", key="staff.nav.events"),
)


def current(sections: tuple[Section, ...], path: str) -> Section | None:
    """Return the section that `path` belongs to: the one with the longest address that `path` begins with."""
    within = [section for section in sections if path == section.address or path.startswith(section.address.rstrip("/") + "/")]
    return max(within, key=lambda section: len(section.address), default=None)
