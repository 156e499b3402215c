"""What an approval is bound to: the same content has the same bytes, and any other has others."""

import hashlib
import json
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.approval.content import (
    MISSING,
    Change,
    ContentError,
    FieldChange,
    Fingerprint,
    FingerprintError,
    How,
    canonical,
    digest,
    field_changes,
    fingerprint,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "ü", "z/~"]), inner, max_size=3),
    max_leaves=8,
)
VARIANTS = st.dictionaries(st.sampled_from(["subject", "text", "links", "é"]), VALUES, max_size=4)
CONTENTS = st.dictionaries(st.sampled_from(["en", "fr", "ar", "x/en", "linkedin/zh"]), VARIANTS, min_size=1, max_size=4)


def test_canonical_bytes_are_the_written_form() -> None:
    variant = {"text": "Cafe\u0301 “été” \n", "subject": "A/B", "count": 3, "links": ({"b": None, "a": True},)}
    expected = '{"count":3,"links":[{"a":true,"b":null}],"subject":"A/B","text":"Café “été” \\n"}'
    assert canonical(variant) == expected.encode()
    assert digest(variant) == hashlib.sha256(expected.encode()).hexdigest()


def test_whole_is_the_hash_of_names_and_hashes() -> None:
    one, other = digest({"text": "a"}), digest({"text": "b"})
    found = fingerprint({"x/fr": {"text": "b"}, "en": {"text": "a"}})
    assert found.whole == hashlib.sha256(f'{{"en":"{one}","x/fr":"{other}"}}'.encode()).hexdigest()


@given(VARIANTS)
def test_order_of_keys_and_form_of_texts_do_not_matter(variant: dict[str, Any]) -> None:
    def rewritten(value: Any) -> Any:
        if isinstance(value, str):
            return unicodedata.normalize("NFD", value)
        if isinstance(value, dict):
            return {rewritten(key): rewritten(one) for key, one in reversed(value.items())}
        return tuple(map(rewritten, value)) if isinstance(value, list) else value

    assert canonical(rewritten(variant)) == canonical(variant)


@given(VARIANTS, VARIANTS)
def test_two_variants_have_one_hash_only_where_they_say_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (digest(one) == digest(other)) is (field_changes(one, other) == ())


@given(VARIANTS)
def test_canonical_bytes_can_be_read_back(variant: dict[str, Any]) -> None:
    assert field_changes(json.loads(canonical(variant)), variant) == ()


@given(CONTENTS, st.data())
def test_one_comma_more_in_any_text_is_another_whole(content: dict[str, dict[str, Any]], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(content)))
    before = str(content[name].get("text"))
    content[name]["text"] = before
    place = data.draw(st.integers(0, len(before)))
    changed = {**content, name: {**content[name], "text": f"{before[:place]},{before[place:]}"}}
    found = fingerprint(content).changes_to(fingerprint(changed))
    assert found == (Change(variant=name, how=How.CHANGED),)
    assert fingerprint(content).whole != fingerprint(changed).whole


@given(CONTENTS, CONTENTS)
def test_changes_are_empty_where_the_wholes_are_equal_and_only_there(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (fingerprint(one).changes_to(fingerprint(other)) == ()) is (fingerprint(one).whole == fingerprint(other).whole)


def test_texts_that_change_places_are_another_whole() -> None:
    one, other = {"text": "a"}, {"text": "b"}
    assert fingerprint({"en": one, "fr": other}).whole != fingerprint({"en": other, "fr": one}).whole
    assert fingerprint({"x/en": one}).whole != fingerprint({"en": one}).whole


def test_changes_say_which_variants_came_went_and_changed() -> None:
    before = fingerprint({"en": {"text": "a"}, "fr": {"text": "a"}, "ar": {"text": "a"}})
    after = fingerprint({"en": {"text": "a"}, "fr": {"text": "a,"}, "es": {"text": "a"}})
    assert before.changes_to(after) == (
        Change(variant="ar", how=How.REMOVED),
        Change(variant="es", how=How.ADDED),
        Change(variant="fr", how=How.CHANGED),
    )


def test_field_changes_name_the_place_and_both_values() -> None:
    before = {"subject": "a", "blocks": [{"text": "one"}, {"text": "two"}], "gone/~": 1, "same": True}
    after = {"subject": "b", "blocks": [{"text": "one"}, {"text": "2"}, {"text": "three"}], "same": 1}
    assert field_changes(before, after) == (
        FieldChange(pointer="/blocks/1/text", before="two", after="2"),
        FieldChange(pointer="/blocks/2", before=MISSING, after={"text": "three"}),
        FieldChange(pointer="/gone~1~0", before=1, after=MISSING),
        FieldChange(pointer="/same", before=True, after=1),
        FieldChange(pointer="/subject", before="a", after="b"),
    )


@given(CONTENTS)
def test_what_a_form_sends_back_is_what_the_page_gave(content: dict[str, Any]) -> None:
    found = fingerprint(content)
    assert Fingerprint.parse(found.text) == found
    assert Fingerprint.parse(found.text).whole == found.whole


GOOD = "en:" + "a" * 64


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("a" * 64, id="hash of the whole alone"),
        pytest.param(GOOD.upper(), id="upper case"),
        pytest.param(GOOD[:-1], id="a digit short"),
        pytest.param(f"{GOOD} {GOOD}", id="the same variant twice"),
        pytest.param(f"{GOOD}  fr:{'b' * 64}", id="two spaces"),
        pytest.param(f"{GOOD}\n", id="line end"),
        pytest.param(f"x/y/{GOOD}", id="no variant"),
        pytest.param(" ".join(f"{chr(97 + n // 26)}{chr(97 + n % 26)}/{GOOD}" for n in range(100)), id="far too many"),
    ],
)
def test_what_no_page_gave_is_refused(text: str) -> None:
    with pytest.raises(FingerprintError, match="read the item again"):
        Fingerprint.parse(text)


@pytest.mark.parametrize(
    ("variant", "place"),
    [
        pytest.param({"price": 1.0}, "/price is a float", id="float"),
        pytest.param({"price": Decimal("1.0")}, "/price is a Decimal", id="decimal"),
        pytest.param({"at": datetime(2026, 6, 16, tzinfo=UTC)}, "/at is a datetime", id="moment"),
        pytest.param({"files": [b"abc"]}, "/files/0 is a bytes", id="bytes"),
        pytest.param({"tags": {"a"}}, "/tags is a set", id="set"),
        pytest.param({"text": "\ud83d"}, "/text holds half a character", id="half an emoji"),
        pytest.param({"a/b": {1: "x"}}, "/a~1b has a key that is a int", id="key that is no text"),
        pytest.param({"Caf\u00e9": 1, "Cafe\u0301": 2}, "/Café stands there twice", id="one key written in two ways"),
    ],
)
def test_what_has_no_one_form_is_refused_with_its_place(variant: dict[Any, Any], place: str) -> None:
    with pytest.raises(ContentError, match=place):
        canonical(variant)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param({}, "nothing to approve", id="empty"),
        pytest.param({"de": {}}, "'de' names no variant", id="language that content has not"),
        pytest.param({"X/en": {}}, "'X/en' names no variant", id="network in upper case"),
        pytest.param({"x/en/2": {}}, "'x/en/2' names no variant", id="a part too many"),
    ],
)
def test_content_without_proper_variants_is_refused(content: dict[str, Any], words: str) -> None:
    with pytest.raises(ContentError, match=words):
        fingerprint(content)
