"""Subscribers' addresses at rest: sealed, and found again by a keyed hash.

The hash has a key of its own, made at first use and kept sealed, so that TIDINGS_DATA_KEYS can rotate and a suppression still holds after
the address itself was erased.
"""

import hashlib
import hmac
import secrets

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.newsletter.sending.tables import kept_keys
from shared.db import Transaction
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


def domain_of(address: str) -> str:
    """Return the part behind the last @, in small letters."""
    return address.rpartition("@")[2].strip().lower()


async def open_book(tx: Transaction, vault: Vault) -> AddressBook:
    """Return the address book of this database; raises SealError when the data keys are not those that sealed its key."""
    new = {"name": _NAME, "sealed": vault.seal(secrets.token_bytes(32))}
    await tx.execute(insert(kept_keys).values(new).on_conflict_do_nothing())
    sealed = (await tx.execute(select(kept_keys.c.sealed).where(kept_keys.c.name == _NAME))).scalar_one()
    return AddressBook(vault, vault.open(sealed))
