"""Lists of pledges from elsewhere: every row gets its verdict; what a row says is a pledge with the versions of its past.

The same row a second time changes nothing. A row that has changed makes new versions; what a moderator or an owner has said since it was
taken stays.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from services.pledges import telling
from services.pledges.domain.pledges import Change, Facts, NewPledge, Pledge, Standing
from services.pledges.domain.reports import Report, Verdict
from services.pledges.domain.rows import Entry, Refused, entry_of
from services.pledges.store import pledges, reports
from services.pledges.store.pledges import Past
from shared import clock
from shared.db import Transaction
from shared.events.codes import Channel
from shared.ids import new_id
from shared.outbox import Telling
from shared.sheets import Cell, SheetRow, text_of
from shared.trace import Cause

_NAMED = (
    "id synthetic language title entity entity_type country_code regions scope kinds way participants matched_id matched_title objectives "
    "principles population description metric baseline target amount currency start due submitted status last_update updates superseded_by "
    "contact_name contact_email evidence_url"
)
COLUMNS: Mapping[str, Sequence[str]] = {name: (name,) for name in _NAMED.split()}
"""The columns of a list; the first is needed. What other columns say is passed over."""


class RowVerdict(StrEnum):
    """What becomes of a row."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"  # known as the list has it
    LEFT_OUT = "left-out"  # rightly not taken in; no fault of the list
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The verdict on one row."""

    line: int
    import_key: str
    verdict: RowVerdict
    number: str = ""  # of the pledge, where there is one
    refused: Refused | None = None  # why, where it is refused or left out

    @property
    def field(self) -> str:
        """The column that is wrong; empty where none is."""
        return self.refused.field if self.refused else ""

    @property
    def code(self) -> str:
        """What is wrong, for programs; empty where nothing is."""
        return self.refused.code if self.refused else ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a list, or would."""

    judged: Sequence[Judged]
    kept: bool

    @property
    def counts(self) -> Mapping[RowVerdict, int]:
        """How many rows got each verdict."""
        found = Counter(one.verdict for one in self.judged)
        return {verdict: found[verdict] for verdict in RowVerdict}

    @property
    def refused(self) -> int:
        """How many rows are wrong."""
        return self.counts[RowVerdict.REFUSED]


@dataclass(frozen=True, kw_only=True)
class Import:
    """How a list is to be taken in."""

    public_url: str
    seal: Callable[[str, str], bytes]  # name and mail address of a contact
    historic: bool = False  # it tells of the past: registers take it, drafts and notices do not
    skip_refused: bool = False  # take the good rows although others are wrong
    dry_run: bool = False


def read(rows: Iterable[SheetRow], *, rehearsing: bool) -> tuple[Sequence[Entry], Sequence[Judged]]:
    """Return what the rows of a list say, and the verdicts on those that are wrong; asks no database."""
    today = clock.now().date()
    entries: list[Entry] = []
    judged: list[Judged] = []
    lines: dict[str, int] = {}
    for row in rows:
        cells = {name: _text(row.cells.get(name)) for name in COLUMNS}
        try:
            if cells["id"] and cells["id"] in lines:
                raise Refused("id", "duplicate", {"first_line": lines[cells["id"]]})
            lines[cells["id"]] = row.line
            entries.append(entry_of(row.line, cells, today=today, rehearsing=rehearsing))
        except Refused as refused:
            judged.append(Judged(line=row.line, import_key=cells["id"], verdict=RowVerdict.REFUSED, refused=refused))
    return entries, judged


def _text(cell: Cell) -> str:
    # A spreadsheet's day comes with an hour that nobody has written.
    return text_of(cell).removesuffix(" 00:00:00")


async def take_in(tx: Transaction, entries: Sequence[Entry], wrong: Sequence[Judged], how: Import) -> Outcome:
    """Return what became of a list: all of it is taken in, or, where a row is wrong, nothing of it unless wrong ones may be passed over.

    Everything happens in `tx`; of a dry run the verdicts are the same.
    """
    known = await pledges.by_import_keys(tx, [entry.import_key for entry in entries])
    sound, unfounded = await _founded(tx, entries, known)
    wrong = [*wrong, *unfounded]
    keeps = not how.dry_run and (how.skip_refused or not wrong)
    new = [entry for entry in sound if entry.import_key not in known]
    numbers = await pledges.draw_numbers(tx, len(new)) if keeps and new else [""] * len(new)
    named = {key: pledge.number for key, pledge in known.items()} | {
        entry.import_key: number for entry, number in zip(new, numbers, strict=True)
    }
    work = _Work(tx=tx, how=how, named=named, keeps=keeps)
    added = await work.add(new)
    changed = [await work.change(entry, known[entry.import_key]) for entry in sound if entry.import_key in known]
    await work.finish()
    return Outcome(judged=sorted([*wrong, *added, *changed], key=lambda one: one.line), kept=keeps)


async def _founded(tx: Transaction, entries: Sequence[Entry], known: Mapping[str, Pledge]) -> tuple[Sequence[Entry], Sequence[Judged]]:
    """Return the rows whose pledges of reference there are, and verdicts on the others; what rests on a wrong row is wrong too."""
    named = {one for entry in entries for one in (entry.facts.matched_number, entry.superseded_by) if one}
    there = await pledges.names_known(tx, named) | set(known)
    sound, wrong = list(entries), list[Judged]()
    while True:
        keys = there | {entry.import_key for entry in sound}
        lost = [(entry, found) for entry in sound if (found := _unfounded(entry, keys)) is not None]
        if not lost:
            return sound, wrong
        wrong += [Judged(line=entry.line, import_key=entry.import_key, verdict=RowVerdict.REFUSED, refused=found) for entry, found in lost]
        sound = [entry for entry in sound if _unfounded(entry, keys) is None]


def _unfounded(entry: Entry, keys: set[str]) -> Refused | None:
    for column, name in (("matched_id", entry.facts.matched_number), ("superseded_by", entry.superseded_by)):
        if name and (name not in keys or name == entry.import_key):
            return Refused(column, "unknown-pledge", {"name": name})
    return None


class _Work:
    """Writes what a list says."""

    def __init__(self, *, tx: Transaction, how: Import, named: Mapping[str, str], keeps: bool) -> None:
        """`named` are the numbers of pledges by the keys that the list knows them by."""
        self._tx = tx
        self._how = how
        self._named = named
        self._keeps = keeps
        self._tellings: list[Telling] = []
        self._reports: list[Report] = []
        self._cause = Cause.start(new_id())

    async def add(self, entries: Sequence[Entry]) -> Sequence[Judged]:
        """Return the verdicts on pledges that were not known, which now stand on the register."""
        several = []
        for entry in entries if self._keeps else ():
            new = NewPledge(
                id=new_id(),
                import_key=entry.import_key,
                import_hash=entry.import_hash,
                facts=entry.facts,
                contact_sealed=self._how.seal(*entry.contact) if entry.contact else b"",
                trace_id=self._cause.trace_id,
            )
            past = [
                Past(facts=self._named_in(facts), change=Change.REPORTED if facts.reported_on else Change.PUBLISHED, stands_from=since)
                for since, facts in entry.past
            ]
            several.append((self._named[entry.import_key], new, past))
            self._keep_reports(new.id, [facts for _, facts in entry.past])
        for pledge in await pledges.publish_all(self._tx, several, by=None):
            self._tellings.append(telling.published(pledge, self._how.public_url, cause=self._cause, historic=self._how.historic))
        return [
            Judged(line=entry.line, import_key=entry.import_key, verdict=RowVerdict.ADDED, number=self._named[entry.import_key])
            for entry in entries
        ]

    async def change(self, entry: Entry, pledge: Pledge) -> Judged:
        """Return the verdict on a pledge that is known, which now stands as the list has it where that is newer."""

        def judged(verdict: RowVerdict, refused: Refused | None = None) -> Judged:
            return Judged(line=entry.line, import_key=entry.import_key, verdict=verdict, number=pledge.number, refused=refused)

        if pledge.import_hash == entry.import_hash:
            return judged(RowVerdict.UNCHANGED)
        if pledge.facts.standing is Standing.WITHDRAWN:
            return judged(RowVerdict.LEFT_OUT, Refused("id", "withdrawn"))
        if not self._keeps:
            return judged(RowVerdict.CHANGED)
        now = await self._write(entry, pledge)
        await pledges.set_import_hash(self._tx, pledge.id, entry.import_hash)
        if entry.contact:
            await pledges.set_contact(self._tx, pledge.id, self._how.seal(*entry.contact))
        return judged(RowVerdict.CHANGED if now.revision > pledge.revision else RowVerdict.UNCHANGED)

    async def _write(self, entry: Entry, pledge: Pledge) -> Pledge:
        """Return the pledge with the words that are new, each a version from its day; then, from today, what else is otherwise."""
        now = pledge
        past = [(since, self._named_in(facts)) for since, facts in entry.past]
        known = pledge.facts.reported_on or date.min
        news = [(since, facts) for since, facts in past if facts.reported_on and facts.reported_on > known]
        for since, facts in news:
            now = await pledges.change(self._tx, now, _with_report(now.facts, facts), Change.REPORTED, by=None, stands_from=since)
        self._keep_reports(pledge.id, [facts for _, facts in news])
        wanted = _with_report(past[-1][1], now.facts)
        wanted = replace(wanted, published_on=now.facts.published_on)
        edited = wanted != now.facts
        if edited:
            now = await pledges.change(self._tx, now, wanted, Change.EDITED, by=None)
        if news:
            told = telling.reported(pledge.facts, now, None, self._how.public_url, cause=self._cause, historic=self._how.historic)
            self._tellings.append(told)
        elif edited:
            self._tellings.append(telling.published(now, self._how.public_url, cause=self._cause, historic=self._how.historic))
        return now

    async def finish(self) -> None:
        """Keep the reports, and tell what changed."""
        await reports.keep(self._tx, self._reports)
        await telling.tell(self._tx, *self._tellings)

    def _named_in(self, facts: Facts) -> Facts:
        """Return facts in which other pledges stand by their numbers."""
        return replace(
            facts,
            matched_number=self._named.get(facts.matched_number or "", facts.matched_number),
            superseded_by=self._named.get(facts.superseded_by or "", facts.superseded_by),
        )

    def _keep_reports(self, pledge_id: Any, several: Sequence[Facts]) -> None:
        now = clock.now()
        for facts in map(self._named_in, several):
            if facts.reported_on is None:
                continue
            self._reports.append(
                Report(
                    id=new_id(),
                    pledge_id=pledge_id,
                    reported_on=facts.reported_on,
                    state=facts.state,
                    progress=None,
                    note={},
                    evidence=facts.evidence,
                    superseded_by=facts.superseded_by,
                    language=facts.language,
                    channel=Channel.IMPORT,
                    sent_at=now,
                    verdict=Verdict.ACCEPTED,
                    decided_at=now,
                )
            )


_REPORTED = ("state", "progress", "reported_on", "evidence", "evidenced_on", "superseded_by")


def _with_report(facts: Facts, reported: Facts) -> Facts:
    """Return facts with what is reported in `reported`."""
    return replace(facts, **{name: getattr(reported, name) for name in _REPORTED})
