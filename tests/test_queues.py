"""What waits, in every service, as Prometheus reads it: how much, since when, and never longer than a second to say so."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import event, insert, text, update

from services.newsletter.sending.rules import Hold
from services.newsletter.sending.tables import audience, sends
from services.owners import OWNERS
from services.social.domain.deliveries import State, WaitingFor
from services.social.store.tables import deliveries
from shared import clock, outbox, tasks
from shared.db import Database
from shared.embedded.postgres import EmbeddedPostgres
from shared.events.codes import Language, Role
from shared.ids import new_id
from shared.mail.address import Mailbox
from shared.mail.message import Content
from shared.mail.queue.put import OneOff
from shared.parking import ParkedState, parked
from shared.queues import Queues
from shared.tasks import Task
from shared.testing.databases import template_of
from shared.trace import Cause
from tests.desk.wire import PRACTICE, tell
from tests.newsletter.sending import send_now, subscribe
from tests.social.ledger import put
from tests.social.x_sandbox import words
from tests.watched import Watched, queue, watched

READER = "amina.reader@example.net"
TITLE: Mapping[Language, str] = {"en": "A practice", "fr": "Une pratique"}


@pytest.fixture(scope="module")
def template_database(embedded_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with the tables of every service."""
    with template_of(embedded_postgres, OWNERS) as name:
        yield name


@pytest.fixture
async def system(database_url: str) -> AsyncIterator[Watched]:
    async with watched(database_url) as found:
        yield found


async def test_every_service_says_how_its_queues_stand(system: Watched) -> None:
    found = await system.scrape()
    for service in OWNERS:
        assert found[f'tidings_database_answers{{service="{service}"}}'] == 1
        assert found[queue("depth", service, "outbox")] == 0
        assert found[queue("depth", service, "parked", "dead")] == 0
        assert found[f'tidings_relay_leads{{service="{service}"}}'] == 0


async def test_what_waits_in_the_outbox_and_what_is_dead_shows_with_its_age(system: Watched) -> None:
    database = system.database("intake")
    told = await tell(database, PRACTICE, subject="1")
    await tell(database, PRACTICE, subject="2")
    async with database.transaction() as tx:
        long_ago = clock.now() - timedelta(seconds=300)
        await tx.execute(update(outbox.outbox).where(outbox.outbox.c.id == told).values(time=long_ago))
        await tx.execute(insert(parked).values(**_dead("3", first_at=long_ago)))
    found = await system.scrape()
    assert found[queue("depth", "intake", "outbox")] == found['tidings_outbox_unsent{service="intake"}'] == 2
    assert 300 <= found[queue("oldest_seconds", "intake", "outbox")] < 330
    assert found['tidings_outbox_age_seconds{service="intake"}'] == found[queue("oldest_seconds", "intake", "outbox")]
    assert found[queue("depth", "intake", "parked", "dead")] == found['tidings_parked{service="intake",state="dead"}'] == 1
    assert 300 <= found[queue("oldest_seconds", "intake", "parked", "dead")] < 330
    assert found['tidings_parked{service="intake",state="discarded"}'] == 0


def _dead(subject: str, **values: object) -> dict[str, object]:
    now = clock.now()
    record = {"topic": "pledges.v1", "partition": 0, "offset": 7, "key": subject.encode(), "value": b"{}", "headers": []}
    said = {"event_id": new_id(), "type": "pledge.published.v1", "subject": subject, "trace_id": "", "error": "ValueError: no"}
    times = {"first_at": now, "last_at": now, "next_at": now}
    return {**record, **said, **times, "state": ParkedState.DEAD.value, "behind": False, "attempts": 9, **values}


async def test_mails_wait_by_what_they_are_for_and_nobody_is_named(system: Watched) -> None:
    await _put_mail(system, "desk", "sign-in")
    await _put_mail(system, "intake", "confirm-address")
    async with system.database("intake").transaction() as tx:
        await tx.execute(text("UPDATE mails SET state = 'started', started_at = now() - interval '60 seconds'"))
    found = await system.scrape()
    assert found[queue("depth", "desk", "mails", kind="sign-in")] == 1
    assert found[queue("depth", "intake", "mails", "started", "confirm-address")] == 1
    assert 60 <= found[queue("oldest_seconds", "intake", "mails", "started", "confirm-address")] < 90
    said = await system.text()
    assert READER not in said
    assert "Amina" not in said


async def _put_mail(system: Watched, service: str, purpose: str) -> None:
    content = Content(language="fr", subject="Bonjour", text="Un lien.\n")
    until = clock.now() + timedelta(minutes=30)
    mail = OneOff(purpose=purpose, about="1", to=Mailbox(address=READER, name="Amina"), content=content, expires_at=until)
    async with system.database(service).transaction() as tx:
        await system.parts.mails().put(tx, mail)


async def test_tasks_wait_by_kind_and_what_is_done_counts_no_more(system: Watched) -> None:
    async with system.database("pledges").transaction() as tx:
        for subject in ("1", "2"):
            task = Task(kind="review-pledge", subject=subject, role=Role.MODERATOR, title=TITLE, address="https://tidings.example.org/1")
            await tasks.open_task(tx, task, cause=Cause.start())
        await tx.execute(update(tasks.tasks).where(tasks.tasks.c.subject == "1").values(opened_at=clock.now() - timedelta(days=2)))
    name = ("pledges", "tasks", "open", "review-pledge")
    found = await system.scrape()
    assert found[queue("depth", *name)] == 2
    assert found[queue("oldest_seconds", *name)] > 2 * 86_400 - 60
    async with system.database("pledges").transaction() as tx:
        await tx.execute(update(tasks.tasks).values(closed_at=clock.now()))
    found = await system.scrape()
    assert found[queue("depth", *name)] == found[queue("oldest_seconds", *name)] == 0


async def test_submissions_wait_by_kind_where_they_are_decided(system: Watched) -> None:
    async with system.database("intake").transaction() as tx:
        for kind, state in (("practice", "received"), ("practice", "accepted"), ("pledge", "received"), ("talk", "unconfirmed")):
            await tx.execute(
                text("""
                    INSERT INTO submissions (id, kind, channel, language, reference, public, internal, contact_sealed, state,
                        decision_revision, token, received_at)
                    VALUES (:id, :kind, 'form', 'fr', :id, '{}', '{}', '', :state, 0, :id, now() - interval '3 days')
                """).bindparams(id=new_id(), kind=kind, state=state)
            )
    found = await system.scrape()
    assert found[queue("depth", "intake", "submissions", "received", "practice")] == 1
    assert found[queue("oldest_seconds", "intake", "submissions", "received", "practice")] > 3 * 86_400 - 60
    assert found[queue("depth", "intake", "submissions", "unconfirmed", "talk")] == 1
    assert queue("depth", "intake", "submissions", "received", "pledge") not in found


async def test_copies_wait_by_state_and_those_of_a_held_issue_apart(system: Watched) -> None:
    database = system.database("newsletter")
    ids = await subscribe(database, system.parts.vault, [READER, *(f"{number}@example.net" for number in range(4))])
    issue = await send_now(database)
    async with database.transaction() as tx:
        of_reader = update(audience).where(audience.c.subscriber_id == ids[READER])
        await tx.execute(of_reader.values(state="uncertain", reason="crashed", ended_at=clock.now() - timedelta(seconds=90)))
        await tx.execute(update(audience).where(audience.c.subscriber_id == ids["0@example.net"]).values(state="claimed"))
    found = await system.scrape()
    assert found[queue("depth", "newsletter", "copies", "planned", "sending")] == 3
    assert found[queue("depth", "newsletter", "copies", "claimed", "sending")] == 1
    assert found[queue("depth", "newsletter", "copies", "uncertain", "crashed")] == 1
    assert 90 <= found[queue("oldest_seconds", "newsletter", "copies", "uncertain", "crashed")] < 120
    assert found[queue("depth", "newsletter", "issues", "sending")] == 1
    async with database.transaction() as tx:
        await tx.execute(update(sends).where(sends.c.issue_id == issue).values(state="held", held_because=Hold.REFUSALS.value))
    found = await system.scrape()
    assert found[queue("depth", "newsletter", "copies", "planned", "sending")] == 0
    assert found[queue("depth", "newsletter", "copies", "planned", "held")] == 3
    assert found[queue("depth", "newsletter", "issues", "held", "refusals")] == 1


async def test_posts_wait_by_state_and_by_what_holds_them_up(system: Watched) -> None:
    database = system.database("social")
    await put(database, words("One"), due_in=timedelta(minutes=-4))
    await put(database, words("Two"), due_in=timedelta(days=2))
    third = await put(database, words("Three"))
    async with database.transaction() as tx:
        waits = {"state": State.WAITING.value, "waiting_for": WaitingFor.CREDENTIALS.value}
        await tx.execute(update(deliveries).where(deliveries.c.id == third).values(**waits))
    found = await system.scrape()
    assert found[queue("depth", "social", "posts", "due", "x")] == 1
    assert 240 <= found[queue("oldest_seconds", "social", "posts", "due", "x")] < 300
    assert found[queue("depth", "social", "posts", "planned", "x")] == 1
    assert found[queue("depth", "social", "posts", "waiting", "credentials")] == 1


async def test_however_many_ask_the_database_is_asked_once_in_a_while(system: Watched) -> None:
    database = system.database("intake")
    statements: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    await asyncio.gather(*(system.text() for _ in range(10)))
    assert len([one for one in statements if "parked" in one]) == 1


async def test_a_database_that_is_away_fails_no_scrape_and_shows(postgres: EmbeddedPostgres, system: Watched) -> None:
    await tell(system.database("intake"), PRACTICE, subject="1")
    assert (await system.scrape())[queue("depth", "intake", "outbox")] == 1
    postgres.stop()
    found = await system.scrape()
    assert found['tidings_database_answers{service="intake"}'] == 0
    assert found[queue("depth", "intake", "outbox")] == 1  # as it was known last
    postgres.start()
    assert (await system.scrape())['tidings_database_answers{service="intake"}'] == 1


async def test_a_database_that_hangs_is_waited_for_a_second() -> None:
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    database = Database(f"postgresql://nobody@127.0.0.1:{server.sockets[0].getsockname()[1]}/nothing", "intake")
    queues = Queues(database, ())
    began = time.monotonic()
    await queues.measure()
    assert 0.9 < time.monotonic() - began < 3
    assert held
    assert REGISTRY.get_sample_value("tidings_database_answers", {"service": "intake"}) == 0
    await queues.close()
    await database.close()
    for writer in held:
        writer.close()
    server.close()
