"""Lists of objects filtered and sorted by custom fields, which they call `cf_<name>`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.queries import COLUMNS
from fleetkeeper.annotations.fields.schemas import FieldRead
from fleetkeeper.annotations.fields.service import fields_for
from fleetkeeper.annotations.models import CustomValue
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.listing import Field, Listing

PREFIX = "cf_"
# By kind: the type of a value, and what stands for none where lists are sorted.
_TYPES: dict[str, tuple[Any, str]] = {
    "text": (str, "''"),
    "choice": (str, "''"),
    "url": (str, "''"),
    "number": (float, "-1e300"),
    "boolean": (bool, "false"),
    "date": (date, "'0001-01-01'::date"),
}


def is_field(name: str) -> bool:
    """Whether a filter, a column or an ordering is a custom field's."""
    return name.removeprefix("-").startswith(PREFIX)


async def fields_asked_for(
    session: AsyncSession, actor: Actor, object_type: str, parameters: Sequence[tuple[str, str]]
) -> Sequence[FieldRead]:
    """The fields of a kind of object, where a list is filtered or sorted by one; none otherwise."""
    if any(is_field(name) or (name == "ordering" and is_field(text)) for name, text in parameters):
        return await fields_for(session, actor, object_type)
    return ()


def sorted_by_fields(listing: Listing, fields: Sequence[FieldRead], key: ColumnElement[UUID]) -> Listing:
    """The list with orderings by fields. Sensitive ones have none."""
    return replace(listing, fields={**listing.fields, **_columns(fields, key)}) if fields else listing


def with_value(
    statement: Select[Any], key: ColumnElement[UUID], fields: Sequence[FieldRead], name: str, text: str
) -> Select[Any]:
    """Those of the objects whose value fits a filter. Raises InvalidInputError for one that is none."""
    base, _, operator = name.partition("__")
    field = next((one for one in fields if PREFIX + one.name == base), None)
    if field is None:
        raise InvalidInputError(
            "The filter is unknown.", fields=[FieldError(name, "There is no such custom field")]
        )
    having = select(CustomValue.object_id).where(CustomValue.field_id == field.id)
    if operator == "isnull":
        if text.lower() not in {"true", "false"}:
            raise _wrong(name, "Must be true or false")
        return statement.where(key.not_in(having) if text.lower() == "true" else key.in_(having))
    if field.is_sensitive:
        raise _wrong(name, "A sensitive field can only be filtered by __isnull")
    kind = _TYPES[field.kind][0]
    column = Field(COLUMNS[field.kind].expression, kind, choices=tuple(field.choices))
    values = Listing({base: column}, (), CustomValue.object_id.expression, base)
    return statement.where(key.in_(having.where(*values.filters([(name, text)]))))


def _columns(fields: Sequence[FieldRead], key: ColumnElement[UUID]) -> dict[str, Field]:
    return {PREFIX + one.name: _sorted(one, key) for one in fields if not one.is_sensitive}


def _sorted(field: FieldRead, key: ColumnElement[UUID]) -> Field:
    value = select(COLUMNS[field.kind]).where(CustomValue.field_id == field.id, CustomValue.object_id == key)
    kind, nothing = _TYPES[field.kind]
    return Field(
        value.correlate(key.table).scalar_subquery(), kind, null_as=nothing, choices=tuple(field.choices)
    )


def _wrong(name: str, message: str) -> InvalidInputError:
    return InvalidInputError("The filter is wrong.", fields=[FieldError(name, message)])
