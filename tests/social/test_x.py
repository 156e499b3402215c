"""X through tweepy, against the sandbox: what is signed, what comes of a post in every case, pictures, and reading back."""

import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from services.demo.sandbox.moods import Kind, Mood
from services.demo.sandbox.server import Sandbox, sandbox
from services.social.domain.content import Content, Picture
from services.social.domain.deliveries import Found, Pace, Result, WaitingFor
from services.social.networks.x.client import NotBroughtError, TimelineError, X
from services.social.networks.x.comparing import is_same
from shared import clock
from tests.social.x_sandbox import QUICK, account_on, words, x_on

SOON = 60.0
PIXELS = b"\x89PNG" + bytes(range(256)) * 20_000  # more than one part of an upload
PICTURE = Picture(sha256=hashlib.sha256(PIXELS).hexdigest(), media_type="image/png", alternative="A boat & <two> people")


@pytest.fixture
async def network() -> AsyncIterator[Sandbox]:
    async with sandbox() as running:
        yield running


@pytest.fixture
def x(network: Sandbox) -> X:
    return x_on(network, replace(QUICK, lease=timedelta(seconds=30), request_timeout=timedelta(seconds=5)))


def before() -> float:
    return time.monotonic() + SOON


async def test_a_post_stands_and_its_id_is_known(network: Sandbox, x: X) -> None:
    outcome = await x.publish(words("Safe & orderly <migration>\nhttps://tidings.example.org/?a=1&b=2"), (), send_before=before())
    (post,) = network.timeline.posts
    assert (outcome.result, outcome.place_id) == (Result.PUBLISHED, post.id)
    assert post.text == "Safe & orderly <migration>\nhttps://tidings.example.org/?a=1&b=2"
    assert outcome.evidence["status"] == 201


@pytest.mark.parametrize(
    ("mood", "result", "waiting_for", "stands"),
    [
        (Mood.RATE_LIMITED, Result.NOT_NOW, None, False),
        (Mood.DUPLICATE, Result.DUPLICATE, None, False),
        (Mood.FORBIDDEN, Result.REFUSED, WaitingFor.FORBIDDEN, False),
        (Mood.NO_CREDIT, Result.REFUSED, WaitingFor.CREDIT, False),
        (Mood.UNAUTHORIZED, Result.REFUSED, WaitingFor.CREDENTIALS, False),
        (Mood.FAILS_BEFORE, Result.UNKNOWN, None, False),
        (Mood.FAILS_AFTER, Result.UNKNOWN, None, True),
        (Mood.EMPTY_AFTER, Result.UNKNOWN, None, True),
        (Mood.HANGS_BEFORE, Result.UNKNOWN, None, False),
        (Mood.HANGS_AFTER, Result.UNKNOWN, None, True),
        (Mood.HALF_A_BODY, Result.UNKNOWN, None, True),
        (Mood.HTML_AFTER, Result.UNKNOWN, None, True),
        (Mood.REFUSED_IN_HTML_AFTER, Result.UNKNOWN, None, True),
        (Mood.RESET_BEFORE, Result.UNKNOWN, None, False),
        (Mood.RESET_AFTER, Result.UNKNOWN, None, True),
    ],
)
async def test_what_comes_of_a_post(network: Sandbox, mood: Mood, result: Result, waiting_for: WaitingFor | None, stands: bool) -> None:
    network.moods.ask_for(Kind.POST, [mood])
    outcome = await x_on(network).publish(words("One"), (), send_before=before())
    assert (outcome.result, outcome.waiting_for) == (result, waiting_for), outcome.evidence
    assert bool(network.timeline.posts) is stands
    assert network.moods.met == {(Kind.POST, mood): 1}, "it asked more than once"


def test_every_mood_is_tried_above() -> None:
    (mark,) = (one for one in test_what_comes_of_a_post.pytestmark if one.name == "parametrize")  # type: ignore[attr-defined]
    assert {case[0] for case in mark.args[1]} == set(Mood)


async def test_a_pause_is_as_long_as_x_says_and_for_the_whole_account(network: Sandbox, x: X) -> None:
    network.moods.pause_seconds = 300
    network.moods.ask_for(Kind.POST, [Mood.RATE_LIMITED])
    now = clock.now()
    outcome = await x.publish(words("One"), (), send_before=before())
    assert outcome.whole_account
    assert outcome.not_before is not None
    assert now + timedelta(seconds=299) <= outcome.not_before <= now + timedelta(seconds=310)


async def test_where_nobody_listens_nothing_was_sent(network: Sandbox) -> None:
    outcome = await X(account_on(network, api_url="http://127.0.0.1:1"), QUICK).publish(words("One"), (), send_before=before())
    assert (outcome.result, outcome.whole_account) == (Result.NOT_NOW, False)
    assert outcome.not_before is not None


async def test_nothing_leaves_after_its_moment_has_passed(network: Sandbox, x: X) -> None:
    outcome = await x.publish(words("One"), (), send_before=time.monotonic() - 0.001)
    assert outcome.result is Result.NOT_NOW
    assert network.timeline.posts == []


@pytest.mark.parametrize("wrong", ["consumer_key", "consumer_secret", "access_token_secret"])
async def test_only_what_the_account_signed_is_taken(network: Sandbox, wrong: str) -> None:
    outcome = await X(account_on(network, **{wrong: "another"}), QUICK).publish(words("One"), (), send_before=before())
    assert outcome.waiting_for is WaitingFor.CREDENTIALS
    assert network.timeline.posts == []


async def test_same_words_twice_are_refused_by_the_network_itself(network: Sandbox, x: X) -> None:
    await x.publish(words("One"), (), send_before=before())
    outcome = await x.publish(words("One"), (), send_before=before())
    assert outcome.result is Result.DUPLICATE
    assert len(network.timeline.posts) == 1
    assert x.guards(words("One"))


async def test_pictures_go_with_their_words_for_those_who_cannot_see_them(network: Sandbox, x: X) -> None:
    content = replace(words("With a picture"), pictures=(PICTURE,))
    media_ids = await x.bring(content, {PICTURE.sha256: PIXELS})
    outcome = await x.publish(content, media_ids, send_before=before())
    assert outcome.result is Result.PUBLISHED
    (media,) = network.timeline.media.values()
    assert (media.data, media.alternative) == (PIXELS, PICTURE.alternative)
    assert len(media.parts) == 2
    assert network.timeline.posts[0].media_ids == (media.id,)
    assert not x.guards(content), "X takes the same words again with another picture"
    (found,) = await x.timeline(clock.now() - timedelta(minutes=1))
    assert x.same(content, found)
    assert not x.same(words("With a picture"), found)


@pytest.mark.parametrize(
    ("mood", "result", "waiting_for"),
    [
        (Mood.RATE_LIMITED, Result.NOT_NOW, None),
        (Mood.FAILS_AFTER, Result.NOT_NOW, None),
        (Mood.HANGS_AFTER, Result.NOT_NOW, None),
        (Mood.RESET_AFTER, Result.NOT_NOW, None),
        (Mood.HALF_A_BODY, Result.NOT_NOW, None),
        (Mood.HTML_AFTER, Result.NOT_NOW, None),
        (Mood.NO_CREDIT, Result.REFUSED, WaitingFor.CREDIT),
        (Mood.FORBIDDEN, Result.REFUSED, WaitingFor.PICTURES),
    ],
)
async def test_a_picture_that_was_not_brought_keeps_the_post_back(
    network: Sandbox, mood: Mood, result: Result, waiting_for: WaitingFor | None
) -> None:
    content = replace(words("With a picture"), pictures=(PICTURE,))
    network.moods.ask_for(Kind.MEDIA, [mood])
    with pytest.raises(NotBroughtError) as raised:
        await x_on(network).bring(content, {PICTURE.sha256: PIXELS})
    assert (raised.value.outcome.result, raised.value.outcome.waiting_for) == (result, waiting_for)


async def test_a_picture_whose_bytes_are_gone_waits_for_a_person(x: X) -> None:
    with pytest.raises(NotBroughtError) as raised:
        await x.bring(replace(words("With a picture"), pictures=(PICTURE,)), {})
    assert raised.value.outcome.waiting_for is WaitingFor.PICTURES


async def test_the_timeline_is_read_to_its_end(network: Sandbox, x: X) -> None:
    for number in range(230):
        network.timeline.take(f"Number {number}", ())
    found = await x.timeline(clock.now() - timedelta(minutes=1))
    assert [one.text for one in found] == [f"Number {number}" for number in reversed(range(230))]
    assert await x.timeline(clock.now() + timedelta(minutes=1)) == []


@pytest.mark.parametrize("mood", [mood for mood in Mood if mood is not Mood.DUPLICATE])
async def test_a_timeline_that_did_not_come_whole_says_nothing(network: Sandbox, mood: Mood) -> None:
    network.timeline.take("One", ())
    network.moods.ask_for(Kind.TIMELINE, [mood, mood])  # reading does no harm twice, so a cut connection is tried again at once
    with pytest.raises(TimelineError) as raised:
        await x_on(network).timeline(clock.now() - timedelta(minutes=1))
    assert (raised.value.not_before is not None) is (mood is Mood.RATE_LIMITED)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Plain", id="plain"),
        pytest.param("A & B <c> \"d\" 'e'", id="characters that are escaped"),
        pytest.param("Write &amp; for & and &lt; for <", id="escapes as words"),
        pytest.param("Read\nhttps://tidings.example.org/practices/one?a=1&b=2#c\nnow.", id="link in the middle"),
        pytest.param("https://EXAMPLE.org/ and https://example.org/Path/", id="host's case and last slash"),
        pytest.param("cafe\u0301 au lait", id="composed and decomposed"),
        pytest.param("  spaces \t and\r\n\r\nlines  ", id="spaces"),
        pytest.param("مكتب واحد للوافدين 👩🏽‍⚕️ https://tidings.example.org/", id="Arabic and emoji"),
    ],
)
async def test_our_own_post_is_known_as_it_comes_back(network: Sandbox, x: X, text: str) -> None:
    network.timeline.take(text, ())
    network.timeline.take(text + " more", ())
    found = await x.timeline(clock.now() - timedelta(minutes=1))
    assert [x.same(words(text), one) for one in found] == [False, True]


@pytest.mark.parametrize(
    ("ours", "theirs", "urls", "same"),
    [
        ("see un.org", "see https://t.co/a", [{"url": "https://t.co/a", "expanded_url": "http://un.org"}], True),
        ("see un.org", "see https://t.co/a", [{"url": "https://t.co/a", "expanded_url": "http://iom.int"}], False),
        ("see un.org", "see https://t.co/a", [], False),
        ("https://a.org/&lt;", "https://t.co/a", [{"url": "https://t.co/a", "expanded_url": "https://a.org/&lt;"}], True),
        ("One", "one", [], False),
    ],
)
def test_comparing(ours: str, theirs: str, urls: list[dict[str, str]], same: bool) -> None:
    found = Found(place_id="1", text=theirs, created_at=clock.now(), pictures=0, raw={"entities": {"urls": urls}})
    assert is_same(words(ours), found) is same


def test_one_comma_more_makes_another_hash() -> None:
    content = replace(words("One, two"), pictures=(PICTURE,))
    others = [
        replace(content, text="One, two,"),
        replace(content, language="fr"),
        replace(content, pictures=()),
        replace(content, pictures=(replace(PICTURE, alternative="A boat"),)),
        replace(content, pictures=(replace(PICTURE, sha256="0" * 64),)),
    ]
    assert len({one.sha256 for one in (content, *others)}) == 6
    assert Content.from_kept("x", "en", content.as_kept()) == content


def test_a_lease_outlasts_a_request() -> None:
    with pytest.raises(ValueError, match="does not outlast"):
        Pace(lease=timedelta(seconds=30), request_timeout=timedelta(seconds=30))


async def test_the_sandbox_shows_and_does_what_it_is_told(network: Sandbox, x: X) -> None:
    async with httpx.AsyncClient(base_url=network.address) as browser:
        told = await browser.post("/control/moods", json={"kind": "post", "moods": ["fails-after"]})
        assert told.status_code == 204
        assert (await x.publish(words("<b>One</b>"), (), send_before=before())).result is Result.UNKNOWN
        assert "&lt;b&gt;One&lt;/b&gt;" in (await browser.get("/")).text
        (post,) = (await browser.get("/control/timeline")).json()["posts"]
        assert post["text"] == "<b>One</b>"
        assert (await browser.post("/2/tweets", json={"text": "Unsigned"})).status_code == 401
        assert (await browser.delete("/control/timeline")).status_code == 204
        assert (await browser.get("/control/timeline")).json() == {"posts": []}
