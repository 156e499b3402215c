"""Lists of pledges and champions from elsewhere: a verdict for every row, all or nothing, and the same row twice changes nothing."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from services.__main__ import app as command_line
from services.pledges.domain.pledges import Pledge
from services.pledges.store import history, pledges
from shared.db import Database, Transaction
from shared.events.pledges import PledgePublished
from shared.testing.databases import run_apart
from shared.vault import new_key
from tests.pledges.pledges_app import day

SAMPLE = Path(__file__).parents[2] / "services" / "pledges" / "samples" / "pledges-sample.csv"
CHAMPIONS = Path(__file__).parents[2] / "shared" / "reference" / "data" / "champions.csv"
KEY = new_key()
HERE = {"TIDINGS_PUBLIC_URL": "http://127.0.0.1:8000"}
IN_SERVICE = {
    "TIDINGS_PUBLIC_URL": "https://tidings.example.org",
    "TIDINGS_SMTP": "smtp://mail.example.org",
    "TIDINGS_MAIL_FROM": "a@example.org",
}
Import = Callable[..., dict[str, Any]]
Row = dict[str, str]


@pytest.fixture
def tidings(database_url: str) -> Callable[..., Result]:
    """The command line on a database that has its tables."""
    environment = {"TIDINGS_DATABASE": database_url, "TIDINGS_KAFKA": "127.0.0.1:1", "TIDINGS_DATA_KEYS": KEY}

    def run(*arguments: str, setting: Mapping[str, str] = HERE) -> Result:
        return CliRunner().invoke(command_line, arguments, env={**environment, **setting})

    return run


@pytest.fixture
def take_in(tidings: Callable[..., Result], tmp_path: Path) -> Import:
    """Import rows, or a file, and return what the command says to programs."""

    def run(rows: Iterable[Row] | Path, *options: str, what: str = "pledges", setting: Mapping[str, str] = HERE) -> dict[str, Any]:
        path = rows if isinstance(rows, Path) else written(tmp_path / "list.csv", rows)
        done = tidings("import", what, str(path), "--json", *options, setting=setting)
        assert done.stdout, (done.output, done.exception)
        found: dict[str, Any] = json.loads(done.stdout)
        refused = any(one["verdict"] == "refused" for one in found["verdicts"])
        assert (done.exit_code == 1) is (refused and "--skip-refused" not in options)
        return found

    return run


def written(path: Path, rows: Iterable[Row]) -> Path:
    several = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, several[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(several)
    return path


def sample() -> list[Row]:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def good() -> list[Row]:
    return [row for row in sample() if not row["expect_error"]]


def within(url: str, work: Callable[[Transaction], Any]) -> Any:
    async def in_transaction() -> Any:
        database = Database(url, "pledges")
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


def of_key(url: str, key: str) -> Pledge:
    found: Pledge = within(url, lambda tx: pledges.by_import_key(tx, key))
    return found


def told(url: str) -> list[Any]:
    return rows_of(url, "SELECT type, subject, revision, historic, body FROM outbox ORDER BY seq")


def state_of(url: str) -> list[Any]:
    tables = {"pledges": "id", "versions": "pledge_id, revision", "reports": "id", "outbox": "seq"}
    return [rows_of(url, f"SELECT * FROM {table} ORDER BY {order}") for table, order in tables.items()]


# ---- the sample ----


def test_of_the_sample_six_rows_are_refused_each_with_its_line_field_code_and_reason(take_in: Import, database_url: str) -> None:
    found = take_in(SAMPLE)
    refused = {one["id"]: (one["code"], one["reason"]) for one in found["verdicts"] if one["verdict"] == "refused"}
    assert refused == {row["id"]: (row["expect_error"], row["expect_error_text"]) for row in sample() if row["expect_error"]}
    fields = {one["id"]: one["field"] for one in found["verdicts"] if one["verdict"] == "refused"}
    assert fields == {
        "SYN-009": "description",
        "SYN-018": "kinds",
        "SYN-027": "objectives",
        "SYN-036": "matched_id",
        "SYN-045": "due",
        "SYN-054": "population",
    }
    lines = SAMPLE.read_text(encoding="utf-8").split("\n")
    for one in found["verdicts"]:
        assert lines[one["line"] - 1].startswith(one["id"]), one
    assert (found["counts"]["added"], found["counts"]["refused"], found["imported"]) == (54, 6, False)
    assert rows_of(database_url, "SELECT id FROM pledges") == []


def test_the_54_good_rows_go_in_where_wrong_ones_are_passed_over(take_in: Import, database_url: str) -> None:
    found = take_in(SAMPLE, "--skip-refused")
    assert (found["counts"]["added"], found["counts"]["refused"], found["imported"]) == (54, 6, True)
    assert len({one["number"] for one in found["verdicts"] if one["number"]}) == 54
    kept = rows_of(database_url, "SELECT number, synthetic FROM pledges ORDER BY number")
    assert [row.number for row in kept] == [f"P-{n:04d}" for n in range(1, 55)]
    assert {row.synthetic for row in kept} == {True}
    events = told(database_url)
    assert [(row.type, row.historic) for row in events] == [("pledge.published.v1", False)] * 54
    assert {PledgePublished.model_validate_json(row.body).synthetic for row in events} == {True}
    assert all("@" not in row.body for row in events)
    addresses = rows_of(database_url, "SELECT contact_sealed FROM pledges")
    assert all(row.contact_sealed and b".example" not in row.contact_sealed for row in addresses)


def test_a_dry_run_gives_the_same_verdicts_and_changes_nothing(take_in: Import, database_url: str) -> None:
    dry = take_in(good(), "--dry-run")
    assert (dry["counts"]["added"], dry["imported"], dry["dry_run"]) == (54, False, True)
    assert all(rows == [] for rows in state_of(database_url))
    take_in(good())
    assert rows_of(database_url, "SELECT min(number) AS first FROM pledges")[0].first == "P-0001"


def test_the_same_list_a_second_time_changes_nothing(take_in: Import, database_url: str) -> None:
    take_in(good())
    before = state_of(database_url)
    again = take_in(good())
    assert again["counts"]["unchanged"] == 54
    assert state_of(database_url) == before


def test_updates_become_versions_that_stand_from_their_days(take_in: Import, database_url: str) -> None:
    take_in(good())
    pledge = of_key(database_url, "SYN-001")
    past = within(database_url, lambda tx: history.versions_of(tx, pledge.id))
    assert [(one.stands_from.isoformat(), one.change.value, one.facts.state.value) for one in past] == [
        ("2022-05-10", "published", "not-started"),
        ("2023-03-15", "reported", "in-progress"),
        ("2024-04-02", "reported", "in-progress"),
        ("2025-07-10", "reported", "fulfilled"),
    ]
    assert (pledge.facts.published_on, pledge.facts.reported_on) == (day("2022-05-10"), day("2025-07-10"))
    assert (pledge.facts.evidence, pledge.facts.evidenced_on) == (("https://example.org/evidence/syn-001",), None)
    then = within(database_url, lambda tx: history.register_as_of(tx, day("2023-12-31")))
    expected = [row for row in good() if row["submitted"] <= "2023-12-31"]
    assert len(then) == len(expected)
    assert next(one.facts.state for one in then if one.number == pledge.number).value == "in-progress"


def test_matches_and_successors_stand_by_their_numbers_whatever_their_order_in_the_list(take_in: Import, database_url: str) -> None:
    take_in(good())
    older, newer = of_key(database_url, "SYN-005"), of_key(database_url, "SYN-060")
    assert older.facts.superseded_by == newer.number
    assert of_key(database_url, "SYN-019").facts.matched_number == of_key(database_url, "SYN-006").number


def test_historic_pledges_are_told_as_such_and_nothing_else_follows(take_in: Import, database_url: str) -> None:
    many = [{**row, "id": f"{row['id']}-{n}"} for n in range(5) for row in good()][:224]
    known = {row["id"] for row in many}
    for row in many:
        for column in ("matched_id", "superseded_by"):
            if row[column]:
                row[column] = next(key for key in (f"{row[column]}-{row['id'][-1]}", f"{row[column]}-0") if key in known)
    found = take_in(many, "--historic")
    assert found["counts"]["added"] == 224
    events = told(database_url)
    assert len(events) == 224
    assert {(row.type, row.historic) for row in events} == {("pledge.published.v1", True)}
    assert rows_of(database_url, "SELECT id FROM tasks") == []
    assert rows_of(database_url, "SELECT id FROM mails") == []
    assert take_in([{**row, "metric": "Another measure"} for row in many[:3]], "--historic")["counts"]["changed"] == 3
    assert {row.historic for row in told(database_url)} == {True}


def test_a_changed_row_makes_a_new_version_and_is_told(take_in: Import, database_url: str) -> None:
    take_in(good())
    row = next(row for row in good() if row["id"] == "SYN-055")
    reported = {**row, "status": "planning", "updates": "2026-10-01=planning", "last_update": "2026-10-01", "title": "Sièges paritaires"}
    assert take_in([reported])["counts"]["changed"] == 1
    pledge = of_key(database_url, "SYN-055")
    past = within(database_url, lambda tx: history.versions_of(tx, pledge.id))
    assert [one.change.value for one in past] == ["published", "reported", "edited"]
    assert past[1].stands_from == day("2026-10-01")
    assert (pledge.facts.title["fr"], pledge.facts.state.value, pledge.revision) == ("Sièges paritaires", "planning", 3)
    last = told(database_url)[-1]
    assert (last.type, last.revision) == ("pledge.updated.v1", 3)
    assert take_in([reported])["counts"]["unchanged"] == 1


def test_what_the_team_corrected_is_not_undone_by_the_same_row(take_in: Import, database_url: str) -> None:
    take_in(good()[:1])
    rows_of(database_url, "UPDATE pledges SET metric = 'Corrected by hand' RETURNING id")
    assert take_in(good()[:1])["counts"]["unchanged"] == 1
    assert of_key(database_url, "SYN-001").facts.metric == "Corrected by hand"


def test_a_later_word_of_the_owner_is_not_undone_by_a_changed_row(take_in: Import, database_url: str) -> None:
    row = next(row for row in good() if row["id"] == "SYN-003")
    take_in([row])
    rows_of(database_url, "UPDATE pledges SET state = 'discontinued', reported_on = '2026-11-01' RETURNING id")
    assert take_in([{**row, "metric": "Another measure"}])["counts"]["changed"] == 1
    pledge = of_key(database_url, "SYN-003")
    assert (pledge.facts.metric, pledge.facts.state.value) == ("Another measure", "discontinued")


def test_a_withdrawn_pledge_is_left_as_it_is(take_in: Import, database_url: str) -> None:
    take_in(good()[:1])
    rows_of(database_url, "UPDATE pledges SET standing = 'withdrawn' RETURNING id")
    found = take_in([{**good()[0], "metric": "Another measure"}])
    assert [(one["verdict"], one["code"]) for one in found["verdicts"]] == [("left-out", "withdrawn")]


def test_invented_pledges_never_go_into_a_system_in_service(take_in: Import, database_url: str) -> None:
    found = take_in(good(), "--skip-refused", setting=IN_SERVICE)
    assert {(one["verdict"], one["field"], one["code"]) for one in found["verdicts"]} == {("refused", "synthetic", "synthetic-in-service")}
    assert rows_of(database_url, "SELECT id FROM pledges") == []


def test_codes_of_invented_states_are_taken_only_in_rows_marked_as_such(take_in: Import) -> None:
    [one] = take_in([{**good()[0], "synthetic": "false"}])["verdicts"]
    assert (one["verdict"], one["field"], one["code"]) == ("refused", "country_code", "unknown-country")


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"id": ""}, "id", "missing"),
        ({"language": "xx"}, "language", "not-one-of"),
        ({"title": ""}, "title", "missing"),
        ({"submitted": ""}, "submitted", "missing"),
        ({"submitted": "2099-01-01"}, "submitted", "in-future"),
        ({"due": "soon"}, "due", "not-a-day"),
        ({"currency": ""}, "currency", "missing"),
        ({"currency": "XXX"}, "currency", "unknown-currency"),
        ({"amount": "1,5"}, "amount", "not-an-amount"),
        ({"kinds": "policy"}, "amount", "amount-without-financial"),
        ({"contact_email": "nobody"}, "contact_email", "mail-address"),
        ({"updates": "2025-07-10=done"}, "updates", "unknown-state"),
        ({"updates": "2025-07-10=fulfilled;2025-07-09=fulfilled"}, "updates", "out-of-order"),
        ({"updates": "2020-07-10=fulfilled"}, "updates", "out-of-order"),
        ({"status": "planning"}, "status", "differs-from-updates"),
        ({"last_update": "2025-07-11"}, "last_update", "differs-from-updates"),
        ({"evidence_url": "javascript:alert(1)"}, "evidence_url", "web-address"),
        ({"way": "matching", "matched_id": "P-9999"}, "matched_id", "unknown-pledge"),
        ({"status": "superseded", "updates": "2025-07-10=superseded"}, "superseded_by", "superseded-without-number"),
        ({"synthetic": "perhaps"}, "synthetic", "not-true-or-false"),
    ],
    ids=str,
)
def test_a_wrong_row_names_its_field_and_why(take_in: Import, changes: Row, field: str, code: str) -> None:
    [one] = take_in([{**good()[0], **changes}])["verdicts"]
    assert (one["verdict"], one["field"], one["code"]) == ("refused", field, code)
    assert one["reason"]


def test_what_rests_on_a_wrong_row_is_wrong_too_and_a_key_stands_once(take_in: Import, database_url: str) -> None:
    rows = {row["id"]: row for row in good()}
    found = take_in([{**rows["SYN-006"], "due": ""}, rows["SYN-019"], rows["SYN-001"], rows["SYN-001"]], "--skip-refused")
    assert [(one["verdict"], one["code"]) for one in found["verdicts"]] == [
        ("refused", "missing"),
        ("refused", "unknown-pledge"),
        ("added", ""),
        ("refused", "duplicate"),
    ]
    assert len(rows_of(database_url, "SELECT id FROM pledges")) == 1


def test_the_command_says_to_people_what_it_did(tidings: Callable[..., Result]) -> None:
    done = tidings("import", "pledges", str(SAMPLE))
    assert done.exit_code == 1
    assert "Objective 24 does not exist; the objectives run from 1 to 23." in done.output
    assert "6 of 60 rows are wrong, so nothing was imported." in done.output
    assert tidings("import", "pledges", str(SAMPLE), "--skip-refused").exit_code == 0


# ---- champions ----


def test_champions_are_kept_with_their_dates_and_sources_and_a_second_time_changes_nothing(take_in: Import, database_url: str) -> None:
    assert take_in(CHAMPIONS, what="champions")["counts"]["added"] == 31
    kept = rows_of(
        database_url, "SELECT country, since, seen, source, verified FROM champions WHERE country IN ('AZ', 'IQ') ORDER BY country"
    )
    assert [(row.country, row.since, row.verified) for row in kept] == [("AZ", None, "yes"), ("IQ", "2021-02", "yes")]
    assert all(row.source for row in kept)
    assert take_in(CHAMPIONS, what="champions")["counts"]["unchanged"] == 31
    changed = take_in([{"iso_alpha2": "az", "source": "A letter of 2026", "since": "2023"}], what="champions")
    assert changed["counts"]["changed"] == 1
    assert rows_of(database_url, "SELECT since FROM champions WHERE country = 'AZ'")[0].since == "2023"


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ({"country": "ZZ", "source": "x"}, "country", "unknown-country"),
        ({"country": "QM", "source": "x"}, "country", "unknown-country"),
        ({"country": "AZ", "source": ""}, "source", "missing"),
        ({"country": "AZ", "source": "x", "since": "last year"}, "since", "not-a-day"),
        ({"country": "AZ", "source": "x", "verified": "surely"}, "verified", "unknown-mark"),
    ],
    ids=str,
)
def test_a_wrong_champion_is_refused_and_nothing_is_kept(take_in: Import, database_url: str, row: Row, field: str, code: str) -> None:
    empty = {"country": "", "since": "", "source": "", "verified": ""}
    found = take_in([{**empty, "country": "MA", "source": "x"}, {**empty, **row}], what="champions")
    assert [(one["verdict"], one["field"], one["code"]) for one in found["verdicts"]] == [("added", "", ""), ("refused", field, code)]
    assert rows_of(database_url, "SELECT country FROM champions") == []
