"""Who may open what: every address of every service, found in the application itself, against the table written out here."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from services.owners import OWNERS
from services.wiring import built
from shared.application import application
from shared.auth.require import STAFF, Require
from shared.broker import Probe
from shared.events.codes import Role
from shared.ids import new_id
from shared.mail.outgoing import outgoing
from shared.migrations import migrate
from shared.parts import Parts
from shared.service import Kafka, Running
from shared.settings import Settings
from shared.vault import Vault, new_key
from tests.people import SIGNER, VERIFIER, cookies_of, somebody
from tests.shared.web_app import BROWSER

PUBLIC_URL = "http://127.0.0.1:8000"
WRITERS = {Role.DRAFTER, Role.APPROVER}

FOR_EVERYBODY = re.compile(
    r"/(static/.*|healthz|readyz|metrics"
    r"|newsletter/(archive/.*|archive\.atom)?"
    r"|take-part/.*"
    r"|(practices|talks|news)/.*|intake/(submit|confirm|track|files|catalogue|api/v1/catalogue|webhooks)(/.*)?"
    r"|newsletter/(subscribe|u|confirm)(/.*)?|pledges/update(/.*)?"
    r"|pledges/(P-\{drawn\}|\{pledge_id:uuid\}|submit|champions|feed\.atom|api/v1/(pledges.*|changes|figures))?"
    r"|calendar/(month/.*|workplan|embed|feed\.ics|feed\.json|\{slug\}(\.ics)?)?"
    r"|desk/(sign-in(/.*)?|sign-out|session))?"
)
"""The addresses that need nobody to be signed in; `/` among them."""

STAFF_TABLE: Mapping[str, set[Role]] = {
    r"/desk/(me|events|api/v1/tasks)(/.*)?|/desk/(components)?": set(STAFF),
    r"/desk/(operations|sending(/.*)?)": {Role.OPERATOR},
    r"/desk/(people/.*|audit(\.json)?)": {Role.ADMIN},
    r"/intake/(review/(?!files/).*|enquiries/.*)?": {Role.MODERATOR},
    r"/intake/review/files/.*": {Role.MODERATOR, Role.DRAFTER, Role.APPROVER},
    r"/intake/enter/.*": {Role.MODERATOR, Role.DRAFTER},
    r"/intake/initiatives/.*": {Role.ADMIN},
    r"/intake/partners/.*": {Role.ADMIN},
    r"/calendar/(review|manage)/.*": {Role.MODERATOR},
    r"/pledges/(review|reports)/.*|/pledges/manage/\{number\}/(correct|evidence|withdraw)": {Role.MODERATOR},
    r"/pledges/manage/(\{number\}(/contact)?)?": {Role.MODERATOR, Role.ADMIN},
    r"/newsletter/pool/.+": {Role.DRAFTER},
    r"/newsletter/(pool|(api/v1/)?issues/(?!\{issue\}/sending).*)": WRITERS,
    r"/newsletter/(sends/.*|issues/\{issue\}/sending)": {*WRITERS, Role.OPERATOR},
    r"/newsletter/issues/\{issue\}/sending/.+": {Role.APPROVER, Role.OPERATOR},
    r"/newsletter/subscribers/(?!find).*": {Role.ADMIN},
    # An address has no place in a path, so it is looked up by POST; that changes nothing, and auditors may.
    r"/newsletter/subscribers/find": {Role.ADMIN, Role.AUDITOR},
    r"/social/(drafts|posts|deliveries(/.*)?|posts/\{.*|pictures/.*|api/v1/posts/.*|count)?": WRITERS,
    r"/social/(drafts/.*|posts/new)": {Role.DRAFTER},
    r"/pledges/champions/edit(/.*)?": {Role.ADMIN},
    r"/(newsletter|social)/pauses(/.*)?": {Role.OPERATOR},
    r"/(desk/own|intake|pledges|newsletter|social|calendar)/operations(\.json|/.*)?": {Role.OPERATOR},
    r"/(desk/own|intake|pledges|newsletter|social|calendar)/events/.*": set(STAFF),
}
"""Which roles let somebody in, besides auditors, who may read everywhere and change nothing."""


def application_on(url: str) -> tuple[FastAPI, list[Running]]:
    settings = Settings(database=url, kafka="127.0.0.1:1", _env_file=None)
    parts = Parts(
        settings=settings,
        vault=Vault([new_key()]),
        verifier=VERIFIER,
        signer=SIGNER,
        public_url=PUBLIC_URL,
        outgoing=outgoing(settings),
    )
    kafka = Kafka(address="127.0.0.1:1", embedded=False, probe=Probe("127.0.0.1:1"))
    running = [Running(built(owner, parts), kafka, print) for owner in OWNERS]
    return application(running, parts), running


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    """The application of every service on a database with its tables; nothing of it is at work."""
    await migrate(database_url, OWNERS)
    built, running = application_on(database_url)
    yield built
    for one in running:
        assert one.service.database is not None
        await one.service.database.close()


def guards(dependant: Dependant) -> Iterator[Require]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Require):
            yield inner.call
        yield from guards(inner)


def routes(app: FastAPI) -> Mapping[tuple[str, str], list[Require]]:
    """Every method and path with the guards that stand before it."""
    found = {}
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        for method in route.methods or ():
            found[method, str(route.path)] = list(guards(dependant)) if dependant is not None else []
    return found


def expected(path: str) -> set[Role]:
    rows = [roles for pattern, roles in STAFF_TABLE.items() if re.fullmatch(pattern, path)]
    assert len(rows) == 1, f"{path}: write down which roles it needs, in one row of the table, or that it is for everybody"
    return rows[0]


def test_every_address_is_for_everybody_or_names_its_roles() -> None:
    app, _ = application_on("postgresql://nobody@127.0.0.1:1/nothing")
    found = routes(app)
    assert len(found) > 80
    for (method, path), stand in found.items():
        if FOR_EVERYBODY.fullmatch(path):
            assert stand == [], path
        else:
            assert stand, f"{method} {path} stands open: give its router Depends(require(Role…))"
            # Several guards must all let somebody through.
            allowed = set.intersection(*(set(guard.roles) for guard in stand))
            assert allowed == expected(path), path


async def test_each_role_opens_what_the_table_says_and_nothing_else(app: FastAPI) -> None:
    unlike = {}
    for role in Role:
        cookies = dict(cookies_of(somebody(role)))
        transport = httpx.ASGITransport(app=app)
        headers = {**BROWSER, "Origin": PUBLIC_URL}
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers, cookies=cookies) as browser:
            for (method, path), stand in routes(app).items():
                if not stand:
                    continue
                address = re.sub(r"\{\w+(:\w+)?\}", str(new_id()), path)
                answer = await browser.request(method, address)
                assert answer.status_code not in {401, 500, 503}, (role, method, path)
                may = role in expected(path) or (role is Role.AUDITOR and method == "GET")
                if (answer.status_code == 403) is may:
                    unlike[role, method, path] = answer.status_code
    assert unlike == {}


async def test_nobody_opens_any_of_it_without_signing_in(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC_URL, headers={"Origin": PUBLIC_URL}) as stranger:
        for (method, path), stand in routes(app).items():
            if stand:
                answer = await stranger.request(method, re.sub(r"\{\w+(:\w+)?\}", str(new_id()), path))
                assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store"), path
