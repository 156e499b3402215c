"""The fields of a form as its page shows them: labels in the reader's language, what was filled in, what is wrong with it."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.intake.kinds.form import ASKED_WHERE, Filled, FormField, Widget, every_part
from services.intake.web.form_options import options_of, parts_of_year, said, zones
from services.intake.web.form_read import FILE, FILE_KINDS
from shared import i18n
from shared.events.base import Audience
from shared.web.forms import Fault
from shared.web.pages import Sentence
from shared.web.wording import Option


def cleaned(text: str) -> str:
    """Return a text as the model takes it, to count its characters."""
    return unicodedata.normalize("NFC", "\n".join(text.splitlines())).strip()


# Rows that stand empty from the start, for what may come several times.
EMPTY_ROWS = 1
_INPUT_TYPES = {Widget.ADDRESS: "url", Widget.MAIL: "email", Widget.DAY: "date"}
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
    counted: tuple[int, int, int] = (0, 0, 0)  # of a long text: how many characters it has, the fewest and the most it may have
    asked_where: str = ""  # part of its class, where it is asked for only with some values of another field
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
    last_text: str  # the field behind which the translations stand; empty where there are no texts to translate
    labels: dict[str, str]  # of every field that something can be wrong with


class FormShow:
    """Makes the view of one form for one reader."""

    def __init__(
        self, kind: str, filled: Filled, reader: str, faults: Sequence[Fault], *, more: str = "", contact_needed: bool = True
    ) -> None:
        """`more` is the name of the field of which the reader asked for another row."""
        self._contact_needed = contact_needed
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
        texts = [field.name for field in self._filled.fields if field.widget is Widget.TEXTS]
        translations = tuple(self._translations(language) for language in i18n.CONTENT_LANGUAGES) if texts else ()
        return FormView(
            sections=tuple((audience, fields) for audience, fields in sections if fields),
            translations=translations,
            last_text=texts[-1] if texts else "",
            labels=self._labels(views, translations),
        )

    def _say(self, name: str, ending: str = "") -> Sentence:
        """Return the words of a field: those of its kind, or those that it shares with others."""
        own = f"kind.{self._kind}.{name}{ending}"
        return said(self._reader, own if i18n.knows(own) else f"kind.practice.{name}{ending}")

    def _view(self, field: FormField) -> FieldView:
        filled = self._filled
        return FieldView(
            name=field.name,
            widget=field.widget,
            label=self._say(field.name),
            hint=self._say(field.name, "-hint"),
            required=self._needs(field),
            value=filled.language if field.name == "language" else filled.one(field.name),
            values=self._chosen(field),
            options=self._options(field),
            long=field.long or field.widget is Widget.LINES,
            counted=self._counted(field, field.name),
            asked_where=field.name if field.name in ASKED_WHERE else "",
            input_type=_INPUT_TYPES.get(field.widget, "text"),
            autocomplete=_AUTOCOMPLETE.get(field.name, ""),
            rows=self._rows(field),
            can_grow=field.widget in {Widget.CODES, Widget.ROWS} and self._shown(field) < field.max_rows,
        )

    def _needs(self, field: FormField) -> bool:
        return field.required and (self._contact_needed or field.name != "contact")

    def _options(self, field: FormField) -> Sequence[Option]:
        if field.widget is Widget.WHEN:
            ways = [(way, said(self._reader, f"submit.when.{way}")) for way in field.options]
            return ways if field.required else [("", said(self._reader, "submit.when.none")), *ways]
        return options_of(self._kind, field, self._reader) if field.widget is not Widget.TEXTS and field.options else ()

    def _counted(self, field: FormField, name: str) -> tuple[int, int, int]:
        if not field.long or field.widget not in {Widget.TEXT, Widget.TEXTS}:
            return (0, 0, 0)
        # As the model counts them: cleaned, and composed.
        return len(cleaned(self._filled.one(name))), field.min_length if field.min_length > 1 else 0, field.max_length

    def _chosen(self, field: FormField) -> tuple[str, ...]:
        values = self._filled.several(field.name)
        return tuple(values + [""] * (self._shown(field) - len(values))) if field.widget is Widget.CODES else tuple(values)

    def _shown(self, field: FormField) -> int:
        filled = len(self._filled.several(field.name)) if field.widget is Widget.CODES else len(self._filled.rows(field))
        return min(field.max_rows, filled + EMPTY_ROWS + (self._more == field.name))

    def _rows(self, field: FormField) -> tuple[tuple[FieldView, ...], ...]:
        match field.widget:
            case Widget.GROUP:
                return (tuple(self._part(part, part.name, self._needs(field), self._filled.one(part.name)) for part in field.parts),)
            case Widget.WHEN | Widget.DAYS:
                return (tuple(self._when(field.name, field.options)),)
            case Widget.ROWS:
                rows = self._filled.rows(field)
                return tuple(
                    tuple(self._part(part, f"{field.name}.{number}.{part.name}", False, row.get(part.name, "")) for part in field.parts)
                    for number, row in enumerate(rows + [{}] * (self._shown(field) - len(rows)))
                )
            case _:
                return ()

    def _when(self, name: str, ways: Sequence[str]) -> Iterator[FieldView]:
        yield self._when_part(name, "first", "day", "time day")
        yield self._when_part(name, "last", "day", "time day")
        if "time" in ways:
            yield self._when_part(name, "from", "time", "time")
            yield self._when_part(name, "until", "time", "time")
            names = [(zone, Sentence(zone, lang="en", reader=self._reader)) for zone in zones()]
            yield self._when_part(name, "zone", "choice", "time", names)
        if "rough" in ways:
            yield self._when_part(name, "year", "number", "rough")
            yield self._when_part(name, "part", "choice", "rough", parts_of_year(self._reader))

    def _when_part(self, name: str, part: str, kind: str, asked_where: str, options: Sequence[Option] = ()) -> FieldView:
        return FieldView(
            name=f"{name}.{part}",
            widget=Widget.CHOICE if kind == "choice" else Widget.DAY if kind == "day" else Widget.LINE,
            label=said(self._reader, f"submit.when.{part}"),
            hint=None,
            required=False,
            value=self._filled.one(f"{name}.{part}"),
            options=options,
            input_type={"day": "date", "time": "time"}.get(kind, "text"),
            asked_where=asked_where,
        )

    def _part(self, part: FormField, name: str, required: bool, value: str) -> FieldView:
        group, _, last = name.rpartition(".")
        own = f"kind.part.{group}.{last}"
        return FieldView(
            name=name,
            widget=part.widget,
            label=said(self._reader, own if i18n.knows(own) else f"kind.part.{last}"),
            hint=None,
            # A row, or a group that is not needed, may stay empty, and its parts with it.
            required=part.required and required,
            value=value,
            options=self._options(part),
            input_type=_INPUT_TYPES.get(part.widget, "text"),
            autocomplete=_AUTOCOMPLETE.get(name, ""),
            rows=self._rows(part),
        )

    def _translations(self, language: str) -> Translations:
        texts = [field for field in every_part(self._filled.fields) if field.widget is Widget.TEXTS]
        fields = tuple(self._translation(field, language) for field in texts)
        wrong = {fault.field for fault in self._faults}
        return Translations(
            language=language,
            own_name=i18n.language_name(language, language),
            fields=fields,
            open=any(field.value or field.name in wrong for field in fields),
        )

    def _translation(self, field: FormField, language: str) -> FieldView:
        name = f"{field.name}.{language}"
        group, _, last = field.name.rpartition(".")
        return FieldView(
            name=name,
            widget=Widget.TEXT if field.long else Widget.LINE,
            label=said(self._reader, f"kind.part.{group}.{last}") if group else self._say(field.name),
            hint=None,
            required=False,
            value=self._filled.one(name),
            long=field.long,
            counted=self._counted(field, name),
            lang=language,
        )

    def _labels(self, views: dict[str, FieldView], translations: Sequence[Translations]) -> dict[str, str]:
        labels: dict[str, str] = {}
        for view in views.values():
            labels[view.name] = view.label
            for row in view.rows:
                for part in row:
                    labels[part.name] = part.label
                    labels.update((inner.name, inner.label) for group in part.rows for inner in group)
        for translation in translations:
            name = i18n.language_name(translation.language, self._reader)
            labels.update((field.name, f"{field.label} – {name}") for field in translation.fields)
        return labels


def file_label(kind: str, reader: str) -> dict[str, Sentence]:
    """Return what the file of a kind is called, under the name of its field; nothing for a kind that takes none."""
    return {FILE: said(reader, f"submit.file.{kind}")} if kind in FILE_KINDS else {}
