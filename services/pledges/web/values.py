"""What addresses and forms bring, as the doors of the register read it."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from pydantic import ValidationError
from starlette.exceptions import HTTPException

from shared.web.forms import Fault, faults_of


def id_in(text: str) -> UUID:
    """Return the id that stands in an address; raises 404 for none."""
    try:
        return UUID(text)
    except ValueError:
        raise HTTPException(404) from None


def place(page: str) -> int:
    """Return which page of a list is meant, from 1; what makes no sense is the first."""
    return max(int(page), 1) if page.isascii() and page.isdigit() and 0 < len(page) <= 5 else 1


def named_faults(error: ValidationError, field: str) -> Sequence[Fault]:
    """Return the faults of one value under the name of its field."""
    return tuple(replace(fault, field=field) for fault in faults_of(error))


def fault(field: str, code: str) -> Fault:
    """Return a fault of a field that no model can find: the sentence is `fault.<code>`."""
    return Fault(field=field, pointer=f"/{field}", part="body", code=code, key=f"fault.{code}", params={})
