"""What a page shows of an item: where it stands, what this person may do to it, and why not; and what a form sends back.

The macros of `approval.html` show it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.actors import Actor
from shared.approval.content import Content, Fingerprint, FingerprintError, How, field_changes, fingerprint
from shared.approval.rules import (
    Act,
    Action,
    AlreadyDecidedError,
    ApprovalError,
    ContentChangedError,
    OwnWorkError,
    Standing,
    Step,
    refused,
)
from shared.web.problem import Problem

TITLE_KEY = "staff.approval.refused"
_TONES = {"submitted": "info", "approved": "good", "changes_requested": "warning", "expired": "warning", "rejected": "bad"}


class UnknownActionError(ApprovalError):
    """The form names no action that there is; open the page again and use its buttons."""

    slug = "approval-unknown-action"
    status = 422


@dataclass(frozen=True, kw_only=True)
class VariantChange:
    """What happened to one variant since it was submitted or approved."""

    variant: str
    how: How
    fields: Sequence[tuple[str, Any, Any]]  # place, before and after; only where the variant stands on both sides


@dataclass(frozen=True, kw_only=True)
class View:
    """An item as one person sees it."""

    standing: Standing
    history: Sequence[Step]  # oldest first
    seen: str  # what a form sends back to say what its reader saw
    offered: tuple[Action, ...]  # what this person may do now
    own_work: bool  # this person could decide, were it not their own work
    names: Mapping[str, str]  # of people by id; an id without one is shown as it is
    may_look: bool = False  # one person approved it alone, and this one may say that they have looked at it

    @property
    def tone(self) -> str:
        """The tone of its state: neutral, info, good, warning or bad."""
        return _TONES.get(self.standing.state.value, "neutral")

    def name_of(self, person: str) -> str:
        """Return the name of a person, or the id where nobody knows the name."""
        return self.names.get(person, person)


def view_of(standing: Standing, history: Sequence[Step], content: Content, by: Actor, names: Mapping[str, str]) -> View:
    """Return what a page shows of an item with this content to a person; raises ContentError."""
    latest = history[-1] if history else None
    refusals = {action: refused(standing, action, by, latest) for action in Action}
    return View(
        standing=standing,
        history=history,
        seen=fingerprint(content).text,
        offered=tuple(action for action, refusal in refusals.items() if refusal is None),
        own_work=isinstance(refusals[Action.APPROVE], OwnWorkError),
        names=names,
    )


def changes_between(before: Content, after: Content) -> tuple[VariantChange, ...]:
    """Return what changed between two contents, variant by variant and place by place; raises ContentError."""
    return tuple(
        VariantChange(
            variant=change.variant,
            how=change.how,
            fields=[(field.pointer, field.before, field.after) for field in field_changes(before[change.variant], after[change.variant])]
            if change.how is How.CHANGED
            else (),
        )
        for change in fingerprint(before).changes_to(fingerprint(after))
    )


def act_from_form(by: Actor, *, action: str, seen: str, reason: str = "") -> Act:
    """Return what a form or a program asks for; raises UnknownActionError where no page of ours sends that."""
    try:
        return Act(action=Action(action), by=by, seen=Fingerprint.parse(seen) if seen else None, reason=reason or None)
    except FingerprintError as error:
        raise UnknownActionError(str(error)) from error
    except ValueError as error:
        raise UnknownActionError() from error


def sentence_of(error: ApprovalError, names: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    """Return the key of the sentence that says to people why something was refused, and what fills it; `at` is a moment."""
    if isinstance(error, AlreadyDecidedError):
        who = names.get(error.latest.who, error.latest.who) if error.latest.who else "Tidings"
        return f"staff.approval.already.{error.state.value}", {"who": who, "at": error.latest.at}
    if isinstance(error, ContentChangedError):
        return f"staff.approval.refusal.{error.slug}", {"variants": ", ".join(change.variant for change in error.changes)}
    return f"staff.approval.refusal.{error.slug}", {name: error.facts[name] for name in error.says}


def problem_of(error: ApprovalError, names: Mapping[str, str]) -> Problem:
    """Return the answer of a door to what the rule refused: raise it. Programs find the facts as members."""
    key, params = sentence_of(error, names)
    shown = {name: value.isoformat() if name == "at" else value for name, value in params.items()}
    return Problem(error.status, error.slug, TITLE_KEY, key, shown, **error.facts)
