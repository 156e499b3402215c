"""Tokens: who somebody is and which roles they hold, signed with Ed25519 by desk alone and read with its public keys by everybody.

A token is a JWT (RFC 7519) with algorithm `EdDSA` (RFC 8037) and the id of its key in the header, so that keys rotate.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared import clock
from shared.events.codes import Role
from shared.vault import Vault

ALGORITHM = "EdDSA"
ISSUER = "tidings-desk"
# Clocks of machines side by side differ by less; a token from further in the future was not made by desk.
LEEWAY_SECONDS = 30
# A prefix each, so that nobody puts a private key where the public ones stand.
PRIVATE_PREFIX = "edsk_"
PUBLIC_PREFIX = "edpk_"
_KEY_BYTES = 32
_TOKEN_MAX_CHARACTERS = 4_000  # more than a cookie may hold
_KEY_ID_BYTES = 9


class Kind(StrEnum):
    """Whom a token is for; it is its audience, so that one of another kind is refused."""

    PERSON = "person"  # a browser's, in a cookie; minutes
    API = "api"  # a person's program, as bearer; days
    SERVICE = "service"  # a service that fetches another's file, as bearer


class TokenError(Exception):
    """A token is not taken; ask desk for a new one."""


class TokenOverError(TokenError):
    """The token's time is over; desk gives a new one while its session lasts."""


class KeyFormError(ValueError):
    """This is no key as `tidings key --signing` prints it."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who is signed in, as the token says."""

    id: str
    name: str
    roles: frozenset[Role]
    languages: tuple[str, ...] = ()
    sealed_address: str = field(default="", repr=False)  # the person's own mail address, for services that hold the data keys

    @property
    def signature(self) -> str:
        """Name and id in one line, for records that people read: the name may change, the id does not."""
        return f"{self.name} ({self.id})"

    def holds(self, *roles: Role) -> bool:
        """Say whether the person holds one of `roles`."""
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a sound token says."""

    kind: Kind
    person: Person
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """A new key for desk, and its public half for everybody."""

    private: str = field(repr=False)
    public: str


def new_key_pair() -> KeyPair:
    """Return keys for TIDINGS_SIGNING_KEY and TIDINGS_VERIFY_KEYS."""
    key = Ed25519PrivateKey.generate()
    return KeyPair(private=PRIVATE_PREFIX + _encode(key.private_bytes_raw()), public=_public_text(key.public_key()))


class Signer:
    """Makes tokens; desk alone has one."""

    def __init__(self, keys: Sequence[str], vault: Vault | None = None) -> None:
        """Take private keys, newest first: the first signs, the others stand for tokens that are still in use. Raises KeyFormError.

        `vault` seals people's own addresses; without it tokens carry none.
        """
        self._vault = vault
        self._keys = [Ed25519PrivateKey.from_private_bytes(_bytes_of(key, PRIVATE_PREFIX)) for key in keys]
        if not self._keys:
            raise KeyFormError(KeyFormError.__doc__)

    @property
    def public_keys(self) -> Sequence[str]:
        """The public halves, as TIDINGS_VERIFY_KEYS wants them."""
        return [_public_text(key.public_key()) for key in self._keys]

    def sign(self, person: Person, *, kind: Kind, valid_for: timedelta, issued_at: datetime | None = None, address: str = "") -> str:
        """Return a token that says who `person` is, from `issued_at` (now, where empty) for so long.

        `address` is their own mail address. It travels sealed, so that a service can mail them without an event that carries it, and
        whoever finds the token cannot read it.
        """
        issued = (issued_at or clock.now()).timestamp()
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": kind.value,
            "sub": person.id,
            "name": person.name,
            "roles": sorted(person.roles),
            "languages": list(person.languages),
            # To the microsecond: a token made right after a cut-off in the same second must be taken, one made right before it must not.
            "iat": issued,
            "exp": issued + valid_for.total_seconds(),
        }
        sealed = self._vault.seal(address.encode()).decode() if self._vault is not None and address else person.sealed_address
        if sealed:
            claims["addr"] = sealed
        newest = self._keys[0]
        return jwt.encode(claims, newest, algorithm=ALGORITHM, headers={"kid": _key_id(newest.public_key())})


class Verifier:
    """Reads tokens."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take public keys in any order; raises KeyFormError."""
        public = [Ed25519PublicKey.from_public_bytes(_bytes_of(key, PUBLIC_PREFIX)) for key in keys]
        self._keys = {_key_id(key): key for key in public}
        if not self._keys:
            raise KeyFormError(KeyFormError.__doc__)

    def read(self, token: str, kind: Kind) -> Claims:
        """Return what a token of this kind says; raises TokenOverError for one that is over, TokenError for any other that is not taken."""
        try:
            claims = self._checked(token, kind)
            return Claims(
                kind=kind,
                person=Person(
                    id=str(claims["sub"]),
                    name=str(claims["name"]),
                    # A role that this version does not know gives nothing.
                    roles=frozenset(Role(role) for role in claims["roles"] if role in set(Role)),
                    languages=tuple(map(str, claims["languages"])),
                    sealed_address=str(claims.get("addr", "")),
                ),
                issued_at=datetime.fromtimestamp(claims["iat"], UTC),
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenOverError(TokenOverError.__doc__) from error
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError, OSError) as error:
            raise TokenError(f"{TokenError.__doc__} ({type(error).__name__})") from error

    def _checked(self, token: str, kind: Kind) -> Mapping[str, Any]:
        if len(token) > _TOKEN_MAX_CHARACTERS:
            raise jwt.InvalidTokenError("too long")
        # Only the key's id is taken from the unproven header; which algorithm is right is ours to say, never the token's.
        key = self._keys.get(str(jwt.get_unverified_header(token).get("kid", "")))
        if key is None:
            raise jwt.InvalidTokenError("no such key")
        found: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=kind.value,
            issuer=ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "aud", "sub", "iat", "exp"], "strict_aud": True},
        )
        return found


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes_of(key: str, prefix: str) -> bytes:
    try:
        raw = base64.b64decode(key.removeprefix(prefix) + "=", altchars=b"-_", validate=True) if key.startswith(prefix) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise KeyFormError(f"a key here begins with {prefix} and has {_KEY_BYTES} bytes behind it")
    return raw


def _public_text(key: Ed25519PublicKey) -> str:
    return PUBLIC_PREFIX + _encode(key.public_bytes_raw())


def _key_id(key: Ed25519PublicKey) -> str:
    """Return the id that a token's header names its key by: the first bytes of the key's SHA-256."""
    return _encode(hashlib.sha256(key.public_bytes_raw()).digest()[:_KEY_ID_BYTES])
