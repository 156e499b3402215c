"""What several services tell: verdicts on submissions, tasks, decisions, mails wanted, pauses confirmed."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from annotated_types import MaxLen
from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.events.base import EVERY_SERVICE, REVIEWERS, Audience, EventData, Internal, Public, services
from shared.events.codes import Language, Role, SenderState, Service, TaskEnd, Verdict
from shared.events.desk import SendingScope
from shared.events.texts import Identifier, Line, LocalLine, Sha256, Text, WebAddress, Word
from shared.events.times import Due, Moment

_DESK = services(Service.DESK)


class SubmissionDecided(EventData):
    """The reviewers decided on a submission, or ask something first. The subject is the submission."""

    type: ClassVar[str] = "submission.decided.v1"
    tellers: ClassVar[frozenset[Service]] = REVIEWERS
    listeners: ClassVar[frozenset[Service]] = services(Service.INTAKE)
    key: ClassVar[str] = "submission"
    audience: ClassVar[Audience] = Internal

    verdict: Verdict = Field(description="What the reviewers say.")
    language: Language = Field(description="Language of the reason.")
    reason: Text | None = Field(
        default=None, validate_default=True, description="Why, or the question itself; its sender reads it. Needed unless it was accepted."
    )
    became: Identifier | None = Field(
        default=None,
        description="Id of the pledge or date that it became; issues and posts name that id, and the tracking page tells of them.",
    )
    address: Annotated[WebAddress | None, Public] = Field(default=None, description="Where it is published; empty while it is not.")

    @field_validator("reason")
    @classmethod
    def _reason_unless_accepted(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if reason is None and info.data.get("verdict") in {Verdict.DECLINED, Verdict.QUESTION}:
            raise PydanticCustomError("reason-missing", "a refusal needs its reason and a question its words")
        return reason


class TaskOpened(EventData):
    """Something awaits a person. The subject is the task."""

    type: ClassVar[str] = "task.opened.v1"
    tellers: ClassVar[frozenset[Service]] = EVERY_SERVICE
    listeners: ClassVar[frozenset[Service]] = _DESK
    key: ClassVar[str] = "task"
    audience: ClassVar[Audience] = Internal

    kind: Word = Field(description="What is to be done, such as `review-practice`; the words for people stand in the locales.")
    role: Role = Field(description="Role that it needs.")
    title: LocalLine = Field(description="What it is about: the title of the practice, issue or post.")
    address: WebAddress = Field(description="Page on which it is done.")
    due: Due | None = Field(default=None, description="By when; empty where nothing waits for it.")
    not_by: Identifier | None = Field(default=None, description="Id of the person who may not do it, because the work is their own.")
    nor_by: tuple[Identifier, ...] = Field(default=(), description="Ids of further people who may not, because they had a hand in it.")


class TaskClosed(EventData):
    """What awaited a person awaits nobody any more. The subject is the task."""

    type: ClassVar[str] = "task.closed.v1"
    tellers: ClassVar[frozenset[Service]] = EVERY_SERVICE
    listeners: ClassVar[frozenset[Service]] = _DESK
    key: ClassVar[str] = "task"
    audience: ClassVar[Audience] = Internal

    kind: Word = Field(description="What was to be done.")
    end: TaskEnd = Field(description="How it ended.")
    by: Identifier | None = Field(default=None, description="Id of the person who did it; empty where nobody did.")


class DecisionMade(EventData):
    """A person decided something; kept in the audit trail. The subject is what was decided on."""

    type: ClassVar[str] = "decision.made.v1"
    tellers: ClassVar[frozenset[Service]] = EVERY_SERVICE
    listeners: ClassVar[frozenset[Service]] = _DESK
    key: ClassVar[str] = "subject"
    audience: ClassVar[Audience] = Internal

    who: Identifier = Field(description="Id of the person.")
    what: Word = Field(description="What was decided, such as `approve` or `decline`; the words for people stand in the locales.")
    about: Word = Field(description="What kind of thing it was decided on, such as `practice`.")
    title: LocalLine | None = Field(default=None, description="Title of that thing, so that the trail can be read when the thing is gone.")
    content_hash: Sha256 | None = Field(
        default=None, description="SHA-256 of exactly what was decided on; empty where there is no content."
    )
    broke_glass: bool = Field(default=False, description="Whether one person decided what needs two.")
    reason: Text | None = Field(default=None, validate_default=True, description="Why; needed where one person decided what needs two.")
    address: WebAddress | None = Field(default=None, description="Page of that thing.")

    @field_validator("reason")
    @classmethod
    def _reason_when_glass_is_broken(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if reason is None and info.data.get("broke_glass"):
            raise PydanticCustomError("reason-missing", "a decision of one person in place of two needs its reason")
        return reason


Fact = Line | int | LocalLine
Facts = Annotated[Mapping[Word, Fact], MaxLen(30)]


def _without_address(facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
    if any("mail" in name for name in facts):
        raise PydanticCustomError("mail-in-facts", "a mail address never travels; desk knows it by the person's id")
    return facts


class MailWanted(EventData):
    """A mail to a person who works with Tidings is wanted; desk alone knows the address and sends it. The subject is the person's id."""

    type: ClassVar[str] = "mail.wanted.v1"
    tellers: ClassVar[frozenset[Service]] = EVERY_SERVICE
    listeners: ClassVar[frozenset[Service]] = _DESK
    key: ClassVar[str] = "person"
    audience: ClassVar[Audience] = Internal

    person: Identifier = Field(description="Id of the person.")
    template: Word = Field(description="Which mail, such as `issue-awaits-approval`.")
    facts: Annotated[Facts, AfterValidator(_without_address)] = Field(default={}, description="What its text names.")
    address: WebAddress | None = Field(default=None, description="Page that it leads to.")


class SendingConfirmed(EventData):
    """A sender does as it was told. The subject is the scope."""

    type: ClassVar[str] = "sending.confirmed.v1"
    tellers: ClassVar[frozenset[Service]] = services(Service.NEWSLETTER, Service.SOCIAL)
    listeners: ClassVar[frozenset[Service]] = _DESK
    key: ClassVar[str] = "scope"
    audience: ClassVar[Audience] = Internal

    scope: SendingScope
    state: SenderState = Field(description="Whether it sends.")
    since: Moment = Field(description="Since when.")
    waiting: int = Field(ge=0, description="How many mails or posts wait.")
    sender: Service | None = Field(default=None, description="Which sender says so: two answer to the same scope `all`.")
