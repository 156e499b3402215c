"""The keys that a partner may sign with: shared secrets (v1) and public keys (v1a), as text and as bytes."""

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field
from enum import Enum

SECRET_PREFIX = "whsec_"  # noqa: S105 - the mark of a secret, not one
PUBLIC_PREFIX = "whpk_"
PRIVATE_PREFIX = "whsk_"

MIN_SECRET_BYTES = 24  # Standard Webhooks 1.0.0: 24 to 64 random bytes
MAX_SECRET_BYTES = 64
NEW_SECRET_BYTES = 32  # as long as what HMAC-SHA256 makes of it; more adds nothing
PUBLIC_KEY_BYTES = 32  # Ed25519, RFC 8032

_BASE64 = re.compile(r"[A-Za-z0-9+/]{1,200}={0,2}")


class KeyFault(Enum):
    """Why a key that somebody typed in cannot be taken. Its sentence has the key `webhook.key.<value>`."""

    NOT_BASE64 = "not-base64"
    TOO_SHORT = "too-short"  # under 24 bytes
    TOO_LONG = "too-long"  # over 64 bytes
    PRIVATE = "private"  # a whsk_ key: it has left its owner's hands and must be replaced
    NOT_A_PUBLIC_KEY = "not-a-public-key"  # whpk_, and not 32 bytes

    @property
    def key(self) -> str:
        """The catalogue key of the sentence."""
        return f"webhook.key.{self.value}"


@dataclass(frozen=True, kw_only=True)
class SharedKey:
    """A secret that the partner and we both hold; signs v1 (HMAC-SHA256)."""

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not MIN_SECRET_BYTES <= len(self.secret) <= MAX_SECRET_BYTES:
            raise ValueError(f"a shared secret has {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes, not {len(self.secret)}")


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """The public half of a key whose private half only the partner holds; verifies v1a (Ed25519)."""

    id: str
    public: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.public) != PUBLIC_KEY_BYTES:
            raise ValueError(f"an Ed25519 public key has {PUBLIC_KEY_BYTES} bytes, not {len(self.public)}")


Key = SharedKey | PublicKey


def generate_secret() -> str:
    """Return a new random secret as partners are shown it: `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(NEW_SECRET_BYTES)).decode("ascii")


def read_key(key_id: str, text: str) -> Key | KeyFault:
    """Return the key that `text` stands for: `whsec_` or bare base64 is a secret, `whpk_` a public key; or why it is none.

    Missing padding is allowed, since many tools leave it out.
    """
    text = text.strip()
    if text.startswith(PRIVATE_PREFIX):
        return KeyFault.PRIVATE
    public = text.startswith(PUBLIC_PREFIX)
    content = _decode(text.removeprefix(PUBLIC_PREFIX if public else SECRET_PREFIX))
    if content is None:
        return KeyFault.NOT_BASE64
    if public:
        return PublicKey(id=key_id, public=content) if len(content) == PUBLIC_KEY_BYTES else KeyFault.NOT_A_PUBLIC_KEY
    if len(content) < MIN_SECRET_BYTES:
        return KeyFault.TOO_SHORT
    if len(content) > MAX_SECRET_BYTES:
        return KeyFault.TOO_LONG
    return SharedKey(id=key_id, secret=content)


def _decode(text: str) -> bytes | None:
    if not _BASE64.fullmatch(text):
        return None
    bare = text.rstrip("=")
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)
    except binascii.Error:
        return None
