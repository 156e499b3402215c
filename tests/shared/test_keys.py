"""Keys that a system of one process makes for itself, and those that settings give to single services."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from shared.auth.tokens import Kind, Signer, Verifier, new_key_pair
from shared.command import parts_of
from shared.keys import kept_keys
from shared.settings import Settings, SettingsError
from shared.vault import Vault, new_key
from tests.people import somebody


def settings(var: Path, **given: object) -> Settings:
    return Settings.model_validate({"var": var, **given})


def test_keys_are_made_once_and_kept_for_their_owner_alone(tmp_path: Path) -> None:
    first = kept_keys(tmp_path)
    assert kept_keys(tmp_path) == first
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert list(Signer(first.signing_key).public_keys) == first.verify_keys


def test_what_an_earlier_version_sealed_can_still_be_opened(tmp_path: Path) -> None:
    old = new_key()
    (tmp_path / "keys.json").write_text(json.dumps({"data_keys": [old], "staff": "a key of former times"}))
    kept = kept_keys(tmp_path)
    assert Vault(kept.data_keys).open(Vault([old]).seal(b"a secret")) == b"a secret"
    assert kept_keys(tmp_path) == kept


def test_a_service_with_public_keys_alone_reads_tokens_and_signs_none(tmp_path: Path) -> None:
    pair, data_key = new_key_pair(), new_key()
    desk = parts_of(settings(tmp_path, data_keys=data_key, signing_key=pair.private))
    intake = parts_of(settings(tmp_path, data_keys=data_key, verify_keys=pair.public))
    assert intake.signer is None
    assert desk.signer is not None
    person = somebody()
    token = desk.signer.sign(person, kind=Kind.PERSON, valid_for=timedelta(minutes=1))
    assert intake.verifier.read(token, Kind.PERSON).person == person
    assert desk.verifier.read(token, Kind.PERSON).person == person
    assert not (tmp_path / "keys.json").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("signing_key", "edsk_short", id="a private key of the wrong length"),
        pytest.param("signing_key", new_key_pair().public, id="a public key in place of the private one"),
        pytest.param("verify_keys", "nonsense", id="nonsense"),
        pytest.param("verify_keys", new_key_pair().private, id="a private key in place of the public one"),
    ],
)
def test_a_wrong_key_is_named_and_not_shown(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parts_of(settings(tmp_path, data_keys=new_key(), **{name: value}))
    assert f"TIDINGS_{name.upper()} is wrong" in str(raised.value)
    assert value not in str(raised.value)


def test_verifier_takes_the_keys_of_the_settings(tmp_path: Path) -> None:
    one, other = new_key_pair(), new_key_pair()
    read = settings(tmp_path, verify_keys=f"{one.public}, {other.public}")
    assert read.verify_keys == [one.public, other.public]
    Verifier(read.verify_keys)
