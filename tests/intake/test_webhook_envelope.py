"""Whatever dialect a partner speaks, the same event comes out, or every fault of it by its place."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.webhooks.envelope import Dialect, Envelope, read, read_moment, unknown_type
from services.intake.webhooks.problem import Reason, Refusal
from shared.events.kinds.faults import FaultCode
from tests.intake.webhook_sender import EVENT, NOW, body_of, everything_said, signed, verified, with_header

DATA = EVENT["data"]
CLOUDEVENT = {
    "specversion": "1.0",
    "id": "practice/17",
    "source": "https://example.org/practices",
    "type": "practice.submitted",
    "time": "2026-11-22T09:59:00+01:00",
    "datacontenttype": "application/json; charset=UTF-8",
    "data": DATA,
}
CE_HEADERS = {
    "ce-specversion": "1.0",
    "ce-id": "practice/17",
    "ce-source": "https://example.org/practices",
    "ce-type": "practice.submitted",
    "ce-time": "2026-11-22T09:59:00+01:00",
}
HAPPENED = datetime(2026, 11, 22, 8, 59, tzinfo=UTC)


def send(body: bytes, content_type: str = "application/json", **headers: str) -> Envelope | Refusal:
    made = signed(body, content_type=content_type, extra={name.replace("_", "-"): value for name, value in headers.items()})
    return read(headers=made, body=body, verified=verified(made, body))


def send_headers(headers: list[tuple[bytes, bytes]], body: bytes) -> Envelope | Refusal:
    return read(headers=headers, body=body, verified=verified(signed(body), body))


def got(result: Envelope | Refusal) -> Envelope:
    assert isinstance(result, Envelope), result
    return result


def refused(result: Envelope | Refusal) -> Refusal:
    assert isinstance(result, Refusal), result
    return result


def structured(**changes: object) -> Envelope | Refusal:
    return send(body_of({**CLOUDEVENT, **changes}), "application/cloudevents+json")


def binary(changes: Mapping[str, str | None] | None = None, *, body: bytes = b"") -> Envelope | Refusal:
    headers = {**CE_HEADERS, **{f"ce-{name}": value for name, value in (changes or {}).items()}}
    return send(body or body_of(DATA), **{name: value for name, value in headers.items() if value is not None})


# Three dialects


def test_reads_a_standard_webhook() -> None:
    envelope = got(send(body_of(EVENT)))
    assert envelope.id == "msg_1"
    assert envelope.type == "practice.submitted"
    assert envelope.occurred_at == HAPPENED
    assert envelope.data == DATA
    assert envelope.dialect is Dialect.STANDARD_WEBHOOKS
    assert (envelope.source, envelope.event_id, envelope.data_pointer, envelope.unread) == ("", "", "/data", ())


def test_reads_a_structured_cloudevent() -> None:
    envelope = got(structured(subject="17", traceparent="00-x"))
    assert envelope.id == "msg_1"
    assert (envelope.event_id, envelope.source) == ("practice/17", "https://example.org/practices")
    assert (envelope.type, envelope.occurred_at, envelope.data) == ("practice.submitted", HAPPENED, DATA)
    assert envelope.dialect is Dialect.CLOUDEVENTS_STRUCTURED
    assert (envelope.data_pointer, envelope.unread) == ("/data", ("traceparent",))


def test_reads_a_binary_cloudevent() -> None:
    envelope = got(binary({"subject": "17", "sequence": "4"}))
    assert envelope.id == "msg_1"
    assert (envelope.event_id, envelope.source) == ("practice/17", "https://example.org/practices")
    assert (envelope.type, envelope.occurred_at, envelope.data) == ("practice.submitted", HAPPENED, DATA)
    assert envelope.dialect is Dialect.CLOUDEVENTS_BINARY
    assert (envelope.data_pointer, envelope.unread) == ("", ("sequence",))


def test_a_cloudevent_without_a_time_happened_when_it_was_signed() -> None:
    for envelope in (got(structured(time=None)), got(binary({"time": None}))):
        assert envelope.occurred_at == NOW


def test_structured_mode_wins_over_headers_that_repeat_it() -> None:
    body = body_of(CLOUDEVENT)
    envelope = got(send(body, "application/cloudevents+json; charset=utf-8", **CE_HEADERS))
    assert envelope.dialect is Dialect.CLOUDEVENTS_STRUCTURED


def test_unknown_members_are_named_and_do_no_harm() -> None:
    assert got(send(body_of({**EVENT, "version": 2, "retry": True}))).unread == ("retry", "version")
    many = got(send(body_of({**EVENT, **{f"{number:03}" + "x" * 1000: 0 for number in range(100)}, "!jane@example.org": 0}))).unread
    assert many[:2] == ("!jane…", "000" + "x" * 61 + "…")
    assert len(many) == 20


# Header values of binary mode


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Euro%20%E2%82%AC%20%f0%9f%98%80", "Euro € 😀"),
        ('"two words"', "two words"),
        ('"a \\"quoted\\" word"', 'a "quoted" word'),
        ("%41%2525", "A%25"),
        ("100%", "100%"),
    ],
)
def test_header_values_are_unquoted_and_decoded_once(value: str, text: str) -> None:
    assert got(binary({"id": value})).event_id == text


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("id", None, Reason.CLOUDEVENT_HEADER_MISSING),
        ("source", None, Reason.CLOUDEVENT_HEADER_MISSING),
        ("type", None, Reason.CLOUDEVENT_HEADER_MISSING),
        ("specversion", None, Reason.CLOUDEVENT_HEADER_MISSING),
        ("specversion", "0.3", Reason.CLOUDEVENT_HEADER_MALFORMED),
        ("id", "%C0%A0", Reason.CLOUDEVENT_HEADER_MALFORMED),
        ("id", "%00", Reason.CLOUDEVENT_HEADER_MALFORMED),
        ("id", "naïve", Reason.CLOUDEVENT_HEADER_MALFORMED),
        ("id", "x" * 1025, Reason.CLOUDEVENT_HEADER_MALFORMED),
        ("source", "", Reason.CLOUDEVENT_HEADER_MALFORMED),
        ("type", "practice submitted", Reason.CLOUDEVENT_HEADER_MALFORMED),
        ("time", "yesterday", Reason.CLOUDEVENT_HEADER_MALFORMED),
        ("time", "2026-11-22T09:59:00", Reason.CLOUDEVENT_HEADER_MALFORMED),
    ],
)
def test_a_wrong_cloudevents_header_is_named(name: str, value: str | None, reason: Reason) -> None:
    refusal = refused(binary({name: value}))
    assert (refusal.reason, refusal.params, refusal.status) == (reason, {"header": f"ce-{name}"}, 400)


def test_a_cloudevents_header_given_twice_is_refused() -> None:
    body = body_of(DATA)
    headers = [*signed(body, extra=CE_HEADERS), (b"CE-Type", b"talk.requested")]
    assert refused(send_headers(headers, body)).params == {"header": "ce-type"}


def test_a_header_cannot_stand_in_for_the_data() -> None:
    assert got(binary({"data": "x"})).data == DATA


# What the id stands for


def test_a_retry_has_the_fingerprint_of_the_first_try_and_other_content_has_not() -> None:
    for first, again, other in (
        (send(body_of(EVENT)), send(body_of(EVENT)), send(body_of({**EVENT, "timestamp": "2026-11-22T08:59:01Z"}))),
        (structured(), structured(), structured(id="practice/18")),
        (binary(), binary(), binary({"type": "talk.requested"})),
        (binary(), binary(), binary({"id": "practice/18"})),
        (binary(), binary(), binary(body=b'{"title": {}}')),
    ):
        assert got(first).fingerprint == got(again).fingerprint != got(other).fingerprint


# Faults by their place

STANDARD_FAULTS: list[tuple[str, object, list[tuple[str, str]]]] = [
    ("a list", [], [("", "not-an-object")]),
    ("a text", "hello", [("", "not-an-object")]),
    ("null", None, [("", "not-an-object")]),
    ("nothing in it", {}, [("/type", "missing"), ("/timestamp", "missing"), ("/data", "missing")]),
    ("nulls", {"type": None, "timestamp": None, "data": None}, [("/type", "missing"), ("/timestamp", "missing"), ("/data", "missing")]),
    ("a type that is a number", {**EVENT, "type": 7}, [("/type", "not-text")]),
    ("an empty type", {**EVENT, "type": ""}, [("/type", "too-short")]),
    ("a type with a space", {**EVENT, "type": "practice submitted"}, [("/type", "pattern")]),
    ("a type without end", {**EVENT, "type": "a" * 129}, [("/type", "too-long")]),
    ("a line end in the type", {**EVENT, "type": "practice.submitted\n"}, [("/type", "wrong")]),
    ("data that is a list", {**EVENT, "data": [DATA]}, [("/data", "not-an-object")]),
    ("a time without zone", {**EVENT, "timestamp": "2026-11-22T08:59:00"}, [("/timestamp", "no-zone")]),
    ("a time that is a number", {**EVENT, "timestamp": 1795338000}, [("/timestamp", "not-a-moment")]),
    ("a date", {**EVENT, "timestamp": "2026-11-22"}, [("/timestamp", "not-a-moment")]),
    ("a day that never was", {**EVENT, "timestamp": "2026-02-30T00:00:00Z"}, [("/timestamp", "not-a-moment")]),
]


@pytest.mark.parametrize(("body", "faults"), [row[1:] for row in STANDARD_FAULTS], ids=[row[0] for row in STANDARD_FAULTS])
def test_an_envelope_that_does_not_fit_is_refused_with_every_place(body: object, faults: list[tuple[str, str]]) -> None:
    refusal = refused(send(body_of(body)))
    assert refusal.status == 422
    assert [(fault.pointer, fault.code) for fault in refusal.faults] == faults


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("specversion", "0.3", "not-one-of"),
        ("specversion", 1.0, "not-text"),
        ("specversion", None, "missing"),
        ("id", None, "missing"),
        ("id", "", "too-short"),
        ("source", 5, "not-text"),
        ("type", None, "missing"),
        ("time", "2026-11-22T08:59:00", "no-zone"),
        ("datacontenttype", "text/xml", "not-one-of"),
        ("datacontenttype", 5, "not-one-of"),
        ("data_base64", "e30=", "unexpected"),
        ("data", "text", "not-an-object"),
    ],
)
def test_a_structured_cloudevent_that_does_not_fit_is_refused_with_its_place(name: str, value: object, code: str) -> None:
    refusal = refused(structured(**{name: value}))
    assert refusal.status == 422
    assert [(fault.pointer, fault.code) for fault in refusal.faults] == [(f"/{name}", code)]


def test_an_unknown_type_is_refused_with_those_that_are_known() -> None:
    known = ["practice.submitted", "talk.requested"]
    for envelope, place in (
        (got(send(body_of(EVENT))), {"in": "body", "pointer": "/type"}),
        (got(binary()), {"in": "header", "pointer": "/ce-type"}),
    ):
        refusal = unknown_type(envelope, known)
        assert refusal.status == 422
        assert refusal.faults[0].params == {"expected": "practice.submitted, talk.requested"}
        assert place.items() <= refusal.faults[0].document(lambda key, _: key).items()


# Media types

MEDIA: list[tuple[str, str | None, Reason | None]] = [
    ("plain", "application/json", None),
    ("with charset", "application/json; charset=utf-8", None),
    ("charset in capitals and marks", 'Application/JSON;CHARSET="UTF-8"', None),
    ("another parameter", "application/json; profile=x", None),
    ("none", None, Reason.MEDIA_TYPE_MISSING),
    ("empty", "", Reason.MEDIA_TYPE_MISSING),
    ("a form", "application/x-www-form-urlencoded", Reason.MEDIA_TYPE_UNSUPPORTED),
    ("text", "text/plain", Reason.MEDIA_TYPE_UNSUPPORTED),
    ("XML events", "application/cloudevents+xml", Reason.MEDIA_TYPE_UNSUPPORTED),
    ("a batch", "application/cloudevents-batch+json", Reason.BATCH_UNSUPPORTED),
    ("another charset", "application/json; charset=iso-8859-1", Reason.CHARSET_UNSUPPORTED),
    ("not a media type", "json", Reason.MEDIA_TYPE_UNSUPPORTED),
    ("two", "application/json, text/plain", Reason.MEDIA_TYPE_UNSUPPORTED),
    ("semicolons without end", "application/json" + " ;" * 90 + "=", Reason.MEDIA_TYPE_UNSUPPORTED),
    ("a parameter without end", "application/json; profile=" + "x" * 200, Reason.MEDIA_TYPE_UNSUPPORTED),
    ("not ASCII", "application/jsön", Reason.MEDIA_TYPE_UNSUPPORTED),
]


@pytest.mark.parametrize(("content_type", "reason"), [row[1:] for row in MEDIA], ids=[row[0] for row in MEDIA])
def test_only_json_in_utf8_is_taken(content_type: str | None, reason: Reason | None) -> None:
    body = body_of(EVENT)
    value = None if content_type is None else content_type.encode()
    result = send_headers(with_header(signed(body), "content-type", value), body)
    if reason is None:
        got(result)
    else:
        refusal = refused(result)
        assert (refusal.reason, refusal.status) == (reason, 415)
        assert "application/json" in refusal.headers["Accept"]


def test_a_compressed_body_is_refused_before_it_is_read() -> None:
    assert refused(send(b"\x1f\x8b", content_encoding="gzip")).reason is Reason.ENCODING_UNSUPPORTED
    got(send(body_of(EVENT), content_encoding="identity"))


# Moments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-06-16T09:00:00Z", datetime(2026, 6, 16, 9, tzinfo=UTC)),
        ("2026-06-16t09:00:00z", datetime(2026, 6, 16, 9, tzinfo=UTC)),
        ("2026-06-16 09:00:00.5+02:00", datetime(2026, 6, 16, 7, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-06-16T09:00:00.123456789-00:00", datetime(2026, 6, 16, 9, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-06-16T09:00:00", FaultCode.NO_ZONE),
        ("2026-06-16T09:00Z", FaultCode.NOT_A_MOMENT),
        ("2026-W25-2T09:00:00Z", FaultCode.NOT_A_MOMENT),
        ("2026-06-16T09:00:00,5Z", FaultCode.NOT_A_MOMENT),
        ("2026-06-16T09:00:00+0200", FaultCode.NOT_A_MOMENT),
        ("2026-06-16T09:00:60Z", FaultCode.NOT_A_MOMENT),
        ("2026-06-16T24:00:00Z", FaultCode.NOT_A_MOMENT),
        ("2026-06-16T09:00:00+99:00", FaultCode.NOT_A_MOMENT),
        ("0000-01-01T00:00:00Z", FaultCode.NOT_A_MOMENT),
        ("0001-01-01T00:00:00+14:00", FaultCode.NOT_A_MOMENT),
        ("9999-12-31T23:59:59-14:00", FaultCode.NOT_A_MOMENT),
        ("２026-06-16T09:00:00Z", FaultCode.NOT_A_MOMENT),
        ("2026-06-16T09:00:00Z\n", FaultCode.NOT_A_MOMENT),
        ("", FaultCode.NOT_A_MOMENT),
    ],
)
def test_a_moment_is_read_with_its_zone_or_refused(text: str, expected: datetime | FaultCode) -> None:
    assert read_moment(text) == expected


@given(moment=st.datetimes(timezones=st.timezones()), extra=st.text(max_size=3))
@settings(deadline=None)
def test_any_moment_is_utc_or_a_fault(moment: datetime, extra: str) -> None:
    read_back = read_moment(moment.isoformat() + extra)
    assert isinstance(read_back, FaultCode) or read_back.utcoffset() == timedelta(0)


# Whatever comes

NAMES = st.sampled_from(
    ["content-type", "content-encoding", "ce-id", "ce-type", "CE-Source", "ce-specversion", "ce-time", "ce-data", "ce-é"]
)
HEADERS = st.lists(st.tuples(NAMES.map(str.encode), st.binary(max_size=40)), max_size=8)
MEMBERS = st.sampled_from(["type", "timestamp", "data", "specversion", "id", "source", "time", "data_base64", "datacontenttype", "x\0"])
LEAVES: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, -1.5, "", "1.0", "practice.submitted", "2026-11-22T08:59:00Z", "\ud800", "\0", 10**40, [], {}]
)
OBJECTS = st.dictionaries(MEMBERS, st.one_of(LEAVES, st.lists(LEAVES, max_size=2), st.dictionaries(MEMBERS, LEAVES, max_size=3)))
BODIES = st.one_of(st.binary(max_size=60), OBJECTS.map(lambda value: json.dumps(value).encode()))
MEDIA_TYPES = st.sampled_from([b"application/json", b"application/cloudevents+json"])


@given(headers=HEADERS, body=BODIES, media=st.one_of(st.none(), MEDIA_TYPES))
@settings(deadline=None, max_examples=800)
def test_any_headers_and_any_body_end_in_an_envelope_or_a_typed_refusal(
    headers: list[tuple[bytes, bytes]], body: bytes, media: bytes | None
) -> None:
    if media:
        headers = [(b"content-type", media), *(pair for pair in headers if pair[0] != b"content-type")]
    result = send_headers(headers, body)
    if isinstance(result, Refusal):
        assert result.status in {400, 415, 422}
        everything_said(result).encode("utf-8")
    else:
        assert result.type
        assert result.occurred_at.utcoffset() == timedelta(0)
