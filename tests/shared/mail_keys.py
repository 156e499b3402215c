"""A DKIM key of the tests, and its public half as the DNS would give it."""

import base64
from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from shared.mail.dkim import Signer

DOMAIN, SELECTOR = "example.org", "tests"


@cache
def private_key(bits: int = 2048) -> RSAPrivateKey:
    """Return an RSA key, the same throughout a run."""
    return generate_private_key(65537, bits)


def pem(bits: int = 2048) -> bytes:
    """Return the key as a file has it."""
    return private_key(bits).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signer() -> Signer:
    """Return a signer for example.org."""
    return Signer(domain=DOMAIN, selector=SELECTOR, key=private_key())


def dns(name: bytes | str, timeout: int = 5) -> bytes | None:
    """Answer as the DNS of example.org does: TXT of the key, nothing else."""
    del timeout
    known = name.decode() if isinstance(name, bytes) else name
    if known.rstrip(".") != f"{SELECTOR}._domainkey.{DOMAIN}":
        return None
    public = private_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
