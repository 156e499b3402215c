"""What the fields of a form offer, each value with the words for it."""

from collections.abc import Sequence

from services.intake.kinds.form import FormField
from shared import i18n
from shared.web.pages import Sentence
from shared.web.wording import Option, country_options, entity_type_title, objective_title, principle_title


def options_of(field: FormField, reader: str) -> Sequence[Option]:
    """Return what a field of a form offers."""
    match field.name:
        case "language":
            return [(code, Sentence(i18n.language_name(code, code), lang=code, reader=reader)) for code in field.options]
        case "objectives":
            return [(code, objective_title(int(code), reader)) for code in field.options]
        case "principles":
            return [(code, principle_title(code, reader)) for code in field.options]
        case "countries":
            return country_options(reader)
        case "entity_type":
            return [(code, entity_type_title(code, reader)) for code in field.options]
        case _:
            raise LookupError(f"nothing says what the values of {field.name} are called")
