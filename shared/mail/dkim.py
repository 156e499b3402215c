"""DKIM signatures (RFC 6376): RSA with SHA-256, relaxed/relaxed, and oversigned, so that nobody on the way can add a header."""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

RSA_BITS = 2048

# Named once more than they occur: a second one, added later, breaks the signature. RFC 8058, section 4, wants both List headers
# under it; a mail that has none is thereby kept from getting a button that is not ours.
OVERSIGNED = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
)
# Anything else of ours is signed as often as it occurs. What servers add or change on the way is not signed.

_SPACES = re.compile(rb"[ \t]+")
_SPACES_AT_END = re.compile(rb"[ \t]+(?=\r\n)")
_LINES_AT_END = re.compile(rb"(?:\r\n)*\Z")
_BASE64_CHARACTERS = 72


class KeyFileError(ValueError):
    """The DKIM key cannot be used: give an RSA private key of at least 2048 bits as PEM, without a password."""


def read_key(pem: bytes) -> RSAPrivateKey:
    """Return the private key in `pem`; raises KeyFileError."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError("it holds no private key in PEM without a password") from error
    if not isinstance(key, RSAPrivateKey):
        raise KeyFileError("its key is not an RSA key, the one kind that every provider verifies")
    if key.key_size < RSA_BITS:
        raise KeyFileError(f"its key has {key.key_size} bits; providers want {RSA_BITS}")
    return key


class Signer:
    """Signs for one domain with the key whose public half stands in the DNS at `selector._domainkey.domain`."""

    def __init__(self, *, domain: str, selector: str, key: RSAPrivateKey) -> None:
        self.domain = domain
        self.selector = selector
        self._key = key

    def sign(self, headers: Sequence[bytes], body: bytes, at: datetime) -> bytes:
        """Return the DKIM-Signature line for header lines (each with its CRLF) and the body that will be sent with it."""
        fields = [_relaxed(line) for line in headers]
        names = [name for name, _ in fields]
        signed = _signed_names(names)
        body_hash = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
        begin = (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain};\r\n"
            f" s={self.selector}; t={at.timestamp():.0f}; q=dns/txt;\r\n"
            f" h={_folded_names(signed)};\r\n"
            f" bh={body_hash};\r\n"
            " b="
        ).encode("ascii")
        _, own = _relaxed(begin + b"\r\n")
        content = _chosen(fields, signed) + own.removesuffix(b"\r\n")
        signature = base64.b64encode(self._key.sign(content, PKCS1v15(), SHA256()))
        lines = [signature[at_ : at_ + _BASE64_CHARACTERS] for at_ in range(0, len(signature), _BASE64_CHARACTERS)]
        return begin + b"\r\n ".join(lines) + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """Return a body in its relaxed form (RFC 6376, section 3.4.4); ours are in it already, and are only looked through."""
    if b"  " in body or b"\t" in body or b" \r\n" in body:
        body = _SPACES.sub(b" ", _SPACES_AT_END.sub(b"", body))
    if body.endswith(b"\r\n\r\n") or not body.endswith(b"\r\n"):
        body = _LINES_AT_END.sub(b"", body)
        body = body + b"\r\n" if body else b""
    return b"" if body == b"\r\n" else body


def _relaxed(line: bytes) -> tuple[str, bytes]:
    """Return a header's name, in small letters, and its relaxed form with its CRLF (RFC 6376, section 3.4.2)."""
    name, _, value = line.partition(b":")
    name = name.strip().lower()
    return name.decode("ascii"), name + b":" + _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ") + b"\r\n"


def _signed_names(names: Sequence[str]) -> list[str]:
    over = [name.lower() for name in OVERSIGNED]
    return [*names, *over]


def _chosen(fields: Sequence[tuple[str, bytes]], signed: Sequence[str]) -> bytes:
    """Return the signed headers' relaxed forms; of several with one name the last comes first, and one that is absent is nothing."""
    left = list(reversed(fields))
    found = []
    for name in signed:
        place = next((place for place, (its, _) in enumerate(left) if its == name), None)
        if place is not None:
            found.append(left.pop(place)[1])
    return b"".join(found)


def _folded_names(names: Sequence[str]) -> str:
    lines: list[str] = [""]
    for name in names:
        if len(lines[-1]) + len(name) > _BASE64_CHARACTERS:
            lines.append("")
        lines[-1] += name + ":"
    return "\r\n ".join(lines).removesuffix(":")
