"""Reading request headers as the bytes that came: names in any case, values never decoded by guesswork."""

from collections.abc import Sequence

from services.intake.webhooks.problem import Reason, Refusal, refuse

RawHeaders = Sequence[tuple[bytes, bytes]]
"""Names and values as an ASGI server hands them over."""


def only(headers: RawHeaders, name: bytes) -> bytes | Refusal | None:
    """Return the value of the header `name` (lower case), None where it is missing or empty.

    A header that comes twice is refused: which of the two a proxy before us looked at cannot be known.
    """
    values = [value.strip(b" \t") for key, value in headers if key.lower() == name]
    if len(values) > 1:
        return refuse(Reason.HEADER_REPEATED, header=name.decode("ascii"))
    return values[0] or None if values else None
