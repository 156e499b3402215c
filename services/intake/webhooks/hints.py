"""The slips of the pen that make a right key give a wrong signature, found by signing as the slip would.

Only who holds the key can sign in any of these ways, so saying "you signed the body alone" tells a stranger nothing.
"""

import base64
import binascii
import hmac
from collections.abc import Iterator, Sequence

from services.intake.webhooks.keys import SECRET_PREFIX
from services.intake.webhooks.problem import Reason

# A refused request costs a few hashes more for each key; these keep a stranger from turning that into load.
MAX_BODY_BYTES = 65_536
MAX_SECRETS = 4


def slip(*, secrets: Sequence[bytes], signatures: Sequence[bytes], head: bytes, body: bytes) -> Reason | None:
    """Return which slip explains one of the v1 `signatures`, or None.

    `head` is what comes before the body in the signed text.
    """
    if len(body) > MAX_BODY_BYTES:
        return None
    for secret in secrets[:MAX_SECRETS]:
        for reason, wrong in _slips(secret, head, body):
            if any(hmac.compare_digest(wrong, signature) for signature in signatures):
                return reason
    return None


def _slips(secret: bytes, head: bytes, body: bytes) -> Iterator[tuple[Reason, bytes]]:
    text = base64.b64encode(secret)
    prefix = SECRET_PREFIX.encode("ascii")
    for key in (prefix + text, text, prefix + text.rstrip(b"="), text.rstrip(b"=")):
        yield Reason.SIGNED_WITH_SECRET_TEXT, _mac(key, head + body)
    yield Reason.SIGNED_BODY_ALONE, _mac(secret, body)
    bare = body.rstrip(b"\r\n")
    for changed in (bare, bare + b"\n", bare + b"\r\n"):
        if changed != body:
            yield Reason.SIGNED_TRIMMED_BODY, _mac(secret, head + changed)
    digits = _mac(secret, head + body).hex().encode("ascii")
    # Hexadecimal digits are also base64 letters, so they were decoded as such; or the digits themselves were encoded.
    yield Reason.SIGNATURE_IN_HEXADECIMAL, binascii.a2b_base64(digits)
    yield Reason.SIGNATURE_IN_HEXADECIMAL, digits


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")
