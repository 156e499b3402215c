"""The fields of a form as its page shows them: labels in the reader's language, what was filled in, what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.kinds.form import Filled, FormField, Widget
from services.intake.web.form_options import options_of
from shared import i18n
from shared.events.base import Audience
from shared.web.forms import Fault
from shared.web.pages import Sentence
from shared.web.wording import Option

# Rows that stand empty from the start, for what may come several times.
EMPTY_ROWS = 1
_INPUT_TYPES = {Widget.ADDRESS: "url", Widget.MAIL: "email"}
# So that browsers fill them in (WCAG 2.2, 1.3.5).
_AUTOCOMPLETE = {"contact.name": "name", "contact.mail": "email", "entity": "organization"}


@dataclass(frozen=True, kw_only=True)
class FieldView:
    """One field on the page."""

    name: str
    widget: Widget
    label: Sentence
    hint: Sentence | None
    required: bool
    value: str = ""
    values: tuple[str, ...] = ()
    options: Sequence[Option] = ()
    long: bool = False
    input_type: str = "text"
    autocomplete: str = ""
    lang: str = ""  # of a translation: the language to write it in
    rows: tuple[tuple["FieldView", ...], ...] = ()  # of a group one row, of what comes several times as many as are shown
    can_grow: bool = False


@dataclass(frozen=True, kw_only=True)
class Translations:
    """The fields of one more language."""

    language: str
    own_name: str  # as its speakers call it
    fields: tuple[FieldView, ...]
    open: bool  # holds something, or something is wrong with it


@dataclass(frozen=True, kw_only=True)
class FormView:
    """A form on its page."""

    sections: tuple[tuple[Audience, tuple[FieldView, ...]], ...]
    translations: tuple[Translations, ...]
    last_text: str  # the field behind which the translations stand
    labels: dict[str, str]  # of every field that something can be wrong with


class FormShow:
    """Makes the view of one form for one reader."""

    def __init__(self, kind: str, filled: Filled, reader: str, faults: Sequence[Fault], *, more: str = "") -> None:
        """`more` is the name of the field of which the reader asked for another row."""
        self._kind = kind
        self._filled = filled
        self._reader = reader
        self._faults = faults
        self._more = more

    def view(self) -> FormView:
        """Return the form as it is shown."""
        views = {field.name: self._view(field) for field in self._filled.fields}
        sections = tuple(
            (audience, tuple(views[field.name] for field in self._filled.fields if field.audience is audience)) for audience in Audience
        )
        translations = tuple(self._translations(language) for language in i18n.CONTENT_LANGUAGES)
        last_text = [field.name for field in self._filled.fields if field.widget is Widget.TEXTS][-1]
        return FormView(sections=sections, translations=translations, last_text=last_text, labels=self._labels(views, translations))

    def _say(self, key: str) -> Sentence:
        text, lang = i18n.look_up(self._reader, key)
        return Sentence(text, lang=lang, reader=self._reader)

    def _view(self, field: FormField) -> FieldView:
        filled = self._filled
        return FieldView(
            name=field.name,
            widget=field.widget,
            label=self._say(f"kind.{self._kind}.{field.name}"),
            hint=self._say(f"kind.{self._kind}.{field.name}-hint"),
            required=field.required,
            value=filled.language if field.name == "language" else filled.one(field.name),
            values=self._chosen(field),
            options=options_of(field, self._reader) if field.widget is not Widget.TEXTS and field.options else (),
            long=field.long,
            input_type=_INPUT_TYPES.get(field.widget, "text"),
            autocomplete=_AUTOCOMPLETE.get(field.name, ""),
            rows=self._rows(field),
            can_grow=field.widget in {Widget.CODES, Widget.ROWS} and self._shown(field) < field.max_rows,
        )

    def _chosen(self, field: FormField) -> tuple[str, ...]:
        values = self._filled.several(field.name)
        return tuple(values + [""] * (self._shown(field) - len(values))) if field.widget is Widget.CODES else tuple(values)

    def _shown(self, field: FormField) -> int:
        filled = len(self._filled.several(field.name)) if field.widget is Widget.CODES else len(self._filled.rows(field))
        return min(field.max_rows, filled + EMPTY_ROWS + (self._more == field.name))

    def _rows(self, field: FormField) -> tuple[tuple[FieldView, ...], ...]:
        if field.widget is Widget.GROUP:
            return (
                tuple(self._part(part, f"{field.name}.{part.name}", self._filled.one(f"{field.name}.{part.name}")) for part in field.parts),
            )
        if field.widget is not Widget.ROWS:
            return ()
        rows = self._filled.rows(field)
        return tuple(
            tuple(self._part(part, f"{field.name}.{number}.{part.name}", row.get(part.name, "")) for part in field.parts)
            for number, row in enumerate(rows + [{}] * (self._shown(field) - len(rows)))
        )

    def _part(self, part: FormField, name: str, value: str) -> FieldView:
        return FieldView(
            name=name,
            widget=part.widget,
            label=self._say(f"kind.part.{part.name}"),
            hint=None,
            # A row may stay empty, and its parts with it.
            required=part.required and name.count(".") == 1,
            value=value,
            input_type=_INPUT_TYPES.get(part.widget, "text"),
            autocomplete=_AUTOCOMPLETE.get(name, ""),
        )

    def _translations(self, language: str) -> Translations:
        fields = tuple(self._translation(field, language) for field in self._filled.fields if field.widget is Widget.TEXTS)
        wrong = {fault.field for fault in self._faults}
        return Translations(
            language=language,
            own_name=i18n.language_name(language, language),
            fields=fields,
            open=any(field.value or field.name in wrong for field in fields),
        )

    def _translation(self, field: FormField, language: str) -> FieldView:
        name = f"{field.name}.{language}"
        return FieldView(
            name=name,
            widget=Widget.TEXT if field.long else Widget.LINE,
            label=self._say(f"kind.{self._kind}.{field.name}"),
            hint=None,
            required=False,
            value=self._filled.one(name),
            long=field.long,
            lang=language,
        )

    def _labels(self, views: dict[str, FieldView], translations: Sequence[Translations]) -> dict[str, str]:
        labels: dict[str, str] = {}
        for view in views.values():
            labels[view.name] = view.label
            labels.update((part.name, part.label) for row in view.rows for part in row)
        for translation in translations:
            name = i18n.language_name(translation.language, self._reader)
            labels.update((field.name, f"{field.label} – {name}") for field in translation.fields)
        return labels
