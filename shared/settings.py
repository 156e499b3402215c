"""What the environment says (TIDINGS_*), typed and checked before anything starts."""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from shared.dsn import connecting
from shared.mail.address import domain_in_ascii, mailbox
from shared.mail.server import parse_mail_server

PREFIX = "TIDINGS_"
DEMO = "demo"
"""What TIDINGS_SMTP says where mails go to the demo inbox."""
ENV_FILE = ".env"  # beside the compose file, or where the command is run


class SettingsError(Exception):
    """A setting is wrong; the message names it, its fault and a value that would do."""


def _kafka(value: str) -> str:
    if value == "embedded":
        return value
    for address in value.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"{address.strip()!r} is not host:port")
    return value


def _database(value: str) -> str:
    if value == "embedded":
        return value
    parts = urlsplit(value)
    if parts.scheme not in {"postgresql", "postgresql+asyncpg"} or not parts.path.strip("/"):
        raise ValueError("it is not a PostgreSQL URL with a database name")
    connecting(value)
    return value.replace("postgresql://", "postgresql+asyncpg://", 1)


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is no IANA time zone") from error
    return value


def _proxies(value: str) -> str:
    for part in filter(None, (part.strip() for part in value.split(","))):
        try:
            ip_network(part, strict=False)
        except ValueError as error:
            raise ValueError(f"{part!r} is no IP address or network") from error
    return value


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
        raise ValueError("it is not a web address of scheme and host only")
    return value.rstrip("/")


def _smtp(value: SecretStr) -> SecretStr:
    if value.get_secret_value() != DEMO:
        parse_mail_server(value.get_secret_value())
    return value


def _mail_from(value: str) -> str:
    mailbox(value)
    return value


def _selector(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?", value):
        raise ValueError("it is not a name in the DNS")
    return value


def _api_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ValueError("it is not a web address")
    return value.rstrip("/")


def _licence(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not re.fullmatch(r"[!-~]+", value) or set(value) & set('<>"\\^`{|}'):
        raise ValueError("it is not the web address of a licence")
    return value


def _keys(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    """Every service's settings. A secret NAME may also be given as NAME_FILE, the path of a file that holds it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True, hide_input_in_errors=True)

    var: Path = Field(Path("var"), examples=["/var/lib/tidings"])  # state directory: embedded parts, keys, run.json
    host: str = Field("127.0.0.1", examples=["127.0.0.1"])
    port: int = Field(8000, ge=0, le=65535, examples=["8000"])  # 0: any free port
    public_url: Annotated[str, AfterValidator(_public_url)] | None = Field(None, examples=["https://tidings.example.org"])
    kafka: Annotated[str, AfterValidator(_kafka)] = Field("embedded", examples=["kafka:9092"])
    kafka_tls: bool = Field(False, examples=["1"])
    kafka_ca: str | None = Field(None, examples=["the text of a PEM file"])  # usually by TIDINGS_KAFKA_CA_FILE
    kafka_user: str | None = Field(None, examples=["tidings"])
    kafka_password: SecretStr | None = Field(None, examples=["the password of that user"])
    kafka_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field("SCRAM-SHA-512", examples=["SCRAM-SHA-256"])
    database: Annotated[str, AfterValidator(_database)] = Field("embedded", examples=["postgresql://tidings:secret@db/tidings"])
    data_keys: Annotated[list[SecretStr], NoDecode, BeforeValidator(_keys)] = Field(
        default_factory=list, examples=["the output of: tidings key"]
    )
    networks: Literal["sandbox", "live"] = Field("sandbox", examples=["live"])  # where posts go: to rehearse with, or out
    x_api_url: Annotated[str, AfterValidator(_api_url)] | None = Field(None, examples=["https://api.twitter.com"])
    x_consumer_key: SecretStr | None = Field(None, examples=["the API key of the application"])
    x_consumer_secret: SecretStr | None = Field(None, examples=["the API secret of the application"])
    x_access_token: SecretStr | None = Field(None, examples=["1234567890-the access token of the account"])
    x_access_token_secret: SecretStr | None = Field(None, examples=["the access token's secret"])
    timezone: Annotated[str, AfterValidator(_timezone)] = Field("Europe/Zurich", examples=["America/New_York"])  # of moments on pages
    data_licence: Annotated[str, AfterValidator(_licence)] | None = Field(
        None, examples=["https://example.org/licence"]
    )  # of what is published
    trusted_proxies: Annotated[str, AfterValidator(_proxies)] = Field("127.0.0.1", examples=["10.0.0.2"])
    smtp: Annotated[SecretStr, AfterValidator(_smtp)] | None = Field(
        None, examples=["smtp://user:password@mail.example.org:587?starttls=required"]
    )
    mail_from: Annotated[str, AfterValidator(_mail_from)] | None = Field(None, examples=["Network on Migration <news@example.org>"])
    mail_domain: Annotated[str, AfterValidator(domain_in_ascii)] | None = Field(None, examples=["example.org"])
    dkim_selector: Annotated[str, AfterValidator(_selector)] | None = Field(None, examples=["tidings2026"])
    dkim_key: SecretStr | None = Field(None, examples=["the text of a PEM file"])  # usually by TIDINGS_DKIM_KEY_FILE
    demo: bool = Field(False, examples=["1"])  # lets demo parts run off loopback addresses
    signing_key: Annotated[list[SecretStr], NoDecode, BeforeValidator(_keys)] = Field(
        default_factory=list, examples=["the first line of: tidings key --signing"]
    )  # desk's alone
    verify_keys: Annotated[list[str], NoDecode, BeforeValidator(_keys)] = Field(
        default_factory=list, examples=["the second line of: tidings key --signing"]
    )
    log: Literal["text", "json"] = Field("text", examples=["json"])

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read, first found first: arguments, the environment, files named by NAME_FILE, the .env file."""
        return init_settings, env_settings, _NamedFiles(settings_cls), dotenv_settings

    @property
    def address(self) -> str:
        """Where people reach this: the public URL, or host and port when none is set."""
        return self.public_url or f"http://{self.host}:{self.port}"


class _NamedFiles(PydanticBaseSettingsSource):
    """Values from files whose paths the environment names: TIDINGS_DATA_KEYS_FILE=/run/secrets/data_keys."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        del field
        path = _surroundings().get(f"{PREFIX}{field_name.upper()}_FILE")
        if path is None:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except OSError as error:
            raise SettingsError(
                f"{PREFIX}{field_name.upper()}_FILE names {path}, which cannot be read: {error.strerror}. "
                "Name a file that this user may read."
            ) from error

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def read(**given: Any) -> Settings:
    """Return the settings from arguments and environment; raises SettingsError naming the variable, its fault and an example."""
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        field = Settings.model_fields[name]
        fault = str(first["msg"]).removeprefix("Value error, ")
        example = (field.examples or [""])[0]
        raise SettingsError(f"{PREFIX}{name.upper()} is wrong: {fault}. For example: {PREFIX}{name.upper()}={example}") from error


def _surroundings() -> Mapping[str, str | None]:
    """Return what the environment says, and what the .env file says where the environment is silent."""
    return {**dotenv_values(ENV_FILE), **os.environ}


def is_for_compose() -> bool:
    """Say whether a file .env lies here that `make secrets` wrote for docker compose."""
    return f"{PREFIX}SITE" in dotenv_values(ENV_FILE)


def database_of(settings: Settings, service: str) -> str:
    """Return the database URL of one service: TIDINGS_DATABASE_<SERVICE>, else TIDINGS_DATABASE."""
    name = f"{PREFIX}DATABASE_{service.upper()}"
    value = _surroundings().get(name)
    if value is None:
        return settings.database
    try:
        return _database(value)
    except ValueError as error:
        raise SettingsError(f"{name} is wrong: {error}. For example: {name}=postgresql://{service}:secret@db/tidings") from error
