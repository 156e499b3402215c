"""Each test has a database for itself, with what its template had in it."""

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from shared.embedded.postgres import EmbeddedPostgres
from shared.testing.databases import ask, fresh_database, run_apart


def names(url: str) -> set[str]:
    return {row["datname"] for row in run_apart(ask(url, "SELECT datname FROM pg_database"))}


def test_a_database_is_there_for_as_long_as_it_is_wanted(postgres: EmbeddedPostgres) -> None:
    with fresh_database(postgres.url) as one, fresh_database(postgres.url) as other:
        made = {str(make_url(url).database) for url in (one, other)}
        assert len(made) == 2
        assert made <= names(postgres.url)
    assert not made & names(postgres.url)


def test_a_copy_has_the_tables_of_its_template_and_is_written_alone(postgres: EmbeddedPostgres) -> None:
    with fresh_database(postgres.url) as template:
        run_apart(ask(template, "CREATE TABLE kept AS SELECT 1 AS number"))
        with fresh_database(postgres.url, template=make_url(template).database) as copy:
            run_apart(ask(copy, "INSERT INTO kept VALUES (2)"))
            assert len(run_apart(ask(copy, "SELECT * FROM kept"))) == 2
        assert len(run_apart(ask(template, "SELECT * FROM kept"))) == 1


async def test_a_database_goes_although_somebody_is_still_connected(postgres: EmbeddedPostgres) -> None:
    with fresh_database(postgres.url) as url:
        engine = create_async_engine(url)
        connection = await engine.connect()
    assert str(make_url(url).database) not in names(postgres.url)
    await connection.invalidate()
    await engine.dispose()


async def test_a_database_may_be_made_within_a_running_loop(postgres: EmbeddedPostgres) -> None:
    with fresh_database(postgres.url) as url:
        assert await ask(url, "SELECT 1")


@pytest.mark.parametrize("way", ["stop", "crash"])
def test_the_server_may_be_taken_away_under_a_database(postgres: EmbeddedPostgres, database_url: str, way: str) -> None:
    run_apart(ask(database_url, "CREATE TABLE kept AS SELECT 1 AS number"))
    getattr(postgres, way)()
    with pytest.raises(OSError, match=r"No such file|Connect|refused"):
        run_apart(ask(database_url, "SELECT 1"))
    postgres.start()
    assert run_apart(ask(database_url, "SELECT * FROM kept"))
    getattr(postgres, way)()  # the fixtures start it again
