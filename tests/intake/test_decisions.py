"""What another service decides on a submission is shown on its tracking page; and intake's own rules about names and decisions."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from services.intake import domain, jobs
from services.intake.domain import PREFIXES, ReviewedHereError, UnknownSubmissionError
from services.intake.domain.slugs import slug_of
from services.intake.handlers import note_decision
from services.intake.store.tables import TABLES
from services.intake.web.story_facts import facts
from shared import clock
from shared.events.codes import Channel
from shared.events.every import SubmissionDecided
from shared.events.kinds import KINDS
from shared.ids import new_id
from shared.listening import Received
from tests.intake.intake_app import Intake
from tests.intake.test_review import REVIEW, state_of, submitted

ADDRESS = "https://tidings.example.org/pledges/P-1"


def decided(subject: object, *, revision: int = 1, **data: object) -> Received[SubmissionDecided]:
    """A decision as it comes in from another service."""
    return Received(
        id=new_id(),
        type=SubmissionDecided.type,
        subject=str(subject),
        time=clock.now(),
        cause="01a201de-e267-7642-ae52-efd2c8a660c5",
        trace_id="0" * 32,
        revision=revision,
        historic=False,
        data=SubmissionDecided.model_validate({"language": "en", **data}),
    )


async def note(intake: Intake, event: Received[SubmissionDecided]) -> None:
    async with intake.database.transaction() as tx:
        await note_decision(tx, event)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"verdict": "accepted", "address": ADDRESS}, ADDRESS),
        ({"verdict": "declined", "reason": "It is not measurable."}, "It is not measurable."),
        ({"verdict": "question", "reason": "Who measures it?"}, "Who measures it?"),
    ],
)
async def test_a_decision_told_by_the_reviewing_service_is_shown_to_the_sender(
    intake: Intake, reader: httpx.AsyncClient, staff: httpx.AsyncClient, said: Mapping[str, Any], shown: str
) -> None:
    submission = await submitted(intake, "pledge")
    await note(intake, decided(submission, **said))
    assert await state_of(intake, submission) == said["verdict"]
    [kept] = await intake.rows("SELECT token FROM submissions")
    assert shown in (await reader.get(f"/intake/track/{kept.token}")).text
    assert shown in (await staff.get(f"{REVIEW}{submission}")).text


async def test_an_older_word_changes_nothing_and_a_newer_one_does(intake: Intake) -> None:
    submission = await submitted(intake, "date")
    await note(intake, decided(submission, revision=3, verdict="accepted"))
    await note(intake, decided(submission, revision=2, verdict="question", reason="When?"))
    assert await state_of(intake, submission) == "accepted"
    await note(intake, decided(submission, revision=4, verdict="declined", reason="Cancelled."))
    assert await state_of(intake, submission) == "declined"


async def test_nobody_else_decides_on_what_intake_reviews(intake: Intake) -> None:
    submission = await submitted(intake)
    with pytest.raises(ReviewedHereError):
        await note(intake, decided(submission, verdict="accepted"))
    assert await state_of(intake, submission) == "received"


async def test_a_decision_on_what_nobody_knows_is_set_aside(intake: Intake) -> None:
    with pytest.raises(UnknownSubmissionError):
        await note(intake, decided(new_id(), verdict="accepted"))
    with pytest.raises(ValueError, match="UUID"):
        await note(intake, decided("no id at all", verdict="accepted"))


async def test_the_story_of_a_submission_begins_at_the_door(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission = await submitted(intake)
    async with intake.database.transaction() as tx:
        [came] = await facts(tx, submission.hex)
        assert (came.title_key, came.address) == ("staff.fact.webhook", f"{REVIEW}{submission}")
        assert await facts(tx, new_id().hex) == ()
    await staff.post(f"{REVIEW}{submission}/accept")
    async with intake.database.transaction() as tx:
        assert [fact.title_key for fact in await facts(tx, submission.hex)] == ["staff.fact.webhook", "staff.fact.accepted"]


async def test_raw_requests_are_erased_when_their_time_is_over(intake: Intake) -> None:
    old, new = await submitted(intake, event_id="old"), await submitted(intake, event_id="new")
    long_ago = clock.now() - timedelta(days=jobs.RAW_DAYS, hours=1)
    await intake.rows("UPDATE receipts SET received_at = :at WHERE id = :id RETURNING id", at=long_ago, id=old)
    assert await jobs.forget_raw_requests(intake.database) == 1
    kept = {row.id: row.raw_sealed for row in await intake.rows("SELECT id, raw_sealed FROM receipts")}
    assert kept[old] is None
    assert kept[new] is not None


async def test_the_tables_in_code_are_those_that_the_migrations_make(intake: Intake) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": only_ours})
        return list(compare_metadata(context, TABLES))

    def only_ours(name: str | None, kind: str, parents: Mapping[str, str | None]) -> bool:
        return kind != "table" or name in TABLES.tables

    async with intake.database.transaction() as tx:
        assert await tx.run_sync(differences) == []


# ---- rules without a database ----


def test_every_kind_has_a_prefix_of_its_own() -> None:
    assert set(PREFIXES) == set(KINDS)
    assert len(set(PREFIXES.values())) == len(PREFIXES)


def test_a_reference_can_be_read_out() -> None:
    made = {domain.new_reference("practice", datetime(2026, 6, 16, tzinfo=UTC)) for _ in range(200)}
    assert len(made) > 190
    for reference in made:
        assert reference.startswith("PR-2026-")
        assert not set(reference[8:]) & set("ILOU")
        assert len(reference) == 12


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ({"fr": "Guichet unique : l’accueil", "en": "One desk"}, "one-desk"),
        ({"fr": "Former des agents « vite » – là-bas"}, "former-des-agents-vite-la-bas"),
        ({"ar": "مكتب واحد"}, ""),
        ({"en": "../../etc/passwd%00<script>"}, "etc-passwd-00-script"),
        ({"en": "word " * 40}, "-".join(["word"] * 12)),
        ({"en": "x" * 200}, "x" * 60),
    ],
    ids=["English first", "accents", "another script", "markup", "cut between words", "one long word"],
)
def test_the_address_of_a_practice_is_made_of_its_title(title: dict[str, str], slug: str) -> None:
    assert slug_of(title, next(iter(title))) == slug


def test_the_trace_of_a_submission_is_its_receipt() -> None:
    receipt = UUID("01a201de-e267-7642-ae52-efd2c8a660c5")
    model = KINDS["practice"].model_validate(dict(KINDS["practice"].example))
    new = domain.take_in(model, receipt=receipt, channel=Channel.FORM, received_at=clock.now(), seal=lambda value: value)
    assert (new.cause.id, new.cause.trace_id) == (str(receipt), receipt.hex)
    assert "contact" not in new.public
    assert "contact" not in new.internal
