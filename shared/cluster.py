"""Where Kafka is, and how it lets us in: in clear, over TLS, with a name and a password."""

import ssl
from dataclasses import dataclass, field
from typing import Any

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.settings import Settings, SettingsError

_SASL = {"SCRAM-SHA-512": SASLScram512, "SCRAM-SHA-256": SASLScram256, "PLAIN": SASLPlaintext}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One Kafka, as every client of ours reaches it."""

    address: str  # host:port, several divided by commas
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    mechanism: str = "SCRAM-SHA-512"

    @property
    def servers(self) -> list[str]:
        """The addresses, each by itself."""
        return [address.strip() for address in self.address.split(",")]

    @property
    def options(self) -> dict[str, Any]:
        """The arguments by which aiokafka's clients reach it."""
        options: dict[str, Any] = {"bootstrap_servers": self.servers}
        if self.user:
            options |= {"sasl_mechanism": self.mechanism, "sasl_plain_username": self.user, "sasl_plain_password": self.password}
        protocol = ("SASL_" if self.user else "") + ("PLAINTEXT" if self.tls is None else "SSL")
        return options | {"security_protocol": protocol, "ssl_context": self.tls}

    @property
    def security(self) -> BaseSecurity:
        """The same, as FastStream's brokers want it."""
        if not self.user:
            return BaseSecurity(ssl_context=self.tls)
        return _SASL[self.mechanism](username=self.user, password=self.password, ssl_context=self.tls, use_ssl=self.tls is not None)


def cluster_at(place: Cluster | str) -> Cluster:
    """Return the cluster at a bare address, which lets everybody in; one that is a cluster already as it is."""
    return Cluster(address=place) if isinstance(place, str) else place


def cluster_of(settings: Settings) -> Cluster:
    """Return the Kafka that the settings name; raises SettingsError where they do not go together."""
    user, password = settings.kafka_user, settings.kafka_password
    if (user is None) != (password is None):
        lacks, example = ("PASSWORD", "the password of that user") if password is None else ("USER", "tidings")
        raise SettingsError(f"TIDINGS_KAFKA_{lacks} is missing: Kafka wants both or neither. For example: TIDINGS_KAFKA_{lacks}={example}")
    if settings.kafka_ca is not None and not settings.kafka_tls:
        raise SettingsError("TIDINGS_KAFKA_CA is set and TIDINGS_KAFKA_TLS is not: the links would go in clear. Set TIDINGS_KAFKA_TLS=1.")
    return Cluster(
        address=settings.kafka,
        tls=_tls(settings.kafka_ca) if settings.kafka_tls else None,
        user=user or "",
        password=password.get_secret_value() if password else "",
        mechanism=settings.kafka_mechanism,
    )


def _tls(authority: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=authority)
    except ssl.SSLError as error:
        raise SettingsError(
            "TIDINGS_KAFKA_CA is wrong: it is no certificate in PEM. For example: TIDINGS_KAFKA_CA_FILE=/run/secrets/kafka-ca.pem"
        ) from error
