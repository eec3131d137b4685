"""Making, changing and deleting custom fields."""

import re
import unicodedata
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields import queries
from fleetkeeper.annotations.fields.checking import wrong_with
from fleetkeeper.annotations.fields.schemas import FieldDeleted, FieldPage, FieldRead, FieldWrite
from fleetkeeper.annotations.models import CustomField
from fleetkeeper.annotations.objects import KINDS
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ConflictError, FieldError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Department
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.listing import count_rows

# Of one kind of object.
MOST = 100
_NO_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 60


async def list_fields(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> FieldPage:
    """One page of the fields that the actor may see."""
    return await queries.LISTING.read(
        session,
        queries.visible_to(actor),
        parameters,
        FieldPage,
        lambda row: FieldRead.model_validate(row[0]),
    )


async def fields_for(session: AsyncSession, actor: Actor, object_type: str) -> list[FieldRead]:
    """All fields of a kind of object that the actor may see, in their order."""
    visible = queries.visible_to(actor).where(CustomField.object_type == object_type)
    rows = await session.scalars(visible.order_by(CustomField.position, CustomField.name))
    return [FieldRead.model_validate(one) for one in rows]


async def get_field(session: AsyncSession, actor: Actor, field_id: UUID) -> FieldRead:
    """One field, with how many objects have a value. Raises NotFoundError."""
    found = await find_field(session, actor, field_id)
    return await _read(session, found)


async def create_field(session: AsyncSession, actor: Actor, wanted: FieldWrite) -> FieldRead:
    """Make a field. Raises InvalidInputError, ForbiddenError, ConflictError for a name that is taken."""
    await _check(session, actor, wanted)
    if wanted.object_type not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise _refused("object_type", f"Must be one of {known}")
    if wanted.department_id is not None and KINDS[wanted.object_type].department is None:
        raise _refused(
            "department_id", f"Must be empty: a {KINDS[wanted.object_type].title} has no department"
        )
    if await count_rows(session, CustomField, CustomField.object_type == wanted.object_type) >= MOST:
        raise ConflictError(f"There are {MOST} fields of {wanted.object_type} already; delete some first.")
    field = CustomField(**wanted.model_dump() | {"name": wanted.name or name_of(wanted.label)})
    async with told_by_name(session):
        session.add(field)
    await session.refresh(field)
    return await _read(session, field)


async def change_field(
    session: AsyncSession,
    actor: Actor,
    field_id: UUID,
    wanted: FieldWrite,
    expected_version: int | None = None,
) -> FieldRead:
    """Change a field. Raises as making one does, NotFoundError, PreconditionError.

    Raises ConflictError, with a count, for a change that present values would not fit.
    """
    field = await _writable(session, actor, field_id)
    check_version("custom field", field.version, expected_version)
    await _check(session, actor, wanted)
    if wanted.object_type != field.object_type:
        raise _refused("object_type", "Cannot be changed; create another field")
    await _check_values_fit(session, field, wanted)
    async with told_by_name(session):
        for name, value in (wanted.model_dump() | {"name": wanted.name or field.name}).items():
            setattr(field, name, value)
        field.version += 1
    await session.refresh(field)
    return await _read(session, field)


async def delete_field(session: AsyncSession, actor: Actor, field_id: UUID) -> FieldDeleted:
    """Delete a field with all its values. Raises NotFoundError, ForbiddenError."""
    field = await _writable(session, actor, field_id)
    count = await queries.count_values(session, field_id)
    await session.delete(field)
    await session.flush()
    return FieldDeleted(values_deleted=count)


async def find_field(
    session: AsyncSession, actor: Actor, field_id: UUID, *, is_locked: bool = False
) -> CustomField:
    """The field's row. Raises NotFoundError for one that the actor may not see."""
    visible = queries.visible_to(actor).where(CustomField.id == field_id)
    found: CustomField | None = await session.scalar(visible.with_for_update() if is_locked else visible)
    if found is None:
        raise NotFoundError("There is no such custom field.")
    return found


def name_of(label: str) -> str:
    """A label as a name. Raises InvalidInputError for one that does not begin with a letter that could stand in it."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    name = _NO_NAME.sub("_", plain)[:_LONGEST_NAME].strip("_")
    if not name[:1].isalpha():
        raise _refused("name", "Required, as the label does not begin with a Latin letter")
    return name


async def _writable(session: AsyncSession, actor: Actor, field_id: UUID) -> CustomField:
    field = await find_field(session, actor, field_id, is_locked=True)
    _check_may_write(actor, field.department_id)
    return field


def _check_may_write(actor: Actor, department_id: UUID | None) -> None:
    where = "everywhere" if department_id is None else "in its department"
    needed = (Permission.FIELDS_WRITE, Permission.FIELDS_READ, Permission.DEVICES_READ)
    missing = next((one for one in needed if not actor.may_in(one, department_id)), None)
    if missing is not None:
        raise ForbiddenError(f"This field needs the permission {missing} {where}.")


async def _check(session: AsyncSession, actor: Actor, wanted: FieldWrite) -> None:
    if wrong := wrong_with(wanted):
        raise InvalidInputError("The custom field is not valid.", fields=wrong)
    if wanted.department_id is not None:
        exists = await session.scalar(select(Department.id).where(Department.id == wanted.department_id))
        if exists is None or not actor.may_in(Permission.FIELDS_WRITE, wanted.department_id):
            raise _refused("department_id", "Must be a department in which you may write fields")
    _check_may_write(actor, wanted.department_id)


async def _check_values_fit(session: AsyncSession, field: CustomField, wanted: FieldWrite) -> None:
    """Raise ConflictError where objects have values that would be none any more."""
    for name in ("kind", "is_sensitive"):
        if getattr(wanted, name) != getattr(field, name) and (
            count := await queries.count_values(session, field.id)
        ):
            message = (
                f"Cannot change while {_objects(count)} a value; remove the values, or create another field"
            )
            raise ConflictError("The field was not changed.", fields=[FieldError(name, message)])
    removed = set(field.choices) - set(wanted.choices)
    if removed and (used := await queries.count_choices(session, field.id, removed)):
        told = ", ".join(f"{choice} ({_objects(count)} it)" for choice, count in sorted(used.items()))
        message = f"In use: {told}. Give those objects another value first"
        raise ConflictError("The field was not changed.", fields=[FieldError("choices", message)])


def _objects(count: int) -> str:
    return "1 object has" if count == 1 else f"{count:,} objects have"


def _refused(field: str, message: str) -> InvalidInputError:
    return InvalidInputError("The custom field is not valid.", fields=[FieldError(field, message)])


async def _read(session: AsyncSession, field: CustomField) -> FieldRead:
    told = FieldRead.model_validate(field)
    return told.model_copy(update={"value_count": await queries.count_values(session, field.id)})
