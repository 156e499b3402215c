"""What posts ask of people besides decisions stands on the start page until somebody has done it."""

from datetime import timedelta

from sqlalchemy import update

from services.demo.sandbox.server import Sandbox
from services.social.domain.deliveries import State as Delivery
from services.social.domain.deliveries import WaitingFor
from services.social.jobs import of
from services.social.posting.things import things_at
from services.social.store.tables import deliveries
from shared import clock
from shared.db import Database
from tests.desk.wire import PUBLIC_URL, asker
from tests.social.ledger import all_of
from tests.social.post_pages import ANA, BO, Pages, asked, sender_on, told


async def looks(database: Database, network: Sandbox) -> None:
    (job,) = [job for job in of(sender_on(network), things_at(PUBLIC_URL)) if job.name == "what posts ask"]
    for _ in range(2):  # the second finds nothing to do
        await job.run(database)


async def test_approved_post_without_a_time_asks_for_one_until_it_has_one(post: Pages, database: Database, network: Sandbox) -> None:
    await post.write("Safe and orderly")
    await looks(database, network)
    assert await asked(database, post) == []
    await post.act(ANA, "submit")
    await post.act(BO, "approve")
    await looks(database, network)
    assert await asked(database, post) == ["schedule-post"]
    await post.plan(clock.now() + timedelta(hours=1))
    await looks(database, network)
    assert await asked(database, post) == []
    assert [one["kind"] for one in await told(database, "task.opened.v1")].count("schedule-post") == 1


async def test_post_that_waits_for_a_person_asks_until_somebody_has_decided(post: Pages, database: Database, network: Sandbox) -> None:
    await post.approved()
    async with database.transaction() as tx:
        waits = {"state": Delivery.WAITING.value, "waiting_for": WaitingFor.REFUSED.value}
        await tx.execute(update(deliveries).values(**waits))
    await looks(database, network)
    assert await asked(database, post) == ["settle-post"]
    (row,) = await all_of(database)
    async with asker(post.wired.app, person=ANA) as browser:
        assert (await browser.post(f"/social/deliveries/{row.id}/cancel")).status_code == 303
    await looks(database, network)
    assert await asked(database, post) == []
