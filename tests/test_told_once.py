"""Whatever is told, however often and in whatever order: newsletter and social make of it what they make of it told once, in its turn."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.newsletter.domain.sources import ABOUT as PRINTED
from services.newsletter.issues import cutting, opening
from services.newsletter.issues.rules import Rule, dates_of
from services.owners import OWNERS
from services.social.domain.sources import ABOUT as POSTED
from services.social.posting import writing
from services.social.posting.things import things_at
from services.social.posting.writing import Hand
from shared.approval import deciding
from shared.approval.content import fingerprint
from shared.approval.rules import Act, Action
from shared.approval.things import Thing
from shared.consumer import Consumer
from shared.db import Database
from shared.events.codes import Service, SourceKind
from shared.events.registry import EVENT_TYPES, LISTENERS, NOT_YET_LISTENING, TOPICS_OF
from shared.ids import new_id
from shared.migrations import migrate
from shared.parking import StoredRecord
from shared.trace import Cause
from tests.newsletter.issue_items import APPROVER, CAUSE, NOVEMBER, PUBLIC_URL, THING, WRITER, ZONE
from tests.sample_events import every_sample, record, sample_of
from tests.test_roles import application_on

SENDERS = ("newsletter", "social")
SUBJECTS = {kind: str(new_id()) for kind in SourceKind}
TIMES = 10
# What the database itself draws or writes down about its own work; none of it is seen by people.
DRAWN = {"id", "created_at", "updated_at", "heard_at", "received_at", "outcome_at"}
KINDS = {event_type.type: kind for event_type, kind in {**PRINTED, **POSTED}.items()}


def samples() -> list[StoredRecord]:
    """Every type that is about a source, twice and in the order in which it would be told of one, with a date of each kind that forbids."""
    found: list[StoredRecord] = []
    revisions = dict.fromkeys(SourceKind, 0)
    for event_type in EVENT_TYPES:
        if (kind := KINDS.get(event_type)) is None:
            continue
        for earlier in (True, False):
            revisions[kind] += 1
            data = sample_of(event_type)
            name = next(name for name in ("title", "text", "reason") if name in data)
            words = {name: "Earlier words" if name == "reason" and "title" not in data else {"en": "Earlier words"}}
            found.append(record(event_type, data | (words if earlier else {}), subject=SUBJECTS[kind], revision=revisions[kind]))
    for forbids in ("blackout", "embargo"):
        subject, about = str(new_id()), {"kind": "pledge", "id": SUBJECTS[SourceKind.PLEDGE]}
        for revision, event_type in enumerate(("date.published.v1", "date.moved.v1"), start=1):
            data = sample_of(event_type) | {"kind": forbids, "source": about if forbids == "embargo" else None}
            found.append(record(event_type, data, subject=subject, revision=revision))
    return found


def standing_sources() -> list[StoredRecord]:
    """The samples up to where each source stands, without those that end it."""
    ends = {"practice.withdrawn.v1", "news.withdrawn.v1", "promotion.withdrawn.v1", "contribution.withdrawn.v1", "pledge.withdrawn.v1"}
    return [one for one in samples() if _type(one) not in {*ends, "talk.cancelled.v1", "date.cancelled.v1", "date.moved.v1"}]


def _type(one: StoredRecord) -> str:
    return next(value.decode() for name, value in one.headers if name == "ce_type" and value)


class Two:
    """Both senders, each with its consumer and its tables, nothing of them at work."""

    def __init__(self, consumers: Mapping[str, Consumer]) -> None:
        self.consumers = consumers

    def database(self, service: str) -> Database:
        """Return where a service keeps what it has."""
        return self.consumers[service].database

    async def take(self, records: Sequence[StoredRecord]) -> None:
        """Hand these over to both, one batch for each."""
        for consumer in self.consumers.values():
            await consumer.take(records)

    async def state(self, *, without: frozenset[str] = frozenset(), but: frozenset[str] = frozenset()) -> Mapping[str, Any]:
        """Return every row of every table of both but for the columns `without` and the tables `but`."""
        found: dict[str, Any] = {}
        for service in SENDERS:
            async with self.database(service).transaction() as tx:
                names = "SELECT table_name FROM information_schema.tables WHERE table_schema = :schema AND table_type = 'BASE TABLE'"
                tables = (await tx.execute(text(names), {"schema": service})).scalars().all()
                for table in sorted(set(tables) - but):
                    rows = (await tx.execute(text(f'SELECT * FROM {service}."{table}"'))).mappings().all()
                    kept = [{name: value for name, value in row.items() if name not in without} for row in rows]
                    found[f"{service}.{table}"] = sorted(map(repr, kept))
        return found

    async def forget(self) -> None:
        """Empty every table that events write to."""
        for service in SENDERS:
            async with self.database(service).transaction() as tx:
                own = "drafts, posts, post_variants" if service == "social" else "pool_items, issue_blocks, issues"
                await tx.execute(text(f"TRUNCATE {own}, heard, quiet_times, inbox, outbox, parked, tasks, approvals CASCADE"))


@pytest.fixture
async def two(database_url: str) -> AsyncIterator[Two]:
    """Both senders on a database of their own."""
    await migrate(database_url, OWNERS)
    _, running = application_on(database_url)
    services = [one.service for one in running]
    consumers = {}
    for service in services:
        if service.name in SENDERS:
            assert service.database is not None
            consumers[service.name] = Consumer(service.name, service.database, service.listeners, TOPICS_OF)
    yield Two(consumers)
    for service in services:
        assert service.database is not None
        await service.database.close()


def test_nothing_that_these_two_should_hear_is_left_unheard() -> None:
    assert {pair for pair in NOT_YET_LISTENING if pair[1] in {Service.NEWSLETTER, Service.SOCIAL}} == set()
    heard = {event_type.type for event_type in PRINTED}, {event_type.type for event_type in POSTED}
    for service, types in zip((Service.NEWSLETTER, Service.SOCIAL), heard, strict=True):
        others = {event_type for event_type, listeners in LISTENERS.items() if service in listeners} - types
        assert others == {"person.changed.v1", "sending.paused.v1", "sending.resumed.v1"}


@pytest.mark.timeout(300)
async def test_every_event_ten_times_has_its_effects_once_issues_and_posts_among_them(two: Two) -> None:
    await two.take(standing_sources())
    issue, posts = await _written_and_approved(two)
    before = await two.state(but=frozenset({"inbox"}))
    told = samples()
    await two.take(told)
    once = await two.state(but=frozenset({"inbox"}))
    assert once != before
    for number in range(TIMES):
        # The same deliveries again; then told anew under another id, as a teller that has forgotten would.
        await two.take(told if number % 2 else [_under_another_id(one) for one in told])
    assert await two.state(but=frozenset({"inbox"})) == once
    assert once["newsletter.parked"] == once["social.parked"] == []
    # What was approved stands for what its sources no longer say, so it is void.
    async with two.database("newsletter").transaction() as tx:
        assert (await tx.execute(text("SELECT state FROM approvals WHERE item = :issue"), {"issue": issue})).scalar_one() == "draft"
    async with two.database("social").transaction() as tx:
        states = {row.item: row.state for row in await tx.execute(text("SELECT item, state FROM approvals"))}
    assert set(states) == set(posts)
    assert "approved" in states.values()  # the bulletin is out, and nothing has changed that
    assert "withdrawn" in states.values()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(3))
async def test_shuffled_and_repeated_it_comes_to_the_same(two: Two, seed: int) -> None:
    told = samples()
    await two.take(told)
    drawn, own = frozenset(DRAWN), frozenset({"inbox", "outbox"})
    in_turn = await two.state(without=drawn, but=own)
    assert len(in_turn["newsletter.pool_items"]) == 9  # every source, two milestones and a deadline that is near
    assert len(in_turn["social.drafts"]) == 10
    await two.forget()
    shuffled = told * TIMES
    random.Random(seed).shuffle(shuffled)  # no secret
    for begin in range(0, len(shuffled), 40):
        await two.take(shuffled[begin : begin + 40])
    assert await two.state(without=drawn, but=own) == in_turn


async def test_what_is_told_of_the_past_makes_nothing(two: Two) -> None:
    empty = await two.state(but=frozenset({"inbox", "heard"}))
    past = [replace(one, headers=[*one.headers, ("ce_historic", b"true")]) for one in samples() if b"blackout" not in (one.value or b"")]
    past = [one for one in past if b"embargo" not in (one.value or b"")]
    await two.take(past)
    assert await two.state(but=frozenset({"inbox", "heard"})) == empty
    # Nor is it news when one of these is corrected.
    corrected = [record("pledge.updated.v1", subject=SUBJECTS[SourceKind.PLEDGE], revision=20)]
    corrected.append(record("pledge.published.v1", subject=SUBJECTS[SourceKind.PLEDGE], revision=21))
    corrected.append(record("date.moved.v1", subject=SUBJECTS[SourceKind.DATE], revision=20))
    await two.take(corrected)
    assert await two.state(but=frozenset({"inbox", "heard"})) == empty


async def test_no_other_event_makes_an_item_or_a_draft(two: Two) -> None:
    await two.take([one for one in every_sample() if _type(one) not in KINDS])
    found = await two.state()
    assert found["newsletter.pool_items"] == found["social.drafts"] == []


def _under_another_id(one: StoredRecord) -> StoredRecord:
    headers = [(name, str(new_id()).encode() if name == "ce_id" else value) for name, value in one.headers]
    return replace(one, headers=headers)


async def _written_and_approved(two: Two) -> tuple[UUID, list[UUID]]:
    """Return an issue of everything in the pool and a post of every draft, all approved."""
    async with two.database("newsletter").transaction() as tx:
        issue = await opening.open_issue(tx, NOVEMBER, Rule(), dates_of(Rule(), NOVEMBER), ZONE)
    assert issue is not None
    async with two.database("newsletter").transaction() as tx:
        assert await cutting.cut(tx, THING, issue, by=WRITER, cause=CAUSE) >= 8
    await _approve(two.database("newsletter"), THING, issue)
    thing, posts = things_at(PUBLIC_URL), []
    async with two.database("social").transaction() as tx:
        drafts = (await tx.execute(text("SELECT id FROM drafts ORDER BY id"))).scalars().all()
    for draft in drafts:
        async with two.database("social").transaction() as tx:
            post = await writing.begin_from_draft(tx, Hand(thing=thing, by=WRITER, cause=Cause.start()), draft, zone="UTC")
        assert post is not None
        await _approve(two.database("social"), thing, post)
        posts.append(post)
    return issue, posts


async def _approve(database: Database, thing: Thing, item: UUID) -> None:
    for action, person in ((Action.SUBMIT, WRITER), (Action.APPROVE, APPROVER)):
        async with database.transaction() as tx:
            read = await thing.read(tx, item)
        assert read is not None
        async with database.transaction() as tx:
            await deciding.decide(tx, thing, item, Act(action=action, by=person, seen=fingerprint(read.content), reason="."), cause=CAUSE)
