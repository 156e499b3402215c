"""What a request asks of the register: pages pass over what makes no sense, programs are told."""

from fastapi import Depends, Request

from services.pledges.domain.filters import Unfit, Wish, wish_in
from shared import clock
from shared.web.forms import Fault
from shared.web.problem import Invalid

_BESIDE = frozenset({"lang"})
PAGE_MAX_DIGITS = 5


def named(
    q: str = "",
    objective: str = "",
    principle: str = "",
    kind: str = "",
    way: str = "",
    scope: str = "",
    entity_type: str = "",
    country: str = "",
    region: str = "",
    state: str = "",
    freshness: str = "",
    due: str = "",
    language: str = "",
    as_of: str = "",
) -> None:
    """Name the filters to whatever asks an address for its parameters; as values, `wish_in` reads them."""
    del q, objective, principle, kind, way, scope, entity_type, country, region, state, freshness, due, language, as_of


NAMED = (Depends(named),)


def wish_of_page(request: Request) -> Wish:
    """Return what a reader wants to see."""
    return wish_in(dict(request.query_params), clock.now().date(), beside=_BESIDE | {"page", "text"})


def wish_of_program(request: Request, *beside: str) -> Wish:
    """Return what a program asks for. Raises Invalid (422) that names every value that makes no sense; `beside` are other parameters."""
    wish = wish_in(dict(request.query_params), clock.now().date(), beside=_BESIDE | set(beside))
    if wish.unfit:
        raise Invalid([fault_of(unfit) for unfit in wish.unfit])
    return wish


def fault_of(unfit: Unfit) -> Fault:
    """Return what is told of a value that makes no sense."""
    return Fault(
        field=unfit.name, pointer=f"/{unfit.name}", part="query", code=unfit.code, key=f"fault.{unfit.code}", params=dict(unfit.params)
    )


def page_in(request: Request) -> int:
    """Return the number of the page that a reader wants, from 1."""
    return _count(request.query_params.get("page", "")) or 1


def number_in(request: Request, name: str, *, otherwise: int, most: int) -> int:
    """Return a whole number from 1 to `most` that a program gives. Raises Invalid (422) for anything else."""
    text = request.query_params.get(name, "")
    if not text:
        return otherwise
    number = _count(text)
    if number is None:
        raise Invalid([fault_of(Unfit(name=name, code="not-a-whole-number", params={}))])
    if not 1 <= number <= most:
        code, limit = ("too-small", 1) if number < 1 else ("too-large", most)
        raise Invalid([fault_of(Unfit(name=name, code=code, params={"limit": limit}))])
    return number


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= PAGE_MAX_DIGITS else None
