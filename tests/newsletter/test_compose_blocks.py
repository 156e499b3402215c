"""The blocks of an issue: stored and read back, refused by field, and what each language lacks."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from pydantic import ValidationError

from services.newsletter.compose.blocks import KINDS, Block, Button, Divider, Heading, Item, Passage, Picture, dump, parse
from services.newsletter.compose.edition import Edition, EditionError, Lack, Month, missing
from shared.events.codes import Level, SourceKind
from shared.ids import new_id
from shared.web.forms import faults_of

BLOCKS: tuple[Block, ...] = (
    Heading(id="h", title={"en": "From the field", "ar": "من الميدان"}),
    Passage(id="t", text={"en": "One.\n\nTwo."}),
    Item(
        id="i",
        title={"en": "Clinics that follow the harvest", "fr": "Des cliniques qui suivent la récolte"},
        summary={"fr": "Une équipe."},
        entity="Ministry of Health",
        level=Level.NATIONAL,
        source_kind=SourceKind.PRACTICE,
        source_id="0199",
        address="https://example.org/practices/clinics",
    ),
    Button(id="b", label={"en": "Register"}, address="https://example.org/register"),
    Picture(id="p", address="https://example.org/p.jpg", width=1200, height=600, alternative={"en": "Two nurses"}, caption={"en": "© A"}),
    Divider(id="d"),
)


def edition(*blocks: Block, **changed: Any) -> Edition:
    known: dict[str, Any] = {
        "issue_id": new_id(),
        "number": 7,
        "month": Month(year=2026, month=11),
        "languages": ("en", "fr"),
        "subject": {"en": "Bulletin", "fr": "Bulletin"},
        "preheader": {},
        "blocks": blocks,
        "public_url": "https://tidings.example.org",
    }
    return Edition(**(known | changed))


@pytest.mark.parametrize("block", BLOCKS, ids=[block.kind for block in BLOCKS])
def test_block_comes_back_from_storage_as_it_was(block: Block) -> None:
    assert parse(dump(block)) == block
    assert type(parse(dump(block))) is type(block)


def test_every_kind_is_tried_here() -> None:
    assert {block.kind for block in BLOCKS} == set(KINDS)


def test_block_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        BLOCKS[0].id = "x"  # type: ignore[misc]


def test_texts_come_clean_and_in_one_order_and_empty_ones_are_left_out() -> None:
    block = parse({"kind": "heading", "id": "h", "title": {"ar": " من الميدان\r\n", "fr": "  ", "en": "E\u0301t\u00e9"}})
    assert isinstance(block, Heading)
    assert list(block.title.items()) == [("en", "\u00c9t\u00e9"), ("ar", "من الميدان")]


@pytest.mark.parametrize(
    ("stored", "field"),
    [
        ({"kind": "poem", "id": "x"}, "kind"),
        ({"id": "x"}, "kind"),
        ({"kind": "divider", "id": "not an id"}, "id"),
        ({"kind": "divider"}, "id"),
        ({"kind": "divider", "id": "x", "colour": "red"}, "colour"),
        ({"kind": "heading", "id": "x", "title": {"en": "two\nlines"}}, "title.en"),
        ({"kind": "heading", "id": "x", "title": {"en": 5}}, "title.en"),
        ({"kind": "heading", "id": "x", "title": {"de": "Aus dem Feld"}}, "title.de"),
        ({"kind": "text", "id": "x", "text": "bare"}, "text"),
        ({"kind": "button", "id": "x", "label": {}, "address": "javascript:alert(1)"}, "address"),
        ({"kind": "picture", "id": "x", "address": "https://example.org/p.png", "width": 0, "height": 5}, "width"),
        (dump(BLOCKS[2]) | {"level": "local"}, "level"),
        (dump(BLOCKS[2]) | {"source_kind": "rumour"}, "source_kind"),
    ],
)
def test_what_is_no_block_is_refused_by_the_name_of_its_field(stored: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse(stored)
    assert [fault.field.removesuffix(".[key]") for fault in faults_of(refused.value)] == [field]


def test_each_language_is_told_what_it_lacks_and_which_stands_in() -> None:
    lacks = missing(edition(*BLOCKS))
    assert lacks["en"] == (Lack(block="i", field="summary", shown_in="fr"),)
    assert [(lack.block, lack.field, lack.shown_in) for lack in lacks["fr"]] == [
        ("h", "title", "en"),
        ("t", "text", "en"),
        ("b", "label", "en"),
        ("p", "alternative", "en"),
        ("p", "caption", "en"),
    ]
    assert not any(lack.stops for lack in lacks["fr"])


def test_text_that_may_lack_is_missed_only_once_some_language_has_it() -> None:
    assert isinstance(BLOCKS[2], Item)
    item = replace(BLOCKS[2], summary={})
    assert missing(edition(item)) == {"en": (), "fr": ()}
    assert missing(edition(item, preheader={"fr": "Ce mois"}))["en"] == (Lack(block="", field="preheader", shown_in="fr"),)


def test_issue_stops_where_a_text_is_written_nowhere_or_a_language_has_no_subject() -> None:
    nowhere = missing(edition(Heading(id="h"), subject={"en": "Bulletin"}))
    assert nowhere["fr"] == (Lack(block="", field="subject", shown_in="en"), Lack(block="h", field="title", shown_in=None))
    assert all(lack.stops for lack in nowhere["fr"])


@pytest.mark.parametrize("wrong", [{"languages": ()}, {"blocks": (Divider(id="d"), Divider(id="d"))}])
def test_no_issue_without_a_language_or_with_two_blocks_of_one_id(wrong: dict[str, Any]) -> None:
    with pytest.raises(EditionError):
        edition(**wrong)
