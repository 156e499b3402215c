"""A pledge: a commitment that can be measured and that advances the Global Compact.

The rules are those of the Network's pledging form: four kinds, one form per pledge, a joint pledge recorded by one of its parties,
a matching pledge naming the pledge that it matches, migrants only, 300 to 3,000 characters.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MaxLen, MinLen
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.events.base import Objectives, Principles, Public, Regions, in_order_of
from shared.events.codes import EntityType, Language, PledgeKind, PledgeWay, Scope, Service
from shared.events.kinds.parts import AsTitle, Countries, Link, Money, Original, Submission, advances_the_compact
from shared.events.texts import Line, LocalLine, clean_text
from shared.events.times import Day

SHORTEST_DESCRIPTION = 300  # characters as Unicode code points in NFC, so that é counts once however it was typed
LONGEST_DESCRIPTION = 3_000

EXAMPLE_DESCRIPTION = (
    "Example State A will end the charging of recruitment fees to migrant workers by the end of 2027. A law that forbids such fees goes "
    "to parliament in 2026; labour inspectors are trained to find hidden charges; and consulates in three countries of origin open a "
    "telephone line on which workers can report them in their own language. The share of workers who paid a fee is measured each year by "
    "an independent survey, and its results are published."
)

Description = Annotated[
    str, StringConstraints(min_length=SHORTEST_DESCRIPTION, max_length=LONGEST_DESCRIPTION), BeforeValidator(clean_text)
]
LocalDescription = Annotated[Mapping[Language, Description], MinLen(1)]


def _migrants_only(value: object) -> object:
    if value != "migrants":
        raise PydanticCustomError(
            "refugees-only", "must be `migrants`: pledges for refugees or asylum seekers belong to the Global Compact on Refugees, not here"
        )
    return value


class PledgeSubmission(Submission):
    """A pledge for the public register. One form per pledge; a joint pledge is submitted by only one of its parties."""

    kind_name: ClassVar[str] = "pledge"
    type: ClassVar[str] = "pledge.submitted"
    reviewed_by: ClassVar[Service] = Service.PLEDGES

    title: Annotated[LocalLine, Original, Public] = Field(
        title="Title",
        description="What the pledge is called, per language; at least in yours.",
        examples=[{"en": "Ending recruitment fees by 2027"}],
    )
    description: Annotated[LocalDescription, AsTitle, Public] = Field(
        title="Description",
        description="What is promised, per language, in 300 to 3,000 characters: concrete, forward-looking, with an end in time. "
        "It meets a need that exists, and names who helps.",
        examples=[{"en": EXAMPLE_DESCRIPTION}],
    )
    entity: Annotated[Line, Public] = Field(
        title="Pledging entity", description="The body that pledges, by its full name.", examples=["Example State A"]
    )
    entity_type: Annotated[EntityType, Public] = Field(title="Kind of entity", description="What kind of body it is.", examples=["state"])
    kinds: Annotated[tuple[PledgeKind, ...], MinLen(1), AfterValidator(in_order_of(PledgeKind)), Public] = Field(
        title="Kinds of pledge",
        description="What is promised: money, people and skills, a way of working, a rule; one or several.",
        examples=[["policy"]],
    )
    way: Annotated[PledgeWay, Public] = Field(
        title="Way of pledging", description="Alone, in common, in partnership, or to match another pledge.", examples=["partnership"]
    )
    participants: Annotated[tuple[Line, ...], MaxLen(200), Public] = Field(
        default=(),
        validate_default=True,
        title="Participating States and actors",
        description="The other parties of a common pledge or a partnership, by their full names.",
        examples=[["Example Employers’ Federation"]],
    )
    matched_id: Annotated[Line | None, Public] = Field(
        default=None,
        validate_default=True,
        title="Number of the matched pledge",
        description="Number of the pledge that this one matches; needed for a matching pledge, and only there.",
        examples=["P-0042"],
    )
    matched_title: Annotated[Line | None, Public] = Field(
        default=None,
        title="Title of the matched pledge",
        description="Its title, so that a slip in the number is seen.",
        examples=["Safe routes for workers"],
    )
    scope: Annotated[Scope, Public] = Field(title="Scope", description="How far it reaches.", examples=["national"])
    countries: Annotated[Countries, Public] = Field(
        default=(),
        title="Countries",
        description="Countries it is about, by ISO 3166-1 alpha-2 code; none when it is worldwide.",
        examples=[["MA"]],
    )
    regions: Annotated[Regions, Public] = Field(
        default=(),
        title="Regions",
        description="Review regions it is about, where they do not follow from the countries.",
        examples=[["africa"]],
    )
    population: Annotated[Literal["migrants"], BeforeValidator(_migrants_only), Public] = Field(
        title="People concerned",
        description="Migrants. Pledges for refugees or asylum seekers are made under another compact.",
        examples=["migrants"],
    )
    objectives: Annotated[Objectives, Public] = Field(
        default=(), title="Objectives", description="Objectives of the Global Compact that it advances, by number.", examples=[[6]]
    )
    principles: Annotated[Principles, AfterValidator(advances_the_compact), Public] = Field(
        default=(),
        validate_default=True,
        title="Guiding principles",
        description="Guiding principles of the Global Compact that it advances. At least one objective or one principle is needed.",
        examples=[["human-rights"]],
    )
    metric: Annotated[Line, Public] = Field(
        title="Measure",
        description="What is measured to see whether it is fulfilled.",
        examples=["Workers who paid a recruitment fee, in per cent"],
    )
    baseline: Annotated[Line | None, Public] = Field(
        default=None, title="Baseline", description="Its value today, where known.", examples=["41"]
    )
    target: Annotated[Line, Public] = Field(title="Target", description="Its value once the pledge is fulfilled.", examples=["0"])
    money: Annotated[Money | None, Public] = Field(
        default=None,
        validate_default=True,
        title="Amount",
        description="Sum and currency of a financial pledge; needed there, and only there.",
        examples=[{"currency": "USD", "amount": "1500000.00"}],
    )
    start: Annotated[Day | None, Public] = Field(
        default=None, title="Begins", description="The day on which work on it begins.", examples=["2026-09-01"]
    )
    due: Annotated[Day, Public] = Field(title="Due", description="The day by which it is to be fulfilled.", examples=["2027-12-31"])
    links: Annotated[tuple[Link, ...], MaxLen(10), Public] = Field(
        default=(), title="Links", description="Where to read more.", examples=[[{"address": "https://example.org/fees"}]]
    )

    example: ClassVar[Mapping[str, Any]] = {
        "language": "en",
        "title": {"en": "Ending recruitment fees by 2027"},
        "description": {"en": EXAMPLE_DESCRIPTION},
        "entity": "Example State A",
        "entity_type": "state",
        "kinds": ["policy"],
        "way": "partnership",
        "participants": ["Example Employers’ Federation"],
        "scope": "national",
        "countries": ["MA"],
        "population": "migrants",
        "objectives": [6],
        "principles": ["human-rights"],
        "metric": "Workers who paid a recruitment fee, in per cent",
        "baseline": "41",
        "target": "0",
        "start": "2026-09-01",
        "due": "2027-12-31",
        "contact": {"name": "Lucía Example", "mail": "lucia@example.org"},
    }

    @field_validator("participants")
    @classmethod
    def _partners_of_a_partnership(cls, participants: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not participants and info.data.get("way") is PledgeWay.PARTNERSHIP:
            raise PydanticCustomError("partnership-without-participants", "a pledge in partnership names its other parties")
        return participants

    @field_validator("matched_id")
    @classmethod
    def _match_of_a_matching_pledge(cls, matched_id: str | None, info: ValidationInfo) -> str | None:
        way = info.data.get("way")
        if way is PledgeWay.MATCHING and matched_id is None:
            raise PydanticCustomError("matching-without-matched-id", "a matching pledge names the number of the pledge that it matches")
        if way not in {None, PledgeWay.MATCHING} and matched_id is not None:
            raise PydanticCustomError(
                "matched-id-without-matching", "only a matching pledge names another one; its way is {way}", {"way": str(way)}
            )
        return matched_id

    @field_validator("money")
    @classmethod
    def _sum_of_a_financial_pledge(cls, money: Money | None, info: ValidationInfo) -> Money | None:
        kinds = info.data.get("kinds")
        if kinds is not None and PledgeKind.FINANCIAL in kinds and money is None:
            raise PydanticCustomError("financial-without-amount", "a financial pledge names its amount and currency")
        if kinds is not None and PledgeKind.FINANCIAL not in kinds and money is not None:
            raise PydanticCustomError("amount-without-financial", "only a financial pledge names an amount")
        return money

    @field_validator("due")
    @classmethod
    def _due_after_start(cls, due: date, info: ValidationInfo) -> date:
        start = info.data.get("start")
        if start is not None and due < start:
            raise PydanticCustomError("due-before-start", "comes before the start, {start}", {"start": start.isoformat()})
        return due
