"""Partners and their keys, as the team manages them; and the partner of trial runs."""

import asyncio
import re
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from services.intake.command import demo_partner
from services.intake.store import partners
from services.intake.webhooks.keys import generate_secret
from shared import clock
from shared.i18n import look_up
from shared.vault import Vault, new_key
from tests.intake.intake_app import Intake, Sender, client_of, send
from tests.intake.page import page
from tests.people import ALEX

PARTNERS = "/intake/partners/"


async def live_key(intake: Intake) -> UUID:
    [found] = await intake.rows("SELECT id FROM partner_keys WHERE revoked_at IS NULL")
    return UUID(str(found.id))


async def test_a_new_partner_gets_an_address_and_a_secret_that_is_shown_once(
    intake: Intake, staff: httpx.AsyncClient, program: httpx.AsyncClient
) -> None:
    answer = await staff.post(PARTNERS, data={"name": "Ville d’Exemple", "contact": "desk@example.org"})
    found = page(answer)
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", found.text)
    [path] = re.findall(r"/intake/webhooks/([0-9a-f-]{36})", found.text)
    assert answer.headers["cache-control"] == "no-store"
    assert (await send(program, Sender(id=UUID(path), secret=secret))).status_code == 202
    for later in (PARTNERS, f"{PARTNERS}{path}"):
        assert secret not in (await staff.get(later)).text
    stored = await intake.rows(
        "SELECT partners::text || partner_keys::text AS row FROM partners JOIN partner_keys ON partner_id = partners.id"
    )
    assert all(secret not in row.row and "desk@example.org" not in row.row for row in stored)
    assert "desk@example.org" in page(await staff.get(f"{PARTNERS}{path}")).text


async def test_a_partner_needs_a_name_and_an_address(intake: Intake, staff: httpx.AsyncClient) -> None:
    found = page(await staff.post(PARTNERS, data={"name": "", "contact": "nowhere"}), 422)
    assert look_up("en", "fault.mail-address")[0] in found.text
    assert found.values()["contact"] == "nowhere"
    assert len(await intake.rows("SELECT id FROM partners")) == 1


async def test_a_further_secret_works_beside_the_first(intake: Intake, staff: httpx.AsyncClient, program: httpx.AsyncClient) -> None:
    found = page(await staff.post(f"{PARTNERS}{intake.sender.id}/secrets"))
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", found.text)
    assert (await send(program, Sender(id=intake.sender.id, secret=secret), event_id="new")).status_code == 202
    assert (await send(program, intake.sender, event_id="old")).status_code == 202


async def test_a_public_key_is_taken_and_a_private_one_neither_kept_nor_shown_again(intake: Intake, staff: httpx.AsyncClient) -> None:
    path = f"{PARTNERS}{intake.sender.id}/keys"
    assert (await staff.post(path, data={"key": "whpk_" + "A" * 43 + "="})).status_code == 303
    private = "whsk_" + "B" * 43 + "="
    answer = await staff.post(path, data={"key": private})
    assert look_up("en", "webhook.key.private")[0] in page(answer, 422).text
    assert private not in answer.text
    page(await staff.post(path, data={"key": "nonsense!"}), 422)
    page(await staff.post(path, data={"key": generate_secret()}), 422)  # a secret that came through a form is nobody's secret
    kinds = [row.kind for row in await intake.rows("SELECT kind FROM partner_keys ORDER BY created_at")]
    assert kinds == ["secret", "public"]


async def test_revoking_is_asked_first_and_says_how_lately_the_key_was_used(
    intake: Intake, staff: httpx.AsyncClient, program: httpx.AsyncClient
) -> None:
    key = await live_key(intake)
    path = f"{PARTNERS}{intake.sender.id}/keys/{key}/revoke"
    assert look_up("en", "staff.revoke.unused")[0] in page(await staff.get(path)).text
    await send(program, intake.sender)
    await intake.rows("UPDATE partner_keys SET last_used_at = :at RETURNING id", at=clock.now() - timedelta(minutes=3, seconds=5))
    asked = page(await staff.get(path)).text
    assert "3 minutes ago" in asked
    assert look_up("en", "staff.revoke.last")[0] in asked
    assert await live_key(intake) == key
    assert (await staff.post(path)).status_code == 303
    assert (await send(program, intake.sender, event_id="late")).status_code == 401
    assert (await staff.get(path)).status_code == 404
    assert (await staff.post(path)).status_code == 303  # pressed twice
    assert look_up("en", "staff.keys.revoked")[0] in page(await staff.get(f"{PARTNERS}{intake.sender.id}")).text


async def test_who_lets_a_partner_in_and_shuts_its_keys_out_stands_in_the_trail(intake: Intake, staff: httpx.AsyncClient) -> None:
    await staff.post(PARTNERS, data={"name": "Ville d’Exemple", "contact": "desk@example.org"})
    mine = f"{PARTNERS}{intake.sender.id}"
    [key] = await intake.rows("SELECT id FROM partner_keys WHERE partner_id = :id", id=intake.sender.id)
    await staff.post(f"{mine}/secrets")
    await staff.post(f"{mine}/keys", data={"key": "nonsense!"})
    await staff.post(f"{mine}/keys", data={"key": "whpk_" + "A" * 43 + "="})
    for _ in range(2):
        await staff.post(f"{mine}/keys/{key.id}/revoke")
    told = await intake.decisions()
    assert [(one.what, one.about) for one in told] == [(what, "partner") for what in ("add", "add-secret", "add-key", "revoke-key")]
    assert {one.who for one in told} == {ALEX.id}
    assert told[0].title == {"en": "Ville d’Exemple"}
    assert (told[1].address or "").endswith(mine)
    assert not [one for one in told if "whsec_" in one.model_dump_json()]


async def test_a_key_is_revoked_only_under_its_own_partner(intake: Intake, staff: httpx.AsyncClient) -> None:
    async with intake.database.transaction() as tx:
        other = await partners.add_partner(tx, intake.vault, name="Another City", contact="desk@example.org")
    [mine] = await intake.rows("SELECT id FROM partner_keys WHERE partner_id = :id", id=intake.sender.id)
    await staff.post(f"{PARTNERS}{other.id}/keys/{mine.id}/revoke")
    assert (await intake.rows("SELECT revoked_at FROM partner_keys WHERE id = :id", id=mine.id))[0][0] is None


@pytest.mark.parametrize("partner", ["nobody", "01a201de-e267-7642-ae52-efd2c8a660c5", "%00"])
async def test_an_unknown_partner_has_no_pages(staff: httpx.AsyncClient, partner: str) -> None:
    page(await staff.get(f"{PARTNERS}{partner}"), 404)
    assert (await staff.post(f"{PARTNERS}{partner}/secrets")).status_code == 404
    assert (await staff.post(f"{PARTNERS}{partner}/keys", data={"key": "x"})).status_code == 404


async def test_markup_in_a_name_is_shown_as_text(intake: Intake, staff: httpx.AsyncClient) -> None:
    answer = await staff.post(PARTNERS, data={"name": "<script>alert(1)</script>", "contact": "desk@example.org"})
    for found in (page(answer), page(await staff.get(PARTNERS))):
        assert "alert(1)" in found.text
        assert found.all("script") == []


async def test_the_trial_partner_is_one_and_its_secret_opens_again(intake: Intake, program: httpx.AsyncClient) -> None:
    made = await asyncio.gather(*(demo_partner(intake.database, intake.vault) for _ in range(5)))
    assert len({(one.id, one.secret) for one in made}) == 1
    again = await demo_partner(intake.database, intake.vault)
    assert (again.id, again.secret) == (made[0].id, made[0].secret)
    assert (await send(program, Sender(id=again.id, secret=again.secret))).status_code == 202
    assert again.secret not in repr(again)


async def test_the_trial_partner_gets_a_new_secret_when_the_old_one_works_no_more(intake: Intake) -> None:
    first = await demo_partner(intake.database, intake.vault)
    other_keys = await demo_partner(intake.database, Vault([new_key()]))
    assert (other_keys.id, other_keys.secret == first.secret) == (first.id, False)
    await intake.rows("UPDATE partner_keys SET revoked_at = now() RETURNING id")
    after_revoking = await demo_partner(intake.database, intake.vault)
    assert (after_revoking.id, after_revoking.secret == first.secret) == (first.id, False)


async def test_a_secret_made_on_the_command_line_works(intake: Intake) -> None:
    async with intake.database.transaction() as tx:
        made = await partners.add_partner(tx, intake.vault, name="Example City", contact="desk@example.org")
    assert made.secret not in repr(made)
    async with client_of(intake.app) as client:
        assert (await send(client, Sender(id=made.id, secret=made.secret))).status_code == 202
