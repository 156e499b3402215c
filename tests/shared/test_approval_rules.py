"""The two-person rule: whatever people do in whatever order, no one person gets anything approved but by breaking glass."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.approval.content import Fingerprint, fingerprint
from shared.approval.rules import (
    BY_ANOTHER,
    FROM,
    ROLES,
    TO,
    WITH_REASON,
    Act,
    Action,
    AlreadyDecidedError,
    ApprovalError,
    ContentChangedError,
    NotSubmittedError,
    OwnWorkError,
    ReasonNeededError,
    RoleNeededError,
    SeenNeededError,
    Standing,
    State,
    Step,
    TooLateError,
    decide,
    edit,
    expire,
    refused,
    withdraw,
)
from shared.events.codes import Role
from tests.shared.actors import Actor

NOON = datetime(2026, 6, 16, 12, tzinfo=UTC)
BOTH = frozenset({Role.DRAFTER, Role.APPROVER})
PEOPLE = [Actor(id=name, roles=BOTH) for name in ("ana", "bo", "chen")] + [
    Actor(id="dee", roles=frozenset({Role.DRAFTER})),
    Actor(id="eve", roles=frozenset({Role.APPROVER})),
    Actor(id="adam", roles=frozenset({Role.ADMIN, Role.MODERATOR, Role.OPERATOR, Role.AUDITOR, Role.PARTNER})),
]
ANA, BO, CHEN, DEE, EVE, ADAM = PEOPLE
TEXT = fingerprint({"en": {"text": "Words"}, "fr": {"text": "Mots"}})
OTHER = fingerprint({"en": {"text": "Words,"}, "fr": {"text": "Mots"}})


def step_of(standing: Standing, *, who: str | None = "ana", what: str = "submit") -> Step:
    return Step(number=standing.steps, what=what, who=who, state=standing.state, fingerprint=standing.fingerprint, reason=None, at=NOON)


def done(
    standing: Standing,
    action: Action,
    by: Actor,
    *,
    now: Fingerprint = TEXT,
    seen: Fingerprint | None = TEXT,
    reason: str | None = "Because.",
    at: datetime = NOON,
) -> Standing:
    latest = step_of(standing) if standing.steps else None
    return decide(standing, Act(action=action, by=by, seen=seen, reason=reason), now=now, at=at, latest=latest)[0]


def brought_to(state: State) -> Standing:
    """Return an item that Ana wrote and submitted, in a state."""
    drafted, _ = edit(Standing(), by=ANA, now=TEXT)
    if state is State.DRAFT:
        return drafted
    submitted = done(drafted, Action.SUBMIT, ANA)
    if state is State.SUBMITTED:
        return submitted
    if state is State.EXPIRED:
        found = expire(Standing(**{**vars(submitted), "expires_at": NOON}), at=NOON)
        assert found is not None
        return Standing(**{**vars(found), "expires_at": None})
    ways = {
        State.APPROVED: Action.APPROVE,
        State.REJECTED: Action.REJECT,
        State.CHANGES_REQUESTED: Action.REQUEST_CHANGES,
        State.WITHDRAWN: Action.WITHDRAW,
    }
    return done(submitted, ways[state], BO)


def test_another_person_approves_what_was_submitted() -> None:
    approved = brought_to(State.APPROVED)
    assert (approved.approved, approved.hands, approved.broke_glass) == (TEXT, frozenset({"ana"}), False)


@pytest.mark.parametrize("action", sorted(BY_ANOTHER))
def test_who_submitted_decides_nothing_on_it(action: Action) -> None:
    with pytest.raises(OwnWorkError):
        done(brought_to(State.SUBMITTED), action, ANA)


@pytest.mark.parametrize("action", sorted(BY_ANOTHER))
def test_who_edited_before_another_submitted_decides_nothing_on_it(action: Action) -> None:
    written, _ = edit(Standing(), by=BO, now=OTHER)
    corrected, _ = edit(written, by=ANA, now=TEXT)
    with pytest.raises(OwnWorkError):
        done(done(corrected, Action.SUBMIT, ANA), action, BO)


def test_hand_stays_a_hand_through_every_round() -> None:
    standing = brought_to(State.CHANGES_REQUESTED)
    standing, _ = edit(standing, by=CHEN, now=OTHER)
    standing = done(standing, Action.SUBMIT, DEE, now=OTHER, seen=OTHER)
    assert standing.hands == {"ana", "chen", "dee"}
    for person in (ANA, CHEN):
        with pytest.raises(OwnWorkError):
            done(standing, Action.APPROVE, person, now=OTHER, seen=OTHER)
    assert done(standing, Action.APPROVE, BO, now=OTHER, seen=OTHER).approved == OTHER


def test_draft_of_the_machine_belongs_to_who_submits_it() -> None:
    drafted, voided = edit(Standing(), by=None, now=TEXT)
    assert (drafted.hands, voided) == (frozenset(), False)
    submitted = done(drafted, Action.SUBMIT, ANA)
    with pytest.raises(OwnWorkError):
        done(submitted, Action.APPROVE, ANA)


@pytest.mark.parametrize("state", [State.SUBMITTED, State.APPROVED])
@pytest.mark.parametrize("by", [ANA, BO, None], ids=["author", "approver", "machine"])
def test_any_edit_voids(state: State, by: Actor | None) -> None:
    edited, voided = edit(brought_to(state), by=by, now=OTHER)
    assert (edited.state, edited.approved, voided) == (State.DRAFT, None, True)


@pytest.mark.parametrize("state", [State.SUBMITTED, State.APPROVED])
def test_edit_that_comes_back_to_the_same_words_needs_a_new_approval(state: State) -> None:
    edited, _ = edit(brought_to(state), by=ANA, now=OTHER)
    again, voided = edit(edited, by=ANA, now=TEXT)
    assert (again.state, voided) == (State.DRAFT, False)


@pytest.mark.parametrize("state", list(State))
def test_saving_the_same_words_changes_nothing_and_makes_nobody_a_hand(state: State) -> None:
    standing = brought_to(state)
    assert edit(standing, by=CHEN, now=TEXT) == (standing, False)


@pytest.mark.parametrize("state", [State.REJECTED, State.WITHDRAWN, State.EXPIRED])
def test_machine_does_not_bring_back_what_is_over_and_a_person_does(state: State) -> None:
    assert edit(brought_to(state), by=None, now=OTHER)[0].state is state
    assert edit(brought_to(state), by=DEE, now=OTHER)[0].state is State.DRAFT


def test_who_may_not_draft_does_not_edit() -> None:
    for person in (EVE, ADAM):
        with pytest.raises(RoleNeededError):
            edit(Standing(), by=person, now=TEXT)


@pytest.mark.parametrize("action", list(Action))
def test_nobody_acts_without_the_role(action: Action) -> None:
    state = min(FROM[action])
    others = [person for person in PEOPLE if not person.holds(*ROLES[action])]
    assert ADAM in others
    for person in others:
        with pytest.raises(RoleNeededError) as raised:
            done(brought_to(state), action, person)
        assert raised.value.facts == {"roles": [role.value for role in ROLES[action]]}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("action", list(Action))
def test_each_action_leads_where_it_should_or_says_what_was_done_before(action: Action, state: State) -> None:
    if state in FROM[action]:
        assert done(brought_to(state), action, BO).state is TO[action]
    elif state is State.DRAFT:
        with pytest.raises(NotSubmittedError):
            done(brought_to(state), action, BO)
    else:
        with pytest.raises(AlreadyDecidedError, match=r"ana did submit at 2026-06-16T12:00:00\+00:00") as raised:
            done(brought_to(state), action, BO)
        assert raised.value.facts["state"] == state


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.WITHDRAW])
def test_nothing_is_decided_on_other_words_than_were_read(action: Action) -> None:
    state = State.SUBMITTED if State.SUBMITTED in FROM[action] else State.DRAFT
    standing, _ = edit(brought_to(State.DRAFT), by=ANA, now=OTHER)
    standing = standing if state is State.DRAFT else done(standing, Action.SUBMIT, ANA, now=OTHER, seen=OTHER)
    with pytest.raises(ContentChangedError, match=r"Changed: en \(changed\)") as raised:
        done(standing, action, BO, now=OTHER, seen=TEXT)
    assert raised.value.now == OTHER
    with pytest.raises(SeenNeededError):
        done(standing, action, BO, now=OTHER, seen=None)


@pytest.mark.parametrize("action", sorted(BY_ANOTHER))
def test_words_changed_behind_the_submission_are_not_decided_on_even_by_who_has_read_them(action: Action) -> None:
    with pytest.raises(ContentChangedError):
        done(brought_to(State.SUBMITTED), action, BO, now=OTHER, seen=OTHER)


@pytest.mark.parametrize("reason", [None, "", " \n\u200d"])
@pytest.mark.parametrize("action", sorted(WITH_REASON))
def test_reason_is_needed(action: Action, reason: str | None) -> None:
    with pytest.raises(ReasonNeededError):
        done(brought_to(State.SUBMITTED), action, BO, reason=reason)


def test_reason_is_kept_clean() -> None:
    act = Act(action=Action.REJECT, by=BO, seen=TEXT, reason="  Cafe\u0301\r\nno ")
    assert decide(brought_to(State.SUBMITTED), act, now=TEXT, at=NOON, latest=None)[1] == "Café\nno"
    with pytest.raises(ReasonNeededError, match="cannot be kept"):
        done(brought_to(State.SUBMITTED), Action.REJECT, BO, reason="x" * 10_001)


def test_approver_breaks_glass_on_their_own_work_and_it_shows() -> None:
    approved = done(brought_to(State.SUBMITTED), Action.BREAK_GLASS, ANA)
    assert (approved.state, approved.broke_glass, approved.approved) == (State.APPROVED, True, TEXT)
    assert edit(approved, by=ANA, now=OTHER)[0].broke_glass is False


@pytest.mark.parametrize("action", [Action.SUBMIT, Action.APPROVE, Action.BREAK_GLASS])
def test_what_is_too_late_to_leave_is_not_approved(action: Action) -> None:
    standing = brought_to(State.SUBMITTED if action is Action.APPROVE else State.DRAFT)
    late = Standing(**{**vars(standing), "expires_at": NOON})
    with pytest.raises(TooLateError):
        done(late, action, BO)
    assert done(late, action, BO, at=NOON - timedelta(seconds=1)).state is TO[action]


@pytest.mark.parametrize("state", list(State))
def test_time_ends_what_awaits_and_what_may_leave(state: State) -> None:
    late = Standing(**{**vars(brought_to(state)), "expires_at": NOON})
    assert expire(late, at=NOON - timedelta(seconds=1)) is None
    ended = expire(late, at=NOON)
    assert (ended.state if ended else None) is (State.EXPIRED if state in {State.SUBMITTED, State.APPROVED} else None)


@pytest.mark.parametrize("state", list(State))
def test_end_of_its_source_ends_what_is_not_over(state: State) -> None:
    ended = withdraw(brought_to(state))
    assert (ended is None) is (state in {State.REJECTED, State.WITHDRAWN})


def test_pages_offer_what_can_be_done_and_say_why_not() -> None:
    submitted = brought_to(State.SUBMITTED)
    assert {action for action in Action if refused(submitted, action, BO, step_of(submitted)) is None} == {
        Action.APPROVE,
        Action.REQUEST_CHANGES,
        Action.REJECT,
        Action.WITHDRAW,
        Action.BREAK_GLASS,
    }
    assert isinstance(refused(submitted, Action.APPROVE, ANA), OwnWorkError)


class Item(RuleBasedStateMachine):
    """Anybody does anything in any order, with pages as old as they like; what was really done is written down beside it."""

    people: ClassVar[list[Actor]] = PEOPLE

    def __init__(self) -> None:
        super().__init__()
        self.standing = Standing()
        self.content: Mapping[str, Mapping[str, str]] = {"en": {"text": "0"}, "fr": {"text": "0"}}
        self.read: list[Fingerprint] = [fingerprint(self.content)]
        self.latest: Step | None = None
        self.wrote: set[str] = set()
        self.touched: set[str] = set()
        self.approved_by: str | None = None
        self.approved_content: Fingerprint | None = None
        self.glass = False

    @initialize(by=st.sampled_from([None, ANA, BO]))
    def begins(self, by: Actor | None) -> None:
        if by is None or by in self.people:
            self._edit(by)

    @rule(data=st.data(), variant=st.sampled_from(["en", "fr", "ar"]), text=st.sampled_from(["0", "1", "2"]), by_machine=st.booleans())
    def edits(self, data: st.DataObject, variant: str, text: str, by_machine: bool) -> None:
        self.content = {**self.content, variant: {"text": text}}
        self.read.append(fingerprint(self.content))
        by = None if by_machine else data.draw(st.sampled_from(self.people))
        if by is not None and not by.holds(Role.DRAFTER):
            with pytest.raises(RoleNeededError):
                edit(self.standing, by=by, now=self.now)
            return  # it was written nevertheless, and nobody said so
        self._edit(by)

    def _edit(self, by: Actor | None) -> None:
        before = self.standing
        self.standing, voided = edit(before, by=by, now=self.now)
        if self.standing.fingerprint == before.fingerprint:
            return
        assert voided is (before.state in {State.SUBMITTED, State.APPROVED})
        assert self.standing.approved is None
        self.approved_by = None
        if by is not None:
            self.wrote.add(by.id)
            self.touched.add(by.id)

    @rule(data=st.data(), action=st.sampled_from(list(Action)), fresh=st.booleans(), reason=st.sampled_from([None, "Because."]))
    def acts(self, data: st.DataObject, action: Action, fresh: bool, reason: str | None) -> None:
        by = data.draw(st.sampled_from(self.people))
        seen = self.now if fresh else data.draw(st.sampled_from(self.read))
        before = self.standing
        try:
            self.standing, _ = decide(
                before, Act(action=action, by=by, seen=seen, reason=reason), now=self.now, at=NOON, latest=self.latest
            )
        except ApprovalError:
            assert self.standing is before
            return
        self.touched.add(by.id)
        assert seen == self.now or action is Action.WITHDRAW
        self.approved_by = None
        if action is Action.SUBMIT:
            self.wrote.add(by.id)
        if self.standing.state is State.APPROVED:
            self.approved_by, self.approved_content = by.id, seen
            self.glass = action is Action.BREAK_GLASS
            assert not self.glass or reason
        self.latest = step_of(self.standing, who=by.id, what=action.value)

    @precondition(lambda self: self.standing.state in {State.SUBMITTED, State.APPROVED})
    @rule()
    def time_passes(self) -> None:
        ended = expire(Standing(**{**vars(self.standing), "expires_at": NOON}), at=NOON)
        assert ended is not None
        self.standing = Standing(**{**vars(ended), "expires_at": None})
        self.latest = step_of(self.standing, who=None, what="expire")
        self.approved_by = None

    @property
    def now(self) -> Fingerprint:
        return fingerprint(self.content)

    @invariant()
    def approved_only_by_who_had_no_hand_in_it(self) -> None:
        if self.standing.state is not State.APPROVED:
            return
        assert self.approved_by is not None
        assert self.standing.broke_glass is self.glass
        if not self.glass:
            assert self.approved_by not in self.wrote
            assert len(self.touched) >= 2

    @invariant()
    def what_may_leave_is_what_was_read_and_approved(self) -> None:
        if self.standing.approved is not None:
            assert self.standing.approved == self.approved_content

    @invariant()
    def hands_are_all_who_wrote_or_submitted(self) -> None:
        assert self.standing.hands == self.wrote


class LoneItem(Item):
    """The same with one person who has every role."""

    people: ClassVar[list[Actor]] = [Actor(id="ana", roles=frozenset(Role))]

    @invariant()
    def one_person_gets_nothing_approved_but_by_breaking_glass(self) -> None:
        assert self.standing.state is not State.APPROVED or self.standing.broke_glass


TestItem = Item.TestCase
TestItem.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
TestLoneItem = LoneItem.TestCase
TestLoneItem.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
