"""Make the dump of a filled database: `python -m tests.upgrade.make_dump 0.1.0`, once for each version that users get.

A fresh system on embedded parts is filled through its public doors by the walk of `tidings demo`, with keys that were made for this and
open nothing else. What old mails link to is written beside the dump; so is every schema, in words.
"""

import asyncio
import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from services.demo.walk.route import walk_all
from services.demo.walk.system import found_at
from services.demo.walk.walk import Walk, begun
from services.owners import OWNERS
from shared.db import engine_of
from shared.embedded import run_file
from tests.upgrade.schema import described

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEYS = HERE / "test-keys.json"
# Of the addresses in old mails: the same on whatever machine this runs.
PORT = "8043"
# Senders keep the name of the machine they run on.
NAMELESS = "import socket; socket.gethostname = lambda: 'dump'; from services.__main__ import main; main()"
START_SECONDS = 240.0


def main(version: str) -> None:
    """Fill a system, back it up, and write what must hold hereafter."""
    with TemporaryDirectory(prefix="tidings-dump-") as folder:
        var = Path(folder)
        shutil.copy(KEYS, var / "keys.json")
        (var / "keys.json").chmod(0o600)
        bare = {name: value for name, value in os.environ.items() if not name.startswith("TIDINGS_")}
        settings = bare | {"TIDINGS_VAR": folder, "TIDINGS_PORT": PORT, "TIDINGS_PUBLIC_URL": f"http://127.0.0.1:{PORT}"}
        with (var / "said.log").open("wb") as log:
            process = subprocess.Popen([sys.executable, "-c", NAMELESS, "all"], cwd=ROOT, env=settings, stdout=log, stderr=log)
        try:
            walk = begun(found_at(_address_of(process, var)), print)
            walk_all(walk)
            subprocess.run([sys.executable, "-m", "services", "backup", str(var / "all.zip")], cwd=ROOT, env=settings, check=True)
            _pack(var / "all.zip", HERE / f"{version}.zip.xz")
            _write(f"{version}.links.json", _links(walk))
            running = run_file.read(var)
            assert running is not None
            assert running.database is not None
            _write(f"{version}.schemas.json", asyncio.run(_schemas(running.database)))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _pack(archive: Path, packed: Path) -> None:
    """Pack an archive's members together: services keep much of the same, which a zip by itself squeezes once for each."""
    plain = BytesIO()
    with zipfile.ZipFile(archive) as before, zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as after:
        for name in before.namelist():
            after.writestr(name, before.read(name))
    packed.write_bytes(lzma.compress(plain.getvalue(), preset=9))


def _address_of(process: "subprocess.Popen[bytes]", var: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while (running := run_file.read(var)) is None or running.web is None:
        assert process.poll() is None, (var / "said.log").read_text(encoding="utf-8")
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return running.web


def _links(walk: Walk) -> dict[str, str]:
    """Return the paths of what mails and answers of this system link to, and what must be read there."""
    mails = walk.mails.to(walk.found["reader"])
    links = [urlsplit(link).path for mail in mails for link in mail["links"]]
    tracking = next(urlsplit(step.address).path for step in walk.journal.steps if "/intake/track/" in step.address)
    public = next(urlsplit(step.address).path for step in walk.journal.steps if "/practices/" in step.address)
    return {
        "mark": walk.mark,
        "reader": walk.found["reader"],
        "unsubscribe": next(link for link in links if link.startswith("/newsletter/u/")),
        "archive": next((link for link in links if link.startswith("/newsletter/archive/")), "/newsletter/archive/"),
        "tracking": tracking,
        "practice": public,
    }


async def _schemas(url: str) -> dict[str, dict[str, list[str]]]:
    engine = engine_of(url)
    try:
        async with engine.connect() as connection:
            return await described(connection, OWNERS)
    finally:
        await engine.dispose()


def _write(name: str, said: object) -> None:
    (HERE / name).write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
