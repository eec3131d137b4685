"""Work orders: planned, done by scanning the part at the machine, or cancelled."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.database.status_history import move as move_status
from fleetkeeper.devices.locations.models import Location
from fleetkeeper.devices.locations.service import locations
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.service import get_device
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users.queries import holders
from fleetkeeper.identity.users.queries import visible_to as users_visible_to
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.listing import LAST, Field, Listing
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.orders.queries import next_number
from fleetkeeper.orders.service import orders
from fleetkeeper.orders.work.models import WorkOrder
from fleetkeeper.orders.work.schemas import WorkDone, WorkPage, WorkRead, WorkWrite
from fleetkeeper.orders.work.status import WORK, WorkStatus
from fleetkeeper.records.service import Records
from fleetkeeper.stock.levels.moving import move_stock
from fleetkeeper.stock.levels.schemas import MoveWrite
from fleetkeeper.stock.models import Part
from fleetkeeper.stock.naming import read_named, with_names
from fleetkeeper.stock.parts.service import check_variant, scan, visible_part

LISTING = Listing(
    fields={
        "id": Field(WorkOrder.id.expression, UUID, sortable=False),
        "number": Field(WorkOrder.number.expression, str),
        "title": Field(WorkOrder.title.expression, str),
        "status": Field(WorkOrder.status.expression, str, choices=tuple(WorkStatus)),
        "device_id": Field(WorkOrder.device_id.expression, UUID, sortable=False),
        "part_id": Field(WorkOrder.part_id.expression, UUID, sortable=False),
        "location_id": Field(WorkOrder.location_id.expression, UUID, sortable=False),
        "order_id": Field(WorkOrder.order_id.expression, UUID, sortable=False),
        "assigned_to": Field(WorkOrder.assigned_to.expression, UUID, sortable=False),
        "starts_at": Field(WorkOrder.starts_at.expression, datetime, null_as=LAST),
        "created_at": Field(WorkOrder.created_at.expression, datetime),
        "department_id": Field(WorkOrder.department_id.expression, UUID, sortable=False),
    },
    search=(
        WorkOrder.number.expression,
        WorkOrder.title.expression,
        Part.part_code.expression,
        Device.name.expression,
    ),
    key=WorkOrder.id.expression,
    default_ordering="starts_at",
    count_limit=10_000,
)


def _named(statement: Select[Any]) -> Select[Any]:
    named = with_names(statement, WorkOrder).outerjoin(Device, Device.id == WorkOrder.device_id)
    named = named.outerjoin(User, User.id == WorkOrder.assigned_to)
    return named.add_columns(
        Device.name.label("device_name"), func.coalesce(User.username, "").label("assigned_to_name")
    )


class WorkOrders(Records[WorkWrite, WorkRead]):
    """Work orders of devices that the actor may see."""

    async def list(
        self,
        session: AsyncSession,
        actor: Actor,
        parameters: Sequence[tuple[str, str]],
        *,
        is_counted: bool = True,
    ) -> PageOf[WorkRead]:
        """One page of the work orders that the actor may see. Raises InvalidInputError."""
        visible = self.visible_to(actor)
        return await self.listing.read(
            session,
            _named(visible),
            parameters,
            self.page_as,
            lambda row: read_named(WorkRead, row),
            narrow=visible if not dict(parameters).get("q") else None,
            is_counted=is_counted,
        )

    async def get(self, session: AsyncSession, actor: Actor, key: UUID) -> WorkRead:
        """One work order. Raises NotFoundError."""
        row = (await session.execute(_named(self.visible_to(actor).where(WorkOrder.id == key)))).first()
        if row is None:
            raise NotFoundError("There is no such work order.")
        return read_named(WorkRead, row)

    async def create(self, session: AsyncSession, actor: Actor, wanted: WorkWrite) -> WorkRead:
        """Plan work. Raises InvalidInputError for what the actor does not see, ForbiddenError."""
        department_id = await _check_ends(session, actor, wanted)
        self._check_may_write(actor, department_id)
        number = await next_number(session, "WO", utc_now().year)
        row = WorkOrder(**wanted.model_dump(), number=number, department_id=department_id)
        made = await self._insert(session, row)
        return await self.get(session, actor, made.id)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: WorkWrite,
        expected_version: int | None = None,
    ) -> WorkRead:
        """Change what is planned. Raises ConflictError for work that is finished."""
        row = await self.locked(session, actor, key)
        if row.status != WorkStatus.PLANNED:
            raise ConflictError(f"A work order that is {row.status} cannot be changed.")
        self._check_may_write(actor, await _check_ends(session, actor, wanted))
        await super().change(session, actor, key, wanted, expected_version)
        return await self.get(session, actor, key)

    async def delete(self, session: AsyncSession, actor: Actor, key: UUID) -> None:
        """Delete what is planned. Raises ConflictError for work that is finished."""
        row = await self.locked(session, actor, key)
        if row.status == WorkStatus.DONE:
            raise ConflictError("Work that was done is kept.")
        await super().delete(session, actor, key)

    async def move(
        self, session: AsyncSession, actor: Actor, key: UUID, wanted: StrEnum, reason: str
    ) -> WorkRead | ApprovalRead:
        """Cancel work; it is done by saying which part was fitted. Raises ConflictError."""
        if wanted == WorkStatus.DONE:
            raise ConflictError("Say which part was fitted: POST /api/v1/work-orders/{id}/done.")
        await super().move(session, actor, key, wanted, reason)
        return await self.get(session, actor, key)


work_orders = WorkOrders(
    model=WorkOrder,
    listing=LISTING,
    write_as=WorkWrite,
    read_as=WorkRead,
    page_as=WorkPage,
    noun=("work order", "work orders"),
    page="/work-orders/{}",
    label="number",
    read=Permission.ORDERS_READ,
    write=Permission.ORDERS_WRITE,
    machine=WORK,
)


async def finish(session: AsyncSession, actor: Actor, key: UUID, done: WorkDone) -> WorkRead:
    """Fit the part: it is consumed on the device, and the work is done.

    Raises NotFoundError, ForbiddenError, ConflictError for work that is finished, InvalidInputError for another part.
    """
    row: WorkOrder = await work_orders.locked(session, actor, key)
    WORK.check(WorkStatus(row.status), WorkStatus.DONE)
    found = await _scanned(session, actor, done.code)
    if found.part.id != row.part_id or (found.variant_id not in {None, row.variant_id}):
        planned = await session.get_one(Part, row.part_id)
        told = f"This is {found.part.part_code}; {planned.part_code} is to be fitted"
        raise InvalidInputError("Nothing was fitted.", fields=[FieldError("code", told)])
    wanted = MoveWrite(
        kind="consumption",
        part_id=row.part_id,
        variant_id=row.variant_id,
        location_id=row.location_id,
        quantity=row.quantity,
        serials=done.serials or ([found.serial] if found.serial else []),
        device_id=row.device_id,
        fits_anyway=done.fits_anyway,
        reason=f"Work order {row.number}" + (f": {done.note}" if done.note else ""),
    )
    await move_stock(session, actor, wanted, ("work_orders", row.id))
    row.done_at, row.done_by_name = utc_now(), actor.name[:255]
    row.version += 1
    await move_status(session, WORK, row, WorkStatus.DONE, reason=done.note)
    return await work_orders.get(session, actor, key)


async def _scanned(session: AsyncSession, actor: Actor, code: str) -> Any:
    try:
        return await scan(session, actor, code)
    except (NotFoundError, ConflictError) as error:
        raise InvalidInputError("Nothing was fitted.", fields=[FieldError("code", str(error))]) from None


async def _check_ends(session: AsyncSession, actor: Actor, wanted: WorkWrite) -> UUID | None:
    """The device's department. Raises InvalidInputError for what the actor does not see."""
    await visible_part(session, actor, wanted.part_id)
    await check_variant(session, wanted.part_id, wanted.variant_id)
    visible = locations.visible_to(actor).where(Location.id == wanted.location_id)
    if await session.scalar(select(visible.exists())) is not True:
        raise _wrong("location_id", "No such location")
    try:
        device = await get_device(session, actor, wanted.device_id)
    except NotFoundError:
        raise _wrong("device_id", "No such device") from None
    if wanted.order_id is not None:
        try:
            await orders.get(session, actor, wanted.order_id)
        except NotFoundError:
            raise _wrong("order_id", "No such order") from None
    if wanted.assigned_to is not None:
        if await session.scalar(users_visible_to(actor).where(User.id == wanted.assigned_to)) is None:
            raise _wrong("assigned_to", "No such user")
        able = holders(Permission.ORDERS_WRITE, device.department_id).where(User.id == wanted.assigned_to)
        if await session.scalar(able) is None:
            raise _wrong("assigned_to", "May not fit parts to this device; choose somebody who may")
    return device.department_id


def _wrong(field: str, message: str) -> InvalidInputError:
    return InvalidInputError("The work order was not saved.", fields=[FieldError(field, message)])
