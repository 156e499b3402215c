"""The 27 initiatives of the Network: who may use them, how to ask, what happens next."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from shared.reference.loader import Provenance, Row, first, items, provenance, read, titles
from shared.reference.titles import Titles


class HowToAsk(StrEnum):
    """A way in."""

    FORM = "form"
    MAIL = "mail"
    NOTE_VERBALE = "note-verbale"
    RESIDENT_COORDINATOR = "resident-coordinator"
    WEB_PAGE = "web-page"
    NONE = "none"  # nothing to ask for


class ContactKind(StrEnum):
    """Whose address a contact is."""

    ROLE = "role"  # a shared mailbox
    PERSON = "person"  # a member of staff: to be confirmed before anyone sees it


@dataclass(frozen=True, kw_only=True)
class Initiative:
    """One initiative, safe to show: it cannot hold a person's address."""

    code: str
    title: Titles
    who_can_use_it: str  # in English, our words, like the texts below
    how_to_ask: tuple[HowToAsk, ...]
    contact: str | None  # a shared mailbox, as of 2023; None where there is none or it is a person's
    contact_to_confirm: bool  # the source names a person: someone must find a mailbox, or confirm, first
    what_happens_next: str
    rules: str
    lead_time_days: int | None  # None where no time is stated
    provenance: Provenance

    @property
    def key(self) -> str:
        """Return the key that no other record has: `initiative:pledging`."""
        return f"initiative:{self.code}"


@dataclass(frozen=True, kw_only=True)
class UnconfirmedContact:
    """A person's contact that must be confirmed before use: for staff, never for a public page or a test's mail."""

    initiative: str  # code
    address: str | None  # None while the source's address is left out


@cache
def initiatives() -> tuple[Initiative, ...]:
    """Return the initiatives without any person's contact."""
    return tuple(from_row(row) for row in read("initiatives"))


def initiative(code: str) -> Initiative:
    """Return the initiative with `code`, for example `gcm-talks`. Raises UnknownCodeError when there is none."""
    return first((found for found in initiatives() if found.code == code), otherwise=f"there is no initiative {code!r}")


@cache
def unconfirmed_contacts() -> tuple[UnconfirmedContact, ...]:
    """Return the contacts that are persons', for the staff who confirm them."""
    return tuple(
        UnconfirmedContact(initiative=row["code"], address=row["contact"] or None)
        for row in read("initiatives")
        if row["contact_kind"] == ContactKind.PERSON
    )


def from_row(row: Row) -> Initiative:
    """Return the initiative of a line of the file; an address is kept only where it is stated to be a shared mailbox."""
    title = titles(row, "title")
    is_role = row["contact_kind"] == ContactKind.ROLE
    is_person = row["contact_kind"] == ContactKind.PERSON
    unconfirmed = ("contact of 2023",) if is_role else ("contact is a person",) if is_person else ()
    return Initiative(
        code=row["code"],
        title=title,
        who_can_use_it=row["who_can_use_it"],
        how_to_ask=tuple(HowToAsk(way) for way in items(row["how_to_ask"])),
        contact=row["contact"] or None if is_role else None,
        contact_to_confirm=is_person,
        what_happens_next=row["what_happens_next"],
        rules=row["rules"],
        lead_time_days=int(row["lead_time_days"]) if row["lead_time_days"] else None,
        provenance=provenance(row, *unconfirmed, title=title),
    )
