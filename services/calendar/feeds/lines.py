"""Lines of iCalendar (RFC 5545, section 3.1): escaped, and folded at 75 octets."""

from datetime import UTC, date, datetime

_OCTETS = 75
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def text(value: str) -> str:
    """Return a text as the value of a property."""
    return value.translate(_ESCAPES)


def line(content: str) -> bytes:
    """Return a content line with its end; a long one goes on in the next, never in the middle of a character."""
    octets = content.encode()
    if len(octets) <= _OCTETS:
        return octets + b"\r\n"
    parts, start, room = [], 0, _OCTETS
    while len(octets) - start > room:
        end = start + room
        while octets[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        parts.append(octets[start:end])
        start, room = end, _OCTETS - 1  # the space at the head of the next line counts
    parts.append(octets[start:])
    return b"\r\n ".join(parts) + b"\r\n"


def day(value: date) -> str:
    """Return a day: 20260616."""
    return f"{value.year:04}{value.month:02}{value.day:02}"


def clock_time(value: datetime) -> str:
    """Return what the clock shows, without its zone: 20260616T090000."""
    return f"{day(value)}T{value.hour:02}{value.minute:02}{value.second:02}"


def moment(value: datetime) -> str:
    """Return an instant in UTC: 20260616T070000Z."""
    return f"{clock_time(value.astimezone(UTC))}Z"
