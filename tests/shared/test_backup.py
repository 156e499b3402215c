"""The archive and its two ways: whole or not at all, the same rows on the other side, and what is refused."""

import asyncio
import json
import signal
import subprocess
import sys
import tomllib
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from typer.testing import CliRunner

from services.__main__ import app
from services.desk.handlers import LISTENS
from services.owners import OWNERS
from services.upkeep import AFTER_RESTORE
from shared.backup.archive import ArchiveError, KeptTable, Manifest, reading
from shared.backup.command import UNDONE
from shared.backup.held import nothing_leaves
from shared.backup.restoring import MADE_BY_MIGRATIONS, Restored, RestoreError, check_no_group_is_ahead, check_topics_are_empty, put_back
from shared.backup.schemas import filled, look
from shared.backup.taking import take
from shared.broker import TOPIC_DAYS, Probe, group_of, telling_broker
from shared.consumer import Consumer
from shared.db import Database
from shared.embedded.kafka import EmbeddedKafka
from shared.events import registry
from shared.events.every import DecisionMade
from shared.events.registry import TOPICS_OF
from shared.migrations import migrate, versions_of
from shared.parking import StoredRecord
from shared.retention import INBOX_DAYS, OUTBOX_DAYS, tidy
from shared.testing.databases import ask, fresh_database, run_apart
from shared.vault import Vault, new_key
from shared.version import VERSION
from tests.desk.wire import records_of, tell
from tests.flows.running import ROOT, environment

KEY = new_key()
VAULT = Vault([KEY])
ISSUE = "0199a000-0000-7000-8000-000000000007"
# What a restore itself changes: events are told again, sessions end, what was leaving is held.
CHANGED = {"outbox", "sessions", "sign_in_links", "senders", "sends", "audience", "attempts", "deliveries", "mails", "restores"}


def test_the_version_in_an_archive_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION


@pytest.fixture
def empty_url(postgres: Any) -> Iterator[str]:
    """A second database, in which nothing has happened yet."""
    with fresh_database(postgres.url) as url:
        yield url


async def run(url: str, statement: str) -> list[Any]:
    return await ask(url, statement)


async def fill(url: str) -> None:
    """Put rows into tables of every odd kind: identities, sealed bytes, references, arrays, JSON, texts with every mark COPY minds."""
    await migrate(url, OWNERS)
    odd = r"E'tab\there, line\nend, back\\slash, \\N, \\. and العربية'"
    sealed = VAULT.seal(b"reader@example.org").hex()
    await run(
        url,
        "INSERT INTO intake.outbox (id, type, subject, time, cause, trace_id, revision, historic, body, sent_at)"
        f" SELECT gen_random_uuid(), 'x.v1', n::text, now(), 'c', 't', 1, false, {odd}, CASE WHEN n % 2 = 0 THEN now() END"
        " FROM generate_series(1, 500) n",
    )
    await run(
        url,
        "INSERT INTO desk.people (id, mail, name, roles, languages, active, demo, tokens_valid_from, revision, made_at)"
        f" VALUES ('p', 'p@example.org', {odd}, '{{admin,operator}}', '{{}}', true, false, now(), 1, now())",
    )
    await run(url, "INSERT INTO desk.sessions (hash, person_id, began_at, used_at) VALUES ('\\x00ff', 'p', now(), now())")
    await run(
        url,
        "INSERT INTO newsletter.subscribers (id, address, address_hash, domain, language, state)"
        f" VALUES (gen_random_uuid(), '\\x{sealed}', '\\x01', 'example.org', 'en', 'confirmed')",
    )
    await run(url, "SELECT nextval('pledges.pledge_numbers') FROM generate_series(1, 7)")


async def backed_up(url: str, file: Path) -> Manifest:
    return await take(url, OWNERS, VAULT, file, print)


async def restored(url: str, file: Path, vault: Vault = VAULT, **more: Any) -> Restored:
    with reading(file) as archive:
        return await put_back(url, archive, vault, AFTER_RESTORE, print, **more)


def tables_of(manifest: Manifest) -> Mapping[str, KeptTable]:
    return {f"{name}.{table.name}": table for name, schema in manifest.schemas.items() for table in schema.tables}


async def is_untouched(url: str) -> bool:
    """Say whether nothing of ours is in a database: neither a schema nor a row."""
    return not await run(url, f"SELECT nspname FROM pg_namespace WHERE nspname IN ({', '.join(repr(one) for one in OWNERS)})")


async def test_every_row_comes_back_as_it_was_and_numbers_go_on_where_they_stood(database_url: str, empty_url: str, var: Path) -> None:
    await fill(database_url)
    first = await backed_up(database_url, var / "first.zip")
    done = await restored(empty_url, var / "first.zip")
    assert done.offered_again == 500
    second = await backed_up(empty_url, var / "second.zip")
    before, after = tables_of(first), tables_of(second)
    assert before.keys() == after.keys()
    assert {name: table for name, table in before.items() if table.name not in CHANGED} == {
        name: table for name, table in after.items() if table.name not in CHANGED
    }
    assert (await run(empty_url, "SELECT count(*) FROM intake.outbox WHERE sent_at IS NULL"))[0][0] == 500
    assert (await run(empty_url, "SELECT count(*) FROM desk.sessions"))[0][0] == 0
    assert (await run(empty_url, "SELECT nextval('pledges.pledge_numbers')"))[0][0] == 8
    made = "INSERT INTO intake.outbox (id, type, subject, time, cause, trace_id, revision, historic, body)"
    made += " VALUES (gen_random_uuid(), 'x.v1', 's', now(), 'c', 't', 1, false, '') RETURNING seq"
    assert (await run(empty_url, made))[0][0] == 501


async def test_it_goes_into_schemas_that_were_migrated_and_nothing_else(database_url: str, empty_url: str, var: Path) -> None:
    await fill(database_url)
    await backed_up(database_url, var / "all.zip")
    await migrate(empty_url, OWNERS)
    with pytest.raises(RestoreError, match=r"The schema desk is not empty: people"):
        await restored(database_url, var / "all.zip")
    assert (await restored(empty_url, var / "all.zip")).offered_again == 500


async def test_whoever_restores_again_hears_that_it_is_done(database_url: str, empty_url: str, var: Path) -> None:
    await fill(database_url)
    await backed_up(database_url, var / "first.zip")
    await backed_up(database_url, var / "second.zip")
    await restored(empty_url, var / "first.zip")
    with pytest.raises(RestoreError, match=r"This backup was put back here already, whole, at 20"):
        await restored(empty_url, var / "first.zip")
    with pytest.raises(RestoreError, match=r"The schema desk is not empty"):
        await restored(empty_url, var / "second.zip")


def test_what_stands_in_the_database_is_said_before_what_kafka_lacks(database_url: str, var: Path) -> None:
    run_apart(fill(database_url))
    run_apart(backed_up(database_url, var / "all.zip"))
    environment = {"TIDINGS_DATABASE": database_url, "TIDINGS_KAFKA": "127.0.0.1:1", "TIDINGS_DATA_KEYS": KEY}
    done = CliRunner().invoke(app, ["restore", str(var / "all.zip")], env=environment)
    assert (done.exit_code, "The schema desk is not empty" in done.stderr) == (1, True)


async def test_what_a_migration_puts_into_tables_is_known(database_url: str) -> None:
    await migrate(database_url, OWNERS)
    connect: Callable[..., Any] = asyncpg.connect  # it has no types
    connection = await connect(database_url.replace("postgresql+asyncpg://", "postgresql://", 1))
    try:
        found = {name: frozenset(await filled(connection, await look(connection, name))) for name in OWNERS}
    finally:
        await connection.close()
    assert {name: tables for name, tables in found.items() if tables} == dict(MADE_BY_MIGRATIONS)


async def test_other_keys_are_refused_before_anything_is_written(database_url: str, empty_url: str, var: Path) -> None:
    await fill(database_url)
    await backed_up(database_url, var / "all.zip")
    with pytest.raises(RestoreError, match="TIDINGS_DATA_KEYS do not open this backup"):
        await restored(empty_url, var / "all.zip", Vault([new_key()]))
    assert await is_untouched(empty_url)


async def test_a_key_that_lacks_for_some_of_it_is_named_and_can_be_given_up(database_url: str, empty_url: str, var: Path) -> None:
    await fill(database_url)
    lost = Vault([new_key()]).seal(b"nobody").hex()
    await run(database_url, f"UPDATE newsletter.subscribers SET address = '\\x{lost}'")
    await backed_up(database_url, var / "all.zip")
    with pytest.raises(RestoreError, match=r"newsletter\.subscribers\.address \(1 of 1\)"):
        await restored(empty_url, var / "all.zip")
    assert await is_untouched(empty_url)
    assert (await restored(empty_url, var / "all.zip", lacking_keys=True)).offered_again == 500


async def test_a_file_that_is_cut_off_or_changed_is_refused_and_nothing_stays(database_url: str, empty_url: str, var: Path) -> None:
    await fill(database_url)
    whole = var / "all.zip"
    await backed_up(database_url, whole)
    cut = var / "cut.zip"
    cut.write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(ArchiveError, match="cut off"):
        await restored(empty_url, cut)
    changed = var / "changed.zip"
    with zipfile.ZipFile(whole) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, content.replace(b"p@example.org", b"q@example.org"))
    with pytest.raises(ArchiveError, match=r"damaged: desk/people\.copy"):
        await restored(empty_url, changed)
    assert await is_untouched(empty_url)


async def test_a_backup_of_a_newer_version_is_refused(database_url: str, empty_url: str, var: Path) -> None:
    await fill(database_url)
    whole = var / "all.zip"
    await backed_up(database_url, whole)
    newer, newest = var / "newer.zip", f'"{versions_of("desk")[-1]}"'.encode()
    with zipfile.ZipFile(whole) as before, zipfile.ZipFile(newer, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, content.replace(newest, b'"9999"') if name == "manifest.json" else content)
    with pytest.raises(RestoreError, match="newer than this version"):
        await restored(empty_url, newer)
    assert await is_untouched(empty_url)


@pytest.mark.parametrize(
    "made_up", ['pledge_numbers"\', 1, true); CREATE SCHEMA planted; SELECT setval(\'"pledges"."pledge_numbers', "numbers_of_nothing"]
)
async def test_a_name_that_an_archive_makes_up_reaches_no_statement(database_url: str, empty_url: str, var: Path, made_up: str) -> None:
    await migrate(database_url, OWNERS)
    whole = var / "all.zip"
    await backed_up(database_url, whole)
    changed = var / "changed.zip"
    with zipfile.ZipFile(whole) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "manifest.json":
                manifest = json.loads(content)
                (sequence,) = (one for one in manifest["schemas"]["pledges"]["sequences"] if one["name"] == "pledge_numbers")
                sequence["name"] = made_up
                content = json.dumps(manifest).encode()
            after.writestr(name, content)
    with pytest.raises(ArchiveError, match=r"The backup's sequences of pledges are not those"):
        await restored(empty_url, changed)
    assert await is_untouched(empty_url)
    assert not await run(empty_url, "SELECT FROM pg_namespace WHERE nspname = 'planted'")


async def test_it_is_not_restored_below_services_that_work(database_url: str, empty_url: str, var: Path) -> None:
    await fill(database_url)
    await backed_up(database_url, var / "all.zip")
    database = Database(empty_url, "intake")
    assert await database.answers()
    with pytest.raises(RestoreError, match="tidings-intake"):
        await restored(empty_url, var / "all.zip")
    await database.close()
    begins = set[asyncio.Task[bool]]()
    with reading(var / "all.zip") as archive, pytest.raises(RestoreError, match="tidings-intake"):
        # Told after each schema: a service that starts in the middle may write beside what comes back.
        await put_back(empty_url, archive, VAULT, AFTER_RESTORE, lambda said: begins.add(asyncio.create_task(database.answers())))
    assert all([await one for one in begins])
    await database.close()
    assert await is_untouched(empty_url)


async def test_no_backup_is_written_over_another(database_url: str, var: Path) -> None:
    await migrate(database_url, OWNERS)
    (var / "all.zip").write_text("precious")
    with pytest.raises(ArchiveError, match="is there already"):
        await backed_up(database_url, var / "all.zip")
    assert (var / "all.zip").read_text() == "precious"
    assert [path.name for path in var.iterdir()] == ["all.zip"]


async def test_records_in_kafka_are_named_and_forbid_a_restore(kafka: EmbeddedKafka) -> None:
    probe = Probe(kafka.address)
    await check_topics_are_empty(probe, ["desk.v1", "intake.v1"])
    async with telling_broker(kafka.address) as broker:
        await broker.publish(b"{}", "intake.v1", key=b"s")
    with pytest.raises(RestoreError, match=r"intake\.v1 \(1\)"):
        await check_topics_are_empty(probe, ["desk.v1", "intake.v1"])
    await probe.close()


async def test_a_group_that_is_said_to_have_read_further_than_its_topic_reaches_forbids_a_restore(kafka: EmbeddedKafka) -> None:
    probe = Probe(kafka.address)
    await check_no_group_is_ahead(probe, registry.TOPICS)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.address, group_id=group_of("desk"), enable_auto_commit=False)
    await consumer.start()
    try:
        partition = TopicPartition("intake.v1", 0)
        consumer.assign([partition])
        await consumer.commit({partition: 5})
    finally:
        await consumer.stop()
    with pytest.raises(RestoreError, match=r"for tidings\.desk: these groups would skip"):
        await check_no_group_is_ahead(probe, registry.TOPICS)
    await probe.close()


async def test_a_table_of_any_length_is_taken_and_put_back_in_the_same_memory(database_url: str, postgres: Any, var: Path) -> None:
    await migrate(database_url, ["intake"])
    peaks, there = dict[int, tuple[int, int]](), 0
    for rows in (50_000, 200_000):
        await run(database_url, INBOX.format(first=there + 1, last=rows))
        there = rows
        file = var / f"{rows}.zip"
        tracemalloc.start()
        manifest = await take(database_url, ["intake"], VAULT, file, print)
        _, taking = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert manifest.schemas["intake"].rows == rows
        with fresh_database(postgres.url) as url, reading(file) as archive:
            await migrate(url, ["intake"])
            tracemalloc.start()
            await put_back(url, archive, VAULT, {"intake": nothing_leaves}, print)
            _, putting = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        peaks[rows] = (taking, putting)
    short, long = peaks.values()
    assert all(one < other * 1.3 for one, other in zip(long, short, strict=True)), peaks


INBOX = """INSERT INTO intake.inbox (event_id, type, topic, partition, "offset", subject, cause, trace_id, received_at, outcome, outcome_at)
    SELECT gen_random_uuid(), 't', 'o', 0, n, 's', 'c', repeat('t', 200), now(), 'handled', now() FROM generate_series({first}, {last}) n"""


def begun(var: Path, url: str, *arguments: str) -> "subprocess.Popen[bytes]":
    settings = environment(var) | {"TIDINGS_DATABASE": url.replace("+asyncpg", ""), "TIDINGS_DATA_KEYS": KEY}
    with (var / "said.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "services", *arguments], cwd=ROOT, env=settings, stdout=log, stderr=log)


async def killed_while(process: "subprocess.Popen[bytes]", url: str) -> None:
    """Kill a process in the middle of a large table, as the server sees it; what a transaction has made has no name yet."""
    copying = "SELECT 1 FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 5000"
    while not await run(url, copying):
        assert process.poll() is None, "it ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.timeout(300)
async def test_killed_in_the_middle_neither_leaves_anything_that_passes_for_whole(database_url: str, empty_url: str, var: Path) -> None:
    await fill(database_url)
    # Enough to be caught at it.
    await run(database_url, INBOX.format(first=1, last=300_000))
    archive = var / "all.zip"
    await killed_while(begun(var, database_url, "backup", str(archive)), database_url)
    assert not archive.exists()
    (part,) = var.glob(".all.zip.*.part")
    assert part.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ArchiveError):
        await restored(empty_url, part)
    await backed_up(database_url, archive)
    await killed_while(begun(var, empty_url, "restore", str(archive)), empty_url)
    left = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND client_port IS NOT NULL"
    while await run(empty_url, left):
        await asyncio.sleep(0.05)
    assert await is_untouched(empty_url)
    (var / "said.log").unlink()
    assert await asyncio.to_thread(begun(var, empty_url, "restore", str(archive)).wait) == 0
    said = (var / "said.log").read_text(encoding="utf-8")
    assert "500 events are told again" in said
    assert UNDONE in said
    assert f"\n## {UNDONE}\n" in (ROOT / "docs" / "do" / "back-up-and-restore.md").read_text(encoding="utf-8")


MAILING = tuple(service for service in OWNERS if service != "social")
UNDER_WAY = (
    f"""INSERT INTO newsletter.sends
        (issue_id, variants, approved_hash, fallback, starts_at, expires_at, state, audience, frozen_at)
    VALUES ('{ISSUE}', '{{}}', 'h', 'en', now(), now() + interval '1 day', 'sending', 3, now()),
        (gen_random_uuid(), '{{}}', 'h', 'en', now() + interval '9 days', now() + interval '10 days', 'scheduled', 0, NULL),
        (gen_random_uuid(), '{{}}', 'h', 'en', now(), now(), 'sent', 0, now())""",
    f"INSERT INTO newsletter.senders (id, name, connections) VALUES ('{ISSUE}', 'gone', 1)",
    f"""INSERT INTO newsletter.audience (issue_id, subscriber_id, language, domain, state, next_at, sender)
    SELECT '{ISSUE}', gen_random_uuid(), 'en', 'example.org', state, now(), '{ISSUE}'
    FROM unnest(ARRAY['planned', 'claimed', 'started', 'accepted']) state""",
    """WITH made AS (
        INSERT INTO social.deliveries (id, post_id, cause, trace_id, network, language, content, content_hash,
            local_time, zone, due_at, not_before, state, lease, lease_until)
        SELECT gen_random_uuid(), gen_random_uuid(), 'c', repeat('a', 32), 'x', 'en',
            jsonb_build_object('text', state, 'pictures', '[]'::jsonb), 'h',
            now(), 'UTC', now(), now(), state, gen_random_uuid(), now()
        FROM unnest(ARRAY['scheduled', 'sending', 'unknown', 'published']) state
        RETURNING id, state)
    INSERT INTO social.attempts (id, delivery_id, content_hash, lease)
    SELECT gen_random_uuid(), id, 'h', gen_random_uuid() FROM made WHERE state = 'sending'""",
    *(
        f"""INSERT INTO {service}.mails (id, purpose, about, sealed, state, attempts, created_at, next_at, expires_at, answer)
        SELECT gen_random_uuid(), purpose, 'a', '', state, 0, now(), now(), now() + interval '1 day', ''
        FROM unnest(ARRAY['waiting', 'started', 'held', 'waiting'], ARRAY['p', 'p', 'p', 'sign-in-link']) AS mail (state, purpose)
        WHERE purpose = 'p' OR '{service}' = 'desk'"""
        for service in MAILING
    ),
)
"""An issue, posts and mails at every step of their way."""


async def test_what_was_under_way_is_uncertain_and_what_was_to_leave_is_held(database_url: str, empty_url: str, var: Path) -> None:
    await fill(database_url)
    for statement in UNDER_WAY:
        await run(database_url, statement)
    await backed_up(database_url, var / "all.zip")
    done = await restored(empty_url, var / "all.zip")
    mails = sorted(("mail", service) for service in MAILING * 2)  # one that an earlier restore held is listed too
    assert sorted((one.kind, one.service) for one in done.held) == [("issue", "newsletter")] * 2 + mails + [("post", "social")] * 3
    assert done.uncertain_mails == len(MAILING)
    sends = await run(empty_url, "SELECT state, held_because FROM newsletter.sends ORDER BY 1, 2")
    assert [tuple(row) for row in sends] == [("held", "restored"), ("held", "restored"), ("sent", "")]
    copies = await run(empty_url, "SELECT state, reason FROM newsletter.audience ORDER BY 1")
    assert [tuple(row) for row in copies] == [("accepted", ""), ("planned", ""), ("planned", ""), ("uncertain", "crashed")]
    posts = await run(empty_url, "SELECT content ->> 'text', state, waiting_for, lease IS NULL FROM social.deliveries ORDER BY 1")
    assert [tuple(row) for row in posts] == [
        ("published", "published", None, True),
        ("scheduled", "waiting", "restored", True),
        ("sending", "waiting", "uncertain", True),
        ("unknown", "waiting", "uncertain", True),
    ]
    assert [tuple(row) for row in await run(empty_url, "SELECT outcome FROM social.attempts")] == [("abandoned",)]
    for service in MAILING:
        letters = await run(empty_url, f"SELECT state FROM {service}.mails WHERE expires_at > now() ORDER BY 1")
        assert [row[0] for row in letters] == ["held", "held", "uncertain"], service
        (moment,) = await run(empty_url, f"SELECT taken_at FROM {service}.restores")
        assert moment[0] == done.manifest.taken_at
    (sign_in,) = await run(empty_url, "SELECT state FROM desk.mails WHERE expires_at <= now()")
    assert sign_in[0] == "waiting", "its link has ended, so it is of no use to anybody"


async def test_what_is_told_again_is_known_to_those_who_had_it_and_new_to_those_who_had_not(
    database_url: str, empty_url: str, var: Path
) -> None:
    await migrate(database_url, OWNERS)
    teller, desk = Database(database_url, "intake"), Database(database_url, "desk")
    decision = DecisionMade(who="p", what="accept", about="practice")
    await tell(teller, decision, subject="had")
    assert await taken_by(desk, await records_of(teller)) == {"handled": 1}
    await tell(teller, decision, subject="on its way")
    before = await records_of(teller)
    await run(database_url, "UPDATE intake.outbox SET sent_at = now()")
    # The archive may be old: that the event was taken would soon be forgotten.
    await run(database_url, f"UPDATE desk.inbox SET outcome_at = now() - interval '{INBOX_DAYS - 1} days'")
    for database in (teller, desk):
        await database.close()
    await backed_up(database_url, var / "all.zip")
    await restored(empty_url, var / "all.zip")
    assert await run(empty_url, "SELECT 1 FROM intake.outbox WHERE sent_at IS NOT NULL") == []
    teller, desk = Database(empty_url, "intake"), Database(empty_url, "desk")
    again = await records_of(teller)
    assert [record.headers for record in again] == [record.headers for record in before], "under the same ids"
    # As long as its teller may tell it again, and a record of that may lie in Kafka.
    await run(empty_url, f"UPDATE desk.inbox SET outcome_at = outcome_at - interval '{OUTBOX_DAYS + TOPIC_DAYS + 1} days'")
    await tidy(desk)
    assert await taken_by(desk, again) == {"repeated": 1, "handled": 1}
    for database in (teller, desk):
        await database.close()


async def taken_by(desk: Database, records: Sequence[StoredRecord]) -> Mapping[str, int]:
    """Hand records to desk as Kafka would, and return how many became what."""
    outcome = await Consumer("desk", desk, LISTENS, TOPICS_OF).take(records)
    return {what: count for (_, what), count in outcome.taken.items()}


async def test_a_system_that_moves_goes_on_where_it_stood(database_url: str, empty_url: str, var: Path) -> None:
    await fill(database_url)
    for statement in UNDER_WAY:
        await run(database_url, statement)
    working = Database(database_url, "intake")
    assert await working.answers()
    await backed_up(database_url, var / "at-work.zip")
    with pytest.raises(RestoreError, match="Services were at work when this backup was taken"):
        await restored(empty_url, var / "at-work.zip", moved=True)
    assert await is_untouched(empty_url)

    def end_it(said: str) -> None:
        # Told after each schema: whoever worked when the snapshot was taken may be gone before its last row is.
        del said
        ours = "datname = current_database() AND application_name = 'tidings-intake'"
        run_apart(run(database_url, f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {ours}"))

    assert not (await take(database_url, OWNERS, VAULT, var / "ended.zip", end_it)).at_rest
    await working.close()
    before = tables_of(await backed_up(database_url, var / "at-rest.zip"))
    done = await restored(empty_url, var / "at-rest.zip", moved=True)
    assert (done.held, done.offered_again, done.uncertain_mails) == ([], 500, 0)
    after = tables_of(await backed_up(empty_url, var / "moved.zip"))
    assert {name for name in before if before[name] != after[name]} == {"intake.outbox"}
