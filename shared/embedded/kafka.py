"""A broker that speaks Kafka's protocol, inside this process: the one that librdkafka brings along in the confluent-kafka wheel.

It is made by librdkafka's public calls through `ctypes`. The Python client itself offers only a property, whose broker makes a group
wait 3 s for its first assignment; a session of 2 s, which embedded consumers use, runs out before that and the group never begins.
The broker forgets everything with the process, and drops the oldest records of a partition above 5 MB.
"""

import ctypes
import importlib.util
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shared.embedded.errors import MissingPartError, StartError

# Long enough for the consumers of one process to arrive together, short enough not to be felt.
FIRST_ASSIGNMENT_DELAY_MS = 100

_KNOCK_SECONDS = 0.003
_PRODUCER = 0  # RD_KAFKA_PRODUCER
_BROKER = 1  # librdkafka counts brokers from 1
_LAST_WORD = "or set TIDINGS_KAFKA to the address of a broker, for example TIDINGS_KAFKA=127.0.0.1:9092."


class EmbeddedKafka:
    """A broker of one node on a free loopback port; use as a context manager, or `start` and `stop`."""

    def __init__(self, topics: Mapping[str, int] | None = None) -> None:
        self._topics = dict(topics or {})  # name: partitions
        self._library: ctypes.CDLL | None = None
        self._client: int | None = None  # address of the rd_kafka_t that keeps the cluster's books
        self._cluster: int | None = None  # address of the cluster
        self._address = ""

    @property
    def address(self) -> str:
        """`host:port`, as clients' `bootstrap_servers` wants it."""
        self._running()
        return self._address

    def start(self) -> None:
        """Start the broker and make its topics; raises MissingPartError where the wheel is missing, StartError."""
        self.stop()
        self._library = library = _load()
        try:
            self._make_cluster(library)
            for name, partitions in self._topics.items():
                self.create_topic(name, partitions)
        except BaseException:
            self.stop()
            raise

    def _make_cluster(self, library: ctypes.CDLL) -> None:
        reason = ctypes.create_string_buffer(512)
        settings = library.rd_kafka_conf_new()
        library.rd_kafka_conf_set_log_cb(settings, None)  # it would write to standard error
        self._client = library.rd_kafka_new(_PRODUCER, settings, reason, len(reason))  # takes `settings` over
        if not self._client:
            library.rd_kafka_conf_destroy(settings)
            raise StartError(f"The embedded Kafka did not start: {reason.value.decode(errors='replace')}.")
        self._cluster = library.rd_kafka_mock_cluster_new(self._client, 1)
        if not self._cluster:
            raise StartError("The embedded Kafka found no loopback port. Is 127.0.0.1 up, and may more files be opened (ulimit -n)?")
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, FIRST_ASSIGNMENT_DELAY_MS)
        self._address = library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def create_topic(self, name: str, partitions: int) -> None:
        """Make one more topic: the protocol's own request for this is one that this broker does not know."""
        call = self._running().rd_kafka_mock_topic_create
        self._check(self._ask(call, name.encode(), partitions, 1), f"the topic {name}")

    def interrupt(self) -> None:
        """Close every connection and refuse new ones, as a broker that is away; records and offsets are kept."""
        self._check(self._ask(self._running().rd_kafka_mock_broker_set_down, _BROKER), "to go down")

    def resume(self) -> None:
        """Answer again after `interrupt`, on the same port."""
        self._check(self._ask(self._running().rd_kafka_mock_broker_set_up, _BROKER), "to come up")

    def stop(self) -> None:
        """End the broker and all that it kept; does nothing when it is not running."""
        if self._library is not None and self._cluster:
            self._ask(self._library.rd_kafka_mock_cluster_destroy)
        if self._library is not None and self._client:
            self._library.rd_kafka_destroy(self._client)
        self._cluster = self._client = None

    def _ask(self, call: Callable[..., int], *values: object) -> int:
        """Return what a call on the cluster returns, without the second that it sometimes takes.

        The cluster's thread looks at its requests first and then empties the pipe that wakes it, so it sleeps through one that comes
        in between, until its next look a second later. Anybody at its port wakes it too.
        """
        with ThreadPoolExecutor(max_workers=1) as thread:
            asked = thread.submit(call, self._cluster, *values)
            while True:
                try:
                    return asked.result(timeout=_KNOCK_SECONDS)
                except TimeoutError:
                    self._knock()

    def _knock(self) -> None:
        host, _, port = self._address.rpartition(":")
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            pass

    def _running(self) -> ctypes.CDLL:
        # Without this a call after the end would follow a pointer to nothing and take the process with it.
        if self._library is None or not self._cluster:
            raise StartError("The embedded Kafka is not running. Start it first.")
        return self._library

    def _check(self, code: int, what: str) -> None:
        if code:
            assert self._library is not None
            raise StartError(f"The embedded Kafka refused {what}: {self._library.rd_kafka_err2str(code).decode()}.")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _load() -> ctypes.CDLL:
    """Return librdkafka with its calls typed; raises MissingPartError."""
    spec = importlib.util.find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        raise MissingPartError(f"The embedded Kafka needs the package confluent-kafka. Install Tidings by `make setup`, {_LAST_WORD}")
    # The library's own file is named with a hash and lies elsewhere on every system. The client's extension module is linked
    # against it, and symbols are looked up in what a module is linked against too.
    package = Path(spec.origin).parent
    try:
        module = next(found for suffix in EXTENSION_SUFFIXES if (found := package / f"cimpl{suffix}").exists())
        return _typed(ctypes.CDLL(str(module)))
    except (StopIteration, OSError, AttributeError) as error:
        raise MissingPartError(f"This build of confluent-kafka brings no broker ({error!r}). Install another one, {_LAST_WORD}") from error


def _typed(library: ctypes.CDLL) -> ctypes.CDLL:
    """Say what each call takes and gives: unsaid, ctypes would cut pointers to 32 bits."""
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_destroy": (None, [pointer]),
        "rd_kafka_conf_set_log_cb": (None, [pointer, pointer]),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_err2str": (text, [number]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_broker_set_down": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_up": (number, [pointer, ctypes.c_int32]),
    }
    for name, (gives, takes) in signatures.items():
        call = getattr(library, name)
        call.restype, call.argtypes = gives, takes
    return library
