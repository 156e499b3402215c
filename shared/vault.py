"""Secrets at rest: partner keys, raw requests, contacts. Encrypted with TIDINGS_DATA_KEYS, newest key first, so that keys rotate."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealError(Exception):
    """Something kept encrypted cannot be opened: the key that sealed it is no longer among TIDINGS_DATA_KEYS; put it back, last."""


class Vault:
    """Seals with the first key, opens with any."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take keys as `new_key` makes them; raises ValueError for none, or for one that is no such key."""
        self._fernet = MultiFernet([Fernet(key.encode()) for key in keys])

    def seal(self, value: bytes) -> bytes:
        """Return `value` encrypted and authenticated; only ASCII letters, digits, `-`, `_` and `=`."""
        return self._fernet.encrypt(value)

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed; raises SealError."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise SealError(SealError.__doc__) from error


def new_key() -> str:
    """Return a key for TIDINGS_DATA_KEYS."""
    return Fernet.generate_key().decode()
