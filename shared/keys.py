"""Keys that `tidings all` makes for itself at its first start and keeps in its state directory."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from shared.auth.tokens import Signer, new_key_pair
from shared.vault import new_key


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What a system of one process needs to keep secrets and to sign tokens; newest first."""

    data_keys: list[str] = field(repr=False)
    signing_key: list[str] = field(repr=False)

    @property
    def verify_keys(self) -> list[str]:
        """The public halves of the signing keys."""
        return list(Signer(self.signing_key).public_keys)


def kept_keys(var: Path) -> Keys:
    """Return the keys kept under `var`; what is not there yet is made there, readable by its owner alone."""
    path = var / "keys.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = {}
    if "data_keys" in found and "signing_key" in found:
        return Keys(data_keys=found["data_keys"], signing_key=found["signing_key"])
    # An earlier version kept no signing key; its data keys must stay, or nothing that they sealed could be opened.
    keys = Keys(data_keys=found.get("data_keys") or [new_key()], signing_key=[new_key_pair().private])
    var.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"data_keys": keys.data_keys, "signing_key": keys.signing_key}, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return keys
