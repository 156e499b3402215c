"""The compose files as docker compose itself reads them: the override for three brokers, the profile that watches."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy import environment
from deploy.environment import lines
from shared.settings import Settings
from tests.compose.system import ROOT

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]


def read(tmp_path: Path, *words: str, domain: str = "", more: Sequence[str] = ()) -> dict[str, Any]:
    env = tmp_path / "env"
    env.write_text("\n".join([*lines(domain), *more]), encoding="utf-8")
    command = ["docker", "compose", "--env-file", str(env), *words, "config", "--format", "json"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def test_three_brokers_form_one_quorum_and_keep_every_event_three_times(tmp_path: Path) -> None:
    found = read(tmp_path, "-f", "docker-compose.yml", "-f", "docker-compose.three-brokers.yml")
    brokers = {name: service for name, service in found["services"].items() if name.startswith("kafka")}
    assert sorted(brokers) == ["kafka", "kafka-2", "kafka-3"]
    voters = {one["environment"]["KAFKA_CONTROLLER_QUORUM_VOTERS"] for one in brokers.values()}
    assert voters == {"1@kafka:9093,2@kafka-2:9093,3@kafka-3:9093"}
    assert sorted(one["environment"]["KAFKA_NODE_ID"] for one in brokers.values()) == ["1", "2", "3"]
    for name, one in brokers.items():
        environment = one["environment"]
        assert environment["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{name}:9092"
        assert (environment["KAFKA_DEFAULT_REPLICATION_FACTOR"], environment["KAFKA_MIN_INSYNC_REPLICAS"]) == ("3", "2")
        assert environment["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] == "3"
        assert [volume["source"] for volume in one["volumes"]] == [name]
    for service in ("desk", "intake", "pledges", "newsletter", "social", "calendar", "sender"):
        assert {"kafka", "kafka-2", "kafka-3", "migrate"} <= set(found["services"][service]["depends_on"])
    for service in ("desk", "intake", "pledges", "newsletter", "sender", "social", "calendar", "migrate"):
        # With one of them away, a service that starts still finds the others.
        assert found["services"][service]["environment"]["TIDINGS_KAFKA"] == "kafka:9092,kafka-2:9092,kafka-3:9092", service


def test_every_setting_reaches_the_services(tmp_path: Path) -> None:
    own = {"var", "host", "port", "log", "trusted_proxies", "database"}  # of the image, or of the compose file
    names = {f"TIDINGS_{name.upper()}" for name in Settings.model_fields if name not in own}
    services = read(tmp_path)["services"]
    social, desk = services["social"]["environment"], services["desk"]["environment"]
    assert names - set(social) == {"TIDINGS_SIGNING_KEY"}
    assert {name for name in names - set(desk) if not name.startswith("TIDINGS_X_")} == {"TIDINGS_NETWORKS"}


def test_postgresql_may_be_elsewhere_and_asked_for_tls(tmp_path: Path) -> None:
    services = read(tmp_path, more=("TIDINGS_POSTGRES=db.example.org:5433", "TIDINGS_POSTGRES_OPTIONS=?sslmode=verify-full"))["services"]
    for name in ("desk", "intake", "pledges", "newsletter", "sender", "social", "calendar", "migrate"):
        urls = [value for key, value in services[name]["environment"].items() if key.startswith("TIDINGS_DATABASE")]
        assert urls
        assert all(url.endswith("@db.example.org:5433/tidings?sslmode=verify-full") for url in urls)
        assert "outside" in services[name]["networks"], f"{name} reaches nothing but this machine's own containers"


def test_what_is_elsewhere_is_not_started_here(tmp_path: Path) -> None:
    def started(*more: str) -> dict[str, int]:
        services = read(tmp_path, more=more)["services"]
        return {name: services[name]["deploy"]["replicas"] for name in ("postgres", "kafka")}

    assert started() == {"postgres": 1, "kafka": 1}
    assert started("TIDINGS_POSTGRES_HERE=0") == {"postgres": 0, "kafka": 1}
    assert started("TIDINGS_KAFKA_HERE=0") == {"postgres": 1, "kafka": 0}


def test_watch_is_there_when_asked_for_and_its_files_exist(tmp_path: Path) -> None:
    assert not {"prometheus", "grafana", "demo"} & set(read(tmp_path)["services"])
    watched = read(tmp_path, "--profile", "observability")["services"]
    for name in ("prometheus", "grafana"):
        mounted = [volume["source"] for volume in watched[name]["volumes"] if volume["type"] == "bind"]
        assert mounted
        assert all(Path(source).exists() for source in mounted)
        image, _, version = watched[name]["image"].partition(":")
        assert re.fullmatch(r"v?\d+\.\d+\.\d+", version), f"{image} may be another one tomorrow"
        assert "wget" in str(watched[name]["healthcheck"]["test"])
        assert all(port["host_ip"] == "127.0.0.1" for port in watched[name]["ports"])


def test_only_desk_signs_and_only_the_migration_and_demo_parts_know_the_owner(tmp_path: Path) -> None:
    services = read(tmp_path, "--profile", "demo")["services"]
    signing = {name for name, one in services.items() if "TIDINGS_SIGNING_KEY" in (one.get("environment") or {})}
    owner = {name for name, one in services.items() if "tidings:" in str((one.get("environment") or {}).get("TIDINGS_DATABASE", ""))}
    assert (signing, owner) == ({"desk"}, {"migrate", "demo"})


def test_with_a_domain_the_world_reaches_the_gateway_and_nothing_stands_for_it(tmp_path: Path) -> None:
    services = read(tmp_path, domain="tidings.example.org")["services"]
    assert services["gateway"]["environment"]["TIDINGS_SITE"] == "tidings.example.org"
    assert sorted((port["published"], port["target"]) for port in services["gateway"]["ports"]) == [("443", 443), ("80", 80)]
    desk = services["desk"]["environment"]
    assert desk["TIDINGS_PUBLIC_URL"] == "https://tidings.example.org"
    assert not desk.get("TIDINGS_DEMO")
    assert not services["gateway"]["environment"].get("TIDINGS_DEMO")  # which then has no page of the demo parts
    assert read(tmp_path)["services"]["gateway"]["environment"]["TIDINGS_DEMO"] == "1"
    assert not desk.get("TIDINGS_SMTP")


def test_no_two_systems_share_a_secret() -> None:
    first, second = ({line.split("=", 1)[0]: line.split("=", 1)[1] for line in lines("") if "=" in line} for _ in range(2))
    secret = {name for name in first if any(part in name for part in ("PASSWORD", "KEY", "SECRET", "TOKEN", "CLUSTER"))}
    assert len(secret) >= 14
    assert {name for name in secret if first[name] == second[name]} == set()


@pytest.mark.parametrize("given", ["https://tidings.example.org", "tidings.example.org/", "tidings.example.org:443", "tidings"])
def test_what_is_no_domain_writes_nothing(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["environment", given])
    with pytest.raises(SystemExit, match="is no domain"):
        environment.main()
    assert not (tmp_path / ".env").exists()


def test_no_cluster_id_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter([b"\xf8" + bytes(15), b"\xfb" + bytes(15), b"\x04" + bytes(15)])
    monkeypatch.setattr(environment, "token_bytes", lambda _: next(made))
    assert f"TIDINGS_KAFKA_CLUSTER=B{'A' * 21}" in lines("")
