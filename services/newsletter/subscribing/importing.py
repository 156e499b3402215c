"""Lists of subscribers from elsewhere: every row gets its verdict, and either the whole list is taken in or nothing of it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from services.newsletter.addresses import AddressBook, domain_of
from services.newsletter.sending.rules import SubscriberState
from services.newsletter.subscribing.rules import Act, Because, Source
from services.newsletter.subscribing.subscribers import has_confirmed
from shared import clock, i18n
from shared.db import Transaction
from shared.ids import new_id
from shared.mail.address import AddressError, checked
from shared.sheets import Cell, SheetRow, text_of

T = TypeVar("T")

COLUMNS: Mapping[str, Sequence[str]] = {
    "address": ("address", "email", "e_mail", "mail", "email_address", "mail_address"),
    "language": ("language", "lang", "locale"),
    "consent_at": ("consent_at", "consent_date", "subscribed_at"),
    "consent_source": ("consent_source", "source"),
    "state": ("state", "status"),
}
"""The columns of a list and the names that each may bear; the first is needed."""

# A consent that nobody has heard of for so long is asked for again, unless whoever imports says that the list was in use.
CONSENT_LASTS = timedelta(days=730)
SOURCE_MAX_CHARACTERS = 300
_CHUNK = 5_000


class Verdict(StrEnum):
    """What becomes of a row."""

    ADDED = "added"
    CHANGED = "changed"  # somebody who is known is written to no more, because the list says so
    UNCHANGED = "unchanged"  # known as the list has it
    LEFT_OUT = "left-out"  # rightly not taken in; no fault of the list
    REFUSED = "refused"  # wrong; a list with such a row is not taken in at all


class Reason(StrEnum):
    """Why a row is left out or refused."""

    MISSING = "missing"
    NOT_AN_ADDRESS = "not-an-address"
    NOT_A_LANGUAGE = "not-a-language"
    NOT_A_STATE = "not-a-state"
    NOT_A_DATE = "not-a-date"
    NO_OFFSET = "no-offset"
    IN_FUTURE = "in-future"
    TOO_OLD = "too-old"
    TOO_LONG = "too-long"
    CONTRADICTS = "contradicts"  # the same address stands in the list with another state
    DUPLICATE = "duplicate"  # the same address stands in the list before
    UNSUBSCRIBED = "unsubscribed"
    ERASED = "erased"
    COMPLAINT = "complaint"
    DEAD = "dead"
    REQUEST = "request"
    CONFIRMED_HERE = "confirmed-here"  # the list says unsubscribed, and its owner has subscribed by a link of ours


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The verdict on one row."""

    line: int
    verdict: Verdict
    field: str = ""
    reason: Reason | None = None
    first_line: int | None = None  # where the same address stands before


@dataclass(frozen=True, kw_only=True)
class _Entry:
    line: int
    address: str
    language: str
    state: SubscriberState
    consent_at: datetime | None
    consent_source: str


class _Refused(Exception):  # noqa: N818  # a verdict, not an error
    def __init__(self, field: str, reason: Reason) -> None:
        self.field = field
        self.reason = reason


class MovedError(Exception):
    """Subscribers changed while the list was taken in; nothing of it was kept. Try again."""


@dataclass(frozen=True, kw_only=True)
class _Known:
    id: UUID
    state: SubscriberState
    because: str


_Step = tuple[_Entry, bytes, _Known | None]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to become of a list."""

    judged: Sequence[Judged]  # a verdict for every row, in the order of their lines
    steps: Sequence[_Step]  # what is to be written; nothing where a row was refused

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many rows got each verdict."""
        found = Counter(one.verdict for one in self.judged)
        return {verdict: found[verdict] for verdict in Verdict}

    @property
    def refused(self) -> bool:
        """Whether a row is wrong, so that nothing may be taken in."""
        return any(one.verdict is Verdict.REFUSED for one in self.judged)


@dataclass(frozen=True, kw_only=True)
class Entries:
    """What a list says, once in itself."""

    judged: Sequence[Judged]  # rows that have their verdict already
    first: Mapping[bytes, _Entry]  # the others, by the hash of their address


def read(book: AddressBook, rows: Iterable[SheetRow], *, zone: str, historic: bool) -> Entries:
    """Return the rows that can be taken in, and verdicts on those that cannot; asks no database, however many there are.

    `zone` is that of times in spreadsheets, which have none; `historic` takes consents that are older than CONSENT_LASTS.
    """
    judged: list[Judged] = []
    first: dict[bytes, _Entry] = {}
    now = clock.now()
    for row in rows:
        try:
            entry = _read(row, now=now, zone=ZoneInfo(zone), historic=historic)
        except _Refused as refused:
            judged.append(Judged(line=row.line, verdict=Verdict.REFUSED, field=refused.field, reason=refused.reason))
            continue
        before = first.setdefault(book.hash(entry.address), entry)
        if before is not entry:
            judged.append(_again(entry, before))
    return Entries(judged=judged, first=first)


def _again(entry: _Entry, before: _Entry) -> Judged:
    if before.state is entry.state:
        return Judged(line=entry.line, verdict=Verdict.LEFT_OUT, field="address", reason=Reason.DUPLICATE, first_line=before.line)
    return Judged(line=entry.line, verdict=Verdict.REFUSED, field="state", reason=Reason.CONTRADICTS, first_line=before.line)


async def plan(tx: Transaction, entries: Entries) -> Plan:
    """Return the verdicts on a list as things stand; changes nothing."""
    judged, first = list(entries.judged), entries.first
    steps: list[_Step] = []
    for chunk in _batches(first.items()):
        known = await _known(tx, [address_hash for address_hash, _ in chunk])
        confirmed = {found.id for found in known.values() if found.state is SubscriberState.CONFIRMED}
        leaving = {found.id for address_hash, found in known.items() if first[address_hash].state is not SubscriberState.CONFIRMED}
        ours = await has_confirmed(tx, confirmed & leaving) if confirmed & leaving else set()
        for address_hash, entry in chunk:
            found = known.get(address_hash)
            verdict, reason = _verdict(entry, found, confirmed_here=found is not None and found.id in ours)
            judged.append(Judged(line=entry.line, verdict=verdict, field="address" if reason else "", reason=reason))
            if verdict in {Verdict.ADDED, Verdict.CHANGED}:
                steps.append((entry, address_hash, found))
    judged.sort(key=lambda one: one.line)
    made = Plan(judged=judged, steps=steps)
    return Plan(judged=judged, steps=()) if made.refused else made


def _batches(things: Iterable[T]) -> Iterator[Sequence[T]]:
    rest = iter(things)
    while batch := list(islice(rest, _CHUNK)):
        yield batch


async def carry_out(tx: Transaction, book: AddressBook, planned: Plan) -> None:
    """Write what was planned in the same transaction; raises MovedError where somebody acted meanwhile."""
    now = clock.now()
    for chunk in _batches(planned.steps):
        new = [(new_id(), entry, address_hash) for entry, address_hash, found in chunk if found is None]
        known = [(found.id, entry, found) for entry, _, found in chunk if found is not None]
        if new:
            await _insert(tx, book, new)
        if known:
            await _update(tx, book, known)
        ids = [*(one[0] for one in new), *(one[0] for one in known)]
        await _note(tx, ids, [*(one[1] for one in new), *(one[1] for one in known)], now)


def _read(row: SheetRow, *, now: datetime, zone: ZoneInfo, historic: bool) -> _Entry:
    written = text_of(row.cells.get("address"))
    if not written:
        raise _Refused("address", Reason.MISSING)
    try:
        address = checked(written)
    except AddressError:
        raise _Refused("address", Reason.NOT_AN_ADDRESS) from None
    language = text_of(row.cells.get("language")).lower().replace("_", "-").partition("-")[0] or i18n.DEFAULT
    if language not in i18n.CONTENT_LANGUAGES:
        raise _Refused("language", Reason.NOT_A_LANGUAGE)
    try:
        state = SubscriberState(text_of(row.cells.get("state")).lower() or SubscriberState.CONFIRMED.value)
    except ValueError:
        raise _Refused("state", Reason.NOT_A_STATE) from None
    if state is SubscriberState.UNCONFIRMED:
        raise _Refused("state", Reason.NOT_A_STATE)
    source = " ".join(text_of(row.cells.get("consent_source")).split())
    if len(source) > SOURCE_MAX_CHARACTERS:
        raise _Refused("consent_source", Reason.TOO_LONG)
    given = _moment(row.cells.get("consent_at"), zone)
    if state is SubscriberState.CONFIRMED:
        if given is None:
            raise _Refused("consent_at", Reason.MISSING)
        if not source:
            raise _Refused("consent_source", Reason.MISSING)
        if given < now - CONSENT_LASTS and not historic:
            raise _Refused("consent_at", Reason.TOO_OLD)
    if given is not None and given > now:
        raise _Refused("consent_at", Reason.IN_FUTURE)
    return _Entry(line=row.line, address=address, language=language, state=state, consent_at=given, consent_source=source)


def _moment(cell: Cell, zone: ZoneInfo) -> datetime | None:
    """Return when consent was given: a day begins at its midnight in `zone`, and so does a spreadsheet's time count there."""
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=zone) if cell.tzinfo is None else cell
    if isinstance(cell, date):
        return datetime.combine(cell, time(), zone)
    written = text_of(cell)
    if not written:
        return None
    try:
        if len(written) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(written), time(), zone)
        found = datetime.fromisoformat(written)
    except ValueError:
        raise _Refused("consent_at", Reason.NOT_A_DATE) from None
    if found.tzinfo is None:
        raise _Refused("consent_at", Reason.NO_OFFSET)
    return found


def _verdict(entry: _Entry, known: _Known | None, *, confirmed_here: bool) -> tuple[Verdict, Reason | None]:
    if known is None:
        return Verdict.ADDED, None
    if entry.state is SubscriberState.CONFIRMED:
        return _join(known)
    if known.state is SubscriberState.SUPPRESSED or known.state is entry.state:
        return Verdict.UNCHANGED, None
    if confirmed_here:
        return Verdict.LEFT_OUT, Reason.CONFIRMED_HERE
    asked_only = known.state is SubscriberState.UNCONFIRMED and entry.state is SubscriberState.UNSUBSCRIBED
    return (Verdict.UNCHANGED, None) if asked_only else (Verdict.CHANGED, None)


def _join(known: _Known) -> tuple[Verdict, Reason | None]:
    match known.state:
        case SubscriberState.UNCONFIRMED:
            return Verdict.ADDED, None
        case SubscriberState.CONFIRMED:
            return Verdict.UNCHANGED, None
        case SubscriberState.UNSUBSCRIBED:
            return Verdict.LEFT_OUT, Reason.UNSUBSCRIBED
        case SubscriberState.SUPPRESSED:
            return Verdict.LEFT_OUT, Reason(known.because or Because.REQUEST.value)


_KNOWN = text("""
    SELECT id, address_hash, state, suppressed_because FROM subscribers WHERE address_hash = ANY(CAST(:hashes AS bytea[]))
""")


async def _known(tx: Transaction, hashes: Sequence[bytes]) -> Mapping[bytes, _Known]:
    # One array and not as many parameters as hashes: thousands of those take longer to send than the rows to find.
    rows = await tx.execute(_KNOWN, {"hashes": list(hashes)})
    return {bytes(row.address_hash): _Known(id=row.id, state=SubscriberState(row.state), because=row.suppressed_because) for row in rows}


_INSERT = text("""
    INSERT INTO subscribers (id, address, address_hash, domain, language, state, suppressed_because)
    SELECT * FROM unnest(CAST(:id AS uuid[]), CAST(:address AS bytea[]), CAST(:hash AS bytea[]), CAST(:domain AS text[]),
        CAST(:language AS text[]), CAST(:state AS text[]), CAST(:because AS text[]))
    ON CONFLICT DO NOTHING
""")
_UPDATE = text("""
    UPDATE subscribers s SET state = n.state, suppressed_because = n.because, paused_until = NULL, updated_at = now(),
        address = CASE WHEN n.address = '' THEN s.address ELSE n.address END,
        domain = CASE WHEN n.address = '' THEN s.domain ELSE n.domain END,
        language = CASE WHEN n.address = '' THEN s.language ELSE n.language END
    FROM unnest(CAST(:id AS uuid[]), CAST(:address AS bytea[]), CAST(:domain AS text[]), CAST(:language AS text[]), CAST(:state AS text[]),
        CAST(:because AS text[]), CAST(:before AS text[])) AS n (id, address, domain, language, state, because, before)
    WHERE s.id = n.id AND s.state = n.before
""")
_NOTE = text("""
    INSERT INTO receipts (id, subscriber_id, act, at, source, "by", language, version, words, words_language, note, given_at, client)
    SELECT id, subscriber_id, act, :at, :source, '', language, '', '', '', note, given_at, ''
    FROM unnest(CAST(:id AS uuid[]), CAST(:subscriber AS uuid[]), CAST(:act AS text[]), CAST(:language AS text[]), CAST(:note AS text[]),
        CAST(:given AS timestamptz[])) AS r (id, subscriber_id, act, language, note, given_at)
""")


def _because(entry: _Entry) -> str:
    return Because.REQUEST.value if entry.state is SubscriberState.SUPPRESSED else ""


def _kept(book: AddressBook, entry: _Entry) -> tuple[bytes, str]:
    """Return address and domain as they are kept: of whoever is not written to, the hash is enough."""
    if entry.state is not SubscriberState.CONFIRMED:
        return b"", ""
    return book.seal(entry.address), domain_of(entry.address)


async def _insert(tx: Transaction, book: AddressBook, new: Sequence[tuple[UUID, _Entry, bytes]]) -> None:
    kept = [_kept(book, entry) for _, entry, _ in new]
    values: dict[str, Any] = {
        "id": [one[0] for one in new],
        "address": [address for address, _ in kept],
        "hash": [one[2] for one in new],
        "domain": [domain for _, domain in kept],
        "language": [entry.language for _, entry, _ in new],
        "state": [entry.state.value for _, entry, _ in new],
        "because": [_because(entry) for _, entry, _ in new],
    }
    if (await tx.execute(_INSERT, values)).rowcount != len(new):
        raise MovedError(MovedError.__doc__)


async def _update(tx: Transaction, book: AddressBook, known: Sequence[tuple[UUID, _Entry, _Known]]) -> None:
    kept = [_kept(book, entry) for _, entry, _ in known]
    values: dict[str, Any] = {
        "id": [one[0] for one in known],
        "address": [address for address, _ in kept],
        "domain": [domain for _, domain in kept],
        "language": [entry.language for _, entry, _ in known],
        "state": [entry.state.value for _, entry, _ in known],
        "because": [_because(entry) for _, entry, _ in known],
        "before": [found.state.value for _, _, found in known],
    }
    if (await tx.execute(_UPDATE, values)).rowcount != len(known):
        raise MovedError(MovedError.__doc__)


_ACTS = {SubscriberState.CONFIRMED: Act.IMPORTED, SubscriberState.UNSUBSCRIBED: Act.LEFT, SubscriberState.SUPPRESSED: Act.SUPPRESSED}


async def _note(tx: Transaction, ids: Sequence[UUID], entries: Sequence[_Entry], now: datetime) -> None:
    values: dict[str, Any] = {
        "at": now,
        "source": Source.IMPORT.value,
        "id": [new_id() for _ in ids],
        "subscriber": list(ids),
        "act": [_ACTS[entry.state].value for entry in entries],
        "language": [entry.language for entry in entries],
        "note": [entry.consent_source for entry in entries],
        "given": [entry.consent_at for entry in entries],
    }
    await tx.execute(_NOTE, values)
