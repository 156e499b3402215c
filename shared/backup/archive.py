"""The archive's form: a zip of one member for each table, as PostgreSQL's COPY writes it, and a manifest that says what is in it.

A zip has its directory at its end, so one that was cut off is no archive at all; and the file has its name only once all of it is on
the disk. See docs/decisions/0010-a-backup-is-a-zip-of-copies.md.
"""

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

FORM = 1
"""The version of this form; a newer one is refused."""
MANIFEST = "manifest.json"
PIECE_BYTES = 256 * 1024
# Higher ones take twice the time for a few hundredths of the size.
_LEVEL = 4


class ArchiveError(Exception):
    """The file is no whole backup; the message says why and what to do."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True)


class KeptTable(_Said):
    """One table in an archive."""

    name: str
    columns: tuple[str, ...]
    rows: int
    bytes: int  # as COPY wrote them
    sha256: str  # of these bytes


class KeptSequence(_Said):
    """Where a sequence stood: read after the snapshot, so never behind a row of it."""

    name: str
    last: Annotated[int, Field(ge=-(2**63), lt=2**63)]  # as PostgreSQL holds it
    called: bool


class KeptSchema(_Said):
    """One service's schema in an archive."""

    version: str  # of the schema
    tables: tuple[KeptTable, ...]  # those that others refer to come first
    sequences: tuple[KeptSequence, ...]

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(table.rows for table in self.tables)


class Manifest(_Said):
    """What an archive says of itself."""

    form: int
    tidings: str  # the version that took it
    taken_at: AwareDatetime
    at_rest: bool = False  # whether no service was connected meanwhile, so that nothing can have left since but by a start after it
    sealed: str  # a word that the data keys seal, by which a restore sees whether it has them
    schemas: Mapping[str, KeptSchema]


def member(schema: str, table: str) -> str:
    """Return the name of a table's member."""
    return f"{schema}/{table}.copy"


class ArchiveWriter:
    """Writes members one after another; nothing is held in memory."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @contextmanager
    def table(self, schema: str, name: str) -> "Iterator[MemberWriter]":
        """Give what takes the bytes of one table."""
        info = zipfile.ZipInfo(member(schema, name))
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        with self._archive.open(info, "w", force_zip64=True) as opened:
            yield MemberWriter(opened)

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, as the last member."""
        self._archive.writestr(MANIFEST, manifest.model_dump_json(indent=1), zipfile.ZIP_DEFLATED)


class MemberWriter:
    """One member while it is written, with its hash."""

    def __init__(self, opened: IO[bytes]) -> None:
        self._opened = opened
        self._hash = hashlib.sha256()
        self.size = 0

    async def write(self, piece: bytes) -> None:
        """Take a piece; of the shape that asyncpg wants."""
        self._hash.update(piece)
        self.size += len(piece)
        self._opened.write(piece)

    @property
    def sha256(self) -> str:
        """The hash of what was taken so far."""
        return self._hash.hexdigest()


@contextmanager
def writing(file: Path) -> Iterator[ArchiveWriter]:
    """Give an archive that gets the name `file` when the block ends well, and leaves nothing behind when it does not.

    Only its owner may read it, from its first byte on. Raises ArchiveError where there is a file of that name.
    """
    _check_free(file)
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.absolute().parent)  # mode 600 from birth
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as opened:
            with zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
                yield ArchiveWriter(archive)
            opened.flush()
            os.fsync(opened.fileno())
        _check_free(file)
        part.replace(file)
        _sync(file.absolute().parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _check_free(file: Path) -> None:
    if file.exists():
        raise ArchiveError(f"{file} is there already, and no backup is written over another. Name a new file.")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ArchiveReader:
    """An archive that is there, with its manifest read."""

    def __init__(self, archive: zipfile.ZipFile, file: Path) -> None:
        self._archive = archive
        self._file = file
        self.manifest = self._read_manifest()

    def _read_manifest(self) -> Manifest:
        try:
            manifest = Manifest.model_validate_json(self._archive.read(MANIFEST))
        except (KeyError, ValidationError, zipfile.BadZipFile, zlib.error) as error:
            raise ArchiveError(f"{self._file} is no backup of Tidings: it has no manifest that can be read. Take another one.") from error
        if manifest.form > FORM:
            raise ArchiveError(f"{self._file} was made by Tidings {manifest.tidings}, which is newer. Restore it with that version.")
        return manifest

    async def pieces(self, schema: str, table: KeptTable) -> AsyncIterator[bytes]:
        """Give the bytes of a table; raises ArchiveError at the end where they are not those that were written."""
        found, size = hashlib.sha256(), 0
        try:
            with self._archive.open(member(schema, table.name)) as opened:
                while piece := opened.read(PIECE_BYTES):
                    found.update(piece)
                    size += len(piece)
                    yield piece
        except (KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise self._damaged(schema, table) from error
        if (size, found.hexdigest()) != (table.bytes, table.sha256):
            raise self._damaged(schema, table)

    def _damaged(self, schema: str, table: KeptTable) -> ArchiveError:
        return ArchiveError(f"{self._file} is damaged: {member(schema, table.name)} is not what was written. Take another backup.")


@contextmanager
def reading(file: Path) -> Iterator[ArchiveReader]:
    """Give an archive to read; raises ArchiveError for a file that is none, or not whole."""
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise ArchiveError(f"{file} is no whole backup: it is cut off, or something else. Take another one.") from error
    with archive:
        yield ArchiveReader(archive, file)
