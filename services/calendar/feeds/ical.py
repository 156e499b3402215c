"""Dates as iCalendar (RFC 5545, with NAME, REFRESH-INTERVAL and SOURCE of RFC 7986): those that have a day or an hour.

There is no METHOD: a calendar that is subscribed to invites nobody (RFC 5546 asks a publisher to name an organizer).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from services.calendar.domain.entries import Entry
from services.calendar.feeds import lines, words
from services.calendar.feeds.clocks import UTC_NAMES, by_the_clock
from services.calendar.feeds.zones import timezone

UID_HOST = "tidings"
"""After the id, for ever, whatever host serves the feed: a UID that changes doubles every date in every calendar."""

# Most programs ask less often; those that heed it need not ask more often.
REFRESH = "PT6H"


@dataclass(frozen=True, kw_only=True)
class About:
    """What a feed says of itself."""

    name: str
    language: str  # of names and remarks; each text says its own
    source: str  # its address
    public_url: str
    licence: str | None = None  # web address of that of the data; None where nothing is said of one


@dataclass(kw_only=True)
class Calendar:
    """A calendar that is written piece by piece: a piece of some hundred dates is written aside, while others are served."""

    about: About
    _events: list[str] = field(default_factory=list)
    _years: dict[str, tuple[int, int]] = field(default_factory=dict)  # first and last year in which each zone is used

    def add(self, entries: Iterable[Entry]) -> None:
        """Write dates; what is only roughly known is left out, for a calendar has no place for it."""
        self._events.append("".join([self._event(entry) for entry in entries if entry.is_exact]))

    @property
    def content(self) -> bytes:
        """The calendar as it stands."""
        zones = [timezone(zone, first, last) for zone, (first, last) in sorted(self._years.items())]
        return "".join([*self._head(), *zones, *self._events, lines.line("END:VCALENDAR")]).encode()

    def _head(self) -> Sequence[str]:
        about, name = self.about, lines.text(self.about.name)
        return [
            lines.line(content)
            for content in (
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                "PRODID:-//Tidings//Calendar//EN",
                "CALSCALE:GREGORIAN",
                f"NAME;LANGUAGE={about.language}:{name}",
                f"X-WR-CALNAME:{name}",  # what programs read that are older than RFC 7986
                f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}",
                f"X-PUBLISHED-TTL:{REFRESH}",
                f"SOURCE;VALUE=URI:{about.source}",
                f"URL:{about.public_url}/calendar/",
            )
        ]

    def _event(self, entry: Entry) -> str:
        title, title_language = words.in_language(entry.title, self.about.language)
        changed = lines.moment(entry.updated_at)
        content = [
            "BEGIN:VEVENT",
            f"UID:{entry.id}@{UID_HOST}",
            f"DTSTAMP:{changed}",  # without METHOD it is when the date was changed, never when the feed was read
            f"LAST-MODIFIED:{changed}",
            f"CREATED:{lines.moment(entry.created_at)}",
            f"SEQUENCE:{entry.sequence}",
            f"STATUS:{entry.status.upper()}",
            *self._when(entry),
            f"SUMMARY;LANGUAGE={title_language}:{lines.text(title)}",
            *self._description(entry),
            f"URL:{self.about.public_url}/calendar/{entry.slug}",
            *([f"LOCATION:{lines.text(entry.place)}"] if entry.place else []),
            f"CATEGORIES:{','.join(map(lines.text, words.codes(entry)))}",
            "TRANSP:TRANSPARENT",  # to know of a meeting is not to be busy
            "END:VEVENT",
        ]
        return "".join(map(lines.line, content))

    def _description(self, entry: Entry) -> list[str]:
        remarks = words.remarks(entry, self.about.language)
        summary, language = words.in_language(entry.summary, self.about.language)
        if not summary and not remarks:
            return []
        language = language if summary else self.about.language
        return [f"DESCRIPTION;LANGUAGE={language}:{lines.text(chr(10).join([*remarks, *([summary] if summary else [])]))}"]

    def _when(self, entry: Entry) -> list[str]:
        if entry.precision == "day":
            # The end of a day in iCalendar is the first day that is free again.
            over = (entry.last_day or entry.first_day) + timedelta(days=1)
            return [f"DTSTART;VALUE=DATE:{lines.day(entry.first_day)}", f"DTEND;VALUE=DATE:{lines.day(over)}"]
        assert entry.starts_at is not None
        assert entry.zone is not None
        ends_at = entry.ends_at if entry.ends_at != entry.starts_at else None  # an end at the beginning is refused by some programs
        starts = by_the_clock(entry.starts_at, entry.zone)
        ends = by_the_clock(ends_at, entry.zone) if ends_at else starts
        if starts is None or ends is None:
            return [f"DTSTART:{lines.moment(entry.starts_at)}", *([f"DTEND:{lines.moment(ends_at)}"] if ends_at else [])]
        zone = entry.zone
        if zone not in UTC_NAMES:
            first, last = self._years.get(zone, (starts.year, ends.year))
            self._years[zone] = (min(first, starts.year), max(last, ends.year))
        return [
            f"DTSTART;TZID={zone}:{lines.clock_time(starts)}",
            *([f"DTEND;TZID={zone}:{lines.clock_time(ends)}"] if ends_at else []),
        ]
