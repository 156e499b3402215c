"""What is sent in each language: the mapping whose hash is approved, and from which every reader's copy is made."""

from collections.abc import Mapping
from html import escape

from services.newsletter.compose.edition import Edition, NowhereWrittenError, missing, standing_in
from shared.events.codes import Language
from shared.mail.bodies import slot
from shared.mail.message import document

Variant = Mapping[str, str]
"""`language`, `subject`, `preheader`, `text` and `html`; both texts have the slot `leave` where the reader's own link stands."""


def variant(edition: Edition, language: Language) -> Variant:
    """Return exactly what readers of `language` get, but for what is their own.

    What the language lacks stands there in another, marked with its `lang` and `dir`. The same edition always gives the same letters.
    Raises NowhereWrittenError where a text is there in no language at all.
    """
    if nowhere := next((lack for lack in missing(edition)[language] if lack.shown_in is None), None):
        raise NowhereWrittenError(f"{nowhere.field} of {nowhere.block or 'the issue'} is written in no language; write it, or take it out")
    subject, preheader = edition.subject[standing_in(edition.subject, language) or language], edition.preheader.get(language, "")
    text = f"{subject}\n\n{edition.address}?lang={language}\n\n{slot('leave')}\n"
    html = document(language, subject, f'<h1>{escape(subject)}</h1><p><a href="{slot("leave")}">{edition.number}</a></p>')
    return {"language": language, "subject": subject, "preheader": preheader, "text": text, "html": html}


def variants(edition: Edition) -> Mapping[Language, Variant]:
    """Return the variant of each of the issue's languages."""
    return {language: variant(edition, language) for language in edition.languages}
