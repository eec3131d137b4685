"""Custom fields in lists and on the pages of objects."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from pydantic import BaseModel, create_model
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.filters import PREFIX
from fleetkeeper.annotations.fields.schemas import MASK, FieldRead, Value
from fleetkeeper.annotations.fields.values import FieldsOfObject, read_values
from fleetkeeper.console.contexts.panels import Cell, Entry, EntryForm, Option, Panel, Row, RowAction, Table
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.lists.declaring import Column
from fleetkeeper.console.panels import Sent, refused
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

FORM_ID = "edit-custom-fields"
_TRUTH = {True: "Yes", False: "No"}
_NOT_SET = Option("", "Not set")
_TRUTH_OPTIONS = (Option("true", "Yes"), Option("false", "No"))
INPUTS = {"number": "number", "date": "date", "url": "url", "boolean": "select", "choice": "select"}


def field_columns(fields: Sequence[FieldRead]) -> tuple[Column[Any], ...]:
    """A column for each field of a list's objects, which who wants it chooses."""
    return tuple(
        Column(
            PREFIX + one.name,
            one.label,
            partial(_listed, one),
            sort="" if one.is_sensitive else PREFIX + one.name,
            is_extra=True,
        )
        for one in fields
    )


def _listed(field: FieldRead, item: Any) -> Cell:
    return _cell(field, item.custom_fields.get(field.name))


def _cell(field: FieldRead, value: Value | None) -> Cell:
    if value is None:
        return Cell()
    text = _TRUTH[value] if isinstance(value, bool) else str(value)
    return Cell(text, text if field.kind == "url" else "")


def values_address(object_type: str, object_id: object) -> str:
    """Where an object's values are changed."""
    return f"/custom-fields/objects/{object_type}/{object_id}"


async def fields_of(
    session: AsyncSession, actor: Actor, object_type: str, object_id: Any
) -> FieldsOfObject | None:
    """An object's fields, if the actor may see such; None where there are none."""
    if not actor.may(Permission.FIELDS_READ):
        return None
    found = await read_values(session, actor, object_type, object_id)
    return found if found.fields else None


def field_panels(
    actor: Actor, found: FieldsOfObject, address: str, department_id: Any, *, may_write: bool
) -> list[Panel]:
    """The values, which those who may can reveal, and the form that changes them."""
    may_reveal = actor.may_in(Permission.FIELDS_REVEAL, department_id)
    rows = tuple(_row(one, found, address, may_reveal=may_reveal) for one in found.fields)
    table = Table("custom-fields", "Custom fields", ("Field", "Value"), rows)
    return [table, values_form(found, address)] if may_write else [table]


def _row(field: FieldRead, found: FieldsOfObject, address: str, *, may_reveal: bool) -> Row:
    value = found.values.values.get(field.name)
    reveal = RowAction(
        "Reveal",
        f"{address}/{field.name}/reveal",
        f"Reveal {field.label}? The audit log records that you saw it.",
        is_danger=False,
        shows_page=True,
    )
    is_hidden = field.is_sensitive and value is not None
    return Row((Cell(field.label), _cell(field, value)), (reveal,) if is_hidden and may_reveal else ())


def values_form(found: FieldsOfObject, address: str) -> EntryForm:
    """The form with the present values, and the defaults of fields without one."""
    form, present = _form(found.fields), _present(found)
    shown = form.shown(
        address,
        form.model(**present),
        options={
            PREFIX + one.name: (_NOT_SET, *value_options(one))
            for one in found.fields
            if INPUTS.get(one.kind) == "select"
        },
        version=found.values.version,
    )
    return replace(shown, entries=tuple(_masked(one, present) for one in shown.entries))


def sent_values(fields: Sequence[FieldRead], sent: Mapping[str, list[str]]) -> dict[str, Any]:
    """What a sent form says of the fields, by their names."""
    told = _form(fields).read(sent).model_dump()
    return {one.name: told[PREFIX + one.name] for one in fields}


def refused_form(form: EntryForm, error: FleetkeeperError, sent: Sent) -> EntryForm:
    """The form as it was sent. A sensitive value that was entered has to be entered again."""
    named = [one._replace(field=PREFIX + one.field) for one in error.fields]
    error.fields = tuple(named)
    shown = refused(form, error, sent)
    return replace(shown, entries=tuple(_entered_again(one, sent) for one in shown.entries))


def _form(fields: Sequence[FieldRead]) -> Form[BaseModel]:
    texts: dict[str, Any] = {PREFIX + one.name: (str, "") for one in fields}
    widgets = {PREFIX + one.name: _widget(one) for one in fields}
    model: type[BaseModel] = create_model("CustomValues", **texts)
    return Form(model, FORM_ID, "Edit custom fields", "Save custom fields", widgets)


def _widget(field: FieldRead) -> Widget:
    kind = "password" if field.is_sensitive else INPUTS.get(field.kind, "text")
    autocomplete = "new-password" if field.is_sensitive else "off"
    return Widget(field.label, field.description, kind, field.is_required, autocomplete)


def value_options(field: FieldRead) -> Sequence[Option]:
    """The values of a field that has few."""
    return _TRUTH_OPTIONS if field.kind == "boolean" else tuple(Option(one, one) for one in field.choices)


def _present(found: FieldsOfObject) -> dict[str, str]:
    values = {one.name: found.values.values.get(one.name, one.default) for one in found.fields}
    return {
        PREFIX + name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }


def _masked(entry: Entry, present: Mapping[str, str]) -> Entry:
    """A mask in the place of a sensitive value: sent back, it keeps the value, and emptied it removes it."""
    is_kept = entry.kind == "password" and present[entry.name] == MASK
    return replace(entry, value=MASK) if is_kept else entry


def _entered_again(entry: Entry, sent: Sent) -> Entry:
    if entry.kind != "password" or not sent.get(entry.name):
        return entry
    if sent[entry.name] in (MASK, [MASK]):
        return replace(entry, value=MASK)
    return replace(entry, error=entry.error or "Enter it again")
