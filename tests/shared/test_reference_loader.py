"""A file that was edited badly is refused with its name and fault, not shown with a hole."""

from pathlib import Path

import pytest

from shared.reference import loader
from shared.reference.loader import ReferenceDataError, UnknownCodeError, first, items, numbers, provenance, read, titles
from shared.reference.titles import Mark


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(loader, "_DATA", tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", ["a", "a,b,c"], ids=["too few fields", "too many fields"])
def test_a_line_of_another_length_than_the_header_is_refused(folder: Path, line: str) -> None:
    (folder / "things.csv").write_text(f"code,note\nfine,\n{line}\n", encoding="utf-8")
    with pytest.raises(ReferenceDataError, match=r"things\.csv, record 2"):
        read("things")


def test_a_text_without_a_mark_is_refused() -> None:
    with pytest.raises(ReferenceDataError, match="title_fr"):
        titles({"title_en": "Data", "title_fr": "Données", "title_verified": "en:yes", "source": "a page"}, "title")


def test_a_mark_that_is_no_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="perhaps"):
        titles({"title_en": "Data", "title_verified": "perhaps", "source": "a page"}, "title")


def test_one_mark_holds_for_every_language_that_has_none_of_its_own() -> None:
    row = {"title_en": "Data", "title_fr": "Données", "title_es": "Datos", "title_verified": "second-hand;en:yes", "source": "a page"}
    found = titles(row, "title")
    assert [found.mark_in(lang) for lang in ("en", "fr", "es")] == [Mark.YES, Mark.SECOND_HAND, Mark.SECOND_HAND]


def test_an_empty_cell_is_a_missing_title_and_not_an_empty_one() -> None:
    row = {"title_en": "Data", "title_fr": "", "title_verified": "yes", "source": "a page"}
    assert titles(row, "title").languages == ("en",)


def test_provenance_names_unverified_wordings_and_more() -> None:
    row = {"title_en": "Data", "title_fr": "Données", "title_verified": "yes;fr:no", "source": "a page", "note": "French is ours."}
    found = provenance(row, "regions no", title=titles(row, "title"))
    assert (found.source, found.unverified, found.note) == ("a page", ("title fr no", "regions no"), "French is ours.")


def test_lists_inside_a_cell() -> None:
    assert items("a;b") == ("a", "b")
    assert items("") == ()
    assert numbers("5;13") == (5, 13)


def test_nothing_found_says_what_was_asked() -> None:
    with pytest.raises(UnknownCodeError, match="no such thing"):
        first(iter(()), otherwise="no such thing")
