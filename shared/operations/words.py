"""Figures and steps in the reader's language, once for the page and once for the JSON that the desk's pages gather."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared import clock, i18n
from shared.operations.figures import Figure
from shared.operations.steps import Note, Step
from shared.web.pages import Sentence, sentences


@dataclass(frozen=True, kw_only=True)
class SaidFigure:
    """A figure in words."""

    name: str
    term: str
    text: str
    tone: str
    reason: str  # empty where nothing need be said
    detail: str


@dataclass(frozen=True, kw_only=True)
class SaidNote:
    """A note in words: a sentence, or a name with what a machine wrote under it."""

    text: str
    name: str | None


@dataclass(frozen=True, kw_only=True)
class SaidStep:
    """A step in words."""

    step: Step
    when: str
    title: str
    notes: Sequence[SaidNote]


def instant(value: datetime, language: str, zone: str) -> str:
    """Return a moment to the millisecond in the IANA `zone`: events follow each other within a few."""
    local = clock.check_aware(value).astimezone(ZoneInfo(zone))
    time = f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"
    return i18n.translate(language, "base.moment", date=i18n.day(local.date(), language), time=time, zone=local.tzname())


def say_figure(figure: Figure, language: str) -> SaidFigure:
    """Return a figure in `language`."""
    t = sentences(language)
    return SaidFigure(
        name=figure.name,
        term=t(f"staff.figure.{figure.name}"),
        text=t(figure.key) if figure.n is None else t(figure.key, n=figure.n),
        tone=figure.tone,
        reason=t(figure.reason_key) if figure.reason_key else "",
        detail=figure.detail,
    )


def say_step(step: Step, language: str, zone: str) -> SaidStep:
    """Return a step in `language`, its times in the IANA `zone`."""
    return SaidStep(
        step=step,
        when=instant(step.time, language, zone),
        title=_said(step.title_key, step.params, language, zone),
        notes=[_say_note(note, language, zone) for note in step.notes],
    )


def _say_note(note: Note, language: str, zone: str) -> SaidNote:
    said = _said(note.key, note.params, language, zone)
    return SaidNote(text=said, name=None) if note.text is None else SaidNote(text=note.text, name=said)


def _said(key: str, params: Mapping[str, object], language: str, zone: str) -> str:
    # A sentence that is only there in English has its dates in English too.
    _, found_in = i18n.look_up(language, key)
    places: dict[str, Any] = {name: instant(v, found_in, zone) if isinstance(v, datetime) else v for name, v in params.items()}
    return sentences(language)(key, **places)


def figure_json(figure: SaidFigure) -> dict[str, object]:
    """Return a figure for programs, and for a page of another service."""
    return {
        "name": figure.name,
        "term": text_json(figure.term),
        "text": text_json(figure.text),
        "tone": figure.tone,
        "reason": text_json(figure.reason),
        "detail": figure.detail,
    }


def step_json(said: SaidStep) -> dict[str, object]:
    """Return a step for programs, and for a page of another service."""
    step = said.step
    return {
        "what": step.what,
        "time": step.time,
        "when": said.when,
        "title": text_json(said.title),
        "tone": step.tone,
        "event_id": step.event_id,
        "type": step.type,
        "subject": step.subject,
        "cause": step.cause,
        "notes": [{"name": text_json(note.name) if note.name else None, "text": text_json(note.text)} for note in said.notes],
        "body": step.body,
        "address": step.address,
    }


def text_json(text: str) -> dict[str, str]:
    """Return a text with its language and direction; what a machine wrote has none of its own."""
    if isinstance(text, Sentence):
        return {"text": str.__str__(text), "lang": text.lang, "dir": i18n.direction(text.lang)}
    return {"text": text, "lang": "", "dir": "auto"}
