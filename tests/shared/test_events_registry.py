"""The table of event types, tellers, keys and listeners is the agreed one, and what the models say of their fields holds."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import BaseModel

import shared.events
from shared.events.base import Audience, EventData, version_of
from shared.events.codes import Service
from shared.events.registry import (
    EVENT_TYPES,
    LISTENERS,
    NOT_YET_LISTENING,
    NOT_YET_TELLING,
    TELLERS,
    TOPICS,
    TOPICS_OF,
    topic_of,
    topics_heard_by,
    types_heard_by,
    types_told_by,
)

EVERY = "desk intake pledges newsletter social calendar"

# The agreement itself: type, tellers, key, listeners. Written out, so that a model cannot change it unseen.
AGREED = [
    ("submission.received.v1", "intake", "submission", "pledges calendar desk"),
    ("submission.decided.v1", "intake pledges calendar", "submission", "intake"),
    ("practice.published.v1", "intake", "practice", "newsletter social desk"),
    ("practice.withdrawn.v1", "intake", "practice", "newsletter social desk"),
    ("talk.accepted.v1", "intake", "talk", "calendar newsletter social desk"),
    ("talk.moved.v1", "intake", "talk", "calendar newsletter social desk"),
    ("talk.cancelled.v1", "intake", "talk", "calendar newsletter social desk"),
    ("talk.held.v1", "intake", "talk", "calendar newsletter social desk"),
    ("news.published.v1", "intake", "item", "newsletter social calendar desk"),
    ("news.withdrawn.v1", "intake", "item", "newsletter social calendar desk"),
    ("promotion.requested.v1", "intake", "request", "social"),
    ("promotion.withdrawn.v1", "intake", "request", "social"),
    ("contribution.accepted.v1", "intake", "contribution", "newsletter"),
    ("contribution.withdrawn.v1", "intake", "contribution", "newsletter"),
    ("pledge.published.v1", "pledges", "pledge", "newsletter social calendar desk"),
    ("pledge.updated.v1", "pledges", "pledge", "newsletter social calendar desk"),
    ("pledge.fulfilled.v1", "pledges", "pledge", "newsletter social calendar desk"),
    ("pledge.withdrawn.v1", "pledges", "pledge", "newsletter social calendar intake desk"),
    ("date.published.v1", "calendar", "date", "newsletter social intake desk"),
    ("date.moved.v1", "calendar", "date", "newsletter social intake desk"),
    ("date.cancelled.v1", "calendar", "date", "newsletter social intake desk"),
    ("deadline.near.v1", "calendar", "deadline", "newsletter social desk"),
    ("issue.approved.v1", "newsletter", "issue", "social calendar desk"),
    ("issue.sent.v1", "newsletter", "issue", "social calendar desk intake"),
    ("post.approved.v1", "social", "post", "desk"),
    ("post.published.v1", "social", "post", "desk intake"),
    ("post.failed.v1", "social", "post", "desk"),
    ("task.opened.v1", EVERY, "task", "desk"),
    ("task.closed.v1", EVERY, "task", "desk"),
    ("decision.made.v1", EVERY, "subject", "desk"),
    ("sending.paused.v1", "desk", "scope", "newsletter social"),
    ("sending.resumed.v1", "desk", "scope", "newsletter social"),
    ("sending.confirmed.v1", "newsletter social", "scope", "desk"),
    ("person.changed.v1", "desk", "person", "intake pledges newsletter social calendar"),
    ("mail.wanted.v1", EVERY, "person", "desk"),
]

EVERY_TYPE = pytest.mark.parametrize("model", EVENT_TYPES.values(), ids=list(EVENT_TYPES))


@pytest.mark.parametrize(("event_type", "tellers", "key", "listeners"), AGREED, ids=[row[0] for row in AGREED])
def test_each_type_is_told_keyed_and_heard_as_agreed(event_type: str, tellers: str, key: str, listeners: str) -> None:
    assert TELLERS[event_type] == set(tellers.split())
    assert LISTENERS[event_type] == set(listeners.split())
    assert EVENT_TYPES[event_type].key == key


def test_no_type_stands_beside_the_agreement() -> None:
    assert list(EVENT_TYPES) == [row[0] for row in AGREED]


def models_in_the_folder() -> Iterator[type[EventData]]:
    for module in pkgutil.walk_packages(shared.events.__path__, "shared.events."):
        for _, model in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(model, EventData) and hasattr(model, "type"):
                yield model


def test_no_event_is_forgotten_by_the_registry() -> None:
    assert set(models_in_the_folder()) == set(EVENT_TYPES.values())


@EVERY_TYPE
def test_a_name_is_a_fact_in_the_past_tense_with_a_version(model: type[EventData]) -> None:
    name = re.fullmatch(r"([a-z]+)\.([a-z]+)\.v([1-9][0-9]*)", model.type)
    assert name is not None
    noun, verb, version = name.groups()
    # "Near" is no verb; what happened there is that a deadline came near.
    assert verb.endswith("ed") or verb in {"withdrawn", "held", "sent", "made", "near"}
    # The class is called as the type, so that whoever knows one finds the other.
    assert model.__name__ == noun.title() + verb.title()
    assert version_of(model.type) == int(version)


@EVERY_TYPE
def test_an_event_says_what_it_means_and_what_its_subject_is(model: type[EventData]) -> None:
    words = " ".join((model.__doc__ or "").split())
    assert words
    assert "The subject is " in words


def test_a_type_is_accepted_only_from_the_topics_of_its_tellers() -> None:
    assert TOPICS_OF["practice.published.v1"] == {"intake.v1"}
    assert TOPICS_OF["submission.decided.v1"] == {"intake.v1", "pledges.v1", "calendar.v1"}
    assert TOPICS_OF["task.opened.v1"] == set(TOPICS)


def test_there_is_one_topic_for_each_service() -> None:
    assert tuple(f"{service}.v1" for service in EVERY.split()) == TOPICS
    with pytest.raises(ValueError, match="stranger"):
        topic_of("stranger")


def test_what_is_not_built_yet_is_part_of_the_agreement() -> None:
    assert {pair for pair in NOT_YET_TELLING if pair[1] not in TELLERS.get(pair[0], ())} == set()
    assert {pair for pair in NOT_YET_LISTENING if pair[1] not in LISTENERS.get(pair[0], ())} == set()


@pytest.mark.parametrize("service", list(Service))
def test_what_a_service_tells_and_hears_today_is_the_agreement_less_what_is_not_built(service: Service) -> None:
    told, heard = types_told_by(service), types_heard_by(service)
    assert told | {event_type for event_type, teller in NOT_YET_TELLING if teller == service} == {
        t for t in TELLERS if service in TELLERS[t]
    }
    assert heard | {event_type for event_type, listener in NOT_YET_LISTENING if listener == service} == {
        t for t in LISTENERS if service in LISTENERS[t]
    }
    assert not told & {event_type for event_type, teller in NOT_YET_TELLING if teller == service}
    assert not heard & {event_type for event_type, listener in NOT_YET_LISTENING if listener == service}
    assert topics_heard_by(service) == {topic for event_type in heard for topic in TOPICS_OF[event_type]}


def test_newsletter_and_social_read_only_the_topic_of_what_they_listen_to() -> None:
    assert types_heard_by("newsletter") >= {"practice.published.v1", "practice.withdrawn.v1"}
    assert "intake.v1" in topics_heard_by("newsletter")
    assert "newsletter.v1" not in topics_heard_by("newsletter")


def parts_of(annotation: Any) -> Iterator[Any]:
    """Yield every type within a type: what a list holds, the branches of a union, what stands behind an annotation."""
    yield annotation
    for inner in get_args(annotation):
        yield from parts_of(inner)


def fields_below(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        yield f"{path}{name}", field.annotation
        for part in parts_of(field.annotation):
            if inspect.isclass(part) and issubclass(part, BaseModel):
                yield from fields_below(part, f"{path}{name}.")


@EVERY_TYPE
def test_every_field_of_an_event_is_marked_for_an_audience(model: type[EventData]) -> None:
    shown = model.model_json_schema()["properties"]
    for name in model.model_fields:
        assert shown[name]["x-audience"] == model.audience_of(name)
        assert model.audience_of(name) in set(Audience)


@EVERY_TYPE
def test_no_mark_is_lost_inside_a_union(model: type[EventData]) -> None:
    # `Annotated[Line, Internal] | None` would count as unmarked; `Annotated[Line | None, Internal]` does not.
    for path, annotation in fields_below(model):
        for part in parts_of(annotation):
            marks = part.__metadata__ if get_origin(part) is Annotated else ()
            assert not any(isinstance(mark, Audience) for mark in marks), path


@EVERY_TYPE
def test_no_event_has_a_field_for_a_person_to_write_to(model: type[EventData]) -> None:
    personal = {path for path, _ in fields_below(model) if re.search(r"contact|mail|phone|surname", path)}
    assert personal == ({"contact"} if model.type == "submission.received.v1" else set())
    assert {name for name in model.model_fields if model.audience_of(name) is Audience.CONTACT} == personal


def test_only_what_is_meant_for_publication_is_marked_public() -> None:
    public = {t: {n for n in m.model_fields if m.audience_of(n) is Audience.PUBLIC} for t, m in EVENT_TYPES.items()}
    assert public["practice.withdrawn.v1"] == set()
    assert "address" in public["practice.published.v1"]
    assert public["issue.sent.v1"] >= {"number", "address"}
    assert "counts" not in public["issue.sent.v1"]
    internal = ("submission.received.v1", "task.opened.v1", "decision.made.v1", "sending.paused.v1", "person.changed.v1", "mail.wanted.v1")
    assert [event_type for event_type in internal if public[event_type]] == []
    assert public["submission.decided.v1"] == {"address"}


@EVERY_TYPE
def test_every_field_of_an_event_says_what_it_is(model: type[EventData]) -> None:
    assert [name for name, field in model.model_json_schema()["properties"].items() if not field.get("description")] == []


def test_the_published_language_imports_nothing_else_of_ours() -> None:
    sources = [inspect.getsource(importlib.import_module(m.name)) for m in pkgutil.walk_packages(shared.events.__path__, "shared.events.")]
    imported = {name for source in sources for name in re.findall(r"^\s*(?:from|import) ((?:shared|services)[\w.]*)", source, re.MULTILINE)}
    assert {name for name in imported if not name.startswith("shared.events")} == set()
