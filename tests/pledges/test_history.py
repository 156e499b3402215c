"""What a pledge has been: numbers given once, versions never changed, and the register of any day as a replay of its changes has it."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.pledges.domain.pledges import Change, Facts, Freshness, NewPledge, Standing, freshness, number_of, years_after
from services.pledges.store import history, pledges
from services.pledges.store.pledges import Past, values_of
from shared import clock
from shared.events.codes import PledgeState
from shared.ids import new_id
from tests.pledges.pledges_app import Register, day, some_facts

UPDATES = 1_000
DAYS = 50
PLEDGES = 60
FIRST_DAY = day("2022-05-20")
SEED = 20_220_520


async def test_a_number_is_never_given_twice_whatever_becomes_of_the_transaction(register: Register) -> None:
    new = NewPledge(id=new_id(), facts=some_facts(), trace_id="0" * 32)
    async with register.database.transaction() as tx:
        lost = await pledges.publish(tx, new, by=None)
        await tx.rollback()
    assert lost.number == "P-0001"
    assert await register.rows("SELECT id FROM pledges") == []
    made = await asyncio.gather(*(register.publish() for _ in range(12)))
    assert sorted(pledge.number for pledge in made) == [number_of(n) for n in range(2, 14)]


async def test_a_change_appends_a_whole_version_and_leaves_the_others_as_they_were(register: Register) -> None:
    first = await register.publish(amount=Decimal("1500000.50"), currency="USD", kinds=("financial",))
    async with register.database.transaction() as tx:
        found = await pledges.lock(tx, first.id)
        assert found is not None
        facts = replace(found.facts, state=PledgeState.PLANNING, reported_on=day("2026-01-31"), evidence=("https://example.org/e",))
        second = await pledges.change(tx, found, facts, Change.REPORTED, by="somebody")
        past = await history.versions_of(tx, first.id)
        assert [await pledges.find(tx, first.id), await pledges.by_number(tx, first.number)] == [second, second]
    assert second.facts == facts
    assert [(one.revision, one.change, one.facts, one.changed_by) for one in past] == [
        (1, Change.PUBLISHED, first.facts, None),
        (2, Change.REPORTED, facts, "somebody"),
    ]
    assert {one.stands_from for one in past} == {clock.now().date()}


async def test_a_version_never_stands_from_before_the_one_that_it_follows(register: Register) -> None:
    first = await register.publish()
    async with register.database.transaction() as tx:
        second = await pledges.change(tx, first, first.facts, Change.EDITED, by=None, stands_from=day("2020-01-01"))
        assert [one.stands_from for one in await history.versions_of(tx, second.id)] == [clock.now().date()] * 2
        assert await history.register_as_of(tx, day("2020-01-01")) == []


async def test_the_register_as_of_a_day_is_what_an_independent_replay_of_a_thousand_updates_gives(register: Register) -> None:
    """The replay is plain Python on a list of what was done; it shares no code with the queries."""
    dice = random.Random(SEED)
    done: list[tuple[date, str, Mapping[str, Any]]] = []  # from which day, which number, how it stands from then
    today = clock.now().date()
    span = (today - FIRST_DAY).days
    opened = sorted(FIRST_DAY + timedelta(days=dice.randrange(span)) for _ in range(PLEDGES))
    news = [
        NewPledge(id=new_id(), facts=replace(some_facts(title={"en": f"Pledge {n}"}), published_on=at), trace_id="0" * 32)
        for n, at in enumerate(opened)
    ]
    async with register.database.transaction() as tx:
        drawn = await pledges.draw_numbers(tx, PLEDGES)
        several = [
            (number, new, [Past(facts=new.facts, change=Change.PUBLISHED, stands_from=at)])
            for number, new, at in zip(drawn, news, opened, strict=True)
        ]
        standing = {pledge.number: pledge for pledge in await pledges.publish_all(tx, several, by=None)}
    done += [(at, number, values_of(new.facts)) for number, new, [past] in several for at in [past.stands_from]]
    last = dict(zip(drawn, opened, strict=True))
    for _ in range(UPDATES):
        number = dice.choice(drawn)
        at = last[number] + timedelta(days=min(dice.randrange(60), (today - last[number]).days))
        async with register.database.transaction() as tx:
            found = await pledges.lock(tx, standing[number].id)
            assert found is not None
            what, facts = another(dice, found.facts, at)
            standing[number] = await pledges.change(tx, found, facts, what, by=None, stands_from=at)
        last[number] = at
        done.append((at, number, values_of(facts)))
    assert len({values["state"] for _, _, values in done}) == len(PledgeState)

    for at in [FIRST_DAY - timedelta(days=1), today, *(FIRST_DAY + timedelta(days=dice.randrange(span)) for _ in range(DAYS - 2))]:
        replayed = {number: values for since, number, values in done if since <= at}  # in the order in which it was done
        expected = {number: values for number, values in replayed.items() if values["standing"] == "published"}
        async with register.database.transaction() as tx:
            shown = await history.register_as_of(tx, at)
        assert [one.number for one in shown] == sorted(expected)
        assert {one.number: values_of(one.facts) for one in shown} == expected


def another(dice: random.Random, facts: Facts, at: date) -> tuple[Change, Facts]:
    """Return one more change of a pledge, at random."""
    match dice.randrange(8):
        case 0:
            standing = Standing.WITHDRAWN if facts.standing is Standing.PUBLISHED else Standing.PUBLISHED
            return Change.WITHDRAWN, replace(facts, standing=standing)
        case 1:
            return Change.EVIDENCED, replace(facts, evidenced_on=at, evidence=(f"https://example.org/{dice.random()}",))
        case 2:
            return Change.EDITED, replace(facts, objectives=tuple(sorted(dice.sample(range(1, 24), dice.randrange(1, 5)))))
        case 3:
            return Change.EDITED, replace(facts, amount=Decimal(dice.randrange(1, 10**9)) / 100, currency="EUR", kinds=("financial",))
        case _:
            return Change.REPORTED, replace(facts, state=dice.choice(list(PledgeState)), reported_on=at, progress=str(dice.random()))


@pytest.mark.parametrize(
    ("reported", "today", "light"),
    [
        (None, "2027-01-30", Freshness.GREEN),
        (None, "2027-01-31", Freshness.YELLOW),
        ("2026-06-01", "2027-05-31", Freshness.GREEN),
        ("2026-06-01", "2027-06-01", Freshness.YELLOW),
        ("2026-06-01", "2028-05-31", Freshness.YELLOW),
        ("2026-06-01", "2028-06-01", Freshness.RED),
        ("2028-02-29", "2029-02-28", Freshness.YELLOW),
    ],
)
def test_the_light_follows_the_last_word(reported: str | None, today: str, light: Freshness) -> None:
    facts = some_facts(published_on=day("2026-01-31"), reported_on=day(reported) if reported else None)
    assert freshness(facts, day(today)) is light


@pytest.mark.parametrize("state", [PledgeState.FULFILLED, PledgeState.DISCONTINUED, PledgeState.SUPERSEDED])
def test_no_light_burns_where_no_word_is_awaited(state: PledgeState) -> None:
    old = some_facts(published_on=day("2020-01-31"))
    assert freshness(old, day("2026-01-31")) is Freshness.RED
    assert freshness(replace(old, state=state), day("2026-01-31")) is None
    assert freshness(replace(old, standing=Standing.WITHDRAWN), day("2026-01-31")) is None


def test_a_year_after_the_29th_of_february_is_the_28th() -> None:
    assert years_after(day("2024-02-29"), 1) == day("2025-02-28")
