"""Kafka that asks for TLS, a name and a password, and PostgreSQL over TLS: by settings, on the real servers."""

import asyncio
import os
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pytest
from sqlalchemy import text
from testcontainers.core.container import DockerContainer

from shared.broker import BrokerAwayError, Probe, ensure_topics
from shared.cluster import Cluster
from shared.db import Database
from shared.events import registry
from shared.process import at_work
from shared.relay import Relay
from shared.service import Kafka, Service
from shared.testing import trial
from shared.testing.containers import apache_kafka
from shared.testing.databases import run_apart
from shared.testing.ports import reserved_port
from shared.testing.reaper import Reaper
from shared.testing.requirements import POSTGRES_IMAGE
from tests.live.flow import until
from tests.shared.certificates import Pair, authority, server

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live"), pytest.mark.timeout(600)]

USER, PASSWORD = "tidings", "a password of this test"
POSTGRES_UID = 999


@pytest.fixture(scope="module")
def trusted() -> Pair:
    """The authority that vouches for the servers of these tests."""
    return authority()


@pytest.fixture(scope="module")
def cluster(reaper: Reaper, trusted: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("kafka")
    folder.chmod(0o755)
    pair = server(trusted)
    (folder / "server.pem").write_text(pair.key + pair.certificate, encoding="ascii")
    (folder / "server.pem").chmod(0o644)
    with apache_kafka(reaper.labels, secured=folder / "server.pem", user=USER, password=PASSWORD) as kafka:
        tls = ssl.create_default_context(cadata=trusted.certificate)
        yield Cluster(address=kafka.address, tls=tls, user=USER, password=PASSWORD)


async def test_events_flow_over_tls_with_name_and_password(cluster: Cluster, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "TOPICS_OF", {trial.TYPE: frozenset({trial.TOPIC})})
    monkeypatch.setattr(registry, "TOPICS", (trial.TOPIC,))
    telling, listening = Database(database_url, trial.TELLER), Database(database_url, trial.LISTENER)
    await trial.make_schemas(database_url)
    gave_up: list[str] = []
    service = Service(name=f"secured_{token_hex(4)}", database=Database(database_url, trial.LISTENER), listeners=trial.LISTENS, routers=())
    await ensure_topics(cluster, [trial.TOPIC])
    relay = asyncio.create_task(Relay(trial.TELLER, trial.TOPIC, telling, cluster).run())
    try:
        async with at_work([service], Kafka(address=cluster, embedded=False, probe=Probe(cluster)), gave_up.append):
            await trial.Teller(telling).tell(trial.subjects(20))

            async def all_there() -> bool:
                return await trial.count_effects(listening) == 20

            await until(all_there, "every effect")
    finally:
        relay.cancel()
        with suppress(asyncio.CancelledError):
            await relay
        await telling.close()
        await listening.close()
    assert gave_up == []


@pytest.mark.parametrize("who", ["in clear", "without a name", "wrong password", "somebody else's authority"])
async def test_nobody_else_is_let_in(cluster: Cluster, who: str) -> None:
    other = {
        "in clear": replace(cluster, tls=None),
        "without a name": replace(cluster, user="", password=""),
        "wrong password": replace(cluster, password="another"),
        "somebody else's authority": replace(cluster, tls=ssl.create_default_context(cadata=authority().certificate)),
    }[who]
    with pytest.raises(BrokerAwayError):
        await ensure_topics(other, ["pledges.v1"])


@pytest.fixture(scope="module")
def postgres_over_tls(reaper: Reaper, trusted: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL that speaks TLS, without a word about how."""
    folder = tmp_path_factory.mktemp("postgres")
    folder.chmod(0o755)
    pair = server(trusted)
    (folder / "server.crt").write_text(pair.certificate, encoding="ascii")
    (folder / "server.key").write_text(pair.key, encoding="ascii")
    (folder / "server.key").chmod(0o600)
    os.chown(folder / "server.key", POSTGRES_UID, POSTGRES_UID)  # the server takes no key that others may read
    with ExitStack() as stack:
        port = stack.enter_context(reserved_port())
        container = DockerContainer(POSTGRES_IMAGE).with_envs(POSTGRES_USER="tidings", POSTGRES_PASSWORD="tidings", POSTGRES_DB="tidings")
        container.with_volume_mapping(str(folder), "/tls", "ro").with_kwargs(labels=dict(reaper.labels))
        container.with_command(["postgres", "-c", "ssl=on", "-c", "ssl_cert_file=/tls/server.crt", "-c", "ssl_key_file=/tls/server.key"])
        container.ports = {"5432/tcp": ("127.0.0.1", port)}  # type: ignore[dict-item]  # loopback only
        stack.enter_context(container)
        url = f"postgresql://tidings:tidings@127.0.0.1:{port}/tidings"

        async def answers() -> bool:
            database = Database(url, "public")
            try:
                return await database.answers()
            except Exception:  # whatever it is, it is no answer
                return False
            finally:
                await database.close()

        run_apart(until(answers, "a PostgreSQL over TLS"))
        yield url


async def test_database_is_reached_over_tls_and_its_name_checked(postgres_over_tls: str, trusted: Pair, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(trusted.certificate, encoding="ascii")
    database = Database(f"{postgres_over_tls}?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem", "public")
    try:
        async with database.transaction() as tx:
            assert (await tx.execute(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))).scalar_one() is True
    finally:
        await database.close()


async def test_database_of_somebody_else_is_refused(postgres_over_tls: str, tmp_path: Path) -> None:
    (tmp_path / "other.pem").write_text(authority().certificate, encoding="ascii")
    database = Database(f"{postgres_over_tls}?sslmode=verify-full&sslrootcert={tmp_path}/other.pem", "public")
    try:
        with pytest.raises(ssl.SSLCertVerificationError):
            await database.answers()
    finally:
        await database.close()
