"""Initiatives are shown to the public; a person's contact is not."""

import pytest

from shared.reference.initiatives import HowToAsk, from_row, initiative, initiatives, unconfirmed_contacts
from shared.reference.loader import Row, read


def row(**changes: str) -> Row:
    return {**next(line for line in read("initiatives") if line["code"] == "pledging"), **changes}


def test_there_are_27_initiatives_in_two_languages() -> None:
    assert len(initiatives()) == 27
    assert {record.title.languages for record in initiatives()} == {("en", "fr")}


def test_a_shared_mailbox_is_shown() -> None:
    found = initiative("pledging")
    assert (found.contact, found.contact_to_confirm) == ("pledges@iom.int", False)
    assert "contact of 2023" in found.provenance.unverified


def test_a_persons_address_never_reaches_the_public_record() -> None:
    found = from_row(row(contact_kind="person", contact="someone@example.org"))
    assert (found.contact, found.contact_to_confirm) == (None, True)
    assert "someone@example.org" not in repr(found)


def test_an_address_of_unstated_kind_never_reaches_the_public_record() -> None:
    assert "someone@example.org" not in repr(from_row(row(contact_kind="", contact="someone@example.org")))


def test_contacts_to_confirm_are_listed_for_staff() -> None:
    to_confirm = {record.initiative for record in unconfirmed_contacts()}
    assert to_confirm == {record.code for record in initiatives() if record.contact_to_confirm}
    assert "social-promotion" in to_confirm
    assert "pledging" not in to_confirm


def test_the_one_stated_lead_time_is_six_weeks() -> None:
    stated = {record.code: record.lead_time_days for record in initiatives() if record.lead_time_days is not None}
    assert stated == {"migration-mptf": 42}


@pytest.mark.parametrize(
    ("code", "ways"),
    [
        ("champion-countries", (HowToAsk.NOTE_VERBALE,)),
        ("pledging", (HowToAsk.FORM, HowToAsk.MAIL)),
        ("progress-indicators", (HowToAsk.NONE,)),
    ],
)
def test_ways_in_are_known_words(code: str, ways: tuple[HowToAsk, ...]) -> None:
    assert initiative(code).how_to_ask == ways


def test_every_initiative_says_who_may_use_it_and_how() -> None:
    for record in initiatives():
        assert record.who_can_use_it, record.code
        assert record.how_to_ask, record.code
        assert record.rules, record.code
        assert record.what_happens_next, record.code
