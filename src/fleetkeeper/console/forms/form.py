"""Forms that come from the schema of the API: what may be entered, what is required, what a sent one says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from fleetkeeper.console.contexts.panels import Cell, Entry, EntryForm, Facts, Option
from fleetkeeper.console.forms.durations import EXAMPLES, duration_text, entered_seconds
from fleetkeeper.console.forms.schema_fields import (
    bounds_of,
    chosen,
    empty_value,
    is_list,
    is_toggle,
    items_in,
    kind_of,
    own_options,
    text_of,
)
from fleetkeeper.console.panels import model_of
from fleetkeeper.errors import FieldError, InvalidInputError

Model = TypeVar("Model", bound=BaseModel)
VERSION = "version"
_NO_OPTIONS: Mapping[str, Sequence[Option]] = MappingProxyType({})


@dataclass(frozen=True)
class Widget:
    """How a field is shown, where the schema does not say it by itself. `kind` is that of an `Entry`."""

    label: str
    hint: str = ""
    kind: str = ""
    # A schema of changes requires nothing: what is left out stays. A form sends all, and may require it.
    is_required: bool | None = None
    autocomplete: str = "off"
    only_if: str = ""
    # Where the values are had that it offers while one types.
    suggestions: str = ""


@dataclass(frozen=True)
class Form(Generic[Model]):
    """A form of some fields of a schema; a plain text is a field's label."""

    model: type[Model]
    id: str
    title: str
    submit: str
    widgets: Mapping[str, Widget | str]
    text: str = ""
    is_danger: bool = False

    def shown(
        self,
        action: str,
        present: BaseModel | None = None,
        *,
        options: Mapping[str, Sequence[Option]] = _NO_OPTIONS,
        only: Sequence[str] = (),
        version: int | None = None,
        is_open: bool = False,
    ) -> EntryForm:
        """The form with what is true now. `options` are those of fields whose choices the schema does not list.

        `version` is that of what is shown: `version_in` gives it back, so that nobody overwrites what they did not see.
        """
        names = [name for name in self.widgets if not only or name in only]
        entries = [self._entry(name, getattr(present, name, None), options.get(name)) for name in names]
        if version is not None:
            entries.append(Entry(VERSION, "", str(version), kind="hidden"))
        return EntryForm(
            self.id,
            self.title,
            action,
            self.submit,
            tuple(entries),
            text=self.text,
            is_open=is_open,
            is_danger=self.is_danger,
        )

    def facts(self, present: BaseModel, *, only: Sequence[str] = ()) -> Facts:
        """The same fields for readers who may not change them."""
        entries = self.shown("", present, only=only).entries
        return Facts(
            self.id,
            self.title,
            tuple((one.label, _fact(one)) for one in entries if one.kind not in {"password", "hidden"}),
        )

    def read(self, sent: Mapping[str, Sequence[str]], *, only: Sequence[str] = ()) -> Model:
        """What a sent form asks for. Raises InvalidInputError with each field's problem."""
        values, wrong = self._values(sent, only)
        if not wrong:
            return model_of(self.model, values)
        raise InvalidInputError("Correct the marked fields.", fields=[*wrong, *self._others(values, wrong)])

    def read_partly(self, sent: Mapping[str, Sequence[str]]) -> tuple[Model, list[FieldError]]:
        """What can be read of a sent form, and what is wrong with the rest: that has its defaults.

        For forms that can say more of what was entered than their schema does, and say it in the same round.
        """
        values, wrong = self._values(sent, ())
        problems = [*wrong, *self._others(values, wrong)]
        entry = self.model.model_construct()
        for name in values.keys() - {one.field for one in problems}:
            self.model.__pydantic_validator__.validate_assignment(entry, name, values[name])
        return entry, problems

    def _values(
        self, sent: Mapping[str, Sequence[str]], only: Sequence[str]
    ) -> tuple[dict[str, Any], list[FieldError]]:
        values: dict[str, Any] = {}
        wrong: list[FieldError] = []
        for name in self.widgets:
            if only and name not in only:
                continue
            try:
                values[name] = self._value(name, sent.get(name, ()))
            except ValueError as error:
                wrong.append(FieldError(name, str(error)))
        return values, wrong

    def _others(self, values: Mapping[str, Any], wrong: Sequence[FieldError]) -> list[FieldError]:
        """What is wrong with the other fields."""
        known = {one.field for one in wrong}
        try:
            model_of(self.model, values)
        except InvalidInputError as error:
            return [one for one in error.fields if one.field not in known]
        return []

    def kind_of(self, name: str) -> str:
        """How a field is shown, where the form says so itself."""
        return self._widget(name).kind

    def _widget(self, name: str) -> Widget:
        widget = self.widgets[name]
        return Widget(widget) if isinstance(widget, str) else widget

    def _entry(self, name: str, value: Any, options: Sequence[Option] | None) -> Entry:
        info, widget = self.model.model_fields[name], self._widget(name)
        kind = widget.kind or kind_of(name, info, has_options=options is not None)
        least, most = bounds_of(info) if kind == "number" else ("", "")
        required = info.is_required() if widget.is_required is None else widget.is_required
        if value is None and not info.is_required():
            value = info.get_default(call_default_factory=True)
        return Entry(
            name,
            widget.label,
            _shown(value, kind),
            kind=kind,
            hint=widget.hint or _usual_hint(kind, least, most),
            options=chosen(own_options(info) if options is None else options, value),
            is_required=required and kind != "toggle",
            autocomplete=widget.autocomplete,
            only_if=widget.only_if,
            minimum=least,
            maximum=most,
            suggestions=widget.suggestions,
        )

    def _value(self, name: str, texts: Sequence[str]) -> Any:
        info, widget = self.model.model_fields[name], self._widget(name)
        if is_toggle(info):
            return bool(texts)
        if is_list(info):
            return list(texts) if widget.kind != "text" else items_in(texts)
        text = texts[0] if texts else ""
        text = text if kind_of(name, info, has_options=False) == "password" else text.strip()
        if text or (info.is_required() if widget.is_required is None else widget.is_required):
            return entered_seconds(text, info) if text and widget.kind == "duration" else text
        return empty_value(self.model, name)


def _shown(value: Any, kind: str) -> str:
    """A value as its field shows it."""
    if kind == "password":
        return ""
    return duration_text(value) if kind == "duration" else text_of(value)


def _usual_hint(kind: str, least: str, most: str) -> str:
    """What helps where the form says nothing itself."""
    if kind == "duration":
        return EXAMPLES
    return f"{least} to {most}" if least and most else ""


def _fact(entry: Entry) -> Cell:
    if entry.kind == "toggle":
        return Cell("On" if entry.value else "Off")
    if entry.options:
        return Cell(", ".join(one.label for one in entry.options if one.is_chosen))
    return Cell(entry.value)


def version_in(sent: Mapping[str, Sequence[str]]) -> int | None:
    """The version of what the sender saw; None for a form without."""
    text = next(iter(sent.get(VERSION, ())), "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
