"""Log lines: JSON with the trace id of what they speak of, and nothing about a person, whatever was handed to them."""

import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared import log
from shared.db import Database
from shared.parking import describe
from shared.trace import tracing

ENTERED = {"name": "Maria Lopez", "story": "came\nby sea"}  # not where it is inserted: a trace shows that line
TRACE = "01a20200d554731b84e0fea3c281a47a"


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """The loggers, which are again as they were afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_is_json_and_carries_the_trace_it_was_written_in(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    with tracing(TRACE):
        logging.getLogger("tidings.x").info("took %d", 3)
    logging.getLogger("tidings.x").warning("alone")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert {name: first[name] for name in ("level", "logger", "message", "trace")} == {
        "level": "info",
        "logger": "tidings.x",
        "message": "took 3",
        "trace": TRACE,
    }
    assert first["time"].endswith("+00:00")
    assert "trace" not in second


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    ("handed", "kept"),
    [
        pytest.param("no mail for Amina.Reader+x@example.net: gone", "no mail for (address): gone", id="an address"),
        pytest.param("Key (mail)=(amina@example.net) already exists.", "Key (mail)=((address)) already exists.", id="a database's detail"),
        pytest.param("see mailto:amina@example.net", "see mailto:(address)", id="behind a colon"),
        pytest.param("RCPT TO:<amina@mail.example.net>", "RCPT TO:<(address)>", id="in angle brackets"),
        pytest.param("GET /desk/sign-in/Zm9vYmFyYmF6cXV4", "GET /desk/sign-in/(token)", id="a sign-in link"),
        pytest.param("http://x.example/newsletter/u/aGVsbG8td29ybGQ.x?a", "http://x.example/newsletter/u/(token)?a", id="a reader's link"),
        pytest.param("GET /intake/track/{token} 200", "GET /intake/track/{token} 200", id="the name of an address"),
        pytest.param("set it to smtp://user:password@mail.example.org", "set it to smtp://(login)@mail.example.org", id="a login"),
        pytest.param("practice.published.v1 about 1", "practice.published.v1 about 1", id="nothing of the kind"),
    ],
)
def test_no_line_holds_an_address_or_a_link_that_opens_something(
    capsys: pytest.CaptureFixture[str], form: str, handed: str, kept: str
) -> None:
    log.configure("json" if form == "json" else "text")
    logging.getLogger("tidings.x").warning("%s", handed)
    try:
        raise ValueError(handed)
    except ValueError:
        logging.getLogger("tidings.x").exception("it failed")
    written = capsys.readouterr().err
    message, failure = written.splitlines()[0], written.split("\n", 1)[1]
    if form == "json":
        message, failure = json.loads(message)["message"], json.loads(failure)["exception"]
    assert message.endswith(kept)
    assert kept in failure
    if kept != handed:
        assert handed not in written


@pytest.mark.parametrize("form", ["json", "text"])
async def test_nothing_quotes_the_row_that_the_database_refused(
    database_url: str, capsys: pytest.CaptureFixture[str], form: Literal["json", "text"]
) -> None:
    log.configure(form)
    database = Database(database_url, "desk")
    try:
        async with database.transaction() as tx:
            await tx.execute(text("CREATE TEMPORARY TABLE entered (name text, story text, day date NOT NULL)"))
            await tx.execute(text("INSERT INTO entered VALUES (:name, :story, NULL)"), ENTERED)
    except IntegrityError as error:
        logging.getLogger("tidings.x").exception("not entered")
        set_aside = describe(error)
    finally:
        await database.close()
    line = capsys.readouterr().err
    for said in (set_aside, line):
        assert "violates not-null constraint" in said
        assert not any(word in said for word in ("Lopez", "came", "by sea", "DETAIL"))
    assert "test_log.py" in line
