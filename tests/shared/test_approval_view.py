"""What a page shows of something that needs two persons: what this person may do, why not, and what was done by whom."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response

from shared.approval import rules, sending
from shared.approval.content import Content, fingerprint
from shared.approval.rules import Act, Action, AlreadyDecidedError, ApprovalError, ContentChangedError, OwnWorkError, Standing, State, Step
from shared.approval.view import UnknownActionError, act_from_form, changes_between, problem_of, sentence_of, view_of
from shared.approval.web import NothingToApproveError
from shared.events.codes import Role
from shared.i18n import LANGUAGES, translate
from shared.web.pages import Pages
from shared.web.wiring import install
from tests.people import VERIFIER
from tests.shared.actors import Actor
from tests.shared.web_app import Page, browser

NOON = datetime(2026, 6, 16, 12, tzinfo=UTC)
BOTH = frozenset({Role.DRAFTER, Role.APPROVER})
ANA, BO = Actor(id="id-ana", roles=BOTH), Actor(id="id-bo", roles=BOTH)
AUDITOR = Actor(id="id-au", roles=frozenset({Role.AUDITOR}))
NAMES = {"id-ana": "Ana <b>", "id-bo": "Bo"}
BEFORE: Content = {"x/en": {"text": "Words"}, "x/ar": {"text": "كلمات"}, "x/fr": {"text": "Mots"}}
AFTER: Content = {"x/en": {"text": "Words & more"}, "x/ar": {"text": "كلمات أخرى"}, "x/es": {"text": "Palabras"}}


def step(number: int, what: str, who: str | None, state: State, reason: str | None = None) -> Step:
    return Step(number=number, what=what, who=who, state=state, fingerprint=fingerprint(BEFORE), reason=reason, at=NOON)


SUBMITTED = Standing(state=State.SUBMITTED, fingerprint=fingerprint(BEFORE), hands=frozenset({"id-ana"}), steps=1, expires_at=NOON)
STEPS = (
    step(1, "submit", "id-ana", State.SUBMITTED),
    step(2, "request-changes", "id-bo", State.CHANGES_REQUESTED, "Shorter <please>\nand kinder."),
    step(3, "submit", "id-unknown", State.SUBMITTED),
    step(4, "break-glass", "id-ana", State.APPROVED, "The plenary begins."),
    step(5, "acknowledge", "id-bo", State.APPROVED),
    step(6, "void", None, State.DRAFT),
    step(7, "withdraw", "id-ana", State.WITHDRAWN),
    step(8, "expire", None, State.EXPIRED),
    step(9, "approve", "id-bo", State.APPROVED),
    step(10, "reject", "id-bo", State.REJECTED, "No."),
)
LATEST = STEPS[1]
REFUSED: Sequence[ApprovalError] = (
    *(AlreadyDecidedError(state, replace(LATEST, state=state)) for state in State if state is not State.DRAFT),
    AlreadyDecidedError(State.EXPIRED, STEPS[7]),
    ContentChangedError(fingerprint(BEFORE).changes_to(fingerprint(AFTER)), fingerprint(AFTER)),
    OwnWorkError(),
    UnknownActionError(),
    rules.UnknownItemError(),
    rules.RoleNeededError((Role.APPROVER,)),
    rules.ReasonNeededError(),
    rules.SeenNeededError(),
    rules.NotSubmittedError(),
    rules.TooLateError(),
    NothingToApproveError(),
    sending.NotApprovedError(State.DRAFT),
    sending.OtherThanApprovedError(()),
)


async def show(
    standing: Standing, by: Actor, *, language: str = "en", steps: Sequence[Step] = STEPS[:1], refused: ApprovalError | None = None
) -> Page:
    app = FastAPI(openapi_url=None)
    pages = Pages(public_url="http://127.0.0.1:8000", templates={"sample": Path(__file__).parent / "web_templates"})
    install(app, pages=pages, verifier=VERIFIER)

    @app.get("/desk/post")
    async def post(request: Request) -> Response:
        return pages.render(
            request,
            "sample/approval.html",
            view=view_of(standing, steps, BEFORE, by, NAMES),
            found=changes_between(BEFORE, AFTER),
            refused=sentence_of(refused, NAMES) if refused else None,
        )

    async with browser(app) as client:
        answer = await client.get("/desk/post", params={"lang": language})
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.faults == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    return page


def offered(page: Page) -> list[str]:
    return [attributes["value"] for tag, attributes in page.elements if tag == "button" and attributes.get("name") == "action"]


async def test_another_approver_is_offered_the_decisions_with_what_they_have_read() -> None:
    page = await show(SUBMITTED, BO)
    assert offered(page) == ["approve", "request-changes", "reject", "withdraw", "break-glass"]
    seen = [attributes["value"] for tag, attributes in page.elements if tag == "input" and attributes.get("name") == "seen"]
    assert seen == [fingerprint(BEFORE).text] * 2
    assert "Your own work" not in page.text


async def test_author_is_told_why_there_is_no_button_to_approve() -> None:
    page = await show(SUBMITTED, ANA)
    assert offered(page) == ["withdraw", "break-glass"]
    assert "another approver has to decide on it" in page.text


async def test_who_only_reads_is_offered_nothing() -> None:
    page = await show(SUBMITTED, AUDITOR)
    assert offered(page) == []
    assert "form" not in [tag for tag, attributes in page.elements if attributes.get("action") == "/social/posts/1"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_state_step_and_refusal_has_its_words_in_every_language(language: str) -> None:
    for state in State:
        broke_glass = state is State.APPROVED
        await show(replace(SUBMITTED, state=state, broke_glass=broke_glass), BO, language=language, steps=STEPS)
    for error in REFUSED:
        page = await show(SUBMITTED, BO, language=language, refused=error)
        assert translate(language, "staff.approval.refused") in page.text


async def test_history_names_people_and_says_their_reasons() -> None:
    page = await show(SUBMITTED, BO, steps=STEPS)
    for words in (
        "Submitted by Ana <b>",
        "Changes requested by Bo",
        "Shorter <please>",
        "Submitted by id-unknown",
        "Approved by Ana <b> alone",
        "Voided by an edit of Tidings",
    ):
        assert words in page.text


async def test_changes_are_shown_in_their_language_and_direction() -> None:
    page = await show(SUBMITTED, BO)
    variants = [(part.get("lang"), part.get("dir")) for tag, part in page.elements if tag == "p" and "lang" in part]
    assert variants == [("ar", "rtl"), ("ar", "rtl"), ("en", "ltr"), ("en", "ltr")]
    for words in ("x/es · Spanish: added", "x/fr · French: removed", "x/en · English: changed", "Words & more", "/text"):
        assert words in page.text


async def test_quicker_one_is_named_with_the_hour() -> None:
    page = await show(SUBMITTED, BO, refused=AlreadyDecidedError(State.CHANGES_REQUESTED, LATEST))
    assert "Bo has already requested changes, 16 June 2026" in page.text


@pytest.mark.parametrize("error", REFUSED, ids=lambda error: error.slug)
def test_programs_get_a_problem_with_the_facts(error: ApprovalError) -> None:
    problem = problem_of(error, NAMES)
    assert (problem.status_code, problem.slug, problem.members) == (error.status, error.slug, error.facts)
    for language in LANGUAGES:
        assert translate(language, problem.title_key)
        assert "{" not in translate(language, problem.detail_key, **problem.params)


def test_form_is_read_as_it_was_shown() -> None:
    seen = fingerprint(BEFORE)
    act = act_from_form(BO, action="request-changes", seen=seen.text, reason="Shorter.")
    assert act == Act(action=Action.REQUEST_CHANGES, by=BO, seen=seen, reason="Shorter.")
    assert act_from_form(BO, action="withdraw", seen="").seen is None


@pytest.mark.parametrize(("action", "seen"), [("publish", ""), ("void", ""), ("expire", ""), ("approve", "en:abc")])
def test_form_that_no_page_gave_is_refused(action: str, seen: str) -> None:
    with pytest.raises(UnknownActionError):
        act_from_form(BO, action=action, seen=seen)
