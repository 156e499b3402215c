"""Whose work an issue is, also where what was written is not in it yet: nobody approves their own words once they come in."""

from collections.abc import AsyncIterator

import pytest

from services.newsletter.compose import blocks
from services.newsletter.issues import editing
from services.newsletter.issues.editing import Texts
from shared.approval.rules import Action, OwnWorkError
from shared.db import Database
from shared.events.codes import Role
from shared.migrations import migrate
from tests.newsletter.issue_items import CAUSE, THING, WRITER, approved, arrives, blocks_of, cut, does, issue_of, item, opened
from tests.people import somebody

BOTH = somebody(Role.DRAFTER, Role.APPROVER, name="Cleo Both")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, ["newsletter"])
    made = Database(database_url, "newsletter")
    yield made
    await made.close()


async def test_who_words_a_dropped_block_cannot_approve_it_once_it_is_restored(database: Database) -> None:
    await arrives(database, item(), item("practice-2"))
    issue = await opened(database)
    await cut(database, issue)
    block, _ = await blocks_of(database, issue)
    async with database.transaction() as tx:
        await editing.drop_block(tx, THING, issue, block.id, "Not now.", by=WRITER, cause=CAUSE)
    block = next(row for row in await blocks_of(database, issue) if row.id == block.id)
    words = blocks.parse({**block.content, "title": {**block.content["title"], "en": "Words of Cleo alone"}})
    async with database.transaction() as tx:
        await editing.write_block(tx, THING, issue, words, block.revision, by=BOTH, cause=CAUSE)
    async with database.transaction() as tx:
        await editing.restore_block(tx, THING, issue, block.id, by=WRITER, cause=CAUSE)
    await does(database, issue, Action.SUBMIT, WRITER)
    with pytest.raises(OwnWorkError):
        await does(database, issue, Action.APPROVE, BOTH)


async def test_who_words_a_language_that_is_not_in_the_issue_cannot_approve_it_once_it_is(database: Database) -> None:
    issue = await approved(database)
    (block,) = await blocks_of(database, issue)
    words = blocks.parse({**block.content, "title": {**block.content["title"], "ar": "كلمات"}})
    async with database.transaction() as tx:
        await editing.write_block(tx, THING, issue, words, block.revision, by=BOTH, cause=CAUSE)
    row = await issue_of(database, issue)
    languages = ("en", "fr", "ar")
    assert "ar" not in row.languages
    texts = Texts(languages=languages, fallback=row.fallback, subject={**row.subject, "ar": "عدد"}, preheader=row.preheader)  # type: ignore[arg-type]
    async with database.transaction() as tx:
        await editing.set_texts(tx, THING, issue, texts, row.revision, by=WRITER, cause=CAUSE)
    await does(database, issue, Action.SUBMIT, WRITER)
    with pytest.raises(OwnWorkError):
        await does(database, issue, Action.APPROVE, BOTH)


async def test_who_saves_a_dropped_block_as_it_was_has_written_nothing(database: Database) -> None:
    issue = await approved(database)
    (block,) = await blocks_of(database, issue)
    async with database.transaction() as tx:
        await editing.write_block(tx, THING, issue, blocks.parse(block.content), block.revision, by=BOTH, cause=CAUSE)
    await does(database, issue, Action.WITHDRAW, WRITER)
    await does(database, issue, Action.SUBMIT, WRITER)
    await does(database, issue, Action.APPROVE, BOTH)
