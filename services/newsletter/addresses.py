"""Subscribers' addresses at rest: sealed, and found again by a keyed hash.

The hash has a key of its own, made at first use and kept sealed, so that TIDINGS_DATA_KEYS can rotate and a suppression still holds after
the address itself was erased.
"""

import base64
import hashlib
import hmac
import secrets
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.newsletter.sending.tables import kept_keys
from shared.db import Database, Transaction
from shared.vault import Vault

_NAME = "addresses"


class AddressBook:
    """Seals, opens and hashes addresses; get one by `open_book`."""

    def __init__(self, vault: Vault, key: bytes) -> None:
        self._vault = vault
        self._key = key

    def seal(self, address: str) -> bytes:
        """Return the address as it is kept."""
        return self._vault.seal(address.encode())

    def open(self, sealed: bytes) -> str:
        """Return a kept address; raises SealError."""
        return self._vault.open(sealed).decode()

    def hash(self, address: str) -> bytes:
        """Return the 32 bytes by which an address is found, however its letters are written."""
        return hmac.digest(self._key, address.strip().casefold().encode(), hashlib.sha256)

    def leave_token(self, subscriber_id: UUID) -> str:
        """Return what stands in a subscriber's links to leave: short, hard to forge, and good for as long as mails are kept."""
        return _base32(subscriber_id.bytes + self._mac("leave", subscriber_id.bytes))

    def leaver(self, token: str) -> UUID | None:
        """Return whose link this is, or None where it is nobody's."""
        try:
            found = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        except ValueError:
            return None
        if len(found) != 32 or not hmac.compare_digest(found[16:], self._mac("leave", found[:16])):
            return None
        return UUID(bytes=found[:16])

    def client(self, asker: str) -> bytes:
        """Return what is kept of the network that asked for something: enough to compare two wishes, and to find no reader by."""
        return self._mac("client", asker.encode())

    def bounce_address(self, message_id: str, domain: str) -> str:
        """Return where bounces of one mail go: its Message-ID, signed, so that nobody can make one up (VERP)."""
        local = message_id.strip("<>").partition("@")[0]
        return f"bounce+{local}{_base32(self._mac('bounce', local.encode())[:10])}@{domain}"

    def bounced(self, address: str) -> str | None:
        """Return the part before the @ of the Message-ID that a bounce address speaks of, or None where it is none of ours."""
        local = address.partition("@")[0].lower().removeprefix("bounce+")
        name, signed = local[:-16], local[-16:]
        return name if hmac.compare_digest(signed, _base32(self._mac("bounce", name.encode())[:10])) else None

    def _mac(self, purpose: str, value: bytes) -> bytes:
        return hmac.digest(self._key, f"{purpose}:".encode() + value, hashlib.sha256)[:16]


def _base32(value: bytes) -> str:
    # Small letters and digits alone: servers on the way may write the part before the @ as they like.
    return base64.b32encode(value).decode().rstrip("=").lower()


def domain_of(address: str) -> str:
    """Return the part behind the last @, in small letters."""
    return address.rpartition("@")[2].strip().lower()


async def open_book(tx: Transaction, vault: Vault) -> AddressBook:
    """Return the address book of this database; raises SealError when the data keys are not those that sealed its key."""
    new = {"name": _NAME, "sealed": vault.seal(secrets.token_bytes(32))}
    await tx.execute(insert(kept_keys).values(new).on_conflict_do_nothing())
    sealed = (await tx.execute(select(kept_keys.c.sealed).where(kept_keys.c.name == _NAME))).scalar_one()
    return AddressBook(vault, vault.open(sealed))


class Shelf:
    """The address book of one database, opened when it is first needed; its key never changes."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._book: AddressBook | None = None

    async def book(self) -> AddressBook:
        """Return the book; raises what `open_book` raises."""
        if self._book is None:
            # In a transaction of its own: the key must not be used before it is certainly kept.
            async with self._database.transaction() as tx:
                book = await open_book(tx, self._vault)
            self._book = book
        return self._book
