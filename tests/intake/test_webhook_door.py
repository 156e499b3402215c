"""The webhook door: what is accepted is kept once and told once; what is refused says why, and keeps nothing."""

import json
from datetime import timedelta
from uuid import UUID

import httpx

from shared import clock
from tests.intake.intake_app import PUBLIC_URL, Intake, example, send
from tests.intake.webhook_sender import body_of


async def test_an_accepted_webhook_is_kept_told_and_answered_with_its_receipt(intake: Intake, program: httpx.AsyncClient) -> None:
    answer = await send(program, intake.sender)
    assert answer.status_code == 202, answer.text
    receipt = answer.json()
    [kept] = await intake.rows("SELECT id, reference, token, state, event_id, channel, public, internal FROM submissions")
    assert receipt == {
        "receipt": str(kept.id),
        "id": "msg_1",
        "type": "practice.submitted",
        "duplicate": False,
        "status_url": f"{PUBLIC_URL}/intake/track/{kept.token}",
    }
    [told] = await intake.told()
    assert (told.type, told.subject, told.cause, told.id) == ("submission.received.v1", str(kept.id), str(kept.id), kept.event_id)
    assert told.trace_id == kept.id.hex == answer.headers["x-trace-id"]
    assert told.data["reference"] == kept.reference
    assert told.data["public"]["title"] == example()["data"]["title"]
