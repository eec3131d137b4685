"""Forms that come from the schema of the API: what may be entered, what is required, what a sent one says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from fleetkeeper.console.contexts.panels import Entry, EntryForm, Option
from fleetkeeper.console.forms.schema_fields import (
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

    def read(self, sent: Mapping[str, Sequence[str]], *, only: Sequence[str] = ()) -> Model:
        """What a sent form asks for. Raises InvalidInputError with each field's problem."""
        names = [name for name in self.widgets if not only or name in only]
        return model_of(self.model, {name: self._value(name, sent.get(name, ())) for name in names})

    def _widget(self, name: str) -> Widget:
        widget = self.widgets[name]
        return Widget(widget) if isinstance(widget, str) else widget

    def _entry(self, name: str, value: Any, options: Sequence[Option] | None) -> Entry:
        info, widget = self.model.model_fields[name], self._widget(name)
        kind = widget.kind or kind_of(name, info, has_options=options is not None)
        required = info.is_required() if widget.is_required is None else widget.is_required
        if value is None and not info.is_required():
            value = info.get_default(call_default_factory=True)
        return Entry(
            name,
            widget.label,
            text_of(value) if kind != "password" else "",
            kind=kind,
            hint=widget.hint,
            options=chosen(own_options(info) if options is None else options, value),
            is_required=required and kind != "toggle",
            autocomplete=widget.autocomplete,
            only_if=widget.only_if,
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
            return text
        return empty_value(self.model, name)


def version_in(sent: Mapping[str, Sequence[str]]) -> int | None:
    """The version of what the sender saw; None for a form without."""
    text = next(iter(sent.get(VERSION, ())), "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
