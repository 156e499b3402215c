"""A pledge as linked data (schema.org), for search engines and whoever gathers pledges."""

from markupsafe import Markup

from services.pledges.domain.pledges import Facts
from shared.web.linked_data import content_of, places, terms


def linked_data(facts: Facts, *, number: str, language: str, address: str, changed: str, publisher: str, licence: str | None) -> Markup:
    """Return the content of a script element that says what the page says in `language`."""
    return content_of(
        {
            "@context": "https://schema.org",
            "@type": "CreativeWork",
            "additionalType": "Pledge",
            "@id": address,
            "url": address,
            "identifier": number,
            "name": facts.title[language],
            "abstract": facts.description[language],
            "inLanguage": language,
            "datePublished": facts.published_on.isoformat(),
            "dateModified": changed,
            "creativeWorkStatus": facts.state.value,
            "temporalCoverage": f"{facts.start.isoformat() if facts.start else '..'}/{facts.due.isoformat()}",
            "author": {"@type": "Organization", "name": facts.entity},
            "contributor": [{"@type": "Organization", "name": name} for name in facts.participants],
            "publisher": {"@type": "Organization", "name": publisher},
            "about": terms(facts.objectives, facts.principles, language),
            "spatialCoverage": places(facts.countries, language),
            "citation": [link["address"] for link in facts.links],
            "workTranslation": [
                {"@type": "CreativeWork", "name": title, "inLanguage": other} for other, title in facts.title.items() if other != language
            ],
            "license": licence,
            "keywords": "invented sample data" if facts.synthetic else "",
        }
    )
