"""Tokens: what desk signs is read by everybody, and nothing else is."""

import base64
import json
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared import clock
from shared.auth.tokens import (
    LEEWAY_SECONDS,
    PRIVATE_PREFIX,
    PUBLIC_PREFIX,
    KeyFormError,
    Kind,
    Person,
    Signer,
    TokenError,
    TokenOverError,
    Verifier,
    new_key_pair,
)
from shared.events.codes import Role
from shared.vault import SealError, Vault, new_key

PERSON = Person(id="p-1", name="Amina Éxample", roles=frozenset({Role.MODERATOR, Role.DRAFTER}), languages=("en", "ar"))
PAIR = new_key_pair()
SIGNER, VERIFIER = Signer([PAIR.private]), Verifier([PAIR.public])
MINUTE = timedelta(minutes=1)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def parts(token: str) -> list[str]:
    return token.split(".")


def header_of(token: str) -> dict[str, str]:
    return dict(jwt.get_unverified_header(token))


def claims_of(token: str) -> dict[str, object]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def raw_key(pair_private: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(pair_private.removeprefix(PRIVATE_PREFIX) + "="))


def forged(**changes: object) -> str:
    """A token with desk's own signature and other claims; None takes a claim away."""
    token = SIGNER.sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE)
    claims = {name: value for name, value in {**claims_of(token), **changes}.items() if value is not None}
    return jwt.encode(claims, raw_key(PAIR.private), algorithm="EdDSA", headers={"kid": header_of(token)["kid"]})


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_signed_is_read(kind: Kind) -> None:
    before = clock.now()
    claims = VERIFIER.read(SIGNER.sign(PERSON, kind=kind, valid_for=MINUTE), kind)
    assert (claims.person, claims.kind) == (PERSON, kind)
    assert before - timedelta(milliseconds=1) <= claims.issued_at <= clock.now() + timedelta(milliseconds=1)
    assert claims.expires_at - claims.issued_at == MINUTE


@pytest.mark.parametrize("made", list(Kind))
@pytest.mark.parametrize("wanted", list(Kind))
def test_a_token_of_another_kind_is_refused(made: Kind, wanted: Kind) -> None:
    token = SIGNER.sign(PERSON, kind=made, valid_for=MINUTE)
    if made is wanted:
        VERIFIER.read(token, wanted)
    else:
        with pytest.raises(TokenError):
            VERIFIER.read(token, wanted)


def test_a_token_that_is_over_says_so() -> None:
    late = clock.now() - MINUTE - timedelta(seconds=LEEWAY_SECONDS + 1)
    with pytest.raises(TokenOverError):
        VERIFIER.read(SIGNER.sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE, issued_at=late), Kind.PERSON)


def test_a_token_from_the_future_is_refused() -> None:
    ahead = clock.now() + timedelta(seconds=LEEWAY_SECONDS + 10)
    with pytest.raises(TokenError):
        VERIFIER.read(SIGNER.sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE, issued_at=ahead), Kind.PERSON)


def test_a_token_of_another_key_is_refused() -> None:
    stranger = Signer([new_key_pair().private])
    with pytest.raises(TokenError):
        VERIFIER.read(stranger.sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE), Kind.PERSON)


def test_another_key_under_the_name_of_ours_is_refused() -> None:
    ours = SIGNER.sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE)
    theirs = jwt.encode(claims_of(ours), raw_key(new_key_pair().private), algorithm="EdDSA", headers={"kid": header_of(ours)["kid"]})
    with pytest.raises(TokenError):
        VERIFIER.read(theirs, Kind.PERSON)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "HS256", "RS256", ""])
def test_the_token_does_not_choose_its_algorithm(algorithm: str) -> None:
    token = SIGNER.sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE)
    head = part({**header_of(token), "alg": algorithm})
    for signature in ("", parts(token)[2]):
        with pytest.raises(TokenError):
            VERIFIER.read(f"{head}.{parts(token)[1]}.{signature}", Kind.PERSON)


def test_the_public_key_is_no_shared_secret() -> None:
    # The classic confusion: a token with HS256 whose "secret" is what everybody knows.
    token = SIGNER.sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE)
    secret = raw_key(PAIR.private).public_key().public_bytes_raw()
    confused = jwt.encode(claims_of(token), secret, algorithm="HS256", headers={"kid": header_of(token)["kid"]})
    with pytest.raises(TokenError):
        VERIFIER.read(confused, Kind.PERSON)


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "iat", "exp", "name", "roles", "languages"])
def test_a_token_without_one_of_its_claims_is_refused(name: str) -> None:
    VERIFIER.read(forged(), Kind.PERSON)
    with pytest.raises(TokenError):
        VERIFIER.read(forged(**{name: None}), Kind.PERSON)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"iss": "elsewhere"}, id="of another issuer"),
        pytest.param({"aud": ["person", "api"]}, id="for several kinds at once"),
        pytest.param({"roles": 7}, id="roles that are no list"),
        pytest.param({"exp": "soon"}, id="an end that is no number"),
        pytest.param({"iat": 1e300, "exp": 1e300}, id="a moment that no calendar has"),
    ],
)
def test_odd_claims_are_refused_even_when_signed(changes: dict[str, object]) -> None:
    with pytest.raises(TokenError):
        VERIFIER.read(forged(**changes), Kind.PERSON)


def test_a_role_that_is_not_known_gives_nothing() -> None:
    assert VERIFIER.read(forged(roles=["moderator", "emperor"]), Kind.PERSON).person.roles == {Role.MODERATOR}


def test_a_changed_letter_is_noticed() -> None:
    head, body, signature = parts(SIGNER.sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE))
    more = part({**claims_of(f"{head}.{body}.{signature}"), "roles": ["admin"]})
    with pytest.raises(TokenError):
        VERIFIER.read(f"{head}.{more}.{signature}", Kind.PERSON)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "x" * 100_000, "null", part({"alg": "EdDSA"}) + "..", "\x00"])
def test_nonsense_is_refused(token: str) -> None:
    with pytest.raises(TokenError):
        VERIFIER.read(token, Kind.PERSON)


def test_keys_rotate_while_older_tokens_are_still_taken() -> None:
    newer = new_key_pair()
    both = Signer([newer.private, PAIR.private])
    reader = Verifier([newer.public, PAIR.public])
    old = SIGNER.sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE)
    new = both.sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE)
    assert header_of(old)["kid"] != header_of(new)["kid"]
    assert [reader.read(token, Kind.PERSON).person.id for token in (old, new)] == ["p-1", "p-1"]
    assert list(both.public_keys) == [newer.public, PAIR.public]
    with pytest.raises(TokenError):
        Verifier([newer.public]).read(old, Kind.PERSON)


@pytest.mark.parametrize("key", ["", "edsk_", "edsk_short", "edpk_" + "A" * 43, "A" * 43, "edsk_" + "é" * 43, "edsk_" + "!" * 43])
def test_what_is_no_private_key_is_refused(key: str) -> None:
    with pytest.raises(KeyFormError):
        Signer([key])


def test_a_private_key_never_stands_where_public_ones_do() -> None:
    assert (PAIR.private[:5], PAIR.public[:5]) == (PRIVATE_PREFIX, PUBLIC_PREFIX)
    with pytest.raises(KeyFormError):
        Verifier([PAIR.private])
    for none in (Signer, Verifier):
        with pytest.raises(KeyFormError):
            none([])
    assert PAIR.private not in repr(PAIR)


def test_a_token_carries_its_persons_own_address_sealed_and_none_where_desk_gave_none() -> None:
    vault = Vault([new_key()])
    token = Signer([PAIR.private], vault).sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE, address="alex@example.org")
    sealed = VERIFIER.read(token, Kind.PERSON).person.sealed_address
    assert vault.open(sealed.encode()) == b"alex@example.org"
    _, claims, _ = token.split(".")
    assert b"alex@" not in base64.urlsafe_b64decode(claims + "==")
    with pytest.raises(SealError):
        Vault([new_key()]).open(sealed.encode())
    assert VERIFIER.read(SIGNER.sign(PERSON, kind=Kind.PERSON, valid_for=MINUTE), Kind.PERSON).person.sealed_address == ""
