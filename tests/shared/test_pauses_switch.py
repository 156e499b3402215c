"""Desk's side of the kill switch: what is said reaches the senders, and their answers are shown beside it."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from services.newsletter.handlers import LISTENS as NEWSLETTER
from services.social.handlers import listens_at
from shared import clock
from shared.consumer import Consumer
from shared.db import Database, metadata
from shared.events.codes import Role, SenderState, Service
from shared.events.registry import TOPICS_OF
from shared.listening import listeners
from shared.migrations import backbone, migrate, pauses
from shared.pauses import saying, store, switch
from shared.pauses.switch import Switch
from shared.trace import Cause
from tests.desk.wire import records_of
from tests.shared.actors import Actor
from tests.shared.approval_items import make_tables, told

SOCIAL = listens_at("http://127.0.0.1:8000")

OPERATOR = Actor(id="olu", roles=frozenset({Role.OPERATOR}))
CAUSE = Cause.start()


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, "desk")
    await make_tables(database, backbone.create_1, pauses.create_switch_1)
    yield database
    await database.close()


@pytest.fixture
async def senders(database_url: str) -> AsyncIterator[dict[str, Database]]:
    await migrate(database_url, ["newsletter", "social"])
    found = {service: Database(database_url, service) for service in ("newsletter", "social")}
    yield found
    for database in found.values():
        await database.close()


async def throw(
    desk: Database, scope: str, paused: bool, *, by: Actor = OPERATOR, reason: str = "Mourning.", until: datetime | None = None
) -> None:
    async with desk.transaction() as tx:
        await switch.throw(tx, scope, paused=paused, by=by, reason=reason, until=until, cause=CAUSE)


async def carry(desk: Database, senders: dict[str, Database], *reached: str) -> None:
    """Bring desk's word to some senders, and their answers back."""
    listens = {"newsletter": NEWSLETTER, "social": SOCIAL}
    keeper = Consumer("desk", desk, listeners(switch.listener()), TOPICS_OF)
    for service in reached:
        await Consumer(service, senders[service], listens[service], TOPICS_OF).take(await records_of(desk))
        outcome = await keeper.take(await records_of(senders[service]))
        assert not any(became == "parked" for _, became in outcome.taken)


async def shown(desk: Database) -> Sequence[Switch]:
    async with desk.transaction() as tx:
        return await switch.overview(tx)


def states(found: Switch) -> dict[Service, SenderState | None]:
    return {sender: answer.state if answer else None for sender, answer in found.answers.items()}


async def test_tables_are_what_the_code_expects(desk: Database) -> None:
    whole = metadata()
    for table in switch.TABLES.tables.values():
        table.to_metadata(whole)

    def differences(connection: Connection) -> list[object]:
        def ours(name: str | None, kind: str, _: object) -> bool:
            return kind != "table" or name in whole.tables

        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True, "include_name": ours}), whole))

    async with desk.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_switch_shows_who_has_confirmed_and_who_has_not(desk: Database, senders: dict[str, Database]) -> None:
    until = clock.now() + timedelta(hours=1)
    await throw(desk, "all", True, until=until)
    (found,) = await shown(desk)
    assert (found.scope, found.paused, found.reason, found.until, found.by) == ("all", True, "Mourning.", until, "olu")
    assert found.unanswered == (Service.NEWSLETTER, Service.SOCIAL)
    await carry(desk, senders, "newsletter")
    (found,) = await shown(desk)
    assert states(found) == {Service.NEWSLETTER: SenderState.PAUSED, Service.SOCIAL: None}
    await carry(desk, senders, "social")
    (found,) = await shown(desk)
    assert (states(found)[Service.SOCIAL], found.unanswered) == (SenderState.PAUSED, ())


async def test_answer_to_an_earlier_word_is_none_to_the_next(desk: Database, senders: dict[str, Database]) -> None:
    await throw(desk, "social/x", True)
    await carry(desk, senders, "newsletter", "social")
    await throw(desk, "social/x", False)
    (found,) = await shown(desk)
    assert (found.paused, states(found)) == (False, {Service.SOCIAL: None})
    await carry(desk, senders, "social")
    (found,) = await shown(desk)
    assert states(found) == {Service.SOCIAL: SenderState.RUNNING}
    async with senders["social"].transaction() as tx:
        assert await store.paused(tx, "social/x") is None


async def test_word_is_told_in_order_and_kept_in_the_trail(desk: Database) -> None:
    await throw(desk, "social", True)
    await throw(desk, "social", False)
    rows = [(row.type, row.subject, row.revision) for row in await told(desk)]
    assert rows == [
        ("sending.paused.v1", "social", 1),
        ("decision.made.v1", "social", 1),
        ("sending.resumed.v1", "social", 2),
        ("decision.made.v1", "social", 1),
    ]


@pytest.mark.parametrize(
    ("scope", "by", "reason", "error"),
    [
        pytest.param("everything", OPERATOR, "x", switch.UnknownScopeError, id="no such scope"),
        pytest.param("newsletter/x", OPERATOR, "x", switch.UnknownScopeError, id="network of the newsletter"),
        pytest.param("all", Actor(id="ana", roles=frozenset({Role.ADMIN})), "x", saying.MayNotPauseError, id="admin"),
        pytest.param("all", OPERATOR, "", saying.ReasonNeededError, id="no reason"),
    ],
)
async def test_switch_that_cannot_be_thrown_stays(desk: Database, scope: str, by: Actor, reason: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await throw(desk, scope, True, by=by, reason=reason)
    assert (await shown(desk), await told(desk)) == ([], [])
