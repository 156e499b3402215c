"""Counts what the reference data holds and writes the counts into its page of documentation.

`python -m shared.reference.summary` renews the page; a test fails while it is stale.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from shared.reference.champions import champions, completeness
from shared.reference.countries import countries, footnotes
from shared.reference.guidance import guidance_themes
from shared.reference.initiatives import initiatives, unconfirmed_contacts
from shared.reference.objectives import objectives
from shared.reference.pledge_kinds import pledge_kinds
from shared.reference.principles import principles
from shared.reference.regions import Scheme, regions
from shared.reference.thematic import areas, priorities
from shared.reference.titles import LANGUAGES, Mark, Titles
from shared.reference.ways import ways

PAGE = Path(__file__).parents[2] / "docs" / "look-up" / "reference-data.md"
_BEGIN, _END = "<!-- counted -->\n", "<!-- end of counted -->\n"


def counted() -> str:
    """Return the counts as Markdown: titles per language, then what else is unverified or missing."""
    lines = [
        "| texts | records | " + " | ".join(LANGUAGES) + " | read at the source | second-hand | partly | not seen |",
        "|---|" + "---:|" * (len(LANGUAGES) + 5),
        *(_row(name, titles) for name, titles in _texts()),
        "",
        *(f"- {sentence}" for sentence in _sentences()),
    ]
    return "\n".join(lines) + "\n"


def renewed(page: str) -> str:
    """Return `page` with the part between its marks counted anew. Raises ValueError when a mark is missing."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page needs the lines {_BEGIN.strip()} and {_END.strip()}")
    return f"{before}{begin}{counted()}{end}{after}"


def _texts() -> Iterable[tuple[str, Sequence[Titles]]]:
    yield "objectives, short title", [record.short for record in objectives()]
    yield "objectives, long title", [record.long for record in objectives()]
    yield "principles", [record.title for record in principles()]
    yield "kinds of pledge, title", [record.title for record in pledge_kinds()]
    yield "kinds of pledge, definition", [record.definition for record in pledge_kinds()]
    yield "ways of pledging", [record.title for record in ways()]
    yield "regions", [record.title for record in regions()]
    yield "thematic areas", [record.title for record in areas()]
    yield "thematic priorities", [record.title for record in priorities()]
    yield "guidance themes", [record.title for record in guidance_themes()]
    yield "initiatives", [record.title for record in initiatives()]
    yield "countries", [record.name for record in countries()]
    yield "footnotes", [record.text for record in footnotes()]


def _row(name: str, titles: Sequence[Titles]) -> str:
    per_language = [sum(lang in title.languages for title in titles) for lang in LANGUAGES]
    per_mark = [sum(wording.mark is mark for title in titles for wording in title.wordings) for mark in Mark]
    return f"| {name} | {len(titles)} | " + " | ".join(str(number) for number in (*per_language, *per_mark)) + " |"


def _sentences() -> Iterable[str]:
    inferred = [str(record.n) for record in objectives() if "hub term inferred" in record.provenance.unverified]
    yield f"Objectives whose number on the Hub is inferred: {', '.join(inferred)}."
    of_reviews, of_hub, worldwide = (len(regions(scheme)) for scheme in (Scheme.REVIEW, Scheme.HUB, Scheme.ANY))
    yield f"Regions: {of_reviews} of reviews, {of_hub} of the Hub, {worldwide} for worldwide."
    grouped = sum(bool(record.objectives) for record in areas())
    yield f"Thematic areas whose objectives are known: {grouped} of {len(areas())}."
    themes = guidance_themes()
    without = [record.code for record in themes if record.document is None]
    yield f"Guidance themes without a document that was seen: {', '.join(without)}."
    verified = sum(record.verified is Mark.YES for record in champions())
    listed = completeness()
    yield (
        f"Champions: {listed.known}, of them {verified} read at the source; the Network states {listed.stated} "
        f"({listed.stated_year}), so the list is {'complete' if listed.complete else 'not complete'}. "
        f"When it joined is known for {sum(record.since is not None for record in champions())}."
    )
    role = sum(record.contact is not None for record in initiatives())
    yield f"Initiatives: {role} with a shared mailbox (as of 2023), {len(unconfirmed_contacts())} whose contact is a person and not shown."
    reviewed = sum(len(record.reviewed_in) for record in countries())
    missing = [f"{record.alpha2} ({', '.join(lacking)})" for record in countries() if (lacking := _lacking(record.name))]
    yield f"Countries: {reviewed} names reviewed, all others need a person. Names missing: {'; '.join(missing)}."
    unsure = sum("regions no" in record.provenance.unverified for record in countries())
    yield f"Countries whose regions nobody has compared with the lists of the Commissions and the Hub: {unsure}."


def _lacking(name: Titles) -> list[str]:
    return [lang for lang in LANGUAGES if lang not in name.languages]


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stderr.write(f"renewed {PAGE.name}\n")
