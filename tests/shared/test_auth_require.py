"""The check at staff addresses: cookie or bearer, cut-offs, roles, and the way to a new token."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from shared import clock
from shared.auth.cookies import RENEW, Cookies
from shared.auth.people import note_person
from shared.auth.require import STAFF, require
from shared.auth.tokens import Kind, Person
from shared.db import Database
from shared.events.codes import Role
from shared.events.desk import PersonChanged
from shared.ids import new_id
from shared.listening import Received
from tests.people import SIGNER, bearer_of, people_of, somebody
from tests.shared.web_app import Page, browser, sample_app

POOL = "/desk/pool"
MODERATOR = somebody(Role.MODERATOR, name="Mo <b>Example</b>")
NAMES = Cookies.at("http://127.0.0.1:8000")
SESSION = {NAMES.session: "a-secret-of-desk"}
QUARTER = timedelta(minutes=15)


@pytest.fixture
async def people(database_url: str) -> AsyncIterator[Database]:
    async with people_of(database_url) as found:
        yield found


@pytest.fixture
async def asker(people: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(sample_app(people=people)) as client:
        yield client


async def told(people: Database, person: Person, *, revision: int = 1, active: bool = True, since: timedelta = timedelta(0)) -> None:
    """Have the service hear of a person whose tokens are good if they were made after now less `since`."""
    data = PersonChanged(id=person.id, name=person.name, roles=tuple(person.roles), active=active, tokens_valid_from=clock.now() - since)
    event = Received(
        id=new_id(),
        type=PersonChanged.type,
        subject=person.id,
        time=clock.now(),
        cause="test",
        trace_id=new_id().hex,
        revision=revision,
        historic=False,
        data=data,
    )
    async with people.transaction() as tx:
        await note_person(tx, event)


def token(person: Person = MODERATOR, *, kind: Kind = Kind.PERSON, age: timedelta = timedelta(0), valid_for: timedelta = QUARTER) -> str:
    return SIGNER.sign(person, kind=kind, valid_for=valid_for, issued_at=clock.now() - age)


def cookie(text: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in {NAMES.token: text, **(more or {})}.items())}


async def test_who_holds_the_role_is_let_in_by_cookie_and_by_bearer(asker: httpx.AsyncClient) -> None:
    page = await asker.get(POOL, headers=cookie(token()))
    assert page.status_code == 200
    assert "Mo <b>Example</b>" in Page(page.text).text
    assert (await asker.get(POOL, headers=bearer_of(MODERATOR))).status_code == 200


async def test_who_is_not_signed_in_is_led_to_sign_in_and_back(asker: httpx.AsyncClient) -> None:
    refused = await asker.get(POOL + "?state=new&lang=fr")
    assert refused.status_code == 401
    (way,) = [link["href"] for link in Page(refused.text).all("a") if link["href"].startswith("/desk/sign-in")]
    assert parse_qs(urlsplit(way).query)["next"] == [POOL + "?state=new&lang=fr"]
    sent = await asker.post(POOL, data={"word": "a"}, headers={"Accept": "application/json"})
    assert (sent.status_code, sent.json()["type"]) == (401, "/problems/sign-in-needed")
    assert parse_qs(urlsplit(sent.json()["sign_in"]).query)["next"] == ["/desk/"]


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar"])
async def test_who_lacks_the_role_is_told_which_one(asker: httpx.AsyncClient, language: str) -> None:
    answer = await asker.get(f"{POOL}?lang={language}", headers=cookie(token(somebody(Role.DRAFTER))))
    assert answer.status_code == 403
    assert Page(answer.text).faults == []
    assert language != "en" or "moderator: reviews submissions" in " ".join(Page(answer.text).text.split())
    machine = await asker.get(POOL, headers={**cookie(token(somebody(Role.DRAFTER))), "Accept": "application/json"})
    assert (machine.json()["type"], machine.json()["roles"]) == ("/problems/role-needed", ["moderator"])


async def test_an_auditor_reads_and_changes_nothing(asker: httpx.AsyncClient) -> None:
    auditor = cookie(token(somebody(Role.AUDITOR)))
    assert (await asker.get(POOL, headers=auditor)).status_code == 200
    assert (await asker.head(POOL, headers=auditor)).status_code == 200
    assert (await asker.post(POOL, data={"word": "a"}, headers=auditor)).status_code == 403


async def test_a_partner_opens_no_page_of_the_team(asker: httpx.AsyncClient) -> None:
    assert Role.PARTNER not in STAFF
    assert (await asker.get(POOL, headers=cookie(token(somebody(Role.PARTNER))))).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(lambda: cookie(token(kind=Kind.API)), id="a program's token as a cookie"),
        pytest.param(lambda: cookie(token(kind=Kind.SERVICE)), id="a service's token as a cookie"),
        pytest.param(lambda: {"Authorization": f"Bearer {token()}"}, id="a browser's token as bearer"),
        pytest.param(lambda: {"Authorization": f"Bearer {token(kind=Kind.SERVICE)}"}, id="a service's token as a person's bearer"),
        pytest.param(lambda: {"Authorization": f"Bearer {token(kind=Kind.API, age=timedelta(days=2))}"}, id="a bearer that is over"),
        pytest.param(lambda: {"Authorization": "Bearer"}, id="a bearer without a token"),
        pytest.param(lambda: {"Authorization": f"Basic {token(kind=Kind.API)}"}, id="another scheme"),
        pytest.param(lambda: cookie("nonsense"), id="nonsense"),
        pytest.param(lambda: cookie(token(age=timedelta(days=1))), id="a cookie that is over, without a session"),
    ],
)
async def test_other_tokens_open_nothing(asker: httpx.AsyncClient, headers: object) -> None:
    assert callable(headers)
    assert (await asker.get(POOL, headers=headers())).status_code == 401


async def test_a_bearer_that_is_not_taken_does_not_fall_back_to_the_cookie(asker: httpx.AsyncClient) -> None:
    # Its origin is not checked, so the cookie of whoever was lured here must not count.
    answer = await asker.post(POOL, data={"word": "a"}, headers={**cookie(token()), "Authorization": "Bearer x"})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_tokens_older_than_the_cut_off_are_void_and_newer_ones_are_not(asker: httpx.AsyncClient, people: Database) -> None:
    await told(people, MODERATOR, since=timedelta(minutes=5))
    assert (await asker.get(POOL, headers=cookie(token(age=timedelta(minutes=6))))).status_code == 401
    assert (await asker.get(POOL, headers=cookie(token(age=timedelta(minutes=4))))).status_code == 200
    old = token(kind=Kind.API, age=timedelta(minutes=6))
    assert (await asker.get(POOL, headers={"Authorization": f"Bearer {old}"})).status_code == 401


async def test_a_token_made_within_the_second_of_the_cut_off_counts_by_the_microsecond(asker: httpx.AsyncClient, people: Database) -> None:
    before = token()
    await told(people, MODERATOR)
    after = token()
    assert (await asker.get(POOL, headers=cookie(before))).status_code == 401
    assert (await asker.get(POOL, headers=cookie(after))).status_code == 200


async def test_nobody_who_is_disabled_comes_in_however_new_the_token(asker: httpx.AsyncClient, people: Database) -> None:
    await told(people, MODERATOR, active=False, since=timedelta(hours=1))
    assert (await asker.get(POOL, headers=cookie(token()))).status_code == 401
    assert (await asker.get(POOL, headers=bearer_of(MODERATOR))).status_code == 401


async def test_an_event_gives_no_right(asker: httpx.AsyncClient, people: Database) -> None:
    drafter = somebody(Role.DRAFTER)
    promoted = Person(id=drafter.id, name=drafter.name, roles=frozenset({Role.MODERATOR}))
    await told(people, promoted, since=timedelta(hours=1))
    assert (await asker.get(POOL, headers=cookie(token(drafter)))).status_code == 403
    assert (await asker.get(POOL, headers=bearer_of(drafter))).status_code == 403


async def test_an_older_word_about_a_person_changes_nothing(asker: httpx.AsyncClient, people: Database) -> None:
    await told(people, MODERATOR, revision=3, active=False)
    await told(people, MODERATOR, revision=2, since=timedelta(hours=1))
    assert (await asker.get(POOL, headers=cookie(token()))).status_code == 401
    await told(people, MODERATOR, revision=4, since=timedelta(hours=1))
    assert (await asker.get(POOL, headers=cookie(token()))).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "why",
    ["no token", "over", "cut off", "of a key that is gone"],
)
async def test_a_browser_with_a_session_is_sent_for_its_next_token(
    asker: httpx.AsyncClient, people: Database, method: str, why: str
) -> None:
    if why == "cut off":
        await told(people, MODERATOR)
    held = {
        "no token": "",
        "over": token(age=timedelta(hours=1)),
        "cut off": token(age=timedelta(minutes=1)),
        "of a key that is gone": "a.b.c",
    }[why]
    answer = await asker.request(method, POOL + "?page=2", headers=cookie(held, SESSION), data={"word": "a"} if method == "POST" else None)
    # 307 brings along what was being sent: a form that was filled in for long is not lost.
    assert answer.status_code == (303 if method == "GET" else 307)
    way = urlsplit(answer.headers["location"])
    assert (way.path, parse_qs(way.query)["next"]) == (RENEW, [POOL + "?page=2"])
    assert answer.headers["cache-control"] == "no-store"


async def test_a_token_that_is_refused_right_after_its_renewal_is_not_renewed_for_ever(asker: httpx.AsyncClient) -> None:
    headers = cookie(token(age=timedelta(hours=1)), {**SESSION, NAMES.renewed: "1"})
    assert (await asker.get(POOL, headers=headers)).status_code == 401


async def test_a_role_that_was_just_given_comes_with_the_next_token(asker: httpx.AsyncClient, people: Database) -> None:
    drafter = somebody(Role.DRAFTER)
    await told(people, Person(id=drafter.id, name="x", roles=frozenset({Role.DRAFTER, Role.MODERATOR})), since=timedelta(hours=1))
    answer = await asker.get(POOL, headers=cookie(token(drafter), SESSION))
    assert (answer.status_code, urlsplit(answer.headers["location"]).path) == (303, RENEW)


async def test_while_the_people_cannot_be_asked_nobody_comes_in() -> None:
    async with browser(sample_app()) as asker:
        assert (await asker.get(POOL, headers=cookie(token()))).status_code == 500  # where the database counts as away: 503


@pytest.mark.parametrize(
    ("public_url", "prefix", "secure"),
    [
        ("https://tidings.example", "__Host-", True),
        ("http://127.0.0.1:8000", "", False),
        ("http://localhost:8000", "", False),
        ("http://tidings.example", "__Host-", True),
    ],
)
def test_cookies_are_bound_to_https_but_on_loopback(public_url: str, prefix: str, secure: bool) -> None:
    names = Cookies.at(public_url)
    assert names.secure is secure
    assert {names.token, names.session, names.renewed} == {f"{prefix}tidings-{word}" for word in ("token", "session", "renewed")}


def test_an_address_names_its_roles() -> None:
    with pytest.raises(ValueError, match="name the roles"):
        require()
    assert require(Role.ADMIN) is require(Role.ADMIN)
