"""`tidings mails`: what a restore holds is listed, released and dropped by an operator, who stands in the audit trail with it."""

import json

from typer.testing import CliRunner, Result

from services.__main__ import app
from services.owners import OWNERS
from shared.ids import new_id
from shared.migrations import migrate
from shared.testing.databases import ask, run_apart
from shared.vault import new_key

KEY = new_key()
HELD = """INSERT INTO {service}.mails (id, purpose, about, sealed, state, attempts, created_at, next_at, expires_at, answer)
    VALUES ('{mail}', 'decision', 'a', 'x', 'held', 0, now(), now(), now() + interval '1 day', '')"""


def test_what_a_restore_holds_is_listed_released_and_dropped_by_command(database_url: str) -> None:
    first, second, third = (new_id() for _ in range(3))

    async def prepare() -> None:
        await migrate(database_url, OWNERS)
        for service, mail in (("intake", first), ("intake", second), ("desk", third)):
            await ask(database_url, HELD.format(service=service, mail=mail))

    def tidings(*arguments: object) -> Result:
        environment = {"TIDINGS_DATABASE": database_url, "TIDINGS_KAFKA": "127.0.0.1:1", "TIDINGS_DATA_KEYS": KEY}
        return CliRunner().invoke(app, ["mails", *map(str, arguments)], env=environment)

    def states(service: str) -> dict[str, tuple[str, bool]]:
        rows = run_apart(ask(database_url, f"SELECT id, state, sealed IS NULL FROM {service}.mails"))
        return {str(row[0]): (row[1], row[2]) for row in rows}

    run_apart(prepare())
    listed = json.loads(tidings("held", "--json").stdout)
    assert {(one["service"], one["mail_id"]) for one in listed} == {("intake", str(first)), ("intake", str(second)), ("desk", str(third))}
    assert all(one["message_id"].endswith(">") and one["purpose"] == "decision" for one in listed)
    assert tidings("release").exit_code == 2, "all of them only where it is said"
    assert tidings("release", first, "--all").exit_code == 2
    assert tidings("release", first).exit_code == 0
    unknown = tidings("release", first)
    assert (unknown.exit_code, "is held" in unknown.stderr) == (1, True)
    assert json.loads(tidings("drop", "--all", "--service", "intake", "--json").stdout) == {"done": 1, "services": ["intake"]}
    assert states("intake") == {str(first): ("waiting", False), str(second): ("uncertain", True)}
    assert states("desk") == {str(third): ("held", False)}
    said = run_apart(ask(database_url, "SELECT body::jsonb ->> 'what', body::jsonb ->> 'about' FROM intake.outbox ORDER BY seq"))
    assert [tuple(row) for row in said] == [("release", "mail"), ("drop", "mail")]
