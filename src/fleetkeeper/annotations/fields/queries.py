"""The SQL of custom fields and their values."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.schemas import MASK
from fleetkeeper.annotations.models import CustomField, CustomValue
from fleetkeeper.identity.actor import Actor, Scope
from fleetkeeper.identity.departments.queries import departments_above
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing, count_rows

LISTING = Listing(
    fields={
        "id": Field(CustomField.id.expression, UUID, sortable=False),
        "label": Field(CustomField.label.expression, str),
        "name": Field(CustomField.name.expression, str),
        "object_type": Field(CustomField.object_type.expression, str),
        "kind": Field(CustomField.kind.expression, str),
        "is_required": Field(CustomField.is_required.expression, bool),
        "is_sensitive": Field(CustomField.is_sensitive.expression, bool),
        "position": Field(CustomField.position.expression, int),
        "department_id": Field(CustomField.department_id.expression, UUID, sortable=False),
        "created_at": Field(CustomField.created_at.expression, datetime),
        "updated_at": Field(CustomField.updated_at.expression, datetime),
    },
    search=(CustomField.label.expression, CustomField.name.expression, CustomField.description.expression),
    key=CustomField.id.expression,
    default_ordering="position",
)
COLUMNS = {
    "text": CustomValue.value_text,
    "choice": CustomValue.value_text,
    "url": CustomValue.value_text,
    "number": CustomValue.value_number,
    "boolean": CustomValue.value_boolean,
    "date": CustomValue.value_date,
}


def seen_in(scope: Scope) -> ColumnElement[bool]:
    """Whether a field is seen by somebody who may see fields there."""
    if not scope:
        return false()
    if scope.everywhere:
        return literal(True)
    return or_(CustomField.department_id.is_(None), CustomField.department_id.in_(sorted(scope.departments)))


def visible_to(actor: Actor) -> Select[Any]:
    """The fields that an actor may see."""
    return select(CustomField).where(seen_in(actor.scope(Permission.FIELDS_READ)))


def of_object(object_type: str, department_id: UUID | None) -> Select[Any]:
    """The fields that an object of a department has, in their order."""
    fits: ColumnElement[bool] = CustomField.department_id.is_(None)
    if department_id is not None:
        fits = or_(fits, CustomField.department_id.in_(departments_above(department_id)))
    fields = select(CustomField).where(CustomField.object_type == object_type, fits)
    return fields.order_by(CustomField.position, CustomField.name)


def applying_to(actor: Actor, object_type: str, department_id: UUID | None) -> Select[Any]:
    """Those of them that an actor may see."""
    return of_object(object_type, department_id).where(seen_in(actor.scope(Permission.FIELDS_READ)))


def values_of(actor: Actor, object_type: str, key: ColumnElement[UUID]) -> ColumnElement[Any]:
    """An object's values by the names of their fields, for a statement that has the object's key."""
    shown = func.coalesce(
        func.to_jsonb(CustomValue.value_text),
        func.to_jsonb(CustomValue.value_number),
        func.to_jsonb(CustomValue.value_boolean),
        func.to_jsonb(CustomValue.value_date),
        # Of a sealed value only that it is there.
        func.to_jsonb(literal(MASK)),
    )
    own = (
        select(func.jsonb_object_agg(CustomField.name, shown))
        .select_from(CustomValue)
        .join(CustomField, CustomField.id == CustomValue.field_id)
        .where(
            CustomValue.object_type == object_type,
            CustomValue.object_id == key,
            seen_in(actor.scope(Permission.FIELDS_READ)),
        )
        .correlate(key.table)
    )
    return func.coalesce(own.scalar_subquery(), literal({}, JSONB), type_=JSONB)


async def count_values(session: AsyncSession, field_id: UUID) -> int:
    """How many objects have a value of a field."""
    return await count_rows(session, CustomValue, CustomValue.field_id == field_id)


async def count_choices(session: AsyncSession, field_id: UUID, choices: Collection[str]) -> dict[str, int]:
    """How many objects have each of these choices; those that none has are left out."""
    rows: Any = await session.execute(
        select(CustomValue.value_text, func.count())
        .where(CustomValue.field_id == field_id, CustomValue.value_text.in_(choices))
        .group_by(CustomValue.value_text)
    )
    return {row[0]: row[1] for row in rows}
