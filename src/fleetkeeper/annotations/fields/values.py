"""Reading, changing and revealing the values that an object has in its custom fields."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.checking import Rule, ValueRefusedError, checked_value
from fleetkeeper.annotations.fields.queries import COLUMNS, applying_to, of_object
from fleetkeeper.annotations.fields.schemas import MASK, FieldRead, RevealedValue, Value, ValuesRead
from fleetkeeper.annotations.models import CustomField, CustomValue
from fleetkeeper.annotations.objects import Found, check_visible, check_writable
from fleetkeeper.audit.recorder import record_event
from fleetkeeper.errors import ConflictError, FieldError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.sealing import Sealer, SealingError

_COLUMNS = ("value_text", "value_number", "value_boolean", "value_date", "value_sealed")
Rows = Mapping[UUID, CustomValue]


@dataclass(frozen=True)
class FieldsOfObject:
    """The fields that an object has, in their order, and its values."""

    fields: Sequence[FieldRead]
    values: ValuesRead


async def read_values(
    session: AsyncSession, actor: Actor, object_type: str, object_id: UUID
) -> FieldsOfObject:
    """An object's fields and values. Raises NotFoundError for an object that the actor may not see."""
    found = await check_visible(session, actor, object_type, object_id)
    fields = list(await session.scalars(applying_to(actor, object_type, found.department_id)))
    rows = await _rows(session, fields, object_id)
    return FieldsOfObject([FieldRead.model_validate(one) for one in fields], _told(fields, rows))


async def change_values(
    session: AsyncSession,
    actor: Actor,
    sealer: Sealer,
    object_type: str,
    object_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> ValuesRead:
    """Set some values of an object; None removes one.

    Raises InvalidInputError that names each field at fault, NotFoundError, ForbiddenError, PreconditionError.
    """
    found = await check_writable(session, actor, object_type, object_id)
    await _lock(session, object_id)
    # Shared, so that no field changes its kind meanwhile.
    asked = applying_to(actor, object_type, found.department_id).with_for_update(read=True, of=CustomField)
    fields = list(await session.scalars(asked))
    rows = await _rows(session, fields, object_id)
    check_version(f"{found.kind.title}'s custom fields", _version(rows), expected_version)
    wanted = _checked(fields, rows, changes, found)
    for field in fields:
        if field.name in wanted:
            await _store(session, sealer, found, field, rows.get(field.id), wanted[field.name])
    await session.flush()
    return _told(fields, await _rows(session, fields, object_id))


async def reveal_value(
    session: AsyncSession, actor: Actor, sealer: Sealer, object_type: str, object_id: UUID, name: str
) -> RevealedValue:
    """A sensitive value; the audit log keeps who saw it. Raises NotFoundError, ForbiddenError, ConflictError."""
    found = await check_visible(session, actor, object_type, object_id)
    if not actor.may_in(Permission.FIELDS_REVEAL, found.department_id):
        raise ForbiddenError(f"This needs the permission {Permission.FIELDS_REVEAL}.")
    fields = applying_to(actor, object_type, found.department_id).where(CustomField.name == name)
    field: CustomField | None = await session.scalar(fields)
    row = None if field is None else await session.get(CustomValue, (object_id, field.id))
    if field is None or row is None or row.value_sealed is None:
        raise NotFoundError("There is no such sensitive value.")
    await record_event(
        session,
        "custom_values.reveal",
        "custom_values",
        f"{object_id},{field.id}",
        f"{field.label} of {found.label}",
        device_id=object_id if object_type == "devices" else None,
    )
    value = _opened(sealer, row, row.value_sealed)
    return RevealedValue(name=name, label=field.label, object=found.label, value=value)


async def set_defaults(
    session: AsyncSession, object_type: str, object_id: UUID, department_id: UUID | None
) -> None:
    """Give a new object the defaults of its fields."""
    fields = of_object(object_type, department_id).where(CustomField.default != "")
    for field in await session.scalars(fields):
        row = _new_row(field, object_type, object_id)
        setattr(row, COLUMNS[field.kind].key, checked_value(rule_of(field), field.default))
        session.add(row)


def _checked(
    fields: Sequence[CustomField], rows: Rows, changes: Mapping[str, Any], found: Found
) -> dict[str, Any]:
    """What is to be stored, by name. Raises InvalidInputError."""
    known = {one.name: one for one in fields}
    wanted: dict[str, Any] = {}
    unknown = f"There is no such field of this {found.kind.title}"
    wrong = [FieldError(name[:100], unknown) for name in changes.keys() - known.keys()]
    for name in known.keys() & changes.keys():
        field, value = known[name], changes[name]
        if field.is_sensitive and value == MASK and field.id in rows:
            continue
        try:
            wanted[name] = checked_value(rule_of(field), value)
        except ValueRefusedError as error:
            wrong.append(FieldError(name, str(error)))
    refused = {one.field for one in wrong}
    wrong += [
        FieldError(one.name, "Required")
        for one in fields
        if one.is_required and one.name not in refused and _is_missing(one, rows, wanted)
    ]
    if wrong:
        raise InvalidInputError("Correct the marked fields.", fields=sorted(wrong))
    return wanted


def rule_of(field: CustomField) -> Rule:
    """What the field asks of its values."""
    return Rule(field.kind, field.choices, field.pattern)


def _is_missing(field: CustomField, rows: Rows, wanted: Mapping[str, Any]) -> bool:
    return wanted[field.name] is None if field.name in wanted else field.id not in rows


async def _store(
    session: AsyncSession,
    sealer: Sealer,
    found: Found,
    field: CustomField,
    row: CustomValue | None,
    value: Any,
) -> None:
    if value is None:
        if row is not None:
            await session.delete(row)
        return
    if row is None:
        row = _new_row(field, found.kind.table, found.id)
        session.add(row)
    if field.is_sensitive:
        row.value_sealed = sealer.seal(value.encode(), _context(found.id, field.id))
    else:
        setattr(row, COLUMNS[field.kind].key, value)


def _new_row(field: CustomField, object_type: str, object_id: UUID) -> CustomValue:
    return CustomValue(object_id=object_id, field_id=field.id, object_type=object_type, field_name=field.name)


async def _rows(session: AsyncSession, fields: Sequence[CustomField], object_id: UUID) -> Rows:
    rows = await session.scalars(
        select(CustomValue)
        .where(CustomValue.object_id == object_id, CustomValue.field_id.in_([one.id for one in fields]))
        .execution_options(populate_existing=True)
    )
    return {one.field_id: one for one in rows}


def _told(fields: Sequence[CustomField], rows: Rows) -> ValuesRead:
    values = {one.name: _shown(rows[one.id]) for one in fields if one.id in rows}
    return ValuesRead(values=values, version=_version(rows))


def _shown(row: CustomValue) -> Value:
    if row.value_sealed is not None:
        return MASK
    value = next(value for name in _COLUMNS if (value := getattr(row, name)) is not None)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.isoformat() if isinstance(value, date) else value


def _version(rows: Rows) -> int:
    """The same for the same values; no other has been seen with nine digits of a checksum."""
    told = [(str(key), [getattr(rows[key], name) for name in _COLUMNS]) for key in sorted(rows)]
    return zlib.crc32(repr(told).encode()) % 1_000_000_000


async def _lock(session: AsyncSession, object_id: UUID) -> None:
    """Until the transaction ends nobody else changes values of the object."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"custom_values:{object_id}"}
    )


def _opened(sealer: Sealer, row: CustomValue, sealed: bytes) -> str:
    try:
        return sealer.open(sealed, _context(row.object_id, row.field_id)).decode()
    except SealingError as error:
        raise ConflictError(f"The value cannot be decrypted ({error}); enter it again.") from None


def _context(object_id: UUID, field_id: UUID) -> bytes:
    return b"custom_values:" + object_id.bytes + field_id.bytes
