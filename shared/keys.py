"""Keys that `tidings all` makes for itself at its first start and keeps in its state directory."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from shared.vault import new_key


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What a system of one process needs to keep secrets."""

    data_keys: list[str]
    staff_key: str


def kept_keys(var: Path) -> Keys:
    """Return the keys kept under `var`, made there when there are none; readable by their owner alone."""
    path = var / "keys.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Keys(data_keys=found["data_keys"], staff_key=found["staff_key"])
    except FileNotFoundError:
        keys = Keys(data_keys=[new_key()], staff_key=secrets.token_urlsafe(24))
    var.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"data_keys": keys.data_keys, "staff_key": keys.staff_key}, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return keys
