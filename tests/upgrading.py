"""An upgrade, as it looks to a service that is asked again: some file that it makes answers of is another one."""

from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from services.calendar.web import embed_show, feed_give
from services.pledges.web import register_data
from shared.web import unchanged

ROOT = Path(__file__).parents[1]
EVERYTHING = (
    "shared/locales/fr/agenda.po",
    "shared/reference/data/countries.csv",
    "shared/web/templates/base.html",
    "shared/web/atom.py",
)
"""One of each kind of file that every service makes answers of."""


class Upgrade:
    """The services know only a copy of their files, in which one after the other may be changed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._folder = folder
        for name in ("shared", "services/calendar", "services/pledges"):
            copytree(ROOT / name, folder / name, ignore=ignore_patterns("__pycache__"))
        monkeypatch.setattr(unchanged, "SHARED", folder / "shared")
        monkeypatch.setattr(feed_give, "CALENDAR", folder / "services/calendar")
        monkeypatch.setattr(embed_show, "CALENDAR", folder / "services/calendar")
        monkeypatch.setattr(register_data, "_REGISTER", folder / "services/pledges")

    def change(self, name: str) -> None:
        """Let a file differ by one letter, in the next process."""
        content = (self._folder / name).read_bytes()
        (self._folder / name).write_bytes(content.replace(b"a", b"b", 1))
        assert (self._folder / name).read_bytes() != content
        unchanged.written_by.cache_clear()
