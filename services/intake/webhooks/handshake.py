"""The handshake by which a sender of CloudEvents asks whether it may send (CloudEvents HTTP webhook 1.0, section 4).

It protects strangers from being flooded; it gives no right: every delivery is signed all the same. So whoever asks in the right
form at a partner's address is answered with its own name and our rate.
"""

import re
from collections.abc import Mapping

from services.intake.webhooks.headers import RawHeaders, only
from services.intake.webhooks.problem import Reason, Refusal, refuse

ALLOW = "POST, OPTIONS"
MAX_ORIGIN_BYTES = 253  # the longest name that DNS knows

# The value goes back in a header of ours, so nothing but a name may pass.
_ORIGIN = re.compile(rb"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_RATE = re.compile(rb"[1-9][0-9]{0,8}")


def answer(headers: RawHeaders, *, max_rate_per_minute: int) -> Mapping[str, str] | Refusal:
    """Return the headers that answer an OPTIONS request: permission for the origin that asks, at its rate or ours if lower.

    Without `WebHook-Request-Origin` it was not a handshake, and only `Allow` comes back. A `WebHook-Request-Callback` is ignored:
    fetching an address that a stranger names would let strangers use us to reach others.
    """
    origin = only(headers, b"webhook-request-origin")
    rate = only(headers, b"webhook-request-rate")
    for value in (origin, rate):
        if isinstance(value, Refusal):
            return value
    if not isinstance(origin, bytes):
        return {"Allow": ALLOW}
    if len(origin) > MAX_ORIGIN_BYTES or not _ORIGIN.fullmatch(origin):
        return refuse(Reason.HANDSHAKE_MALFORMED, header="webhook-request-origin")
    if isinstance(rate, bytes) and not _RATE.fullmatch(rate):
        return refuse(Reason.HANDSHAKE_MALFORMED, header="webhook-request-rate")
    wanted = int(rate) if isinstance(rate, bytes) else max_rate_per_minute
    return {
        "Allow": ALLOW,
        "WebHook-Allowed-Origin": origin.decode("ascii"),
        "WebHook-Allowed-Rate": str(min(wanted, max_rate_per_minute)),
    }
