"""A body is read as strictly as what comes after it needs, and no body costs more than its length."""

import json
import math
import time

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.webhooks.body import MAX_BODY_BYTES, MAX_DEPTH, check_size, is_deeper, read_json
from services.intake.webhooks.problem import Reason, Refusal

DEEP = 100_000

UNREADABLE: list[tuple[str, bytes, Reason, dict[str, object]]] = [
    ("nothing", b"", Reason.BODY_EMPTY, {}),
    ("space", b" \r\n\t ", Reason.BODY_EMPTY, {}),
    ("Latin-1", '{"title": "Médiation"}'.encode("latin-1"), Reason.BODY_NOT_UTF8, {"offset": 12}),
    ("UTF-16", '{"a": 1}'.encode("utf-16"), Reason.BODY_NOT_UTF8, {"offset": 0}),
    ("an overlong character", b'{"a": "\xc0\x80"}', Reason.BODY_NOT_UTF8, {"offset": 7}),
    ("a surrogate in UTF-8", b'{"a": "\xed\xa0\x80"}', Reason.BODY_NOT_UTF8, {"offset": 7}),
    ("a byte order mark", b'\xef\xbb\xbf{"a": 1}', Reason.BODY_STARTS_WITH_BOM, {}),
    ("not JSON", b"type=practice.submitted", Reason.JSON_UNREADABLE, {"line": 1, "column": 1}),
    ("cut off", b'{"a":\n  [1, 2', Reason.JSON_UNREADABLE, {"line": 2, "column": 8}),
    ("something after the end", b'{"a": 1} x', Reason.JSON_UNREADABLE, {"line": 1, "column": 10}),
    ("two bodies", b"{}{}", Reason.JSON_UNREADABLE, {"line": 1, "column": 3}),
    ("single quotation marks", b"{'a': 1}", Reason.JSON_UNREADABLE, {"line": 1, "column": 2}),
    ("a comma too many", b'{"a": [1,]}', Reason.JSON_UNREADABLE, {"line": 1, "column": 10}),
    ("a comment", b'{"a": 1} // yes', Reason.JSON_UNREADABLE, {"line": 1, "column": 10}),
    ("a line end in a text", b'{"a": "b\nc"}', Reason.JSON_UNREADABLE, {"line": 1, "column": 9}),
    ("a null byte in a text", b'{"a": "b\x00c"}', Reason.JSON_UNREADABLE, {"line": 1, "column": 9}),
    ("a null byte", b"\x00", Reason.JSON_UNREADABLE, {"line": 1, "column": 1}),
    ("an unknown escape", b'{"a": "\\x41"}', Reason.JSON_UNREADABLE, {"line": 1, "column": 8}),
    ("a leading zero", b'{"a": 01}', Reason.JSON_UNREADABLE, {"line": 1, "column": 8}),
    ("NaN", b'{"a": [NaN]}', Reason.JSON_NOT_A_NUMBER, {"pointer": "/a/0"}),
    ("minus infinity", b'{"a": -Infinity}', Reason.JSON_NOT_A_NUMBER, {"pointer": "/a"}),
    ("a name given twice", b'{"a": {"b": 1, "c": 2, "b": 1}}', Reason.JSON_NAME_REPEATED, {"pointer": "/a/b"}),
    ("a name given twice by an escape", b'{"a": 1, "\\u0061": 2}', Reason.JSON_NAME_REPEATED, {"pointer": "/a"}),
    ("an integer above 64 bits", b'{"a": 9223372036854775808}', Reason.JSON_NUMBER_OUT_OF_RANGE, {"pointer": "/a"}),
    ("an integer of 200,000 digits", b"[" + b"9" * 200_000 + b"]", Reason.JSON_NUMBER_OUT_OF_RANGE, {"pointer": "/0"}),
    ("a fraction of 200,000 digits", b"[0." + b"9" * 200_000 + b"]", Reason.JSON_NUMBER_OUT_OF_RANGE, {"pointer": "/0"}),
    ("a number beyond a double", b'{"a/b": 1e999}', Reason.JSON_NUMBER_OUT_OF_RANGE, {"pointer": "/a~1b"}),
    ("half a character", b'{"a": "\\ud83d"}', Reason.JSON_LONE_SURROGATE, {"pointer": "/a"}),
    ("halves in the wrong order", b'{"a": ["\\udc00\\ud800"]}', Reason.JSON_LONE_SURROGATE, {"pointer": "/a/0"}),
    ("half a character in a name", b'{"\\ud83d": 1}', Reason.JSON_LONE_SURROGATE, {"pointer": "/\ufffd"}),
    ("U+0000", b'{"a": {"b": "x\\u0000"}}', Reason.JSON_NULL_CHARACTER, {"pointer": "/a/b"}),
    ("U+0000 in a name", b'{"x\\u0000": 1}', Reason.JSON_NULL_CHARACTER, {"pointer": "/x\ufffd"}),
    ("lists without end", b"[" * DEEP, Reason.JSON_TOO_DEEP, {"max": 32}),
    ("objects without end", b'{"a":' * 40_000, Reason.JSON_TOO_DEEP, {"max": 32}),
    ("deep and closed", b"[" * DEEP + b"]" * DEEP, Reason.JSON_TOO_DEEP, {"max": 32}),
    ("deep behind an escaped quotation mark", b'["\\"",' + b"[" * DEEP, Reason.JSON_TOO_DEEP, {"max": 32}),
    ("256 KiB and one byte", b'"' + b"a" * (MAX_BODY_BYTES - 1) + b'"', Reason.TOO_LARGE, {"n": 262_144}),
    ("1 MiB", b" " * 1_048_576, Reason.TOO_LARGE, {"n": 262_144}),
]


@pytest.mark.parametrize(("body", "reason", "params"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
def test_an_unreadable_body_is_refused_with_its_place(body: bytes, reason: Reason, params: dict[str, object]) -> None:
    refusal = read_json(body)
    assert isinstance(refusal, Refusal), refusal
    assert refusal.reason is reason
    assert refusal.params == params
    assert refusal.status == (413 if reason is Reason.TOO_LARGE else 400)


READABLE: list[tuple[str, bytes, object]] = [
    ("every kind of value", b'{"a": [1, -2.5, 1e3, true, false, null, "b"]}', {"a": [1, -2.5, 1000.0, True, False, None, "b"]}),
    ("space around", b"\r\n {} \n", {}),
    ("every language", '{"a": "تجربة 经验 опыт"}'.encode(), {"a": "تجربة 经验 опыт"}),
    ("a whole pair of halves", b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
    ("an escaped backslash before a u", b'{"a": "\\\\u0000"}', {"a": "\\u0000"}),
    ("the largest integers", b"[9223372036854775807, -9223372036854775807]", [9223372036854775807, -9223372036854775807]),
    ("a double in full", b"[0.1000000000000000055511151231257827021181583404541015625]", [0.1]),
    ("brackets in a text", json.dumps(["[" * 1000]).encode(), ["[" * 1000]),
    ("brackets behind an escaped quotation mark", json.dumps(['"' + "[" * 1000]).encode(), ['"' + "[" * 1000]),
    ("many, side by side", b"[" + b"[]," * 1000 + b"[]]", [[] for _ in range(1001)]),
    ("the same name in two objects", b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
    ("a bare value", b'"text"', "text"),
]


@pytest.mark.parametrize(("body", "value"), [row[1:] for row in READABLE], ids=[row[0] for row in READABLE])
def test_a_readable_body_comes_out_as_it_was(body: bytes, value: object) -> None:
    assert read_json(body) == value


def test_the_cap_on_depth_is_exact_and_can_be_set() -> None:
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert isinstance(read_json(deepest), list)
    assert isinstance(read_json(b"[" + deepest + b"]"), Refusal)
    assert isinstance(read_json(b"[[[]]]", max_depth=2), Refusal)
    assert read_json(b"[[],[]]", max_depth=2) == [[], []]


def test_the_cap_on_size_is_exact() -> None:
    assert check_size(MAX_BODY_BYTES) is None
    assert check_size(MAX_BODY_BYTES + 1) is not None
    assert read_json(b'"' + b"a" * (MAX_BODY_BYTES - 2) + b'"') == "a" * (MAX_BODY_BYTES - 2)


MANY = b"[" + b"[]," * MAX_DEPTH  # enough brackets that the depth must be counted
COSTLY = [
    ("escaped quotation marks without an end", MANY + b'"' + b'\\"' * 130_900),
    ("quotation marks", MANY + b'"' * 262_000),
    ("backslashes", MANY + b'"' + b"\\" * 262_000),
    ("objects side by side", b"[" + b"{}," * 87_000 + b"{}]"),
    ("brackets in and out", b"[" + b"[[]]," * 52_000 + b"[]]"),
    ("names", b"{" + b",".join(b'"%d":0' % number for number in range(25_000)) + b"}"),
    ("digits", b"1" * 262_000),
    ("a surrogate at the end", b'["' + b"a" * 260_000 + b'\\ud800"]'),
]


@pytest.mark.parametrize("body", [row[1] for row in COSTLY], ids=[row[0] for row in COSTLY])
def test_no_body_takes_more_than_its_length(body: bytes) -> None:
    started = time.process_time()
    read_json(body)
    assert time.process_time() - started < 2  # seconds; linear takes under a tenth, quadratic takes minutes


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner),
    max_leaves=20,
)


@given(value=VALUES, ascii_only=st.booleans())
@settings(deadline=None)
def test_every_json_value_survives(value: object, ascii_only: bool) -> None:
    read = read_json(json.dumps(value, ensure_ascii=ascii_only).encode())
    if depth_of(value) > MAX_DEPTH:
        assert isinstance(read, Refusal)
    else:
        assert read == value


BRICKS = [b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b'"a"', b'"b":', b"1", b"-", b"0", b"1e9", b"1e400", b".5", b"9" * 30]
ODDITIES = [b"NaN", b"null", b"\\u0000", b"\\ud800", b"\\udc00", b"\xff", b"\xc3\xa9", b" ", b"\n", b"\x00", b"\xef\xbb\xbf"]
PIECES = st.lists(st.sampled_from([*BRICKS, *ODDITIES]), max_size=30).map(b"".join)


@given(body=st.one_of(PIECES, st.binary(max_size=60)))
@settings(deadline=None, max_examples=1500)
def test_whatever_is_accepted_an_independent_reader_accepts_alike(body: bytes) -> None:
    value = read_json(body)
    if isinstance(value, Refusal):
        assert value.status == 400
        return
    assert orjson.loads(body) == value
    # What was read can be written again, by the writer that the outbox uses, and by PostgreSQL.
    assert b"\\u0000" not in orjson.dumps(value)


@given(value=VALUES, limit=st.integers(1, 6))
@settings(deadline=None)
def test_depth_is_counted_as_a_recursive_count_would(value: object, limit: int) -> None:
    assert is_deeper(json.dumps(value).encode(), limit) == (depth_of(value) > limit)


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


def test_numbers_come_out_as_numbers() -> None:
    value = read_json(b"[1, 1.0, 1e-400]")
    assert isinstance(value, list)
    assert [type(number) for number in value] == [int, float, float]
    assert not any(math.isinf(number) for number in value)
