"""The SQL of imports."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import queries as devices
from fleetkeeper.devices.importing.models import DeviceImport, DeviceImportRow
from fleetkeeper.devices.importing.status import OPEN, ImportStatus
from fleetkeeper.devices.models import Device
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(DeviceImport.id.expression, UUID, sortable=False),
        "file_name": Field(DeviceImport.file_name.expression, str),
        "status": Field(DeviceImport.status.expression, str, choices=tuple(ImportStatus)),
        "owner": Field(DeviceImport.owner.expression, str),
        "row_count": Field(DeviceImport.row_count.expression, int),
        "created_at": Field(DeviceImport.created_at.expression, datetime),
    },
    search=(DeviceImport.file_name.expression, DeviceImport.owner.expression),
    key=DeviceImport.id.expression,
    default_ordering="-created_at",
)
OUTCOMES = ("create", "update", "unchanged", "wrong")
RESULTS = ("created", "updated", "failed")
UNDONE = ("deleted", "restored", "kept", "held")
ITEMS = Listing(
    fields={
        "position": Field(DeviceImportRow.position.expression, int),
        "name": Field(DeviceImportRow.name.expression, str),
        "outcome": Field(DeviceImportRow.outcome.expression, str, choices=OUTCOMES),
        "result": Field(DeviceImportRow.result.expression, str, choices=RESULTS),
        "undone": Field(DeviceImportRow.undone.expression, str, choices=UNDONE),
        "device_id": Field(DeviceImportRow.device_id.expression, UUID, sortable=False, null_as="''"),
    },
    search=(DeviceImportRow.name.expression,),
    key=DeviceImportRow.id.expression,
    default_ordering="position",
)


def visible_to(actor: Actor) -> Select[Any]:
    """One's own imports; those who change devices everywhere see all."""
    statement = select(DeviceImport)
    if actor.may_everywhere(Permission.DEVICES_WRITE):
        return statement
    return statement.where(DeviceImport.owner_id == actor.user_id)


async def count_by(session: AsyncSession, ids: Collection[UUID]) -> dict[tuple[UUID, str], int]:
    """Rows of imports by what is said of them, in each of the three ways."""
    found: dict[tuple[UUID, str], int] = {}
    columns = (DeviceImportRow.outcome, DeviceImportRow.result, DeviceImportRow.undone)
    rows = await session.execute(
        select(DeviceImportRow.import_id, *columns, func.count())
        .where(DeviceImportRow.import_id.in_(ids))
        .group_by(DeviceImportRow.import_id, *columns)
    )
    for key, *told, number in rows:
        for one in filter(None, told):
            found[key, one] = found.get((key, one), 0) + number
    return found


async def next_rows(
    session: AsyncSession, import_id: UUID, after: int, limit: int, *conditions: Any
) -> Sequence[DeviceImportRow]:
    """So many rows behind a position."""
    statement = select(DeviceImportRow).where(
        DeviceImportRow.import_id == import_id, DeviceImportRow.position > after, *conditions
    )
    return (await session.scalars(statement.order_by(DeviceImportRow.position).limit(limit))).all()


async def forget_outcomes(session: AsyncSession, import_id: UUID) -> None:
    """Let rows be as they were uploaded."""
    await session.execute(
        update(DeviceImportRow)
        .where(DeviceImportRow.import_id == import_id, DeviceImportRow.outcome != "")
        .values(name="", device_id=None, outcome="", result="", detail="", changes=[], problems=[], made={})
        .execution_options(synchronize_session=False)
    )


async def count_open(session: AsyncSession, actor: Actor) -> int:
    """How many imports of an actor wait for them."""
    own = select(func.count()).where(
        DeviceImport.owner_id.is_not_distinct_from(actor.user_id), DeviceImport.status.in_(OPEN)
    )
    return await session.scalar(own) or 0


async def devices_with(
    session: AsyncSession, actor: Actor, field: str, texts: Collection[str]
) -> Sequence[Any]:
    """Devices that the actor may see with one of these texts in a field: id, that field, department_id."""
    column = getattr(Device, field)
    asked = devices.visible_to(actor).with_only_columns(
        Device.id, column, Device.department_id, maintain_column_froms=True
    )
    wanted: list[Any] = [UUID(one) for one in texts] if field == "id" else list(texts)
    rows: Any = await session.execute(devices.machines(asked.where(column.in_(wanted))).order_by(Device.id))
    found: Sequence[Any] = rows.all()
    return found


async def forget_old(session: AsyncSession, untouched_before: datetime, applied_before: datetime) -> None:
    """Remove imports that nobody applied, and those that cannot be undone any more."""
    never = DeviceImport.applied_at.is_(None) & (DeviceImport.updated_at < untouched_before)
    await session.execute(
        delete(DeviceImport).where(
            DeviceImport.status.not_in([ImportStatus.APPLYING, ImportStatus.UNDOING]),
            never | (DeviceImport.applied_at < applied_before),
        )
    )


def rows_of(import_id: UUID) -> Select[Any]:
    """The rows of an import."""
    return select(DeviceImportRow).where(DeviceImportRow.import_id == import_id)
