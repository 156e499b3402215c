"""A date as it stands in a list, in a month and on its own page: in the reader's words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from services.calendar.domain.entries import Entry
from services.calendar.domain.periods import Stretch, stretch, stretches
from services.calendar.domain.progress import Progress, progress
from services.calendar.web.said import days_marked, hours_said, stretch_said, utc_day, when_said
from shared import clock, i18n
from shared.events.codes import SYNTHETIC_COUNTRIES, DateStatus
from shared.events.times import ApproximateDate, TimeWithZone
from shared.web.pages import Sentence, localize

PATH = "/calendar/"


def path_of(slug: str) -> str:
    """Return the path of a date's page."""
    return f"{PATH}{slug}"


def kind_title(kind: str, reader: str) -> Sentence:
    """Return what kind of date it is."""
    text, language = i18n.look_up(reader, f"date-kind.{kind}")
    return Sentence(text, lang=language, reader=reader)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The hours of a date."""

    here: str  # by the clock of its place
    utc: str  # empty where its place goes by UTC
    starts: str  # for programs (RFC 3339)
    ends: str
    zone: str


@dataclass(frozen=True, kw_only=True)
class View:
    """What a template shows of a date."""

    entry: Entry
    address: str
    title: Sentence
    summary: Sentence | None
    kind: Sentence
    when: str  # day or days in full, or how its period is called
    plain_when: str  # the whole, hours too, without markup
    hours: Clock | None
    was: str  # when it was before its last move
    because: Sentence | None  # why it was cancelled
    progress: Progress | None  # of an activity
    is_today: bool
    is_over: bool

    @property
    def countries(self) -> Sequence[str]:
        """The countries that it is about; the codes of sample data are none."""
        return [code for code in self.entry.countries if code not in SYNTHETIC_COUNTRIES]

    @property
    def tentative(self) -> bool:
        """Whether it is not yet certain."""
        return self.entry.status == DateStatus.TENTATIVE


def view(entry: Entry, reader: str, today: date) -> View:
    """Return a date in the reader's words."""
    when = entry.when
    over = entry.last_day is not None and entry.last_day < today
    return View(
        entry=entry,
        address=path_of(entry.slug),
        title=localize(entry.title, reader),
        summary=localize(entry.summary, reader) if any(entry.summary.values()) else None,
        kind=kind_title(entry.kind, reader),
        when=when_said(when, reader) if isinstance(when, ApproximateDate) else days_marked(when, reader),
        plain_when=when_said(when, reader),
        hours=_clock(when, reader) if isinstance(when, TimeWithZone) else None,
        was=when_said(entry.moved_from, reader) if entry.moved_from is not None else "",
        because=localize(entry.cancelled_because, reader) if entry.cancelled_because else None,
        progress=progress(entry, today) if entry.priority else None,
        is_today=entry.is_exact and entry.first_day <= today and not over,
        is_over=over,
    )


def _clock(when: TimeWithZone, reader: str) -> Clock:
    utc, day = hours_said(when, reader, zone="UTC"), utc_day(when, reader)
    if day:
        utc = i18n.translate(reader, "agenda.day-and-hour", day=day, hour=utc)
    return Clock(
        here=hours_said(when, reader),
        utc="" if when.zone == "UTC" else utc,
        starts=clock.rfc3339(when.starts),
        ends=clock.rfc3339(when.ends) if when.ends else "",
        zone=when.zone,
    )


@dataclass(frozen=True, kw_only=True)
class Period:
    """Approximate dates that are known by the same stretch of time."""

    name: str
    views: Sequence[View]


def by_period(entries: Iterable[Entry], reader: str, today: date, first: date, last: date) -> Sequence[Period]:
    """Return approximate dates under the names of their periods; of several, the one that touches the time between two days."""

    def of(entry: Entry) -> Stretch:
        touching = [one for one in stretches(_rough(entry)) if one.first <= last and (one.last is None or one.last >= first)]
        return touching[0] if touching else stretch(entry.first_day, entry.last_day)

    placed = sorted(((of(entry), entry) for entry in entries), key=lambda pair: (*pair[0].order, pair[1].first_day))
    return [
        Period(name=stretch_said(one, reader), views=[view(entry, reader, today) for _, entry in pairs])
        for one, pairs in groupby(placed, key=lambda pair: pair[0])
    ]


def _rough(entry: Entry) -> ApproximateDate:
    when = entry.when
    assert isinstance(when, ApproximateDate)
    return when
