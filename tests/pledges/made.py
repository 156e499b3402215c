"""Many pledges for the tests that read: different in everything by which they are found and counted, the same in every run."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from services.pledges.domain.pledges import Change, Facts, NewPledge, Pledge
from services.pledges.store import pledges
from services.pledges.store.pledges import Past
from shared.events.codes import EntityType, PledgeKind, PledgeState, PledgeWay, Principle, Region, Scope
from shared.ids import new_id
from tests.pledges.pledges_app import Register, some_facts

COUNTRIES = ("MA", "NP", "PT", "EG", "XK", "PE", "KE")
CURRENCIES = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
"""Currencies with their decimals."""


def varied(random: Random, **changes: Any) -> Facts:
    """Return facts drawn at random."""
    kinds = random.sample(list(PledgeKind), random.choice((1, 1, 2)))
    financial = PledgeKind.FINANCIAL in kinds
    currency = random.choice(list(CURRENCIES))
    published = date(2023, 1, 1) + timedelta(days=random.randrange(1200))
    facts: dict[str, Any] = {
        "title": {"en": f"Pledge {random.randrange(10**6)}"},
        "entity": f"Example Body {random.randrange(40)}",
        "entity_type": random.choice(list(EntityType)).value,
        "participants": ["Example Partner"] if random.random() < 0.3 else [],
        "kinds": [kind.value for kind in kinds],
        "way": random.choice([PledgeWay.INDIVIDUAL, PledgeWay.COMMON, PledgeWay.PARTNERSHIP]).value,
        "scope": random.choice(list(Scope)).value,
        "countries": random.sample(COUNTRIES, random.randrange(3)),
        "regions": [region.value for region in Region if random.random() < 0.3],
        "objectives": sorted(random.sample(range(1, 24), random.randrange(1, 4))),
        "principles": [random.choice(list(Principle)).value],
        "currency": currency if financial else None,
        "amount": Decimal(random.randrange(1, 10**8)).scaleb(-CURRENCIES[currency]) if financial else None,
        "due": published + timedelta(days=random.randrange(30, 1500)),
        "state": random.choice(list(PledgeState)),
        "reported_on": published + timedelta(days=random.randrange(400)) if random.random() < 0.6 else None,
        "published_on": published,
    }
    return some_facts(**(facts | changes))


async def publish_many(register: Register, several: Sequence[Facts]) -> Sequence[Pledge]:
    """Return pledges with these facts, each on the register from the day on which it was published."""
    async with register.database.transaction() as tx:
        drawn = await pledges.draw_numbers(tx, len(several))
        rows = [
            (
                number,
                NewPledge(id=new_id(), facts=facts, trace_id=new_id().hex),
                [Past(facts=facts, change=Change.PUBLISHED, stands_from=facts.published_on)],
            )
            for number, facts in zip(drawn, several, strict=True)
        ]
        return await pledges.publish_all(tx, rows, by=None)


async def settle(register: Register) -> None:
    """Let what was written down be older than what may still come in before it."""
    async with register.database.transaction() as tx:
        await tx.exec_driver_sql("UPDATE versions SET recorded_at = recorded_at - interval '1 hour'")


def today() -> date:
    """Return the day it is."""
    return datetime.now(UTC).date()
