"""Certificates that are made for one test: an authority, and a server at 127.0.0.1 that it vouches for."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared import clock


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate and its key, both as PEM."""

    certificate: str
    key: str


def authority() -> Pair:
    """Return a new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _pair(
        _builder("Trial authority", "Trial authority", key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True),
        key,
        key,
    )


def server(by: Pair, *, days: float = 1) -> Pair:
    """Return a server at 127.0.0.1 and localhost for which an authority vouches for so many days from now; fewer than none are over."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
    authority_key = serialization.load_pem_private_key(by.key.encode(), None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    return _pair(_builder("localhost", "Trial authority", key, days).add_extension(names, critical=False), key, authority_key)


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, days: float = 100) -> x509.CertificateBuilder:
    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
    )


def _pair(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey) -> Pair:
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Pair(
        certificate=builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode(),
        key=private.decode(),
    )
