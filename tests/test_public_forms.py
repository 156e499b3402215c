"""What everybody may send to bears only so many tries of one asker; pages whose address is a secret are kept by nobody."""

import re
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from fastapi import FastAPI

from services.newsletter.subscribing.consent import VERSION
from services.owners import OWNERS
from shared.events.kinds import KINDS
from shared.ids import new_id
from shared.migrations import migrate
from tests.intake.form_filler import posted
from tests.intake.test_practice_form import FILLED
from tests.shared.web_app import BROWSER
from tests.test_hostile import routes
from tests.test_roles import FOR_EVERYBODY, PUBLIC_URL, application_on

TRIES_MAX = 150
"""More than this at once are no person's, on no public form."""

FORMS: Mapping[str, Mapping[str, object]] = {
    "/desk/sign-in": {"mail": "nobody{n}@example.org"},
    "/desk/sign-in/{link}": {},
    "/intake/submit/practice": FILLED | {"title": "Desk {n}", "contact.mail": "somebody{n}@example.org"},
    **{
        f"/intake/submit/{kind}": posted(kind) | {"remarks": "{n}", "contact.mail": "somebody{n}@example.org"}
        for kind in KINDS
        if kind != "practice"
    },
    "/intake/track/{token}/answer": {"answer": "Answer {n}"},
    "/intake/confirm/{token}": {},
    "/pledges/update": {"number": "P-{n}", "mail": "owner{n}@example.org"},
    "/pledges/update/{token}": {"state": "in-progress", "note": "{n}"},
    "/newsletter/subscribe": {"address": "reader{n}@example.org", "language": "en", "version": VERSION},
    "/newsletter/confirm/{token}": {},
    "/newsletter/u": {"address": "reader{n}@example.org"},
}
"""What is sent to each; `{n}` is another number every time."""
UNLIMITED = {
    "/desk/session": "reads one cookie of 256 bits, by one look-up",
    "/desk/sign-out": "ends what the browser itself brings, by one look-up",
    **dict.fromkeys(
        (
            "/newsletter/u/{token}",
            *(f"/newsletter/u/{{token}}/{act}" for act in ("leave", "language", "pause", "resume", "again", "erase")),
        ),
        "the link is signed, and one that is made up costs a hash; mail providers unsubscribe many readers from one address (RFC 8058)",
    ),
    "/intake/webhooks/{partner_id}": "has limits by partner and by asker of its own, which tests/intake/test_webhook_door.py tries",
}
"""Addresses that need no limit, each with its reason."""


@pytest.fixture
async def app(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    """The application of every service on a database with its tables, with a mail server that nobody asks."""
    monkeypatch.setenv("TIDINGS_SMTP", "smtp://127.0.0.1:1")
    monkeypatch.setenv("TIDINGS_MAIL_FROM", "news@example.org")
    await migrate(database_url, OWNERS)
    built, running = application_on(database_url)
    yield built
    for one in running:
        assert one.service.database is not None
        await one.service.database.close()


def test_every_public_address_that_takes_something_is_tried_here_or_has_its_reason() -> None:
    app, _ = application_on("postgresql://nobody@127.0.0.1:1/nothing")
    takes = {path for method, path, _ in routes(app) if method != "GET" and FOR_EVERYBODY.fullmatch(path)}
    # The door of webhooks is a bare route, for which FastAPI names no methods.
    takes |= {str(path) for path in UNLIMITED if path.startswith("/intake/webhooks/")}
    assert takes == FORMS.keys() | UNLIMITED.keys(), "a public form is new here: give it a Limit (shared/web/rate.py) and a row in FORMS"


@pytest.mark.parametrize("path", FORMS)
async def test_one_asker_is_told_to_wait_and_another_is_not(app: FastAPI, path: str) -> None:
    async def tries(address: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=(address, 40_000))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers={**BROWSER, "Origin": PUBLIC_URL}) as asker:
            for number in range(TRIES_MAX):
                filled = {
                    name: value.replace("{n}", f"{address[-1]}{number}") if isinstance(value, str) else value
                    for name, value in FORMS[path].items()
                }
                answer = await asker.post(re.sub(r"\{\w+\}", str(new_id()), path), data=filled)
                if answer.status_code == 429 or address.endswith(".8"):
                    break
            return answer

    waits = await tries("192.0.2.7")
    assert waits.status_code == 429
    assert waits.headers["retry-after"].isdecimal()
    assert int(waits.headers["retry-after"]) > 0
    assert (await tries("192.0.2.8")).status_code != 429


async def test_pages_whose_address_is_a_secret_are_kept_and_listed_by_nobody(app: FastAPI) -> None:
    secret = [path for method, path, _ in routes(app) if method == "GET" and re.search(r"\{(token|link)\}", path)]
    assert len(secret) >= 3
    transport = httpx.ASGITransport(app=app, client=("192.0.2.7", 40_000))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=BROWSER) as reader:
        for path in secret:
            answer = await reader.get(re.sub(r"\{\w+\}", "a-secret-of-somebody", path))
            assert answer.headers["cache-control"] == "no-store", path
            assert answer.headers["x-robots-tag"] == "noindex", path
            # No link of the page carries it, and the browser tells it to no other site.
            assert answer.headers["referrer-policy"] == "same-origin", path
            assert "a-secret-of-somebody" not in re.sub(r'(?:href|action)="/[^"]*"', "", answer.text), path
