"""Lines of iCalendar (RFC 5545, section 3.1): escaped, and folded at 75 octets."""

from datetime import UTC, date, datetime

_OCTETS = 75
END = "\r\n"


def text(value: str) -> str:
    """Return a text as the value of a property."""
    # Each look through a text costs next to nothing, translating it much: most texts hold nothing to escape.
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if "," in value:
        value = value.replace(",", "\\,")
    if ";" in value:
        value = value.replace(";", "\\;")
    if "\r" in value:
        value = value.replace("\r", "")
    return value.replace("\n", "\\n") if "\n" in value else value


def line(content: str) -> str:
    """Return a content line with its end; a long one goes on in the next, never in the middle of a character."""
    if content.isascii():
        if len(content) <= _OCTETS:
            return content + END
        rest = range(_OCTETS, len(content), _OCTETS - 1)  # the space at the head of the next line counts
        return f"{END} ".join([content[:_OCTETS], *(content[start : start + _OCTETS - 1] for start in rest)]) + END
    octets = content.encode()
    parts, start, room = [], 0, _OCTETS
    while len(octets) - start > room:
        end = start + room
        while octets[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        parts.append(octets[start:end].decode())
        start, room = end, _OCTETS - 1
    parts.append(octets[start:].decode())
    return f"{END} ".join(parts) + END


def day(value: date) -> str:
    """Return a day: 20260616."""
    return f"{value.year:04}{value.month:02}{value.day:02}"


def clock_time(value: datetime) -> str:
    """Return what the clock shows, without its zone: 20260616T090000."""
    return f"{value.year:04}{value.month:02}{value.day:02}T{value.hour:02}{value.minute:02}{value.second:02}"


def moment(value: datetime) -> str:
    """Return an instant in UTC: 20260616T070000Z."""
    return f"{clock_time(value if value.tzinfo is UTC else value.astimezone(UTC))}Z"
