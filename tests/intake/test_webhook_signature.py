"""The door believes a signature exactly when it is right, and says what is wrong when it is not."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.webhooks.headers import RawHeaders
from services.intake.webhooks.keys import Key, KeyFault, PublicKey, SharedKey, generate_secret, read_key
from services.intake.webhooks.problem import Reason, Refusal
from services.intake.webhooks.signature import MAX_ENTRIES, Verified, Version, verify
from shared import clock
from tests.intake.webhook_sender import EVENT, KEY, NOW, SECRET, body_of, everything_said, signed, v1, with_header

BODY = body_of(EVENT)
HEAD = b"msg_1.%d." % int(NOW.timestamp())


def refused(
    headers: RawHeaders, *, body: bytes = BODY, keys: tuple[Key, ...] = (KEY,), now: datetime = NOW, tolerance: timedelta | None = None
) -> Refusal:
    result = verify(headers=headers, body=body, keys=keys, now=now, tolerance=tolerance or timedelta(minutes=5))
    assert isinstance(result, Refusal), result
    return result


def accepted(headers: RawHeaders, *, body: bytes = BODY, keys: tuple[Key, ...] = (KEY,), now: datetime = NOW) -> Verified:
    result = verify(headers=headers, body=body, keys=keys, now=now)
    assert isinstance(result, Verified), result
    return result


# What is right


def test_accepts_the_vector_of_the_specification() -> None:
    key = read_key("vector", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert isinstance(key, SharedKey)
    result = accepted(
        [
            (b"webhook-id", b"msg_p5jXN8AQM9LWM0D4loKWxJek"),
            (b"webhook-timestamp", b"1614265330"),
            (b"webhook-signature", b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ],
        body=b'{"test": 2432232314}',
        keys=(key,),
        now=datetime.fromtimestamp(1614265330, UTC),
    )
    assert result.id == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert result.key_id == "vector"
    assert result.version is Version.V1
    assert result.sent_at == datetime(2021, 2, 25, 15, 2, 10, tzinfo=UTC)


def test_names_the_key_that_matched_among_several() -> None:
    old, new = SharedKey(id="old", secret=b"o" * 32), SharedKey(id="new", secret=b"n" * 32)
    for key in (old, new):
        assert accepted(signed(BODY, secret=key.secret), keys=(old, new)).key_id == key.id
    assert refused(signed(BODY, secret=b"x" * 32), keys=(old, new)).reason is Reason.SIGNATURE_MISMATCH


def test_takes_any_signature_of_the_list_whatever_stands_beside_it() -> None:
    right = v1(HEAD + BODY)
    for beside in (b"v1,AAAA", b"v1", b"v9,whatever", b",", b"v1,%%%", b"v1,aa,bb", b"\xff"):
        for value in (beside + b" " + right, right + b" " + beside, right + b"  " + beside):
            assert accepted(with_header(signed(BODY), "webhook-signature", value)).key_id == "first"


def test_verifies_an_ed25519_signature_with_the_public_key_alone() -> None:
    private = Ed25519PrivateKey.generate()
    key = read_key("partner", "whpk_" + base64.b64encode(private.public_key().public_bytes_raw()).decode())
    assert isinstance(key, PublicKey)
    right = b"v1a," + base64.b64encode(private.sign(HEAD + BODY))
    headers = with_header(signed(BODY), "webhook-signature", right)
    result = accepted(headers, keys=(KEY, key))
    assert (result.key_id, result.version) == ("partner", Version.V1A)
    assert refused(headers, keys=(KEY, key), body=BODY + b" ").reason is Reason.SIGNATURE_MISMATCH
    stranger = b"v1a," + base64.b64encode(Ed25519PrivateKey.generate().sign(HEAD + BODY))
    assert refused(with_header(headers, "webhook-signature", stranger), keys=(key,)).reason is Reason.SIGNATURE_MISMATCH
    for odd in (b"v1a,AAAA", b"v1a," + base64.b64encode(b"\xff" * 64)):
        assert refused(with_header(headers, "webhook-signature", odd), keys=(key,)).reason is Reason.SIGNATURE_MISMATCH


def test_a_public_key_is_never_used_as_a_shared_secret() -> None:
    public = bytes(range(32))
    forged = v1(HEAD + BODY, public)
    headers = with_header(signed(BODY), "webhook-signature", forged)
    assert refused(headers, keys=(PublicKey(id="partner", public=public),)).reason is Reason.KEY_OF_OTHER_VERSION


@pytest.mark.parametrize("change", ["id", "timestamp", "body"])
def test_the_signature_covers_id_timestamp_and_body(change: str) -> None:
    headers = signed(BODY)
    body = BODY
    if change == "id":
        headers = with_header(headers, "webhook-id", b"msg_2")
    elif change == "timestamp":
        headers = with_header(headers, "webhook-timestamp", str(int(NOW.timestamp()) + 1).encode())
    else:
        body = BODY.replace(b"desk", b"disk")
    refusal = refused(headers, body=body)
    assert refusal.reason is Reason.SIGNATURE_MISMATCH
    assert refusal.members["body_bytes"] == len(body)
    assert refusal.members["body_sha256"] == hashlib.sha256(body).hexdigest()
    text = dict(headers)[b"webhook-id"] + b"." + dict(headers)[b"webhook-timestamp"] + b"." + body
    assert refusal.members["signed_sha256"] == hashlib.sha256(text).hexdigest()
    assert refusal.members["signed_bytes"] == len(text)


# The clock


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_clock_six_minutes_off_is_told_by_how_much_and_which_way(minutes: int) -> None:
    refusal = refused(signed(BODY, sent_at=NOW + timedelta(minutes=minutes)))
    assert refusal.reason is (Reason.CLOCK_BEHIND if minutes < 0 else Reason.CLOCK_AHEAD)
    assert (refusal.status, refusal.slug) == (401, "clock")
    assert refusal.params == {"seconds": 360, "tolerance": 300}
    assert refusal.members["skew_seconds"] == -60 * minutes
    assert refusal.members["our_time"] == int(NOW.timestamp())


def test_the_tolerance_is_two_sided_includes_its_end_and_can_be_set() -> None:
    for seconds in (-300, -299, 0, 299, 300):
        assert accepted(signed(BODY, sent_at=NOW + timedelta(seconds=seconds))).skew_seconds == -seconds
    late = refused(signed(BODY), now=NOW + timedelta(seconds=300, milliseconds=1))
    assert late.params == {"seconds": 301, "tolerance": 300}
    tight = refused(signed(BODY, sent_at=NOW - timedelta(seconds=61)), tolerance=timedelta(minutes=1))
    assert tight.params == {"seconds": 61, "tolerance": 60}


def test_a_forger_learns_of_the_signature_first_and_the_clock_besides() -> None:
    refusal = refused(signed(BODY, sent_at=NOW - timedelta(hours=1), secret=b"x" * 32))
    assert refusal.reason is Reason.SIGNATURE_MISMATCH
    assert refusal.members["skew_seconds"] == 3600


# What is malformed

MALFORMED = [
    ("no id", "webhook-id", None, Reason.HEADER_MISSING),
    ("empty id", "webhook-id", b"  ", Reason.HEADER_MISSING),
    ("no timestamp", "webhook-timestamp", None, Reason.HEADER_MISSING),
    ("no signature", "webhook-signature", None, Reason.HEADER_MISSING),
    ("a space in the id", "webhook-id", b"msg 1", Reason.ID_MALFORMED),
    ("an id that is not ASCII", "webhook-id", "prácticas".encode(), Reason.ID_MALFORMED),
    ("an id that is not UTF-8", "webhook-id", b"\xff\xfe", Reason.ID_MALFORMED),
    ("a control character in the id", "webhook-id", b"msg\x001", Reason.ID_MALFORMED),
    ("an id without end", "webhook-id", b"m" * 256, Reason.ID_MALFORMED),
    ("a fraction", "webhook-timestamp", b"1795338000.75", Reason.TIMESTAMP_MALFORMED),
    ("an exponent", "webhook-timestamp", b"1.7e9", Reason.TIMESTAMP_MALFORMED),
    ("a sign", "webhook-timestamp", b"-1795338000", Reason.TIMESTAMP_MALFORMED),
    ("a plus", "webhook-timestamp", b"+1795338000", Reason.TIMESTAMP_MALFORMED),
    ("an underscore", "webhook-timestamp", b"1795_338_000", Reason.TIMESTAMP_MALFORMED),
    ("a leading zero", "webhook-timestamp", b"01795338000", Reason.TIMESTAMP_MALFORMED),
    ("milliseconds", "webhook-timestamp", b"1795338000000", Reason.TIMESTAMP_MALFORMED),
    ("a number without end", "webhook-timestamp", b"9" * 5000, Reason.TIMESTAMP_MALFORMED),
    ("Arabic digits", "webhook-timestamp", "١٧٩٥٣٣٨٠٠٠".encode(), Reason.TIMESTAMP_MALFORMED),
    ("a date", "webhook-timestamp", b"2026-11-22T09:00:00Z", Reason.TIMESTAMP_MALFORMED),
    ("not a number", "webhook-timestamp", b"nan", Reason.TIMESTAMP_MALFORMED),
    ("infinity", "webhook-timestamp", b"inf", Reason.TIMESTAMP_MALFORMED),
    ("no comma", "webhook-signature", b"v1", Reason.SIGNATURE_MALFORMED),
    ("two commas", "webhook-signature", b"v1,aa,bb", Reason.SIGNATURE_MALFORMED),
    ("nothing after the comma", "webhook-signature", b"v1,", Reason.SIGNATURE_MALFORMED),
    ("nothing before the comma", "webhook-signature", b",AAAA", Reason.SIGNATURE_MALFORMED),
    ("not base64", "webhook-signature", b"v1,!!!!", Reason.SIGNATURE_MALFORMED),
    ("half a base64", "webhook-signature", b"v1,A", Reason.SIGNATURE_MALFORMED),
    ("base64 of another alphabet", "webhook-signature", b"v1,-_-_", Reason.SIGNATURE_MALFORMED),
    ("not ASCII", "webhook-signature", "v1,é".encode(), Reason.SIGNATURE_MALFORMED),
    ("not UTF-8", "webhook-signature", b"\xff\xfe", Reason.SIGNATURE_MALFORMED),
    ("another version", "webhook-signature", b"v2,AAAA", Reason.SIGNATURE_VERSION_UNKNOWN),
    ("too many", "webhook-signature", b" ".join([b"v1,AAAA"] * (MAX_ENTRIES + 1)), Reason.SIGNATURE_TOO_LONG),
    ("too long", "webhook-signature", b"v1," + b"A" * 5000, Reason.SIGNATURE_TOO_LONG),
    ("a short signature", "webhook-signature", b"v1,AAAA", Reason.SIGNATURE_MISMATCH),
    ("a version in capitals", "webhook-signature", b"V1,AAAA", Reason.SIGNATURE_VERSION_UNKNOWN),
]


@pytest.mark.parametrize(("name", "value", "reason"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_malformed_header_is_refused_by_its_name(name: str, value: bytes | None, reason: Reason) -> None:
    refusal = refused(with_header(signed(BODY), name, value))
    assert refusal.reason is reason
    assert refusal.status == (401 if reason.problem.slug == "signature" else 400)


def test_missing_headers_are_named_together() -> None:
    refusal = refused([(b"content-type", b"application/json")])
    assert refusal.params == {"headers": "webhook-id, webhook-timestamp, webhook-signature"}
    assert "WWW-Authenticate" in refusal.headers


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_given_twice_is_refused_in_any_case_of_its_letters(name: str) -> None:
    headers = signed(BODY)
    twice = [*headers, (name.upper().encode(), dict(headers)[name.encode()])]
    assert refused(twice).reason is Reason.HEADER_REPEATED


def test_header_names_are_read_in_any_case() -> None:
    assert accepted([(name.title(), value) for name, value in signed(BODY)]).id == "msg_1"


def test_a_partner_without_a_live_key_is_told_so() -> None:
    refusal = refused(signed(BODY), keys=())
    assert (refusal.reason, refusal.slug, refusal.status) == (Reason.KEY_MISSING, "key", 401)


def test_a_partner_who_signs_another_version_than_its_keys_is_told_both() -> None:
    refusal = refused(signed(BODY), keys=(PublicKey(id="p", public=bytes(32)),))
    assert refusal.reason is Reason.KEY_OF_OTHER_VERSION
    assert refusal.params == {"signed": "v1", "live": "v1a"}


# What is nearly right

TEXT = base64.b64encode(SECRET)
RIGHT = hmac.digest(SECRET, HEAD + BODY, "sha256")
SLIPS = [
    ("the text of the secret with its prefix", v1(HEAD + BODY, b"whsec_" + TEXT), Reason.SIGNED_WITH_SECRET_TEXT),
    ("the text of the secret", v1(HEAD + BODY, TEXT), Reason.SIGNED_WITH_SECRET_TEXT),
    ("the body alone", v1(BODY), Reason.SIGNED_BODY_ALONE),
    ("a line end that was not sent", v1(HEAD + BODY + b"\n"), Reason.SIGNED_TRIMMED_BODY),
    ("hexadecimal digits", b"v1," + RIGHT.hex().encode(), Reason.SIGNATURE_IN_HEXADECIMAL),
    ("base64 of hexadecimal digits", b"v1," + base64.b64encode(RIGHT.hex().encode()), Reason.SIGNATURE_IN_HEXADECIMAL),
]


@pytest.mark.parametrize(("signature", "reason"), [row[1:] for row in SLIPS], ids=[row[0] for row in SLIPS])
def test_a_frequent_slip_is_named_and_still_refused(signature: bytes, reason: Reason) -> None:
    refusal = refused(with_header(signed(BODY), "webhook-signature", signature), keys=(SharedKey(id="other", secret=b"o" * 32), KEY))
    assert refusal.reason is reason
    assert refusal.status == 401


def test_a_body_sent_with_a_line_end_that_was_not_signed_is_named() -> None:
    assert refused(signed(BODY), body=BODY + b"\n").reason is Reason.SIGNED_TRIMMED_BODY


# Against the reference library

KEYS = st.binary(min_size=24, max_size=64)
BODIES = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
IDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)


@given(secret=KEYS, body=BODIES, event_id=IDS, offset=st.integers(-290, 290))
@settings(deadline=None)
def test_accepts_what_the_reference_library_signs(secret: bytes, body: str, event_id: str, offset: int) -> None:
    at = NOW + timedelta(seconds=offset)
    text = standardwebhooks.Webhook("whsec_" + base64.b64encode(secret).decode()).sign(event_id, at, body)
    headers = [
        (b"webhook-id", event_id.encode()),
        (b"webhook-timestamp", str(int(at.timestamp())).encode()),
        (b"webhook-signature", text.encode()),
    ]
    result = verify(headers=headers, body=body.encode(), keys=[SharedKey(id="k", secret=secret)], now=NOW)
    assert isinstance(result, Verified)
    assert (result.id, result.key_id) == (event_id, "k")


ENTRIES = st.lists(
    st.one_of(
        st.just("right"),
        st.just("wrong"),
        st.just("v1"),
        st.just("v2,AAAA"),
        st.just("v1,AAAA"),
        st.builds("{},{}".format, st.sampled_from(["v1", "v1a", "v2", ""]), st.text("AZaz09+/=-*,", max_size=44)),
    ),
    max_size=4,
)


@given(secret=KEYS, event_id=IDS, offset=st.sampled_from([-4000, -310, -290, 0, 290, 310, 4000]), entries=ENTRIES)
@settings(max_examples=400, deadline=None)
def test_agrees_with_the_reference_library_wherever_that_does_not_fall_over(
    secret: bytes, event_id: str, offset: int, entries: list[str]
) -> None:
    now = clock.now()
    at = now + timedelta(seconds=offset)
    timestamp = str(int(at.timestamp()))
    text = f"{event_id}.{timestamp}.".encode() + BODY
    made = {"right": v1(text, secret).decode(), "wrong": v1(text + b" ", secret).decode()}
    signature = " ".join(made.get(entry, entry) for entry in entries)
    headers = {"webhook-id": event_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
    ours = verify(
        headers=[(name.encode(), value.encode()) for name, value in headers.items()],
        body=BODY,
        keys=[SharedKey(id="k", secret=secret)],
        now=now,
    )
    try:
        standardwebhooks.Webhook(secret).verify(BODY, headers)
        theirs = True
    except standardwebhooks.WebhookVerificationError:
        theirs = False
    except ValueError:  # where it falls over on an entry, ours goes on reading
        assert isinstance(ours, Verified) == ("right" in entries and abs(offset) <= 300)
        return
    assert isinstance(ours, Verified) == theirs


# Whatever comes

ANY_BYTES = st.binary(max_size=80)
LIKELY = st.sampled_from([b"", b"0", b"v1,", b"v1a,AAAA v1", b"1795338000", b"msg_1", "é".encode(), b"\xff", b"9" * 400, b" ", b","])
NAMES = st.sampled_from([b"webhook-id", b"webhook-timestamp", b"webhook-signature", b"Webhook-Id", b"content-type", b"\xff"])
HEADERS = st.lists(st.tuples(NAMES, st.one_of(ANY_BYTES, LIKELY)), max_size=6)
WELL_NAMED = st.tuples(*[st.one_of(ANY_BYTES, LIKELY)] * 3).map(
    lambda values: list(zip([b"webhook-id", b"webhook-timestamp", b"webhook-signature"], values, strict=True))
)


@given(headers=st.one_of(HEADERS, WELL_NAMED), body=ANY_BYTES)
@settings(max_examples=500, deadline=None)
def test_any_headers_and_any_bytes_end_in_a_typed_refusal(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    refusal = refused(headers, body=body, keys=(KEY, PublicKey(id="p", public=bytes(32))))
    assert refusal.status in {400, 401}
    everything_said(refusal)


@given(
    headers=WELL_NAMED.map(lambda headers: [(b"webhook-id", b"msg_1"), (b"webhook-timestamp", b"1795338000"), headers[2]]),
    body=ANY_BYTES,
)
@settings(deadline=None)
def test_no_refusal_gives_away_the_secret_or_the_right_signature(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    refusal = refused(headers, body=body)
    told = everything_said(refusal)
    right = hmac.digest(SECRET, b"msg_1.1795338000." + body, "sha256")
    for secret in (SECRET, right):
        for form in (base64.b64encode(secret).decode(), secret.hex(), repr(secret)):
            assert form not in told


@pytest.mark.parametrize(("name", "value"), [row[1:3] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_no_named_refusal_gives_away_the_secret(name: str, value: bytes | None) -> None:
    told = everything_said(refused(with_header(signed(BODY), name, value)))
    assert TEXT.decode() not in told
    assert base64.b64encode(RIGHT).decode() not in told


# Keys as people hold them


def test_a_new_secret_can_be_read_and_is_never_the_same() -> None:
    secrets = {generate_secret() for _ in range(50)}
    assert len(secrets) == 50
    for secret in secrets:
        key = read_key("k", secret)
        assert isinstance(key, SharedKey)
        assert len(key.secret) == 32


def test_a_key_does_not_show_its_secret() -> None:
    key = SharedKey(id="k", secret=b"very secret, this is, 32 bytes..")
    assert "very" not in repr(key) + str(key) + repr([key])


RAW = bytes(range(32))
B64 = base64.b64encode(RAW).decode()
KEY_TEXTS: list[tuple[str, str, Key | KeyFault]] = [
    ("secret with prefix", "whsec_" + B64, SharedKey(id="k", secret=RAW)),
    ("bare base64", B64, SharedKey(id="k", secret=RAW)),
    ("without padding", "whsec_" + B64.rstrip("="), SharedKey(id="k", secret=RAW)),
    ("space around", f"  {B64}\n", SharedKey(id="k", secret=RAW)),
    ("public key", "whpk_" + B64, PublicKey(id="k", public=RAW)),
    ("private key", "whsk_" + B64, KeyFault.PRIVATE),
    ("24 bytes", base64.b64encode(bytes(24)).decode(), SharedKey(id="k", secret=bytes(24))),
    ("23 bytes", base64.b64encode(bytes(23)).decode(), KeyFault.TOO_SHORT),
    ("65 bytes", base64.b64encode(bytes(65)).decode(), KeyFault.TOO_LONG),
    ("public key too short", "whpk_" + base64.b64encode(bytes(31)).decode(), KeyFault.NOT_A_PUBLIC_KEY),
    ("nothing", "", KeyFault.NOT_BASE64),
    ("prefix alone", "whsec_", KeyFault.NOT_BASE64),
    ("another alphabet", "whsec_" + "-_" * 20, KeyFault.NOT_BASE64),
    ("a length that base64 never has", "A" * 41, KeyFault.NOT_BASE64),
    ("not ASCII", "whsec_" + "é" * 40, KeyFault.NOT_BASE64),
    ("without end", "A" * 100_000, KeyFault.NOT_BASE64),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in KEY_TEXTS], ids=[row[0] for row in KEY_TEXTS])
def test_a_key_is_read_or_its_fault_named(text: str, expected: Key | KeyFault) -> None:
    assert read_key("k", text) == expected


@given(text=st.text(max_size=120))
@settings(deadline=None)
def test_any_text_for_a_key_is_a_key_or_a_fault(text: str) -> None:
    assert isinstance(read_key("k", text), SharedKey | PublicKey | KeyFault)
