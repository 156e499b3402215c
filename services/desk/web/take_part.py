"""What one can take part in: every initiative of the Network, with who may use it, its rules, and the way in."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from services.desk.domain import NOT_STATED, Way, way_into
from shared.reference.initiatives import Initiative, initiative, initiatives
from shared.reference.loader import UnknownCodeError
from shared.web.pages import Pages, Sentence
from shared.web.request_state import reader_language

PATH = "/take-part/"
# The texts of the overview exist in English alone.
_WRITTEN_IN = "en"


def router(pages: Pages) -> APIRouter:
    """Return the pages of the initiatives, for everybody."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def listing(request: Request) -> Response:
        """List every initiative: first those with a form of their own."""
        reader = reader_language(request)
        shown = [_shown(one, reader) for one in initiatives()]
        groups = [
            (group, [one for one in shown if (one["way"] is Way.ENQUIRY) == asks]) for group, asks in (("forms", False), ("asking", True))
        ]
        return pages.render(request, "desk/take_part.html", groups=groups, total=len(shown))

    @router.get(PATH + "{code}")
    async def show(request: Request, code: str) -> Response:
        """Show one initiative, with what to prepare."""
        try:
            found = initiative(code)
        except UnknownCodeError as error:
            raise HTTPException(404) from error
        return pages.render(request, "desk/initiative.html", **_shown(found, reader_language(request)))

    return router


def _shown(found: Initiative, reader: str) -> dict[str, Any]:
    title, way = found.title.in_(reader), way_into(found.code)
    return {
        "code": found.code,
        "path": f"{PATH}{found.code}",
        "title": Sentence(title.text, lang=title.lang, reader=reader),
        "who": _written(found.who_can_use_it, reader),
        "rules": _written(found.rules, reader),
        "next": _written(found.what_happens_next, reader),
        "ways": found.how_to_ask,
        "lead_time_days": found.lead_time_days,
        "way": way,
        "address": way.address(found.code),
        "prepare": _prepare(found, way),
    }


def _written(text: str, reader: str) -> Sentence | None:
    return None if text in {"", NOT_STATED} else Sentence(text, lang=_WRITTEN_IN, reader=reader)


def _prepare(found: Initiative, way: Way) -> Sequence[str]:
    """Return what to have ready, as the last words of the keys: for the form, and for a way that the overview names besides."""
    beside = [one.value for one in found.how_to_ask if one.value in {"note-verbale", "resident-coordinator"}]
    return [way.value, *beside, *(["contact"] if way.has_contact else [])]
