"""Who signed these bytes, and when: Standard Webhooks 1.0.0, versions v1 (HMAC-SHA256) and v1a (Ed25519).

Our own, because the reference library lets hostile input escape as other errors than its own, reads the timestamp as a
float, knows only v1 and one secret, and cannot tell a partner what is wrong. Tests hold ours against it.
"""

import binascii
import hashlib
import hmac
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.intake.webhooks.headers import RawHeaders, only
from services.intake.webhooks.hints import slip
from services.intake.webhooks.keys import Key, PublicKey, SharedKey
from services.intake.webhooks.problem import Reason, Refusal, refuse
from shared.clock import check_aware

TOLERANCE = timedelta(minutes=5)  # what the specification's example and most senders assume
MAX_ID_BYTES = 255  # far above the 36 of a UUID; the id stands in a unique index
MAX_ENTRIES = 16  # signatures in one header; a sender in the middle of a rotation sends two
MAX_SIGNATURE_BYTES = 4096  # of the whole header

ID_HEADER = b"webhook-id"
TIMESTAMP_HEADER = b"webhook-timestamp"
SIGNATURE_HEADER = b"webhook-signature"

# Visible ASCII. A full stop is allowed although it also divides the signed text: what follows the timestamp must be one JSON
# object, and no JSON object starts inside another one's text and ends where that ends, so the text has only one reading.
_ID = re.compile(rb"[\x21-\x7e]+")
# Whole seconds, as the specification wants them: no sign, no leading zero, no fraction, no exponent. Eleven digits reach to
# the year 5138; a time in milliseconds has thirteen and is refused as malformed, not as 50,000 years ahead.
_TIMESTAMP = re.compile(rb"0|[1-9][0-9]{0,10}")
_VERSION = re.compile(rb"[A-Za-z0-9_-]{1,16}")


class Version(Enum):
    """A version of signature that we can check."""

    V1 = "v1"  # HMAC-SHA256 with a shared secret
    V1A = "v1a"  # Ed25519 with the partner's private key


@dataclass(frozen=True, kw_only=True)
class Hashed:
    """The bytes that were hashed, told so that a sender can compare: theirs differ where the hash does."""

    body_bytes: int
    body_sha256: str
    signed_bytes: int  # id, full stop, timestamp, full stop, body
    signed_sha256: str

    def members(self) -> dict[str, str | int]:
        """Return them as members of a problem document."""
        return {
            "body_bytes": self.body_bytes,
            "body_sha256": self.body_sha256,
            "signed_bytes": self.signed_bytes,
            "signed_sha256": self.signed_sha256,
        }


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A request that one of the partner's live keys has signed, lately enough."""

    id: str  # webhook-id, the idempotency key
    sent_at: datetime  # of this attempt, by the sender's clock
    key_id: str  # of the key that matched, so that its last use can be kept
    version: Version
    skew_seconds: float  # our clock minus the sender's; includes the time on the way, so a little above 0 is normal
    hashed: Hashed


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """What the three headers say, read but not yet believed."""

    id: bytes
    timestamp: bytes
    signatures: tuple[tuple[Version, bytes], ...]


def verify(*, headers: RawHeaders, body: bytes, keys: Sequence[Key], now: datetime, tolerance: timedelta = TOLERANCE) -> Verified | Refusal:
    """Return who signed `body`, or the refusal that says which check failed.

    `keys` are the partner's live keys, all equally good. The clock is checked last, since only a genuine timestamp says
    anything about the sender's clock. Every comparison takes the same time wherever the two differ.
    """
    claim = _read(headers)
    if isinstance(claim, Refusal):
        return claim
    signed = b".".join((claim.id, claim.timestamp, body))
    key = _matching(claim.signatures, keys, signed)
    hashed = _hashed(body, signed)
    if key is None:
        return _explain(claim, keys, body, hashed, now)
    return _check_clock(claim, key, hashed, now, tolerance)


def _read(headers: RawHeaders) -> _Claim | Refusal:
    values: list[bytes] = []
    missing: list[str] = []
    for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER):
        value = only(headers, name)
        if isinstance(value, Refusal):
            return value
        if value is None:
            missing.append(name.decode("ascii"))
        else:
            values.append(value)
    if missing:
        return refuse(Reason.HEADER_MISSING, headers=", ".join(missing))
    message_id, timestamp, signature = values
    if len(message_id) > MAX_ID_BYTES or not _ID.fullmatch(message_id):
        return refuse(Reason.ID_MALFORMED, max=MAX_ID_BYTES)
    if not _TIMESTAMP.fullmatch(timestamp):
        return refuse(Reason.TIMESTAMP_MALFORMED)
    signatures = _read_signatures(signature)
    if isinstance(signatures, Refusal):
        return signatures
    return _Claim(id=message_id, timestamp=timestamp, signatures=signatures)


def _read_signatures(header: bytes) -> tuple[tuple[Version, bytes], ...] | Refusal:
    entries = [entry for entry in header.split(b" ") if entry] if len(header) <= MAX_SIGNATURE_BYTES else []
    if not entries or len(entries) > MAX_ENTRIES:
        return refuse(Reason.SIGNATURE_TOO_LONG, max_entries=MAX_ENTRIES, max_bytes=MAX_SIGNATURE_BYTES)
    read: list[tuple[Version, bytes]] = []
    unknown = 0
    for entry in entries:
        name, comma, text = entry.partition(b",")
        version = _VERSIONS.get(name)
        if version is None:
            unknown += bool(comma and _VERSION.fullmatch(name))
        elif signature := _decode(text):
            read.append((version, signature))
    if read:
        # A broken entry or a version to come beside a good one does no harm.
        return tuple(read)
    return refuse(Reason.SIGNATURE_VERSION_UNKNOWN if unknown else Reason.SIGNATURE_MALFORMED)


_VERSIONS = {version.value.encode("ascii"): version for version in Version}


def _decode(text: bytes) -> bytes | None:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        return None


def _matching(signatures: Iterable[tuple[Version, bytes]], keys: Iterable[Key], signed: bytes) -> Key | None:
    """Return the first key that made one of the signatures."""
    by_version = {version: [signature for of, signature in signatures if of is version] for version in Version}
    for key in keys:
        if isinstance(key, SharedKey):
            right = hmac.digest(key.secret, signed, "sha256")
            if any(hmac.compare_digest(right, signature) for signature in by_version[Version.V1]):
                return key
        elif any(_is_signed(key, signature, signed) for signature in by_version[Version.V1A]):
            return key
    return None


def _is_signed(key: PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _version_of(key: Key) -> Version:
    return Version.V1 if isinstance(key, SharedKey) else Version.V1A


def _hashed(body: bytes, signed: bytes) -> Hashed:
    return Hashed(
        body_bytes=len(body),
        body_sha256=hashlib.sha256(body).hexdigest(),
        signed_bytes=len(signed),
        signed_sha256=hashlib.sha256(signed).hexdigest(),
    )


def _explain(claim: _Claim, keys: Sequence[Key], body: bytes, hashed: Hashed, now: datetime) -> Refusal:
    """Return why nothing matched, as narrowly as can be told."""
    live = {_version_of(key) for key in keys}
    signed_with = {version for version, _ in claim.signatures}
    if not live:
        refusal = refuse(Reason.KEY_MISSING)
    elif not live & signed_with:
        refusal = refuse(Reason.KEY_OF_OTHER_VERSION, signed=_names(signed_with), live=_names(live))
    else:
        secrets = [key.secret for key in keys if isinstance(key, SharedKey)]
        signatures = [signature for version, signature in claim.signatures if version is Version.V1]
        found = slip(secrets=secrets, signatures=signatures, head=claim.id + b"." + claim.timestamp + b".", body=body)
        refusal = refuse(found) if found else refuse(Reason.SIGNATURE_MISMATCH, keys=len(keys))
    # A wrong clock is often the next thing to go wrong, so it is told along.
    return replace(refusal, members={**hashed.members(), **_clock_members(claim, now)})


def _names(versions: Iterable[Version]) -> str:
    return ", ".join(sorted(version.value for version in versions))


def _check_clock(claim: _Claim, key: Key, hashed: Hashed, now: datetime, tolerance: timedelta) -> Verified | Refusal:
    skew = _skew(claim, now)
    if abs(skew) > tolerance.total_seconds():
        reason = Reason.CLOCK_BEHIND if skew > 0 else Reason.CLOCK_AHEAD
        # Rounded up, so that a refusal never names a number that is still allowed.
        refusal = refuse(reason, seconds=math.ceil(abs(skew)), tolerance=int(tolerance.total_seconds()))
        return replace(refusal, members={**_clock_members(claim, now), "tolerance_seconds": int(tolerance.total_seconds())})
    return Verified(
        id=claim.id.decode("ascii"),
        # Within the tolerance of our own clock, so a datetime can hold it.
        sent_at=datetime.fromtimestamp(int(claim.timestamp), UTC),
        key_id=key.id,
        version=_version_of(key),
        skew_seconds=skew,
        hashed=hashed,
    )


def _skew(claim: _Claim, now: datetime) -> float:
    return check_aware(now).timestamp() - int(claim.timestamp)


def _clock_members(claim: _Claim, now: datetime) -> dict[str, str | int]:
    skew = _skew(claim, now)
    return {
        "our_time": int(check_aware(now).timestamp()),
        "your_time": int(claim.timestamp),
        "skew_seconds": math.ceil(abs(skew)) * (1 if skew > 0 else -1),
    }
