"""Who the server runs as. PostgreSQL refuses to be root, so where we are root it runs as an account that owns nothing else."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from shared.embedded.errors import StartError

# Every system has it; making an account would change the machine behind its owner's back.
_NOBODY = "nobody"
# Capabilities that let a process pass folders closed to it, the weaker one first, with their numbers in the kernel's bit set.
_PASS_CLOSED_FOLDERS = (("dac_read_search", 2), ("dac_override", 1))


@dataclass(frozen=True, kw_only=True)
class Account:
    """How to start a program as the account that owns the data."""

    uid: int | None = None  # None: as we are
    gid: int | None = None
    prefix: tuple[str, ...] = ()  # a program that changes the account, where Python alone cannot do it
    shut_out: bool = False  # from the folder of PostgreSQL's own programs, but for the right that `prefix` gives

    def own(self, folder: Path) -> None:
        """Give an empty folder to the account."""
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def popen(self, folder: Path, command: Sequence[str], output: IO[bytes]) -> "subprocess.Popen[bytes]":
        """Start a server in `folder`, and in a session of its own, so that keys pressed in our terminal do not reach it."""
        return subprocess.Popen(  # noqa: S603  # our own words and paths
            [*self.prefix, *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **self._same(),
        )

    def run(self, command: Sequence[str], *, give: str = "") -> None:
        """Run a program to its end with `give` on its standard input; raises StartError with what it said."""
        done = subprocess.run(  # noqa: S603  # our own words and paths
            [*self.prefix, *command],
            cwd="/",
            input=give.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **self._same(),
        )
        if done.returncode:
            said = done.stdout.decode(errors="replace").strip()[-2000:]
            raise StartError(f"The embedded PostgreSQL could not make its folder. {Path(command[0]).name} said:\n{said}")

    def _same(self) -> dict[str, Any]:
        # Nothing of our environment: PG* variables would steer the server, and its own need not hold our secrets.
        common: dict[str, Any] = {"env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}}
        if self.uid is None or self.prefix:
            return common
        return common | {"user": self.uid, "group": self.gid, "extra_groups": []}


def account_for(data: Path, programs: Path) -> Account:
    """Return the account that shall run `programs` on the folder `data`; raises StartError where none can."""
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            raise StartError(f"{data} belongs to another account (number {owner}). Start as that account, or with another TIDINGS_VAR.")
        return Account()
    if owner == 0 and (data / "PG_VERSION").exists():
        raise StartError(f"{data} belongs to root, as whom PostgreSQL refuses to run. Give it away: chown -R {_NOBODY} {data}")
    try:
        # Who made the data goes on with it: whoever started Tidings first may have been an ordinary user.
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam(_NOBODY)
    except KeyError as error:
        raise StartError(
            f"PostgreSQL refuses to run as root, and this machine has no account {owner or _NOBODY!r}. Start Tidings as an ordinary user."
        ) from error
    used = (data.parent, programs, Path(tempfile.gettempdir()))  # the last may hold the socket
    closed = next((folder for path in used if (folder := _closed_folder(path, entry))), None)
    prefix = _passing_closed_folders(entry, closed) if closed else ()
    return Account(uid=entry.pw_uid, gid=entry.pw_gid, prefix=prefix, shut_out=_closed_folder(programs, entry) is not None)


def _closed_folder(path: Path, entry: pwd.struct_passwd) -> Path | None:
    """Return the first folder on the way to `path` that the account cannot pass, such as root's home."""
    for folder in (*reversed(path.resolve().parents), path.resolve()):
        if folder.exists():
            state = folder.stat()
            pass_bit = 0o100 if state.st_uid == entry.pw_uid else 0o010 if state.st_gid == entry.pw_gid else 0o001
            if not state.st_mode & pass_bit:
                return folder
    return None


def _passing_closed_folders(entry: pwd.struct_passwd, closed: Path) -> tuple[str, ...]:
    """Return the command that starts a program as the account, but with the one right to pass closed folders.

    The other way is to open those folders to everybody, and one of them may be root's home.
    """
    setpriv = shutil.which("setpriv")
    ours = next((int(line.split()[1], 16) for line in _status() if line.startswith("CapEff:")), 0)
    right = next((name for name, number in _PASS_CLOSED_FOLDERS if ours >> number & 1), None)
    if setpriv is None or right is None:
        raise StartError(
            f"PostgreSQL refuses to run as root, and the account {entry.pw_name!r} may not enter {closed}. Start Tidings as an ordinary "
            f"user, or put it where others may enter, for example under /opt, or open that folder: chmod o+x {closed}"
        )
    change = (f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
    return (setpriv, *change, f"--inh-caps=+{right}", f"--ambient-caps=+{right}", "--")


def _status() -> list[str]:
    status = Path("/proc/self/status")
    return status.read_text().splitlines() if status.exists() else []
