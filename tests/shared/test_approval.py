"""The two-person rule on real PostgreSQL: what is kept, what is told, and many who decide at once."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, delete, func, select, text, update
from sqlalchemy.exc import IntegrityError

from shared import clock, tasks
from shared.approval import deciding, editing, sending, store
from shared.approval.content import Change, How, fingerprint
from shared.approval.rules import (
    Act,
    Action,
    AlreadyDecidedError,
    ContentChangedError,
    NotSubmittedError,
    OwnWorkError,
    State,
    UnknownItemError,
)
from shared.approval.sending import NotApprovedError, OtherThanApprovedError
from shared.db import Database, metadata
from shared.events.codes import Role, TaskEnd
from shared.events.registry import EVENT_TYPES
from shared.ids import new_id
from tests.shared.actors import Actor
from tests.shared.approval_items import (
    ANA,
    APPROVERS,
    BO,
    CAUSE,
    CHEN,
    POST,
    does,
    draft,
    posts,
    read_post,
    service,
    shown,
    told,
    waits_for_lock,
    write,
)

CROWD = 50


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with service(database_url, pool_size=CROWD) as made:
        yield made


async def standing_of(database: Database, item: UUID) -> State:
    async with database.transaction() as tx:
        return (await store.find(tx, "post", item)).state


async def asked(database: Database, item: UUID) -> list[str]:
    async with database.transaction() as tx:
        return [task.kind for task in await tasks.open_tasks(tx, str(item))]


async def leaves(database: Database, item: UUID) -> str | None:
    async with database.transaction() as tx:
        matter = await read_post(tx, item)
        assert matter is not None
        await sending.check(tx, "post", item, matter.content)
        return await sending.approved_hash(tx, "post", item)


def facts(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [json.loads(row.body) for row in rows]


async def test_tables_are_what_the_code_expects(database: Database) -> None:
    whole = metadata()
    for table in (*store.TABLES.tables.values(), *tasks.TABLES.tables.values()):
        table.to_metadata(whole)

    def differences(connection: Connection) -> list[Any]:
        def ours(name: str | None, kind: str, _: object) -> bool:
            return kind != "table" or name in whole.tables

        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": ours})
        return list(compare_metadata(context, whole))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_submitted_by_one_and_approved_by_another_it_may_leave(database: Database) -> None:
    item = await draft(database)
    await does(database, item, Action.SUBMIT, ANA, reason=None)
    approved = await does(database, item, Action.APPROVE, BO, reason=None)
    seen = await shown(database, item)
    assert (approved.standing.state, approved.step.number, approved.step.who) == (State.APPROVED, 2, "bo")
    assert await leaves(database, item) == seen.whole
    async with database.transaction() as tx:
        steps = await store.history(tx, "post", item)
        kept = await store.contents(tx, seen)
    assert [(step.number, step.what, step.who, step.state, step.fingerprint, step.reason) for step in steps] == [
        (1, "submit", "ana", State.SUBMITTED, seen, None),
        (2, "approve", "bo", State.APPROVED, seen, None),
    ]
    assert kept == {"x/en": {"text": "Words"}, "x/fr": {"text": "Mots"}}


async def test_each_decision_is_told_with_its_hash_and_its_task(database: Database) -> None:
    item = await draft(database)
    await does(database, item, Action.SUBMIT, ANA, reason=None)
    seen = await shown(database, item)
    assert await asked(database, item) == ["approve-post"]
    await does(database, item, Action.REQUEST_CHANGES, BO, reason="Shorter, please.")
    assert await asked(database, item) == ["change-post"]
    rows = await told(database)
    assert [row.type for row in rows] == [
        "decision.made.v1",
        "task.opened.v1",
        "decision.made.v1",
        "task.closed.v1",
        "task.opened.v1",
    ]
    submitted, opened, decided, closed, change = facts(rows)
    assert {row.subject for row in rows if row.type == "decision.made.v1"} == {str(item)}
    assert (submitted["who"], submitted["what"], submitted["content_hash"]) == ("ana", "submit", seen.whole)
    assert (opened["kind"], opened["role"], opened["not_by"], opened["nor_by"]) == ("approve-post", "approver", "ana", [])
    assert (decided["who"], decided["what"], decided["reason"]) == ("bo", "request-changes", "Shorter, please.")
    assert (closed["kind"], closed["end"], closed["by"]) == ("approve-post", "done", "bo")
    assert (change["kind"], change["role"], change["not_by"]) == ("change-post", "drafter", None)
    assert rows[1].subject == rows[3].subject != rows[4].subject
    for row in rows:
        EVENT_TYPES[row.type].model_validate_json(row.body)


async def test_author_approves_by_no_door(database: Database) -> None:
    item = await draft(database)
    await does(database, item, Action.SUBMIT, BO)
    before = await told(database)
    for person in (ANA, BO):
        with pytest.raises(OwnWorkError):
            await does(database, item, Action.APPROVE, person)
    assert await standing_of(database, item) is State.SUBMITTED
    assert await told(database) == before


async def test_one_comma_in_any_variant_voids_and_nothing_leaves(database: Database) -> None:
    for variant in ("x/en", "x/fr"):
        item = await draft(database, {"x/en": "Words", "x/fr": "Mots"})
        await does(database, item, Action.SUBMIT, ANA)
        await does(database, item, Action.APPROVE, BO)
        texts = {"x/en": "Words", "x/fr": "Mots"}
        await write(database, item, texts | {variant: f"{texts[variant]},"}, by=CHEN)
        with pytest.raises(NotApprovedError, match="It is draft"):
            await leaves(database, item)
        assert await asked(database, item) == ["submit-post"]
        await does(database, item, Action.SUBMIT, ANA)
        with pytest.raises(OwnWorkError):
            await does(database, item, Action.APPROVE, CHEN)
    void = [fact for fact in facts(await told(database, "decision.made.v1")) if fact["what"] == "void"]
    assert [fact["who"] for fact in void] == ["chen", "chen"]


async def test_words_changed_behind_the_approval_do_not_leave(database: Database) -> None:
    item = await draft(database)
    await does(database, item, Action.SUBMIT, ANA)
    await does(database, item, Action.APPROVE, BO)
    async with database.transaction() as tx:
        await tx.execute(update(posts).where(posts.c.id == item).values(texts={"x/en": "Words!", "x/ar": "كلمات"}))
    with pytest.raises(OtherThanApprovedError) as raised:
        await leaves(database, item)
    assert raised.value.changes == (
        Change(variant="x/ar", how=How.ADDED),
        Change(variant="x/en", how=How.CHANGED),
        Change(variant="x/fr", how=How.REMOVED),
    )


async def test_sender_of_one_network_checks_its_own_variant(database: Database) -> None:
    item = await draft(database)
    async with database.transaction() as tx:
        with pytest.raises(NotApprovedError):
            await sending.check_variant(tx, "post", item, "x/en", {"text": "Words"})
    await does(database, item, Action.SUBMIT, ANA)
    await does(database, item, Action.APPROVE, BO)
    async with database.transaction() as tx:
        found = await sending.check_variant(tx, "post", item, "x/en", {"text": "Words"})
        assert found == fingerprint({"x/en": {"text": "Words"}}).variants["x/en"]
        for name, words in (("x/en", "Mots"), ("x/fr", "Words"), ("en", "Words")):
            with pytest.raises(OtherThanApprovedError):
                await sending.check_variant(tx, "post", item, name, {"text": words})


async def test_who_read_an_older_page_is_told_what_changed(database: Database) -> None:
    item = await draft(database)
    page = await shown(database, item)
    await write(database, item, {"x/en": "Words", "x/fr": "Mots !"})
    await does(database, item, Action.SUBMIT, ANA)
    with pytest.raises(ContentChangedError) as raised:
        await does(database, item, Action.APPROVE, BO, seen=page)
    assert raised.value.facts == {"changes": {"x/fr": "changed"}}
    assert await standing_of(database, item) is State.SUBMITTED


async def test_edit_that_commits_while_somebody_decides_is_seen(database: Database) -> None:
    item = await draft(database)
    await does(database, item, Action.SUBMIT, ANA)
    page = await shown(database, item)
    async with database.transaction() as editor:
        await editor.execute(update(posts).where(posts.c.id == item).values(texts={"x/en": "Other words"}))
        await editing.edited(editor, POST, item, by=CHEN, cause=CAUSE)
        approval = asyncio.create_task(does(database, item, Action.APPROVE, BO, seen=page))
        await waits_for_lock(database)
    with pytest.raises(NotSubmittedError):
        await approval
    assert await standing_of(database, item) is State.DRAFT
    with pytest.raises(NotApprovedError):
        await leaves(database, item)


async def test_edit_waits_for_a_sender_that_has_checked(database: Database) -> None:
    item = await draft(database)
    await does(database, item, Action.SUBMIT, ANA)
    await does(database, item, Action.APPROVE, BO)
    async with database.transaction() as sender:
        await sending.check_variant(sender, "post", item, "x/en", {"text": "Words"})
        edit = asyncio.create_task(write(database, item, {"x/en": "Other"}))
        await waits_for_lock(database)
        assert await standing_of(database, item) is State.APPROVED
    assert (await edit).state is State.DRAFT


async def test_fifty_at_once_end_in_one_decision_and_a_plain_answer_to_the_rest(database: Database) -> None:
    item = await draft(database)
    await does(database, item, Action.SUBMIT, ANA)
    page = await shown(database, item)
    before = len(await told(database))
    actions = [Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGES]
    crowd = [(actions[place % 3], Actor(id=f"person-{place}", roles=frozenset({Role.APPROVER}))) for place in range(CROWD)]
    async with database.transaction() as holder:
        # Everybody stands at the door before it opens.
        await store.hold(holder, "post", item)
        tries = [asyncio.create_task(does(database, item, action, person, seen=page)) for action, person in crowd]
        await waits_for_lock(database, CROWD - 1)
    ends = await asyncio.gather(*tries, return_exceptions=True)

    (decided,) = [end for end in ends if isinstance(end, deciding.Decided)]
    refused = [end for end in ends if isinstance(end, AlreadyDecidedError)]
    assert len(refused) == CROWD - 1, Counter(type(end).__name__ for end in ends)
    for error in refused:
        assert error.latest == decided.step
        assert f"{decided.step.who} did {decided.step.what} at {decided.step.at.isoformat()}" in str(error)
    assert decided.step.what == crowd[ends.index(decided)][0]
    async with database.transaction() as tx:
        assert len(await store.history(tx, "post", item)) == 2
    after = (await told(database))[before:]
    assert Counter(row.type for row in after) == {
        "decision.made.v1": 1,
        "task.closed.v1": 1,
        **({"task.opened.v1": 1} if decided.step.what == Action.REQUEST_CHANGES else {}),
    }


async def test_decisions_and_edits_in_a_crowd_leave_only_what_another_approved(database: Database) -> None:
    """Ten items, each pulled at from all sides: whatever was approved meanwhile is what its approver read, and not their own."""
    items = [await draft(database) for _ in range(10)]
    people = [ANA, BO, CHEN, *(Actor(id=name, roles=frozenset({Role.APPROVER})) for name in ("dee", "eve"))]
    doors = asyncio.Semaphore(CROWD)

    async def pull(item: UUID, place: int) -> None:
        async with doors:
            with suppress(AlreadyDecidedError, ContentChangedError, NotSubmittedError, OwnWorkError):
                match place % 4:
                    case 0:
                        await write(database, item, {"x/en": f"Words {place}"}, by=people[place % 3])
                    case 1:
                        await does(database, item, Action.SUBMIT, people[place % 3])
                    case _:
                        await does(database, item, Action.APPROVE, people[place % 5])

    await asyncio.gather(*(pull(item, place) for place in range(1, 40) for item in items))
    for item in items:
        if await standing_of(database, item) is State.DRAFT:
            await does(database, item, Action.SUBMIT, ANA)
        if await standing_of(database, item) is State.SUBMITTED:
            await does(database, item, Action.APPROVE, people[-1])
        assert await leaves(database, item)
        async with database.transaction() as tx:
            steps = await store.history(tx, "post", item)
        assert [step.number for step in steps] == list(range(1, len(steps) + 1))
        for before, step in pairwise(steps):
            if step.what == Action.APPROVE:
                assert (before.what, before.fingerprint) == (Action.SUBMIT, step.fingerprint)
                assert before.who != step.who


async def test_broken_glass_reaches_every_approver(database: Database) -> None:
    item = await draft(database)
    broken = await does(database, item, Action.BREAK_GLASS, ANA, reason="The plenary begins in five minutes.")
    assert broken.standing.broke_glass
    assert await leaves(database, item)
    mails = await told(database, "mail.wanted.v1")
    assert [row.subject for row in mails] == sorted(set(APPROVERS) - {"ana"})
    assert facts(mails)[0]["facts"] == {"title": {"en": "A post"}, "about": "post", "who": "ana"}
    (decision,) = facts(await told(database, "decision.made.v1"))
    assert (decision["broke_glass"], decision["reason"]) == (True, "The plenary begins in five minutes.")
    (task,) = facts(await told(database, "task.opened.v1"))
    assert (task["kind"], task["role"], task["not_by"]) == ("look-at-post", "approver", "ana")


async def test_another_approver_looks_at_what_one_approved_alone_once(database: Database) -> None:
    item = await draft(database)
    await does(database, item, Action.BREAK_GLASS, ANA)

    async def look(by: Actor) -> bool:
        async with database.transaction() as tx:
            return await deciding.acknowledge(tx, POST, item, by=by, cause=CAUSE)

    with pytest.raises(OwnWorkError):
        await look(ANA)
    assert await asked(database, item) == ["look-at-post"]
    assert sorted(await asyncio.gather(look(BO), look(CHEN))) == [False, True]
    assert await asked(database, item) == []
    async with database.transaction() as tx:
        assert [step.what for step in await store.history(tx, "post", item)] == ["break-glass", "acknowledge"]
    assert await leaves(database, item)


async def test_time_ends_an_approval_even_before_the_job_comes(database: Database) -> None:
    item = await draft(database)
    soon = clock.now() + timedelta(hours=1)
    await write(database, item, {"x/en": "Words", "x/fr": "Mots"}, expires_at=soon)
    await does(database, item, Action.SUBMIT, ANA)
    await does(database, item, Action.APPROVE, BO)
    assert await leaves(database, item)
    async with database.transaction() as tx:
        assert await editing.expire_due(tx, POST, cause=CAUSE) == []
    # The end of its time is moved, and no word is touched: the approval stands, until that end is over.
    await write(database, item, {"x/en": "Words", "x/fr": "Mots"}, expires_at=clock.now() - timedelta(seconds=1))
    assert await standing_of(database, item) is State.APPROVED
    with pytest.raises(NotApprovedError, match="It is expired"):
        await leaves(database, item)
    async with database.transaction() as tx:
        assert await sending.approved_hash(tx, "post", item) is None
        assert await editing.expire_due(tx, POST, cause=CAUSE) == [item]
        assert await editing.expire_due(tx, POST, cause=CAUSE) == []
    assert (await standing_of(database, item), await asked(database, item)) == (State.EXPIRED, ["renew-post"])


async def test_item_that_is_gone_expires_without_asking_anybody(database: Database) -> None:
    item = await draft(database)
    await write(database, item, {"x/en": "Words"}, expires_at=clock.now() + timedelta(hours=1))
    await does(database, item, Action.SUBMIT, ANA)
    async with database.transaction() as tx:
        await tx.execute(update(store.approvals).values(expires_at=clock.now()))
        await tx.execute(delete(posts))
        assert await editing.expire_due(tx, POST, cause=CAUSE) == [item]
    assert (await standing_of(database, item), await asked(database, item)) == (State.EXPIRED, [])


async def test_machine_voids_and_withdraws_and_nobody_decided_that(database: Database) -> None:
    item = await draft(database, by=None)
    await does(database, item, Action.SUBMIT, ANA)
    await does(database, item, Action.APPROVE, BO)
    decisions = len(await told(database, "decision.made.v1"))
    await write(database, item, {"x/en": "The source was corrected"}, by=None)
    assert (await standing_of(database, item), await asked(database, item)) == (State.DRAFT, ["submit-post"])
    async with database.transaction() as tx:
        assert await editing.withdraw(tx, POST, item, because="Its authors asked for it.", cause=CAUSE)
        assert not await editing.withdraw(tx, POST, item, because="Again.", cause=CAUSE)
        last = await store.latest_step(tx, "post", item)
    assert last is not None
    assert (last.what, last.who, last.reason, last.number) == ("withdraw", None, "Its authors asked for it.", 4)
    assert (await standing_of(database, item), await asked(database, item)) == (State.WITHDRAWN, [])
    assert len(await told(database, "decision.made.v1")) == decisions
    ends = [fact["end"] for fact in facts(await told(database, "task.closed.v1"))]
    assert ends == [TaskEnd.DONE, TaskEnd.WITHDRAWN]


@pytest.mark.parametrize("table", ["approval_steps", "approval_contents"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET {}"], ids=["delete", "truncate", "update"])
async def test_what_was_decided_is_only_ever_added_to(database: Database, table: str, statement: str) -> None:
    item = await draft(database)
    await does(database, item, Action.SUBMIT, ANA)
    column = "who = 'bo'" if table == "approval_steps" else "body = ''"
    with pytest.raises(IntegrityError, match="only ever added"):
        async with database.transaction() as tx:
            await tx.execute(text(statement.format(table, column)))
    async with database.transaction() as tx:
        assert (await tx.execute(select(func.count()).select_from(store.approval_steps))).scalar_one() == 1


async def test_what_is_not_there_cannot_be_decided_on(database: Database) -> None:
    seen = fingerprint({"en": {}})
    with pytest.raises(UnknownItemError):
        async with database.transaction() as tx:
            await deciding.decide(tx, POST, new_id(), Act(action=Action.SUBMIT, by=ANA, seen=seen), cause=CAUSE)
    async with database.transaction() as tx:
        assert await sending.approved_hash(tx, "post", new_id()) is None
        assert (await store.counts(tx, "post"))[State.DRAFT] == 0


async def test_lists_show_where_each_stands(database: Database) -> None:
    one, other = await draft(database), await draft(database, by=None)
    await does(database, one, Action.SUBMIT, ANA)
    fresh = new_id()
    async with database.transaction() as tx:
        found = await store.standings(tx, "post", [one, other, fresh])
        counted = await store.counts(tx, "post")
    assert {item: standing.state for item, standing in found.items()} == {
        one: State.SUBMITTED,
        other: State.DRAFT,
        fresh: State.DRAFT,
    }
    assert (counted[State.SUBMITTED], counted[State.DRAFT], counted[State.APPROVED]) == (1, 1, 0)
