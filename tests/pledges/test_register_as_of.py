"""The register of a past day, as programs are given it, against a replay that knows nothing of tables or queries."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import httpx

from services.pledges.domain.pledges import Change, Facts, Standing, years_after
from services.pledges.store import pledges
from shared.events.codes import PledgeState
from tests.pledges.made import publish_many, today, varied
from tests.pledges.pledges_app import Register

API = "/pledges/api/v1"
UPDATES = 1_000
DATES = 50
PLEDGES = 80


@dataclass(frozen=True, kw_only=True)
class Step:
    """What was written down, as plainly as somebody with a notebook would: from this day on, this is how the pledge stands."""

    number: str
    day: date
    facts: Facts


def replay(steps: list[Step], day: date) -> Mapping[str, Facts]:
    """Return how every pledge stood at the end of a day: walk through the notebook, and let what is written later replace it."""
    standing: dict[str, Facts] = {}
    for step in steps:
        if step.day <= day:
            standing[step.number] = step.facts
    return {number: facts for number, facts in standing.items() if facts.standing is Standing.PUBLISHED}


def plainly(facts: Facts, day: date) -> dict[str, Any]:
    """Return what the API should say of these facts, seen from that day; written out here a second time, on purpose."""
    finished = facts.state.value in {"fulfilled", "discontinued", "superseded"}
    last_word = max(facts.reported_on or facts.published_on, facts.published_on)
    light = "red" if day >= years_after(last_word, 2) else "yellow" if day >= years_after(last_word, 1) else "green"
    return {
        "title": facts.title,
        "state": facts.state.value,
        "progress": facts.progress,
        "objectives": list(facts.objectives),
        "regions": list(facts.regions),
        "amount": None if facts.amount is None else f"{facts.amount:f}",
        "due": facts.due.isoformat(),
        "overdue": facts.due < day and not finished,
        "freshness": None if finished else light,
    }


def told(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of what the API says."""
    return {
        **{name: one[name] for name in ("title", "progress", "objectives", "regions", "due", "overdue", "freshness")},
        "state": one["claimed"]["state"],
        "amount": one["money"]["amount"] if one["money"] else None,
    }


def changed(random: Random, facts: Facts, day: date) -> tuple[Change, Facts]:
    """Return some change of a pledge on some day."""
    lot = random.random()
    if lot < 0.06:
        return Change.WITHDRAWN, replace(facts, standing=Standing.WITHDRAWN)
    if lot < 0.3:
        edited: dict[str, Any] = {
            "title": {"en": f"Edited {random.randrange(10**6)}"},
            "objectives": tuple(sorted(random.sample(range(1, 24), 2))),
        }
        if facts.amount is not None:
            edited["amount"] = facts.amount + Decimal(1)
        return Change.EDITED, replace(facts, **edited)
    return Change.REPORTED, replace(
        facts, state=random.choice(list(PledgeState)), progress=str(random.randrange(100)), reported_on=day - timedelta(days=3)
    )


async def test_every_past_day_is_given_as_a_replay_of_what_was_written_down_has_it(register: Register, program: httpx.AsyncClient) -> None:
    random = Random(1000)  # the same in every run
    made = list(await publish_many(register, [varied(random) for _ in range(PLEDGES)]))
    notebook = [Step(number=pledge.number, day=pledge.facts.published_on, facts=pledge.facts) for pledge in made]
    latest = {pledge.number: pledge.facts.published_on for pledge in made}
    async with register.database.transaction() as tx:
        for _ in range(UPDATES):
            pledge = random.choice(made)
            held = await pledges.find(tx, pledge.id)
            assert held is not None
            # Sometimes the day of an earlier version, sometimes before it: then it stands from that earlier day on.
            wished = min(latest[pledge.number] + timedelta(days=random.randrange(-40, 120)), today())
            day = max(wished, latest[pledge.number])
            what, facts = changed(random, held.facts, day)
            if held.facts.standing is Standing.WITHDRAWN:
                what, facts = Change.EDITED, replace(held.facts, standing=Standing.PUBLISHED)
            await pledges.change(tx, held, facts, what, by=None, stands_from=wished)
            latest[pledge.number] = day
            notebook.append(Step(number=pledge.number, day=day, facts=facts))
    first = min(step.day for step in notebook)
    days = [first - timedelta(days=1), first, *(step.day for step in random.sample(notebook, 20)), today()]
    days += [first + timedelta(days=random.randrange((today() - first).days)) for _ in range(DATES - len(days))]
    sizes = set()
    for day in days:
        body = (await program.get(f"{API}/pledges", params={"as_of": day.isoformat(), "per_page": 500})).json()
        expected = replay(notebook, day)
        assert body["as_of"] == day.isoformat()
        assert {one["number"]: told(one) for one in body["pledges"]} == {
            number: plainly(facts, day) for number, facts in expected.items()
        }, day
        assert body["total"] == len(expected)
        sizes.add(len(expected))
    assert len(days) == DATES
    assert len(sizes) > 10
    # Without a day it is the register of today.
    now = (await program.get(f"{API}/pledges", params={"per_page": 500})).json()
    then = (await program.get(f"{API}/pledges", params={"per_page": 500, "as_of": today().isoformat()})).json()
    assert now["pledges"] == then["pledges"]


async def test_one_pledge_of_a_past_day_is_the_version_of_that_day(register: Register, program: httpx.AsyncClient) -> None:
    random = Random(2)  # the same in every run
    start = today() - timedelta(days=30)
    [pledge] = await publish_many(register, [varied(random, published_on=start, state=PledgeState.NOT_STARTED)])
    for days, state in ((10, PledgeState.PLANNING), (20, PledgeState.FULFILLED)):
        async with register.database.transaction() as tx:
            held = await pledges.lock(tx, pledge.id)
            assert held is not None
            facts = replace(held.facts, state=state)
            await pledges.change(tx, held, facts, Change.REPORTED, by=None, stands_from=start + timedelta(days=days))
    seen = {}
    for days in (0, 9, 10, 19, 20, 30):
        answer = await program.get(f"{API}/pledges/{pledge.number}?as_of={start + timedelta(days=days)}")
        seen[days] = (answer.json()["claimed"]["state"], answer.json()["revision"])
    assert seen == {
        0: ("not-started", 1),
        9: ("not-started", 1),
        10: ("planning", 2),
        19: ("planning", 2),
        20: ("fulfilled", 3),
        30: ("fulfilled", 3),
    }
    assert (await program.get(f"{API}/pledges/{pledge.number}?as_of={start - timedelta(days=1)}")).status_code == 404
