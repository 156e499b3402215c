"""Lists from elsewhere: a verdict for every row, all or nothing, and nobody brought back who has gone."""

import json
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from services.__main__ import app as command_line
from services.newsletter.addresses import open_book
from services.newsletter.subscribing import subscribers
from services.newsletter.subscribing.rules import Because, Source
from shared.db import Database, Transaction
from shared.testing.databases import run_apart
from shared.vault import Vault, new_key

HEAD = "address,language,consent_at,consent_source"
KEY = new_key()
Import = Callable[..., dict[str, Any]]


@pytest.fixture
def tidings(database_url: str) -> Callable[..., Result]:
    """The command line on a database that has its tables."""
    environment = {"TIDINGS_DATABASE": database_url, "TIDINGS_KAFKA": "127.0.0.1:1", "TIDINGS_DATA_KEYS": KEY}
    return lambda *arguments: CliRunner().invoke(command_line, arguments, env=environment)


@pytest.fixture
def take_in(tidings: Callable[..., Result], tmp_path: Path) -> Import:
    """Import lines, and return what the command says to programs; `verdicts` are by line."""

    def run(
        *lines: str, head: str = HEAD, options: tuple[str, ...] = (), encoding: str = "utf-8", file: Path | None = None
    ) -> dict[str, Any]:
        path = file or tmp_path / "list.csv"
        if file is None:
            path.write_text("\n".join([head, *lines]) + "\n", encoding=encoding)
        done = tidings("import", "subscribers", str(path), "--json", *options)
        assert done.stdout, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        assert (done.exit_code == 1) is any(one["verdict"] == "refused" for one in found["verdicts"])
        found["by_line"] = {one["line"]: (one["verdict"], one["field"], one["code"]) for one in found["verdicts"]}
        return found

    return run


def within(url: str, work: Callable[[Transaction], Any]) -> Any:
    async def in_transaction() -> Any:
        database = Database(url, "newsletter")
        try:
            async with database.transaction() as tx:
                return await work(tx)
        finally:
            await database.close()

    return run_apart(in_transaction())


def rows_of(url: str, query: str) -> list[Any]:
    async def ask(tx: Transaction) -> Any:
        return (await tx.execute(text(query))).all()

    return list(within(url, ask))


def row(address: str, language: str = "en", at: str = "2026-01-31", source: str = "Form of 2026") -> str:
    return f"{address},{language},{at},{source}"


# ---- what is taken in ----


def test_a_list_is_taken_in_with_its_consents_and_a_second_time_changes_nothing(take_in: Import, database_url: str) -> None:
    first = take_in(row("A@Example.org", "fr-CA"), row("b@bücher.example", "", "2026-01-31T09:00:00+01:00"))
    assert first["counts"]["added"] == 2
    rows = rows_of(database_url, "SELECT * FROM subscribers ORDER BY language DESC")
    assert [(one.state, one.language, one.domain) for one in rows] == [
        ("confirmed", "fr", "example.org"),
        ("confirmed", "en", "xn--bcher-kva.example"),
    ]
    receipts = rows_of(database_url, "SELECT * FROM receipts ORDER BY given_at DESC")
    assert [(one.act, one.source, one.note, one.given_at.isoformat()) for one in receipts] == [
        ("imported", "import", "Form of 2026", "2026-01-31T08:00:00+00:00"),
        ("imported", "import", "Form of 2026", "2026-01-30T23:00:00+00:00"),  # the day begins in Zurich
    ]
    again = take_in(row("a@example.org", "es"), row("b@xn--bcher-kva.example"))
    assert again["counts"]["unchanged"] == 2
    assert rows_of(database_url, "SELECT * FROM subscribers ORDER BY language DESC") == rows
    assert len(rows_of(database_url, "SELECT id FROM receipts")) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_files_are_read_as_spreadsheets_write_them(take_in: Import, database_url: str, encoding: str, separator: str) -> None:
    head = separator.join(["E-Mail", "Name", "Lang", "Consent date", "Source"])
    lines = [separator.join(["é.not@example.org".replace("é.", ""), '"Doe; Jane, née X"', "ar", "2026-01-31", "Liste"]), "", separator * 4]
    found = take_in(*lines, head=head, encoding=encoding)
    assert found["by_line"] == {2: ("added", "", "")}


def test_a_spreadsheet_is_read_with_its_dates_and_its_own_lines(take_in: Import, database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    spreadsheet(path, [["address", "consent_at", "consent_source"], None, ["x@example.org", 46053, "Form"], ["wrong", 46053, "Form"]])
    assert take_in(file=path)["by_line"] == {3: ("added", "", ""), 4: ("refused", "address", "not-an-address")}
    spreadsheet(path, [["address", "consent_at", "consent_source"], ["x@example.org", 46053, "Form"]])
    assert take_in(file=path)["by_line"] == {2: ("added", "", "")}
    [receipt] = rows_of(database_url, "SELECT given_at FROM receipts")
    assert receipt.given_at.isoformat() == "2026-01-30T23:00:00+00:00"


def spreadsheet(path: Path, rows: list[list[object] | None]) -> None:
    """Write a workbook of one sheet; None is a line without cells, whole numbers of days are dates."""

    def cells(number: int, row_: list[object]) -> Iterator[str]:
        for place, value in enumerate(row_):
            name = f"{chr(ord('A') + place)}{number}"
            if isinstance(value, int):
                yield f'<c r="{name}" s="1"><v>{value}</v></c>'
            else:
                yield f'<c r="{name}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'

    ns = "http://schemas.openxmlformats.org"
    main = f"{ns}/spreadsheetml/2006/main"
    body = "".join(f'<row r="{n}">{"".join(cells(n, r))}</row>' for n, r in enumerate(rows, start=1) if r is not None)
    files = {
        "[Content_Types].xml": f'<Types xmlns="{ns}/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{ns}/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{ns}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{ns}/officeDocument/2006/relationships"><sheets>'
        '<sheet name="List" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{ns}/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{ns}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" '
        f'Type="{ns}/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{content}')


# ---- what is not ----


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        pytest.param(row(""), "address", "missing", id="no address"),
        pytest.param(row("a b@example.org"), "address", "not-an-address", id="no address that works"),
        pytest.param(row("=cmd|x@example..org"), "address", "not-an-address", id="two dots"),
        pytest.param(row("a@example.org", "de"), "language", "not-a-language", id="a seventh language"),
        pytest.param(row("a@example.org", at=""), "consent_at", "missing", id="no date"),
        pytest.param(row("a@example.org", at="31/01/2026"), "consent_at", "not-a-date", id="a date in another form"),
        pytest.param(row("a@example.org", at="2026-01-31T09:00:00"), "consent_at", "no-offset", id="an hour of no zone"),
        pytest.param(row("a@example.org", at="2999-01-01"), "consent_at", "in-future", id="a date to come"),
        pytest.param(row("a@example.org", at="2019-01-01"), "consent_at", "too-old", id="years ago"),
        pytest.param(row("a@example.org", source=""), "consent_source", "missing", id="no source"),
        pytest.param(row("a@example.org", source="x" * 301), "consent_source", "too-long", id="a source too long"),
    ],
)
def test_one_wrong_row_keeps_the_whole_list_out(take_in: Import, database_url: str, line: str, field: str, code: str) -> None:
    found = take_in(row("good@example.org"), line)
    assert found["by_line"][3] == ("refused", field, code)
    assert found["imported"] is False
    assert rows_of(database_url, "SELECT id FROM subscribers") == rows_of(database_url, "SELECT id FROM receipts") == []


def test_old_consents_come_in_when_the_list_is_said_to_be_historic(take_in: Import) -> None:
    assert take_in(row("a@example.org", at="2019-01-01"), options=("--historic",))["counts"]["added"] == 1


def test_the_same_address_twice_comes_in_once_and_contradictions_not_at_all(take_in: Import) -> None:
    found = take_in(row("a@example.org"), row("A@EXAMPLE.ORG", "fr"))
    assert found["by_line"] == {2: ("added", "", ""), 3: ("left-out", "address", "duplicate")}
    assert "line 2" in found["verdicts"][1]["reason"]
    found = take_in(row("b@example.org") + ",confirmed", row("b@example.org") + ",unsubscribed", head=f"{HEAD},state")
    assert found["by_line"][3] == ("refused", "state", "contradicts")


@pytest.mark.parametrize("gone", ["unsubscribed", "erased", "complaint", "dead", "request"])
def test_nobody_who_has_gone_is_brought_back(take_in: Import, database_url: str, gone: str) -> None:
    take_in(row("a@example.org"), row("b@example.org"))

    async def go(tx: Transaction) -> None:
        book = await open_book(tx, Vault([KEY]))
        found = await subscribers.by_hash(tx, book.hash("a@example.org"), lock=True)
        assert found is not None
        if gone == "unsubscribed":
            assert await subscribers.leave(tx, found, source=Source.ONE_CLICK)
        elif gone == "erased":
            assert await subscribers.erase(tx, found, source=Source.LINK)
        else:
            await subscribers.suppress(tx, found, Because(gone), by="p1", reason="They said so.")

    within(database_url, go)
    before = rows_of(database_url, "SELECT * FROM subscribers ORDER BY id")
    for options in ((), ("--historic",)):
        found = take_in(row("A@example.org"), row("b@example.org"), options=options)
        assert found["by_line"] == {2: ("left-out", "address", gone), 3: ("unchanged", "", "")}
    assert rows_of(database_url, "SELECT * FROM subscribers ORDER BY id") == before
    if gone == "erased":
        assert [bytes(one.address) for one in before if one.state == "suppressed"] == [b""]


def test_those_who_left_elsewhere_stay_out_by_their_hash_alone(take_in: Import, database_url: str) -> None:
    head = f"{HEAD},state"
    lines = ("left@example.org,,,,unsubscribed", "never@example.org,,,,suppressed")
    assert take_in(*lines, head=head)["counts"]["added"] == 2
    assert {(one.state, bytes(one.address), one.domain) for one in rows_of(database_url, "SELECT * FROM subscribers")} == {
        ("unsubscribed", b"", ""),
        ("suppressed", b"", ""),
    }
    found = take_in(row("left@example.org"), row("never@example.org"))
    assert {one[2] for one in found["by_line"].values()} == {"unsubscribed", "request"}
    assert take_in(*lines, head=head)["counts"]["unchanged"] == 2
    take_in(row("in@example.org"))
    assert take_in("in@example.org,,,,unsubscribed", head=head)["counts"]["changed"] == 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"name,town\nx,y\n", id="no column of addresses"),
        pytest.param(b"address,consent_source\na@example.org,caf\xe9\n", id="another encoding"),
        pytest.param(b"PK\x03\x04 no workbook", id="a broken spreadsheet"),
        pytest.param(b"address,email\na@example.org,b@example.org\n", id="two columns of addresses"),
        pytest.param(b'address,consent_source\na@example.org,"' + b"x\n" * 6000, id="a quote left open"),
    ],
)
def test_what_is_no_list_is_said_plainly(tidings: Callable[..., Result], tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    done = tidings("import", "subscribers", str(path))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("tidings: The fi"), done.stderr
    assert tidings("import", "subscribers", str(tmp_path / "none.csv")).exit_code == 1


# ---- dry run, size ----


def test_a_dry_run_says_what_the_real_one_does_and_changes_nothing(take_in: Import, database_url: str) -> None:
    take_in(row("known@example.org"), row("left@example.org"))
    rows_of(
        database_url,
        "UPDATE subscribers SET state = 'unsubscribed' WHERE id = (SELECT max(id::text)::uuid FROM subscribers) RETURNING id",
    )
    lines = [row("known@example.org"), row("left@example.org"), row("new@example.org"), row("NEW@example.org")]
    before = rows_of(database_url, "SELECT * FROM subscribers ORDER BY id")
    for wrong in ((), (row("wrong"),)):
        dry = take_in(*lines, *wrong, options=("--dry-run",))
        assert rows_of(database_url, "SELECT * FROM subscribers ORDER BY id") == before
        if wrong:
            assert take_in(*lines, *wrong)["by_line"] == dry["by_line"]
            break
        real = take_in(*lines)
        assert (dry["by_line"], dry["imported"], real["imported"]) == (real["by_line"], False, True)
        assert {one[0] for one in real["by_line"].values()} == {"unchanged", "left-out", "added"}
        before = rows_of(database_url, "SELECT * FROM subscribers ORDER BY id")


def test_people_are_told_line_field_and_reason(tidings: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"{HEAD}\n{row('wrong')}\n{row('a@example.org')}\n")
    done = tidings("import", "subscribers", str(path))
    assert done.exit_code == 1
    assert done.stdout.splitlines()[1].split(maxsplit=3) == ["2", "refused", "address", "is no address that a mail can be sent to"]
    assert "1 of 2 rows are wrong, so nothing was imported" in done.stderr


@pytest.mark.timeout(600)
def test_two_hundred_thousand_rows_come_in_within_bounds(take_in: Import, database_url: str) -> None:
    lines = [row(f"reader{number}@example{number % 500}.org") for number in range(200_000)]
    began = time.monotonic()
    assert take_in(*lines)["counts"]["added"] == 200_000
    print(f"200,000 rows: {time.monotonic() - began:.1f} s")
    [counted] = rows_of(database_url, "SELECT (SELECT count(*) FROM subscribers) AS people, (SELECT count(*) FROM receipts) AS receipts")
    assert (counted.people, counted.receipts) == (200_000, 200_000)
