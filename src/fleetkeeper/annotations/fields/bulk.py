"""Setting or clearing custom fields of many objects at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, any_, cast, delete, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.checking import ValueRefusedError, checked_value
from fleetkeeper.annotations.fields.queries import COLUMNS, visible_to
from fleetkeeper.annotations.fields.values import rule_of
from fleetkeeper.annotations.models import CustomField, CustomValue
from fleetkeeper.annotations.objects import KINDS
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.queries import departments_below


@dataclass(frozen=True)
class FieldChange:
    """A field, and the value that objects shall have in it; None removes the one they have."""

    field: CustomField
    value: Any
    # Where objects have the field; None for everywhere.
    departments: frozenset[UUID] | None

    def applies_in(self, department_id: UUID | None) -> bool:
        """Whether an object of that department has the field."""
        return self.departments is None or department_id in self.departments


async def checked_changes(
    session: AsyncSession, actor: Actor, object_type: str, values: Mapping[str, Any], *, is_locked: bool
) -> list[FieldChange]:
    """What values by the names of their fields ask for; with a lock, who changes one object's values waits.

    Raises InvalidInputError that names each field at fault as `custom_fields.<name>`.
    """
    asked = visible_to(actor).where(CustomField.object_type == object_type, CustomField.name.in_(values))
    asked = asked.order_by(CustomField.position, CustomField.name)
    locked = asked.with_for_update(key_share=True) if is_locked else asked
    fields: dict[str, CustomField] = {one.name: one for one in await session.scalars(locked)}
    unknown = f"There is no such field of this {KINDS[object_type].title}"
    wrong = [FieldError(f"custom_fields.{name}", unknown) for name in values.keys() - fields.keys()]
    wanted: dict[str, Any] = {}
    for name, field in fields.items():
        try:
            wanted[name] = _checked(field, values[name])
        except ValueRefusedError as error:
            wrong.append(FieldError(f"custom_fields.{name}", str(error)))
    if wrong:
        raise InvalidInputError("Correct the marked fields.", fields=sorted(wrong))
    places = await _places_of(session, fields.values())
    return [FieldChange(fields[name], value, places.get(fields[name].id)) for name, value in wanted.items()]


async def present_values(
    session: AsyncSession, changes: Sequence[FieldChange], ids: Sequence[UUID]
) -> dict[tuple[UUID, UUID], Any]:
    """The values that objects have in these fields, by object and field."""
    found: dict[tuple[UUID, UUID], Any] = {}
    for change in changes:
        column = COLUMNS[change.field.kind]
        rows = await session.execute(
            select(CustomValue.object_id, column).where(
                CustomValue.field_id == change.field.id, CustomValue.object_id == any_(_array(ids))
            )
        )
        found |= {(row[0], change.field.id): row[1] for row in rows}
    return found


async def store_values(session: AsyncSession, change: FieldChange, ids: Sequence[UUID]) -> None:
    """Let these objects have the value, or none."""
    field = change.field
    if not ids:
        return
    if change.value is None:
        await session.execute(
            delete(CustomValue)
            .where(CustomValue.field_id == field.id, CustomValue.object_id == any_(_array(ids)))
            .execution_options(synchronize_session=False)
        )
        return
    column = COLUMNS[field.kind]
    stored = insert(CustomValue).from_select(
        ["object_id", "field_id", "object_type", "field_name", column.key], _rows(change, ids)
    )
    await session.execute(
        stored.on_conflict_do_update(
            index_elements=["object_id", "field_id"],
            set_={column.key: stored.excluded[column.key], "field_name": field.name},
        )
    )


def _checked(field: CustomField, value: Any) -> Any:
    if field.is_sensitive:
        raise ValueRefusedError("A sensitive field can only be changed on each object")
    checked = checked_value(rule_of(field), value)
    if checked is None and field.is_required:
        raise ValueRefusedError("Required, and cannot be cleared")
    return checked


async def _places_of(session: AsyncSession, fields: Collection[CustomField]) -> dict[UUID, frozenset[UUID]]:
    tops = {one.department_id for one in fields if one.department_id is not None}
    rows = (await session.execute(departments_below(tops))).all() if tops else []
    return {
        one.id: frozenset(row[1] for row in rows if row[0] == one.department_id)
        for one in fields
        if one.department_id is not None
    }


def _rows(change: FieldChange, ids: Sequence[UUID]) -> Select[Any]:
    kind = KINDS[change.field.object_type]
    value = literal(change.value, COLUMNS[change.field.kind].type)
    name = literal(change.field.name)
    columns: list[Any] = [kind.key, literal(change.field.id, Uuid), literal(kind.table), name, value]
    return select(*columns).where(kind.key == any_(_array(ids)))


def _array(ids: Sequence[UUID]) -> Any:
    """One parameter for any number of keys."""
    return cast(list(ids), ARRAY(Uuid))
