"""The one form of every answer, and how a question is asked."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0


class Grade(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"  # works, and somebody should look
    WRONG = "wrong"  # does not work, or will not for long


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    part: str  # database, kafka, mail, dns …
    what: str  # what was looked at
    grade: Grade
    found: str  # in a few words; never a secret
    do: str = ""  # what to do; empty where all is well


def ok(part: str, what: str, found: str) -> Finding:
    """Return that something is as it must be."""
    return Finding(part=part, what=what, grade=Grade.OK, found=found)


def warning(part: str, what: str, found: str, do: str) -> Finding:
    """Return that somebody should look at something."""
    return Finding(part=part, what=what, grade=Grade.WARNING, found=found, do=do)


def wrong(part: str, what: str, found: str, do: str) -> Finding:
    """Return that something does not work."""
    return Finding(part=part, what=what, grade=Grade.WRONG, found=found, do=do)


Answering = Callable[[], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, kw_only=True)
class Question:
    """Something to be asked, with what to say where no answer comes."""

    part: str
    what: str
    ask: Answering
    do: str  # where it cannot be asked at all


async def answers(questions: Sequence[Question], seconds: float = ANSWER_SECONDS) -> Sequence[Finding]:
    """Return what was found, in the order of the questions, asked all at once; each answer comes within `seconds`."""
    found = await asyncio.gather(*(_answer(question, seconds) for question in questions))
    return [finding for findings in found for finding in findings]


async def _answer(question: Question, seconds: float) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(seconds):
            return await question.ask()
    except TimeoutError:
        return [wrong(question.part, question.what, f"no answer within {seconds:.0f} s", question.do)]
    except Exception as error:
        # Its name alone: what libraries say of a failure may hold an address with its password.
        log.debug("%s: %s", question.part, question.what, exc_info=True)
        return [wrong(question.part, question.what, f"no answer ({type(error).__name__})", question.do)]
