"""Each kind that can be submitted asks for what its rules need, refuses the rest, and keeps the contact person apart."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError, create_model

from shared.events.base import Audience, Public
from shared.events.intake import SubmissionReceived
from shared.events.kinds import KINDS, KINDS_BY_TYPE
from shared.events.kinds.faults import of_validation
from shared.events.kinds.parts import SYNTHETIC, UNKNOWN_CONTACT, Submission
from shared.events.kinds.pledge import LONGEST_DESCRIPTION, SHORTEST_DESCRIPTION

EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
GONE = object()  # stands for a field that is not sent


def sent(kind: str, /, **changes: Any) -> dict[str, Any]:
    fields = {**KINDS[kind].example, **changes}
    return {name: value for name, value in fields.items() if value is not GONE}


def faults(kind: str, /, **changes: Any) -> list[tuple[str, str]]:
    data = sent(kind, **changes)
    try:
        KINDS[kind].model_validate(data)
    except ValidationError as error:
        return [(fault.pointer, fault.code) for fault in of_validation(error.errors(), data, root="")]
    return []


def test_the_kinds_at_the_door_are_the_agreed_ones() -> None:
    reviewed = {event_type: (model.kind_name, str(model.reviewed_by)) for event_type, model in KINDS_BY_TYPE.items()}
    assert reviewed == {
        "practice.submitted": ("practice", "intake"),
        "talk.requested": ("talk", "intake"),
        "pledge.submitted": ("pledge", "pledges"),
        "date.suggested": ("date", "calendar"),
        "news.submitted": ("news", "intake"),
        "contribution.submitted": ("contribution", "intake"),
        "promotion.requested": ("promotion", "intake"),
        "enquiry.asked": ("enquiry", "intake"),
    }


@EVERY_KIND
def test_the_example_is_accepted_as_objects_and_as_json(kind: type[Submission]) -> None:
    from_json = kind.model_validate_json(json.dumps(kind.example))
    assert kind.model_validate(dict(kind.example)) == from_json
    assert kind.model_validate_json(from_json.model_dump_json()) == from_json


@EVERY_KIND
def test_the_example_fits_the_schema_that_the_catalogue_shows(kind: type[Submission]) -> None:
    schema = kind.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(dict(kind.example), schema, cls=jsonschema.Draft202012Validator)
    assert schema["examples"] == [dict(kind.example)]


@EVERY_KIND
def test_every_field_can_label_a_form(kind: type[Submission]) -> None:
    shown = kind.model_json_schema()["properties"]
    assert list(shown) == list(kind.fields_in_order())
    assert set(shown) == set(kind.model_fields)
    assert list(shown)[-2:] == ["remarks", "contact"]
    for name, field in kind.model_fields.items():
        assert shown[name]["title"] == field.title, name
        assert shown[name]["description"].endswith("."), name
        assert field.examples, name
        for example in field.examples or ():
            create_model("One", only=(field.rebuild_annotation(), ...)).model_validate({"only": example})


@EVERY_KIND
def test_every_field_is_marked_and_only_the_contact_is_personal(kind: type[Submission]) -> None:
    shown = kind.model_json_schema()["properties"]
    audiences = {name: kind.audience_of(name) for name in kind.model_fields}
    assert {name: shown[name]["x-audience"] for name in audiences} == audiences
    assert [name for name, audience in audiences.items() if audience is Audience.CONTACT] == ["contact"]
    assert audiences["remarks"] is Audience.INTERNAL
    assert audiences.get("title", Audience.PUBLIC) is Audience.PUBLIC


def test_a_kind_with_an_unmarked_field_cannot_be_made() -> None:
    with pytest.raises(TypeError, match=r"Careless\.telephone is not marked"):
        type("Careless", (Submission,), {"__annotations__": {"telephone": str}, "__module__": __name__})


@EVERY_KIND
def test_the_contact_person_is_split_off_and_nothing_is_lost(kind: type[Submission]) -> None:
    submission = kind.model_validate(dict(kind.example) | {"remarks": "For your eyes."})
    parts = submission.split()
    assert set(parts.contact) == {"contact"}
    assert parts.internal["remarks"] == "For your eyes."
    assert all(kind.audience_of(name) is Public for name in parts.public)
    assert kind.joined(parts) == submission


@EVERY_KIND
def test_what_is_told_of_a_submission_names_nobody(kind: type[Submission]) -> None:
    submission = kind.model_validate(dict(kind.example))
    parts = submission.split()
    event = SubmissionReceived.model_validate(
        {
            "kind": kind.kind_name,
            "reference": "T-7KQ4-M2",
            "language": submission.language,
            "channel": "webhook",
            "public": parts.public,
            "internal": parts.internal,
        }
    )
    told = event.model_dump_json()
    assert submission.contact
    assert submission.contact.name not in told
    assert submission.contact.mail not in told
    assert "@" not in told


def mappings_in(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        yield place
        for name, inner in value.items():
            yield from mappings_in(inner, (*place, name))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from mappings_in(inner, (*place, index))


@EVERY_KIND
def test_a_field_that_nobody_knows_is_refused_wherever_it_stands(kind: type[Submission]) -> None:
    places = list(mappings_in(dict(kind.example)))
    assert len(places) > 1
    for place in places:
        data = json.loads(json.dumps(kind.example))
        inner = data
        for step in place:
            inner = inner[step]
        inner["surprise"] = "x"
        with pytest.raises(ValidationError) as refused:
            kind.model_validate(data)
        pointers = {fault.pointer for fault in of_validation(refused.value.errors(), data, root="")}
        assert "/" + "/".join(map(str, (*place, "surprise"))) in pointers


RULES = [
    ("pledge", "the shortest description", {"description": {"en": "é" * SHORTEST_DESCRIPTION}}, None),
    ("pledge", "one character short", {"description": {"en": "é" * (SHORTEST_DESCRIPTION - 1)}}, ("/description/en", "too-short")),
    (
        "pledge",
        "short once accents are composed",
        {"description": {"en": unicodedata.normalize("NFD", "é" * (SHORTEST_DESCRIPTION - 1))}},
        ("/description/en", "too-short"),
    ),
    ("pledge", "the longest description", {"description": {"en": unicodedata.normalize("NFD", "é" * LONGEST_DESCRIPTION)}}, None),
    ("pledge", "one character long", {"description": {"en": "x" * (LONGEST_DESCRIPTION + 1)}}, ("/description/en", "too-long")),
    ("pledge", "a kind that does not exist", {"kinds": ["moral"]}, ("/kinds/0", "not-one-of")),
    ("pledge", "no kind", {"kinds": []}, ("/kinds", "too-few")),
    ("pledge", "a way that does not exist", {"way": "alone"}, ("/way", "not-one-of")),
    ("pledge", "money without its amount", {"kinds": ["financial"]}, ("/money", "financial-without-amount")),
    ("pledge", "money with its amount", {"kinds": ["policy", "financial"], "money": {"amount": "1.50", "currency": "EUR"}}, None),
    ("pledge", "an amount without money", {"money": {"amount": "1.50", "currency": "EUR"}}, ("/money", "amount-without-financial")),
    (
        "pledge",
        "an unknown currency",
        {"kinds": ["financial"], "money": {"amount": "1", "currency": "UDS"}},
        ("/money/currency", "unknown-currency"),
    ),
    (
        "pledge",
        "a number for an amount",
        {"kinds": ["financial"], "money": {"amount": 1.5, "currency": "EUR"}},
        ("/money/amount", "not-an-amount"),
    ),
    ("pledge", "matching nothing", {"way": "matching"}, ("/matched_id", "matching-without-matched-id")),
    ("pledge", "matching a pledge", {"way": "matching", "matched_id": "P-0042", "matched_title": "Safe routes"}, None),
    ("pledge", "naming a match without matching", {"matched_id": "P-0042"}, ("/matched_id", "matched-id-without-matching")),
    ("pledge", "a partnership of one", {"participants": []}, ("/participants", "partnership-without-participants")),
    ("pledge", "due before it begins", {"start": "2026-09-01", "due": "2026-08-31"}, ("/due", "due-before-start")),
    ("pledge", "due as it begins", {"start": "2026-09-01", "due": "2026-09-01"}, None),
    ("pledge", "no due day", {"due": GONE}, ("/due", "missing")),
    ("pledge", "for refugees", {"population": "refugees"}, ("/population", "refugees-only")),
    ("pledge", "for nobody named", {"population": GONE}, ("/population", "missing")),
    ("pledge", "objective 24", {"objectives": [6, 24]}, ("/objectives/1", "objective-out-of-range")),
    ("pledge", "outside the Compact", {"objectives": [], "principles": []}, ("/principles", "outside-the-compact")),
    ("pledge", "only a principle", {"objectives": GONE}, None),
    ("pledge", "an invented State", {"countries": ["QM"]}, ("/countries", "unknown-country")),
    ("pledge", "a country in small letters", {"countries": ["pt"]}, ("/countries/0", "pattern")),
    ("practice", "a principle that does not exist", {"principles": ["kindness"]}, ("/principles/0", "not-one-of")),
    ("practice", "an entity type that does not exist", {"entity_type": "city"}, ("/entity_type", "not-one-of")),
    ("practice", "no title", {"title": {}}, ("/title", "too-few")),
    ("practice", "a language that is not held", {"language": "de"}, ("/language", "not-one-of")),
    ("practice", "written in a language it has no text in", {"language": "es"}, ("/title", "original-missing")),
    ("practice", "a summary in other languages", {"summary": {"en": "x"}}, ("/summary", "languages-differ")),
    ("practice", "a text in the languages of its title", {"text": {"fr": "y", "en": "x"}}, None),
    ("practice", "a text in other languages", {"text": {"en": "x"}}, ("/text", "languages-differ")),
    ("practice", "a link that runs a script", {"links": [{"address": "javascript:alert(1)"}]}, ("/links/0/address", "web-address")),
    ("practice", "eleven links", {"links": [{"address": "https://example.org"}] * 11}, ("/links", "too-many")),
    ("practice", "no contact", {"contact": GONE}, ("/contact", "missing")),
    ("practice", "a contact without address", {"contact": {"name": "x"}}, ("/contact/mail", "missing")),
    (
        "practice",
        "a title with a slash in a wrong language",
        {"title": {"en": "x", "fr": "y", "a/b": "z"}},
        ("/title/a~1b", "not-one-of"),
    ),
    ("talk", "regional without region", {"regions": []}, ("/regions", "region-missing")),
    ("talk", "national without country", {"level": "national", "countries": GONE}, ("/countries", "country-missing")),
    ("talk", "global without either", {"level": "global", "regions": [], "countries": []}, None),
    (
        "talk",
        "some time in a quarter",
        {"when": {"precision": "quarter", "windows": [{"first": "2026-07-01", "last": "2026-09-30"}]}},
        None,
    ),
    ("talk", "a time without zone", {"when": {"precision": "time", "starts": "2026-06-16T09:00:00Z"}}, ("/when/zone", "missing")),
    (
        "talk",
        "a naive time",
        {"when": {"precision": "time", "starts": "2026-06-16T09:00", "zone": "UTC"}},
        ("/when/starts", "no-zone"),
    ),
    ("date", "a kind that only the Network enters", {"kind": "blackout"}, ("/kind", "not-suggested")),
    ("date", "no summary", {"summary": GONE}, None),
    ("date", "no objective", {"objectives": [], "principles": []}, None),
    (
        "date",
        "a day that ends before it begins",
        {"when": {"precision": "day", "first": "2026-06-16", "last": "2026-06-15"}},
        ("/when/last", "end-before-start"),
    ),
    ("news", "a kind that does not exist", {"kind": "rumour"}, ("/kind", "not-one-of")),
    ("news", "regional without region", {"regions": []}, ("/regions", "region-missing")),
    ("news", "national without country", {"level": "national", "countries": GONE}, ("/countries", "country-missing")),
    ("news", "a text in other languages", {"text": {"en": "x"}}, ("/text", "languages-differ")),
    ("news", "no occasion", {"occasion": GONE}, None),
    ("news", "an occasion without days", {"occasion": {"name": {"en": "x"}}}, None),
    (
        "news",
        "an occasion in a month",
        {"occasion": {"name": {"en": "x"}, "days": {"precision": "month", "first": "2026-12-01", "last": "2026-12-31"}}},
        ("/occasion/days/precision", "not-one-of"),
    ),
    ("contribution", "no level", {"level": GONE}, ("/level", "missing")),
    ("contribution", "a text in other languages", {"text": {"fr": "x"}}, ("/text", "languages-differ")),
    ("promotion", "a network that does not exist", {"networks": ["fax"]}, ("/networks/0", "not-one-of")),
    ("promotion", "no networks and no time", {"networks": [], "wished": GONE}, None),
    ("promotion", "some time in a month", {"wished": {"precision": "month"}}, ("/wished/precision", "not-one-of")),
    ("enquiry", "about nothing that there is", {"initiative": "weather"}, ("/initiative", "not-one-of")),
    ("enquiry", "without a question", {"question": " "}, ("/question", "too-short")),
]


@pytest.mark.parametrize(("kind", "changes", "fault"), [pytest.param(k, c, f, id=f"{k}: {w}") for k, w, c, f in RULES])
def test_a_rule_names_the_place_and_the_fault(kind: str, changes: Mapping[str, Any], fault: tuple[str, str] | None) -> None:
    assert faults(kind, **changes) == ([fault] if fault else [])


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("amina@example.org", "amina@example.org"),
        ("Amina.O'Neil+gcm@EXAMPLE.org", "Amina.O'Neil+gcm@example.org"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
    ],
)
def test_a_mail_address_is_kept_as_mail_servers_know_it(written: str, kept: str) -> None:
    contact = KINDS["practice"].model_validate(sent("practice", contact={"name": "x", "mail": written})).contact
    assert contact
    assert contact.mail == kept


@pytest.mark.parametrize(
    "refused",
    [
        "a",
        "a@b",
        "@example.org",
        "a@",
        "a b@example.org",
        "a@exa mple.org",
        "a@-x.org",
        ".a@example.org",
        "a..b@example.org",
        "a@1.2.3.4",
        "a@b.org,c@d.org",
        "a@example.org\r\nBcc: b@example.org",
        "<a@example.org>",
        "é@example.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * 250 + ".org",
        "a@example..org",
    ],
)
def test_what_is_no_mail_address_is_refused(refused: str) -> None:
    assert [pointer for pointer, _ in faults("practice", contact={"name": "x", "mail": refused})] == ["/contact/mail"]


def test_a_name_cannot_smuggle_a_second_header_line() -> None:
    assert faults("practice", contact={"name": "x\r\nBcc: y", "mail": "a@example.org"}) == [("/contact/name", "one-line")]


def test_invented_states_are_accepted_only_in_rows_marked_as_sample_data() -> None:
    pledge = KINDS["pledge"].model_validate(sent("pledge", countries=["QM"]), context=SYNTHETIC)
    assert KINDS["pledge"].joined(pledge.split(), synthetic=True) == pledge
    with pytest.raises(ValidationError):
        KINDS["pledge"].joined(pledge.split())


@EVERY_KIND
def test_a_contact_may_be_missing_only_where_a_colleague_knows_of_none(kind: type[Submission]) -> None:
    nobody = {**kind.example, "contact": None}
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(nobody)
    assert [(fault.pointer, fault.code) for fault in of_validation(refused.value.errors(), nobody, root="")] == [("/contact", "missing")]
    submission = kind.model_validate(nobody, context=UNKNOWN_CONTACT)
    assert submission.split().contact == {}
    assert kind.joined(submission.split()) == submission


def test_nothing_of_an_enquiry_is_for_the_public() -> None:
    assert KINDS["enquiry"].model_validate(dict(KINDS["enquiry"].example)).split().public == {}


@pytest.mark.parametrize("nonsense", [None, [], "practice", 7, {"language": []}])
@EVERY_KIND
def test_what_is_no_submission_at_all_is_refused_with_a_place(kind: type[Submission], nonsense: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(nonsense)
    assert of_validation(refused.value.errors(), nonsense)


@EVERY_KIND
def test_a_submission_cannot_be_changed(kind: type[Submission]) -> None:
    submission: BaseModel = kind.model_validate(dict(kind.example))
    with pytest.raises(ValidationError, match="frozen"):
        submission.remarks = "x"  # type: ignore[attr-defined]
