"""What is wrong with a submission, as its sender can find it: where in what was sent, a code that stays, and a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

MOST_FAULTS = 50  # an answer is to be read by a person
_LONGEST = 300  # of a sentence or a place; both may quote what was sent


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong."""

    pointer: str  # JSON Pointer (RFC 6901) into what was sent; empty for the whole of it
    code: str  # such as due-before-start; stays, so that programs and translations can rely on it
    message: str  # English, without the name of the field


def faults_of(error: ValidationError, sent: Any) -> tuple[Fault, ...]:
    """Return what is wrong with `sent`, in the order of the fields, 50 at most."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    # A list that has lost a wrong member may also be called too short; that is no news to the sender.
    inner = {detail["loc"][:length] for detail in found for length in range(1, len(detail["loc"]))}
    telling = [detail for detail in found if detail["loc"] not in inner][:MOST_FAULTS]
    return tuple(Fault(pointer=_pointer(detail["loc"], sent), code=detail["type"], message=detail["msg"][:_LONGEST]) for detail in telling)


def _pointer(place: Sequence[int | str], sent: Any) -> str:
    """Follow `place` through what was sent; pydantic also names the branch of a union in it, which nobody has written."""
    pointer = ""
    for step in place:
        if (isinstance(sent, dict) and step in sent) or (isinstance(sent, list | tuple) and step in range(len(sent))):
            sent = sent[step]  # type: ignore[index]  # a list has its places, a mapping its names
        elif step == place[-1] and step != "[key]":
            sent = None  # a field that is missing
        else:
            continue
        pointer += "/" + str(step).replace("~", "~0").replace("/", "~1")
    return pointer[:_LONGEST]
