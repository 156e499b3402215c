"""A database of an older version, as its users filled it: migrated, started on, read on every page, and reached by links in old mails."""

import asyncio
import json
import lzma
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from services.demo.walk.browser import Browser
from services.demo.walk.people import Mails, sign_in
from services.owners import OWNERS
from services.upkeep import AFTER_RESTORE
from shared.backup.archive import ArchiveReader, reading
from shared.backup.restoring import RestoreError, put_as_it_was, put_back
from shared.db import engine_of
from shared.embedded.postgres import EmbeddedPostgres
from shared.migrations import upgrade, versions_of
from shared.testing.databases import ask
from shared.vault import Vault
from tests.flows.running import running, tidings
from tests.upgrade.schema import described

HERE = Path(__file__).parent
VERSIONS = sorted(path.name.removesuffix(".zip.xz") for path in HERE.glob("*.zip.xz"))
MOST_BYTES = 300_000
# One page of each kind: ids, numbers, days and words that differ from thing to thing stand for one another.
VARIES = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)[0-9][0-9-]*(?=/|$)|(?<=/practices/)[^/]+|(?<=/talks/)[^/]+|(?<=/news/)[^/]+|(?<=-)\d+"
)
# What answers otherwise than with a page: it signs out, leads elsewhere, or belongs to the demo parts.
PASSED_BY = re.compile(r"/(static|demo)/|/desk/sign-out|/api/docs|/webhooks/|\.(zip|csv|xlsx)$")
FEWEST_PAGES = 60
PUBLIC = ("/", "/practices/", "/talks/", "/pledges/", "/calendar/", "/newsletter/archive/", "/take-part/", "/news/")
STAFF = ("/desk/", "/newsletter/issues/", "/newsletter/pool", "/social/", "/social/deliveries", "/intake/partners/", "/intake/review/")


def said(version: str, what: str) -> Any:
    return json.loads((HERE / f"{version}.{what}.json").read_text(encoding="utf-8"))


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def archive(version: str, var: Path) -> Iterator[ArchiveReader]:
    plain = var / "dump.zip"
    plain.write_bytes(lzma.decompress((HERE / f"{version}.zip.xz").read_bytes()))
    with reading(plain) as opened:
        yield opened


async def put(url: str, archive: ArchiveReader) -> None:
    engine = engine_of(url)
    try:
        async with engine.begin() as tx:
            await put_as_it_was(tx, archive, print)
    finally:
        await engine.dispose()


def test_there_is_a_dump_and_it_is_small_and_holds_nothing_of_a_machine() -> None:
    assert "0.1.0" in VERSIONS
    for version in VERSIONS:
        packed = (HERE / f"{version}.zip.xz").read_bytes()
        assert len(packed) < MOST_BYTES
        held = lzma.decompress(packed)
        assert not re.search(rb"/(home|root|tmp|work|Users)/\w", held)


async def test_no_migration_that_ran_at_users_was_changed_since(version: str, archive: ArchiveReader, database_url: str) -> None:
    """The schemas of that version, made by the migrations as they are now, are word for word what they were."""
    engine = engine_of(database_url)
    try:
        async with engine.begin() as tx:
            for service, kept in archive.manifest.schemas.items():
                assert kept.version in versions_of(service), f"a migration of {service} is gone or has another number"
                await upgrade(tx, service, kept.version)
            now = await described(tx, list(archive.manifest.schemas))
    finally:
        await engine.dispose()
    before = said(version, "schemas")
    for service, kinds in before.items():
        for kind, lines in kinds.items():
            assert now[service][kind] == lines, f"{service}, {kind}: add another migration in place of changing one"


async def test_no_row_is_lost_by_migrating(archive: ArchiveReader, database_url: str) -> None:
    await put(database_url, archive)
    engine = engine_of(database_url)
    async with engine.begin() as tx:
        for service in OWNERS:
            await upgrade(tx, service)
    await engine.dispose()
    for service, kept in archive.manifest.schemas.items():
        for table in kept.tables:
            (row,) = await ask(database_url, f'SELECT count(*) FROM "{service}"."{table.name}"')
            assert row[0] >= table.rows, f"{service}.{table.name}"


async def test_it_is_restored_by_this_version_with_its_own_keys_and_nothing_of_it_leaves_by_itself(
    archive: ArchiveReader, database_url: str
) -> None:
    keys = json.loads((HERE / "test-keys.json").read_text(encoding="utf-8"))["data_keys"]
    done = await put_back(database_url, archive, Vault(keys), AFTER_RESTORE, print)
    for service, kept in archive.manifest.schemas.items():
        (version,) = await ask(database_url, f"SELECT version_num FROM {service}.schema_version")
        assert version[0] == versions_of(service)[-1] >= kept.version
    tables = [table for kept in archive.manifest.schemas.values() for table in kept.tables]
    assert done.offered_again == sum(table.rows for table in tables if table.name == "outbox") > 0
    for service in OWNERS:
        if await ask(database_url, f"SELECT 1 WHERE to_regclass('{service}.mails') IS NOT NULL"):
            assert await ask(database_url, f"SELECT 1 FROM {service}.mails WHERE state = 'waiting' AND expires_at > now()") == []
            assert len(await ask(database_url, f"SELECT 1 FROM {service}.restores")) == 1
    with pytest.raises(RestoreError, match="Services were at work"):
        await put_back(database_url, archive, Vault(keys), AFTER_RESTORE, print, moved=True)


@pytest.mark.timeout(900)
def test_the_system_starts_on_it_every_page_answers_and_links_in_old_mails_work(version: str, archive: ArchiveReader, var: Path) -> None:
    links = said(version, "links")
    shutil.copy(HERE / "test-keys.json", var / "keys.json")
    with EmbeddedPostgres(var / "postgres") as server:
        asyncio.run(put(server.url, archive))
    with running(var) as system:
        assert tidings(var, "migrate").returncode == 0
        reader = Browser(system.address)
        practice, tracking = reader.open(links["practice"]), reader.open(links["tracking"])
        assert links["mark"] in practice.words
        assert links["mark"] in tracking.words
        assert links["mark"] in reader.open("/newsletter/archive/").words
        seen = walked(reader, PUBLIC)
        alex = sign_in(system.address, Mails(browser=reader), "alex@example.org")
        seen |= walked(alex, STAFF)
        assert len(seen) > FEWEST_PAGES, sorted(seen)
        # The link of a mail that is older than the system: it shows whose it is, and one click ends it.
        page = reader.open(links["unsubscribe"])
        assert page.status == 200
        answer = reader.post_bytes(
            urljoin(system.address, links["unsubscribe"]),
            b"List-Unsubscribe=One-Click",
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert answer.status in {200, 202}, answer.said


def walked(who: Browser, begin: Sequence[str]) -> set[str]:
    """Open one page of each kind that links lead to from these, and return the kinds; each must answer."""
    kinds, tried = set[str](), set[str]()
    waiting = list(begin)
    while waiting:
        path = waiting.pop(0)
        kind = VARIES.sub("*", path)
        if kind in tried or PASSED_BY.search(path):
            continue
        tried.add(kind)
        page = who.look(path)
        if page.status == 401 and not who.cookies:
            continue  # the way to the team's pages, as a stranger finds it
        if page.status == 404 and "knows nothing of this id" in page.said:
            continue  # what one service knows of another's event may be nothing
        kinds.add(kind)
        assert page.status == 200, f"{path} answers {page.status}: {page.said[:300]}"
        for link in page.links if "<main" in page.body else ():
            address = urlsplit(urljoin(page.address, link))
            if address.netloc == urlsplit(who.base).netloc and address.path:
                waiting.append(address.path)
    return kinds
