"""When something is, in words: an hour in its place, a day, some days, or a period that is known no more exactly than it says."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_interval, format_skeleton, format_time, get_timezone, get_timezone_location

from shared import i18n
from shared.events.times import ApproximateDate, Days, TimeWithZone, When, Window

_QUARTER = 3
_HALF = 6
_YEAR = 12


def say(when: When, language: str) -> str:
    """Return when it is, in one of the six languages: "16 June 2026, 09:00–12:00 (Casablanca)", "2nd quarter 2026"."""
    if isinstance(when, TimeWithZone):
        return _hours(when, language)
    if isinstance(when, Days):
        return _days(when.first, when.last, language)
    return i18n.translate(language, "base.comma").join(_period(window, when, language) for window in when.windows)


def _hours(when: TimeWithZone, language: str) -> str:
    zone = ZoneInfo(when.zone)
    begins = when.starts.astimezone(zone)
    if when.ends is None or when.ends == when.starts:
        hours = _clock(begins, language)
    elif when.ends.astimezone(zone).date() == begins.date():
        hours = f"{_clock(begins, language)}–{_clock(when.ends.astimezone(zone), language)}"
    else:
        ends = when.ends.astimezone(zone)
        until = i18n.translate(language, "when.day-and-hours", date=i18n.day(ends.date(), language), hours=_clock(ends, language))
        hours = f"{_clock(begins, language)} – {until}"
    moment = i18n.translate(language, "when.day-and-hours", date=i18n.day(begins.date(), language), hours=hours)
    # A place, not an abbreviation: half the world's zones have none, and a country's name is not ours to give here.
    place = get_timezone_location(get_timezone(when.zone), locale=i18n.locale(language), return_city=True)
    return i18n.translate(language, "when.in-place", moment=moment, place=place)


def _clock(moment: datetime, language: str) -> str:
    return format_time(moment, "short", locale=i18n.locale(language), tzinfo=moment.tzinfo)


def _days(first: date, last: date, language: str) -> str:
    if first == last:
        return i18n.day(first, language)
    return format_interval(first, last, "yMMMMd", locale=i18n.locale(language))


def _period(window: Window, when: ApproximateDate, language: str) -> str:
    first, last = window.first, window.last
    if last is None:
        return i18n.translate(language, "when.from", month=i18n.month(first, language))
    months = 12 * (last.year - first.year) + last.month - first.month + 1
    if when.precision == "year" and months == _YEAR:
        return format_skeleton("y", first, locale=i18n.locale(language))
    if when.precision == "half" and months == _HALF:
        half = 1 if first.month <= _HALF else 2
        return i18n.translate(language, f"when.half.{half}", year=format_skeleton("y", first, locale=i18n.locale(language)))
    if when.precision == "quarter" and months == _QUARTER:
        return format_skeleton("yQQQQ", first, locale=i18n.locale(language))
    if months == 1:
        return i18n.month(first, language)
    return format_interval(first, last, "yMMMM", locale=i18n.locale(language))
