"""People by the command that people run: printed links, roles, programs, and being out within seconds in every service."""

import json
import re
from pathlib import Path

import httpx

from shared.i18n import look_up
from tests.flows.running import running, tidings, until

SERVICES = ("desk/own", "intake", "newsletter", "social")


def test_people_sign_in_by_printed_links_and_a_disabled_one_is_out_of_every_service_within_seconds(var: Path) -> None:
    with running(var) as system:
        assert set(system.links) == {"Alex", "Noor", "Sam"}
        with system.staff("Sam") as auditor:
            sams_pages = [f"/{service}/operations" for service in SERVICES]
            assert [auditor.get(page).status_code for page in sams_pages] == [200] * 4
        # The link is used up; a token that somebody copied is all that is left to whoever stole it.
        assert httpx.post(system.links["Sam"], headers={"origin": system.address}).status_code == 410

        stolen = {name: value for name, value in auditor.cookies.items() if name == "tidings-token"}
        assert stolen

        def still_open() -> list[str]:
            return [page for page in sams_pages if httpx.get(system.address + page, cookies=stolen).status_code == 200]

        assert still_open() == sams_pages
        bearer = tidings(var, "token", "add", "sam@example.org", "--days", "1")
        assert bearer.returncode == 0, bearer.stderr
        program = {"authorization": f"Bearer {bearer.stdout.strip()}"}
        assert httpx.get(f"{system.address}/social/operations.json", headers=program).status_code == 200

        with system.staff("Alex") as admin:
            (sam,) = re.findall(r'href="(/desk/people/[0-9a-f-]{36})"><bdi>Sam', admin.get("/desk/people/").text)
            assert admin.post(f"{sam}/disable").status_code == 200
        until(lambda: still_open() == [])
        with system.staff("Alex") as admin:
            until(lambda: look_up("en", "staff.audit.did.disable")[0] in admin.get("/desk/audit").text)
        checked = tidings(var, "audit", "verify", "--json")
        assert checked.returncode == 0, checked.stderr
        assert json.loads(checked.stdout)["rows"] == 4  # three were made for trial runs, and one of them disabled
        assert httpx.get(f"{system.address}/social/operations.json", headers=program).status_code == 401
        refused = tidings(var, "person", "link", "sam@example.org")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "may not sign in" in refused.stderr


def test_people_and_tokens_are_made_by_command(var: Path) -> None:
    with running(var) as system:
        wrong = tidings(var, "person", "add", "ines@example.org", "--role", "emperor")
        assert wrong.returncode == 2
        added = tidings(var, "person", "add", "Ines@Example.org", "--role", "moderator", "--role", "drafter", "--language", "fr", "--json")
        assert added.returncode == 0, added.stderr
        again = tidings(var, "person", "add", "ines@example.org", "--role", "moderator")
        assert again.returncode == 1
        assert "tidings person link" in again.stderr
        headers = {"origin": system.address, "accept": "text/html"}
        with httpx.Client(base_url=system.address, headers=headers, follow_redirects=True) as ines:
            link = json.loads(added.stdout)["address"]
            assert "Ines" in ines.get(link).text
            assert ines.post(link).status_code == 200
            assert ines.get("/intake/review/").status_code == 200
            needed = ines.get("/intake/partners/")
            assert needed.status_code == 403
            assert "admin" in needed.text
        for arguments in (["person", "--help"], ["person", "add", "--help"], ["token", "add", "--help"]):
            assert tidings(var, *arguments).returncode == 0
        assert tidings(var, "token", "add", "nobody@example.org").returncode == 1
