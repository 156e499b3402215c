"""The texts of mails to people who work here: each a folder of subject, plain text and HTML under templates/mails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.desk.awaiting.rules import Awaited, Urgency, due_at, urgency
from shared import i18n
from shared.clock import now
from shared.events.codes import Language
from shared.events.times import Days, Due
from shared.mail.letter import BODY_STYLE, LINK_STYLE, SMALL_STYLE
from shared.mail.message import Content, document
from shared.web.addresses import local_path
from shared.web.pages import localize, plain, sentences

FOLDER = Path(__file__).parents[1] / "templates" / "mails"
TASKS = "tasks"
WANTED = frozenset(found.name for found in FOLDER.iterdir() if found.is_dir() and found.name != TASKS)
"""The mails that other services may want, by the name that they ask with."""
NAMED_MAX = 20
"""So many tasks stand in one mail; of the rest it says how many there are."""
_SUBJECT_TITLE = 80


@dataclass(frozen=True, kw_only=True)
class Reader:
    """To whom a mail is written."""

    name: str
    languages: tuple[Language, ...]
    zone: str  # IANA name of the zone in which they read hours
    chosen: str | None = None  # the language that they chose for mails

    @property
    def language(self) -> str:
        """The one they chose, else the first of their languages that mails are written in."""
        if self.chosen in i18n.LANGUAGES:
            return str(self.chosen)
        return next((language for language in self.languages if language in i18n.LANGUAGES), i18n.DEFAULT)


@dataclass(frozen=True, kw_only=True)
class Item:
    """A task as a mail names it."""

    what_key: str  # of the sentence that says what is to be done
    title: Mapping[str, str]
    address: str
    due: str  # in words; empty where nothing is due
    overdue: bool


def path_of(address: str) -> str:
    """Return path, query and fragment of a page of ours that was told by its absolute address; the start page for anything else."""
    split = urlsplit(address)
    path = split.path + (f"?{split.query}" if split.query else "") + (f"#{split.fragment}" if split.fragment else "")
    return local_path(path, otherwise="/desk/")


def about_tasks(reader: Reader, tasks: Sequence[Awaited], *, public_url: str, daily: bool) -> Content:
    """Return the mail about what awaits a person; each link leads to the item itself, by way of signing in where that is needed."""
    items = [_item(task, reader, public_url) for task in tasks[:NAMED_MAX]]
    return _written(TASKS, reader, public_url, items=items, more=max(0, len(tasks) - NAMED_MAX), total=len(tasks), daily=daily)


def wanted(template: str, reader: Reader, facts: Mapping[str, object], *, address: str | None, public_url: str) -> Content:
    """Return a mail that another service wants; `facts` are what its texts name."""
    leads_to = public_url + path_of(address) if address else ""
    return _written(template, reader, public_url, facts=facts, address=leads_to)


def _item(task: Awaited, reader: Reader, public_url: str) -> Item:
    return Item(
        what_key=task.what_key,
        title=task.title,
        address=public_url + path_of(task.address),
        due=_due(task.due, reader) if task.due else "",
        overdue=urgency(task.due, zone=reader.zone, now=now()) is Urgency.OVERDUE,
    )


def _due(due: Due, reader: Reader) -> str:
    if isinstance(due, Days):
        return i18n.day(due.last, reader.language)
    at = due_at(due, reader.zone)
    assert at is not None
    return i18n.moment(at, reader.language, reader.zone)


def _written(template: str, reader: Reader, public_url: str, **facts: object) -> Content:
    language = reader.language

    def localized(texts: Mapping[str, str]) -> str:
        return localize(texts, language)

    def localized_plain(texts: Mapping[str, str]) -> str:
        return plain(localize(texts, language))

    known = {"name": reader.name, "start": f"{public_url}/desk/", "me": f"{public_url}/desk/me#mails", **facts}
    # Sentences that know their language are for HTML; between plain words they would bring its escapes along.
    words = known | {"t": partial(i18n.translate, language), "localized": localized_plain}
    subject = " ".join(_environment().get_template(f"{template}/subject.txt").render(words).split())
    text = _environment().get_template(f"{template}/text.txt").render(words)
    html = _environment().get_template(f"{template}/body.html").render(known | {"t": sentences(language), "localized": localized})
    return Content(
        language=language,
        subject=subject,
        text=text.strip() + "\n",
        html=document(language, subject, f'<div style="{BODY_STYLE}">\n{html.strip()}\n</div>'),
    )


def shortened(text: str) -> str:
    """Return a title that leaves a subject readable."""
    return text if len(text) <= _SUBJECT_TITLE else text[: _SUBJECT_TITLE - 1].rstrip() + "…"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shortened"] = shortened
    environment.globals.update(link_style=LINK_STYLE, small_style=SMALL_STYLE)
    return environment
