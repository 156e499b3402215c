"""What one request carries through its handling, and where the parts that an app was wired with are found."""

from fastapi import Request

from shared import i18n
from shared.auth.tokens import Person
from shared.trace import Cause

_CAUSE = "tidings_cause"
_PRIVATE = "tidings_private"
_PERSON = "tidings_person"


def reader_language(request: Request) -> str:
    """Return the language that the reader wants: `?lang=`, then the cookie, then Accept-Language, then English."""
    return i18n.negotiate(
        query=request.query_params.get("lang"),
        cookie=request.cookies.get(i18n.COOKIE),
        accept=request.headers.get("accept-language"),
    )


def keep_cause(state: dict[str, object], cause: Cause) -> None:
    """Note in an ASGI scope's state what everything done for this request comes from."""
    state[_CAUSE] = cause


def cause_of(request: Request) -> Cause:
    """Return the cause that everything done for this request names; its id is the receipt of what came in."""
    cause = getattr(request.state, _CAUSE, None)
    if not isinstance(cause, Cause):
        raise TypeError("no cause: the app was not given its middlewares by shared.web.wiring.install")
    return cause


def keep_private(request: Request) -> None:
    """Let nothing keep the answer to this request, and no search engine list it: staff pages, pages behind a mailed token."""
    setattr(request.state, _PRIVATE, True)


def keep_person(request: Request, person: Person) -> None:
    """Note who asks, for the head of the page."""
    setattr(request.state, _PERSON, person)


def person_of(request: Request) -> Person | None:
    """Return who asks, or None where the address is for everybody or nobody is signed in."""
    person = getattr(request.state, _PERSON, None)
    return person if isinstance(person, Person) else None


def is_private(state: object) -> bool:
    """Say whether `keep_private` was called; takes an ASGI scope's state or a request's."""
    return bool(state.get(_PRIVATE) if isinstance(state, dict) else getattr(state, _PRIVATE, False))
