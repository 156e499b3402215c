"""Apache Kafka and PostgreSQL in containers, on ports that stay theirs: a test can take them away and give them back."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from shared.testing.databases import ask, run_apart
from shared.testing.ports import reserved_port
from shared.testing.requirements import KAFKA_IMAGE, POSTGRES_IMAGE

# Read when testcontainers is imported: what it would clean up with is an image of its own; shared.testing.reaper does it instead.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

READY_SECONDS = 60.0
_POLL_SECONDS = 0.05
_NAME = "tidings"  # of the role, its password and the database

# The image's own start makes the data folder ready, and refuses when it is: a second start goes straight to the server.
_KAFKA_COMMAND = """\
if [ -f /tmp/kafka-logs/meta.properties ]; then
  exec java $KAFKA_HEAP_OPTS -Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml \
    -cp '/opt/kafka/libs/*' kafka.Kafka /opt/kafka/config/server.properties
fi
exec /etc/kafka/docker/run
"""
_KAFKA_SETTINGS = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://localhost:9093",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "KAFKA_LOG_DIRS": "/tmp/kafka-logs",  # noqa: S108  # in the container
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_DEFAULT_REPLICATION_FACTOR": "1",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "500",
    # A killed broker is let in again only when its former self is given up, after 9 s by default.
    "KAFKA_BROKER_SESSION_TIMEOUT_MS": "2000",
    "KAFKA_BROKER_HEARTBEAT_INTERVAL_MS": "500",
    # For a start in 3 s instead of 4 on two processors, at the price of speed that tests do not need.
    "KAFKA_HEAP_OPTS": "-Xms256m -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


class DockerServer:
    """A server in a container; `stop`, `kill` and `start` keep its data and its address."""

    way_to_stop = "SIGTERM"

    def __init__(self, container: Any, answers: Callable[[], Awaitable[None]]) -> None:
        self._container = container  # docker's own object
        self._answers = answers  # raises while the server does not answer
        self.running = True

    def stop(self) -> None:
        """Ask the server to end, and wait until it has."""
        self._end(self.way_to_stop)

    def kill(self) -> None:
        """End the server by SIGKILL."""
        self._end("SIGKILL")

    def start(self) -> None:
        """Start the server again and return once it answers; does nothing when it runs."""
        if not self.running:
            self._container.start()
            self.running = True
        self.wait()

    def freeze(self) -> None:
        """Halt the server without closing a connection, as a machine that hangs or a network that drops everything."""
        self._container.pause()

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._container.unpause()

    def wait(self) -> None:
        """Return once the server answers; raises RuntimeError with its log when it ends instead, TimeoutError after a minute."""
        run_apart(self._wait())

    def _end(self, way: str) -> None:
        if self.running:
            self._container.kill(signal=way)
            self._container.wait()
            self.running = False

    async def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        with _quiet("aiokafka"):
            while True:
                try:
                    return await self._answers()
                except Exception as error:  # whatever it is, it is no answer
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"{self._container.image.tags} did not answer in {READY_SECONDS:.0f} s: {error!r}") from error
                self._container.reload()
                if self._container.status == "exited":
                    raise RuntimeError(f"{self._container.image.tags} ended:\n{self._container.logs(tail=20).decode(errors='replace')}")
                await asyncio.sleep(_POLL_SECONDS)


class ApacheKafka(DockerServer):
    """Apache Kafka, one node; nothing makes topics but who asks for them."""

    def __init__(self, container: Any, address: str) -> None:
        super().__init__(container, self._describe)
        self.address = address

    async def _describe(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=1_000)
        try:
            await admin.start()
            if not (await admin.describe_cluster())["brokers"]:
                raise OSError("the controller answers, but has no broker yet")
        finally:
            await admin.close()


class DockerPostgres(DockerServer):
    """PostgreSQL; `url` names its first database and the role that owns the server."""

    way_to_stop = "SIGINT"  # SIGTERM would mean: when the last client has gone

    def __init__(self, container: Any, url: str) -> None:
        super().__init__(container, self._ask)
        self.url = url

    def terminate_sessions(self, database: str) -> int:
        """End every session in `database`, as an administrator may; returns how many there were."""
        statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
        return len(run_apart(ask(self.url, statement, database)))

    async def _ask(self) -> None:
        await ask(self.url, "SELECT 1", timeout_seconds=1)


@contextmanager
def apache_kafka(labels: Mapping[str, str], *, secured: Path | None = None, user: str = "", password: str = "") -> Iterator[ApacheKafka]:
    """Run Apache Kafka until the block ends.

    With `secured`, a PEM file with a key and its certificate, it lets only `user` in, with `password` (SCRAM-SHA-512), and only over TLS.
    """
    from testcontainers.core.container import DockerContainer

    with ExitStack() as stack:
        port = stack.enter_context(reserved_port())
        container = DockerContainer(KAFKA_IMAGE).with_command(["sh", "-c", _KAFKA_COMMAND])
        if secured is None:
            container.with_envs(**_KAFKA_SETTINGS, KAFKA_ADVERTISED_LISTENERS=f"PLAINTEXT://127.0.0.1:{port}")
        else:
            container.with_volume_mapping(str(secured.parent), "/tls", "ro")
            container.with_envs(**{**_KAFKA_SETTINGS, **_secured_by(secured.name, port)})
        started = stack.enter_context(_running(container, "9092/tcp", port, labels))
        server = ApacheKafka(started, f"127.0.0.1:{port}")
        if secured is None:
            server.wait()
        else:
            _add_user(started, user, password)
        yield server


def _secured_by(pem: str, port: int) -> Mapping[str, str]:
    return {
        "KAFKA_LISTENERS": "SECURED://:9092,INNER://localhost:9094,CONTROLLER://localhost:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"SECURED://127.0.0.1:{port},INNER://localhost:9094",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "INNER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,INNER:PLAINTEXT,SECURED:SASL_SSL",
        "KAFKA_SASL_ENABLED_MECHANISMS": "SCRAM-SHA-512",
        "KAFKA_LISTENER_NAME_SECURED_SCRAM___SHA___512_SASL_JAAS_CONFIG": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "KAFKA_SSL_KEYSTORE_TYPE": "PEM",
        "KAFKA_SSL_KEYSTORE_LOCATION": f"/tls/{pem}",
    }


def _add_user(container: Any, user: str, password: str) -> None:
    """Let a user in, by the listener that this machine alone has; returns once Kafka knows."""
    scram = f"SCRAM-SHA-512=[password={password}]"
    change = ["/opt/kafka/bin/kafka-configs.sh", "--bootstrap-server", "localhost:9094", "--alter", "--add-config", scram]
    deadline = time.monotonic() + READY_SECONDS * 2
    while True:
        code, said = container.exec_run([*change, "--entity-type", "users", "--entity-name", user])
        if code == 0:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"Kafka took no user: {said.decode(errors='replace')[-500:]}")


@contextmanager
def docker_postgres(labels: Mapping[str, str]) -> Iterator[DockerPostgres]:
    """Run PostgreSQL until the block ends."""
    from testcontainers.community.postgres import PostgresContainer

    with ExitStack() as stack:
        port = stack.enter_context(reserved_port())
        container = PostgresContainer(POSTGRES_IMAGE, username=_NAME, password=_NAME, dbname=_NAME)
        url = f"postgresql+asyncpg://{_NAME}:{_NAME}@127.0.0.1:{port}/{_NAME}"
        server = DockerPostgres(stack.enter_context(_running(container, "5432/tcp", port, labels)), url)
        server.wait()
        yield server


@contextmanager
def _running(container: Any, inner: str, port: int, labels: Mapping[str, str]) -> Iterator[Any]:
    # Loopback only: these servers ask nobody for a name.
    container.ports = {inner: ("127.0.0.1", port)}
    with container.with_kwargs(labels=dict(labels)):
        yield container.get_wrapped_container()


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a logger silent while it would only say what we are finding out."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
